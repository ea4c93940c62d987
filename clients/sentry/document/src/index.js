'use strict';

const { SpanStatusCode, trace } = require('@opentelemetry/api');

const { settleAll } = require('./orders.js');

const tracer = trace.getTracer('checkout');

function run() {
  const span = tracer.startSpan('settle the orders of the day');
  try {
    settleAll([{ id: 'A-1', lines: [{ article: 'tea', cents: 350 }] }, { id: 'A-2' }]);
    span.setStatus({ code: SpanStatusCode.OK });
  } catch (error) {
    span.recordException(error);
    span.setStatus({ code: SpanStatusCode.ERROR, message: error.message });
    console.log(JSON.stringify({ traceId: span.spanContext().traceId, stack: error.stack }));
  } finally {
    span.end();
  }
}

run();

import { SpanStatusCode, trace } from '@opentelemetry/api';
import { OTLPTraceExporter } from '@opentelemetry/exporter-trace-otlp-http';
import { resourceFromAttributes } from '@opentelemetry/resources';
import { BatchSpanProcessor, WebTracerProvider } from '@opentelemetry/sdk-trace-web';

import { DebugIds } from '../debug-ids.js';

// build.js puts the address here.
const exporter = new OTLPTraceExporter({ url: OTLP_URL });

const provider = new WebTracerProvider({
  resource: resourceFromAttributes({ 'service.name': 'cart-page' }),
  spanProcessors: [new DebugIds(), new BatchSpanProcessor(exporter, { scheduledDelayMillis: 500 })],
});
provider.register();

/** Runs `work` in a span; what it throws is recorded there and thrown on. */
export function inSpan(name, work) {
  return trace.getTracer('cart-page').startActiveSpan(name, (span) => {
    try {
      return work(span);
    } catch (error) {
      span.recordException(error);
      span.setStatus({ code: SpanStatusCode.ERROR, message: error.message });
      throw error;
    } finally {
      span.end();
    }
  });
}

// What runs in the page of `browser-otlp.test.js`.

import { context, trace } from '@opentelemetry/api';
import { OTLPTraceExporter } from '@opentelemetry/exporter-trace-otlp-http';
import { resourceFromAttributes } from '@opentelemetry/resources';
import { BatchSpanProcessor, WebTracerProvider } from '@opentelemetry/sdk-trace-web';

/** Sends a root and its child, and returns their ids when the exporter is done. */
window.sendSpans = async (url) => {
  const provider = new WebTracerProvider({
    resource: resourceFromAttributes({ 'service.name': 'shop-page' }),
    spanProcessors: [new BatchSpanProcessor(new OTLPTraceExporter({ url }))],
  });
  const tracer = provider.getTracer('shop-page');
  const root = tracer.startSpan('documentLoad');
  const child = tracer.startSpan('render cart', { attributes: { 'cart.items': 3 } }, trace.setSpan(context.active(), root));
  child.end();
  root.end();
  await provider.shutdown();
  return { traceId: root.spanContext().traceId, rootId: root.spanContext().spanId, childId: child.spanContext().spanId };
};

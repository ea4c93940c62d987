'use strict';

// Loaded before the bundle: the SDK of OpenTelemetry, and what the document has for stack traces at run time.

const { trace } = require('@opentelemetry/api');
const { OTLPTraceExporter } = require('@opentelemetry/exporter-trace-otlp-http');
const { resourceFromAttributes } = require('@opentelemetry/resources');
const { BasicTracerProvider, SimpleSpanProcessor } = require('@opentelemetry/sdk-trace-base');

const resource = resourceFromAttributes({
  'service.name': 'checkout',
  'service.version': process.env.SERVICE_VERSION || '1.0.0',
});
// Without an address of ours the spans go nowhere, for the run that only tells the truth.
const exporter = process.env.OTEL_EXPORTER_OTLP_ENDPOINT && new OTLPTraceExporter();
const spanProcessors = exporter ? [new SimpleSpanProcessor(exporter)] : [];
trace.setGlobalTracerProvider(new BasicTracerProvider({ resource, spanProcessors }));

// Runtime source map support
require('source-map-support').install({
    environment: 'node',
    handleUncaughtExceptions: false,
});

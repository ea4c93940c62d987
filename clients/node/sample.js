'use strict';

// One trace that uses every feature of the OpenTelemetry API for JavaScript that reaches the wire, and what a reader must find of it
// afterwards. The tests send it through each exporter; `record-fixtures.js` saves the bytes.

const { ROOT_CONTEXT, SpanKind, SpanStatusCode, TraceFlags, createTraceState, trace } = require('@opentelemetry/api');
const { resourceFromAttributes } = require('@opentelemetry/resources');

const SERVICE = 'käsehaus-訂單';
const SCOPE = { name: 'backtrail.sample', version: '1.2.3', schemaUrl: 'https://opentelemetry.io/schemas/1.26.0' };
const RESOURCE_SCHEMA_URL = 'https://opentelemetry.io/schemas/1.27.0';

const RESOURCE_ATTRIBUTES = {
  'service.name': SERVICE,
  'service.version': '2.0.0-β',
  'deployment.replicas': 3,
  'deployment.canary': false,
  'deployment.zones': ['a', 'b'],
};

// The JSON exporter writes numbers as JavaScript prints them, which is exact for these but not for every integer beyond 2^53.
const LARGEST_SAFE_INTEGER = Number.MAX_SAFE_INTEGER;
const BEYOND_SAFE_INTEGER = 2 ** 60 + 2 ** 10;

const ATTRIBUTES = {
  'text': 'plain',
  'text.empty': '',
  'text.unicode': 'Grüße, 世界 🚀 \u0000\u001f "quoted" \\ back\nslash',
  'flag.yes': true,
  'flag.no': false,
  'int': 42,
  'int.zero': 0,
  'int.negative': -7,
  'int.safe': LARGEST_SAFE_INTEGER,
  'int.large': BEYOND_SAFE_INTEGER,
  'int.lowest': -Number.MAX_SAFE_INTEGER,
  'double': 2.5,
  'double.tiny': 5e-324,
  'double.negative': -0.1,
  'texts': ['a', '', 'ü'],
  'flags': [true, false],
  'ints': [1, -2, LARGEST_SAFE_INTEGER],
  'doubles': [0.5, -1.25],
  'mixed.numbers': [1, 1.5],
  'none': [],
  'holes': ['a', null, 'b'],
};

const EXCEPTION = {
  name: 'TypeError',
  message: "Cannot read properties of undefined (reading 'price')",
  stack: "TypeError: Cannot read properties of undefined (reading 'price')\n    at total (/app/cart.js:12:27)\n    at async checkout (/app/checkout.js:40:5)",
};

const REMOTE_PARENT = {
  spanId: '00f067aa0ba902b7',
  traceFlags: TraceFlags.SAMPLED,
  traceState: createTraceState('vendor=t61rcWkgMzE,other=1'),
  isRemote: true,
};

const LINKED = { traceId: '463ac35c9f6413ad48485a3953bb6124', spanId: 'a2fb4a1d1a96d312', traceFlags: TraceFlags.SAMPLED };

/** The start of the trace; every other instant is given in milliseconds after it. */
const START_SECONDS = 1_760_000_000;
const at = (milliseconds) => [START_SECONDS, milliseconds * 1_000_000 + 123];
const nanos = (milliseconds) => String(BigInt(START_SECONDS) * 1_000_000_000n + BigInt(milliseconds) * 1_000_000n + 123n);

/** The resource of the sample, to be given to the tracer provider. */
const sampleResource = () => resourceFromAttributes(RESOURCE_ATTRIBUTES, { schemaUrl: RESOURCE_SCHEMA_URL });

/**
 * Emits the sample as children of a remote span in the trace `traceId`.
 * Returns the ids of its spans by role.
 */
function emitSample(provider, traceId) {
  const tracer = provider.getTracer(SCOPE.name, SCOPE.version, { schemaUrl: SCOPE.schemaUrl });
  const remote = trace.setSpanContext(ROOT_CONTEXT, { ...REMOTE_PARENT, traceId });

  const server = tracer.startSpan('GET /warenkorb/{größe} 🧀', { kind: SpanKind.SERVER, startTime: at(0), attributes: ATTRIBUTES }, remote);
  const inServer = trace.setSpan(remote, server);

  const links = [{ context: LINKED, attributes: { 'link.reason': 'retry', 'link.attempt': 2 } }, { context: { ...LINKED, isRemote: true, traceState: createTraceState('k=v') } }];
  const client = tracer.startSpan('SELECT carts', { kind: SpanKind.CLIENT, startTime: at(5), links }, inServer);
  client.addEvent('row.read', { 'row.number': 17, 'row.tags': ['x', 'y'], 'row.missing': null }, at(6));
  client.addEvent('bare', at(7));
  client.recordException(EXCEPTION, at(8));
  client.setStatus({ code: SpanStatusCode.ERROR, message: 'no such column: größe' });
  client.end(at(9));

  const internal = tracer.startSpan('price', { startTime: at(10) }, inServer);
  internal.setStatus({ code: SpanStatusCode.OK });
  internal.end(at(10));

  const producer = tracer.startSpan('orders publish', { kind: SpanKind.PRODUCER, startTime: at(11) }, inServer);
  producer.end(at(12));

  const consumer = tracer.startSpan('orders process', { kind: SpanKind.CONSUMER, startTime: at(20) }, trace.setSpan(remote, producer));
  consumer.end(at(30));

  server.end(at(40));

  const id = (span) => span.spanContext().spanId;
  return { server: id(server), client: id(client), internal: id(internal), producer: id(producer), consumer: id(consumer) };
}

module.exports = {
  ATTRIBUTES,
  EXCEPTION,
  LINKED,
  REMOTE_PARENT,
  RESOURCE_ATTRIBUTES,
  RESOURCE_SCHEMA_URL,
  SCOPE,
  SERVICE,
  emitSample,
  nanos,
  sampleResource,
};

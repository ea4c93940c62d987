'use strict';

// What the current OpenTelemetry SDK for Node sends is read back field by field, over each of its exporters.

const assert = require('node:assert/strict');
const { randomBytes } = require('node:crypto');
const { after, before, describe, test } = require('node:test');

const { DiagLogLevel, ROOT_CONTEXT, diag, trace } = require('@opentelemetry/api');
const { BasicTracerProvider, BatchSpanProcessor, RandomIdGenerator } = require('@opentelemetry/sdk-trace-base');
const { CompressionAlgorithm } = require('@opentelemetry/otlp-exporter-base');
const { OTLPTraceExporter: GrpcExporter } = require('@opentelemetry/exporter-trace-otlp-grpc');
const { OTLPTraceExporter: JsonExporter } = require('@opentelemetry/exporter-trace-otlp-http');
const { OTLPTraceExporter: ProtobufExporter } = require('@opentelemetry/exporter-trace-otlp-proto');

const { Backtrail } = require('./harness.js');
const { ATTRIBUTES, EXCEPTION, LINKED, REMOTE_PARENT, RESOURCE_ATTRIBUTES, RESOURCE_SCHEMA_URL, SCOPE, SERVICE, emitSample, nanos, sampleResource } = require('./sample.js');
const { tagsByKey, typedAttributes } = require('./shapes.js');

// OTLP's span flags: W3C's `sampled`, and whether the parent is known to be remote.
const SAMPLED_WITH_LOCAL_PARENT = 0x101;
const SAMPLED_WITH_REMOTE_PARENT = 0x301;

let backtrail;
before(async () => (backtrail = await Backtrail.start()));
after(() => backtrail?.stop());

const EXPORTERS = {
  'OTLP/HTTP JSON': (options) => new JsonExporter({ url: backtrail.url('otlp-http', '/v1/traces'), ...options }),
  'OTLP/HTTP protobuf': (options) => new ProtobufExporter({ url: backtrail.url('otlp-http', '/v1/traces'), ...options }),
  'OTLP/gRPC': (options) => new GrpcExporter({ url: `http://${backtrail.address('otlp-grpc')}`, ...options }),
};

for (const [protocol, exporterWith] of Object.entries(EXPORTERS)) {
  for (const compression of [CompressionAlgorithm.NONE, CompressionAlgorithm.GZIP]) {
    describe(`${protocol}, compression ${compression}`, () => {
      const traceId = randomTraceId();
      let ids;
      before(async () => {
        const provider = providerWith(exporterWith({ compression }));
        ids = emitSample(provider, traceId);
        await provider.shutdown();
      });

      test('the skeleton has the tree', async () => {
        const { columns, names, services, ...header } = await backtrail.skeletonOf(traceId, 5);
        assert.deepEqual(columns.span_id, [ids.server, ids.client, ids.internal, ids.producer, ids.consumer]);
        assert.deepEqual(columns.parent, [-1, 0, 0, 0, 3]);
        assert.deepEqual(columns.start_offset_nano, [0, 5_000_000, 10_000_000, 11_000_000, 20_000_000]);
        assert.deepEqual(columns.duration_nano, [40_000_000, 4_000_000, 0, 1_000_000, 10_000_000]);
        assert.deepEqual(columns.kind, [2, 3, 1, 4, 5]);
        assert.deepEqual(columns.status, [0, 2, 1, 0, 0]);
        assert.deepEqual(columns.event_count, [0, 3, 0, 0, 0]);
        assert.deepEqual(columns.name.map((index) => names[index]), ['GET /warenkorb/{größe} 🧀', 'SELECT carts', 'price', 'orders publish', 'orders process']);
        assert.deepEqual(columns.service.map((index) => services[index]), Array(5).fill(SERVICE));
        assert.equal(header.start_unix_nano, nanos(0));
        assert.equal(header.incomplete, true, 'the remote parent was never sent');
      });

      test('a span with every type of attribute', async () => {
        assert.deepEqual(await backtrail.span(traceId, ids.server), {
          ...ofTheSample(traceId),
          span_id: ids.server,
          parent_span_id: REMOTE_PARENT.spanId,
          name: 'GET /warenkorb/{größe} 🧀',
          kind: 'server',
          ...lasting(0, 40),
          flags: SAMPLED_WITH_REMOTE_PARENT,
          attributes: typedAttributes(ATTRIBUTES),
        });
      });

      test('a span with events, links and an error', async () => {
        const event = (milliseconds, name, attributes) => ({ time_unix_nano: nanos(milliseconds), name, attributes: typedAttributes(attributes), dropped_attributes_count: 0 });
        const link = { trace_id: LINKED.traceId, span_id: LINKED.spanId, dropped_attributes_count: 0 };
        const span = await backtrail.span(traceId, ids.client);
        // What the server makes of the stack is beside what was sent.
        const { exception } = span.events[2];
        assert.equal(exception.stack.raw, EXCEPTION.stack);
        delete span.events[2].exception;
        assert.deepEqual(span, {
          ...ofTheSample(traceId),
          span_id: ids.client,
          parent_span_id: ids.server,
          name: 'SELECT carts',
          kind: 'client',
          ...lasting(5, 9),
          status: 'error',
          status_message: 'no such column: größe',
          events: [
            event(6, 'row.read', { 'row.number': 17, 'row.tags': ['x', 'y'], 'row.missing': null }),
            event(7, 'bare', {}),
            event(8, 'exception', { 'exception.type': EXCEPTION.name, 'exception.message': EXCEPTION.message, 'exception.stacktrace': EXCEPTION.stack }),
          ],
          links: [
            { ...link, trace_state: '', flags: SAMPLED_WITH_LOCAL_PARENT, attributes: typedAttributes({ 'link.reason': 'retry', 'link.attempt': 2 }) },
            { ...link, trace_state: 'k=v', flags: SAMPLED_WITH_REMOTE_PARENT, attributes: [] },
          ],
        });
      });

      test('spans of the other kinds and statuses', async () => {
        const internal = { span_id: ids.internal, parent_span_id: ids.server, name: 'price', kind: 'internal', ...lasting(10, 10), status: 'ok' };
        const producer = { span_id: ids.producer, parent_span_id: ids.server, name: 'orders publish', kind: 'producer', ...lasting(11, 12) };
        const consumer = { span_id: ids.consumer, parent_span_id: ids.producer, name: 'orders process', kind: 'consumer', ...lasting(20, 30) };
        for (const expected of [internal, producer, consumer]) {
          assert.deepEqual(await backtrail.span(traceId, expected.span_id), { ...ofTheSample(traceId), ...expected });
        }
      });

      test('the same trace through the Jaeger API', async () => {
        const { spans, processes, traceID } = await backtrail.jaegerTrace(traceId);
        assert.equal(traceID, traceId);
        assert.equal(spans.length, 5);
        const client = spans.find(({ spanID }) => spanID === ids.client);
        assert.equal(client.traceID, traceId);
        assert.equal(client.operationName, 'SELECT carts');
        assert.equal(client.startTime, 1_760_000_000_005_000);
        assert.equal(client.duration, 4_000);
        assert.deepEqual(client.references.filter(({ refType }) => refType === 'CHILD_OF'), [{ refType: 'CHILD_OF', traceID: traceId, spanID: ids.server }]);

        const clientTags = tagsByKey(client.tags);
        assert.deepEqual(clientTags['span.kind'], { type: 'string', value: 'client' });
        assert.deepEqual(clientTags['error'], { type: 'bool', value: true });
        assert.deepEqual(client.logs.map(({ timestamp }) => timestamp), [1_760_000_000_006_000, 1_760_000_000_007_000, 1_760_000_000_008_000]);
        const exception = tagsByKey(client.logs[2].fields);
        assert.deepEqual(exception['event'], { type: 'string', value: 'exception' });
        assert.deepEqual(exception['exception.stacktrace'], { type: 'string', value: EXCEPTION.stack });

        const server = spans.find(({ spanID }) => spanID === ids.server);
        const serverTags = tagsByKey(server.tags);
        assert.deepEqual(serverTags['text.unicode'], { type: 'string', value: ATTRIBUTES['text.unicode'] });
        assert.deepEqual(serverTags['flag.no'], { type: 'bool', value: false });
        assert.deepEqual(serverTags['int.negative'], { type: 'int64', value: -7 });
        assert.deepEqual(serverTags['double'], { type: 'float64', value: 2.5 });

        const process = processes[client.processID];
        assert.equal(process.serviceName, SERVICE);
        assert.deepEqual(tagsByKey(process.tags)['service.version'], { type: 'string', value: RESOURCE_ATTRIBUTES['service.version'] });
      });
    });
  }

  test(`${protocol}: 3,000 spans of one trace in many requests`, async () => {
    const provider = providerWith(exporterWith({}), { maxExportBatchSize: 100, maxQueueSize: 5_000 });
    const tracer = provider.getTracer('many');
    const traceId = emitTrace(tracer, 3_000);
    await provider.shutdown();
    const { columns } = await backtrail.skeletonOf(traceId, 3_000);
    assert.equal(new Set(columns.span_id).size, 3_000);
  });

  test(`${protocol}: the exporter is told of a span that was refused, and its neighbours are kept`, async () => {
    const warnings = collectWarnings();
    const random = new RandomIdGenerator();
    const spanIds = [random.generateSpanId(), '0000000000000000', random.generateSpanId()];
    const traceId = randomTraceId();
    const idGenerator = { generateTraceId: () => traceId, generateSpanId: () => spanIds.shift() };

    const provider = providerWith(exporterWith({}), {}, idGenerator);
    const kept = [spanIds[0], spanIds[2]];
    for (const name of ['first', 'without an id', 'last']) {
      provider.getTracer('partial').startSpan(name).end();
    }
    await provider.shutdown();
    diag.disable();

    const { columns } = await backtrail.skeletonOf(traceId, 2);
    assert.deepEqual(columns.span_id.toSorted(), kept.toSorted());
    const [partialSuccess] = warnings.filter((warning) => warning.startsWith('Received Partial Success response:'));
    const reply = JSON.parse(partialSuccess.slice(partialSuccess.indexOf('{')));
    assert.equal(Number(reply.rejectedSpans), 1);
    assert.match(reply.errorMessage, /span id/i);
  });
}

test('OTLP/HTTP JSON: numbers that fit neither JSON nor 64 bits cost no span', async () => {
  const provider = providerWith(EXPORTERS['OTLP/HTTP JSON']({}));
  const span = provider.getTracer('numbers').startSpan('numbers', { attributes: { before: 1, nan: NaN, infinite: Infinity, huge: 1e300, after: 2 } });
  span.end();
  await provider.shutdown();
  const { traceId, spanId } = span.spanContext();
  await backtrail.skeletonOf(traceId, 1);
  const { attributes } = await backtrail.span(traceId, spanId);
  // The exporter writes {"doubleValue":null} for the first two, which is a value that is not set, and {"intValue":1e+300} for the third.
  assert.deepEqual(attributes, [
    ...typedAttributes({ before: 1, nan: null, infinite: null }),
    { key: 'huge', type: 'double', value: 1e300 },
    ...typedAttributes({ after: 2 }),
  ]);
});

function providerWith(exporter, batching = {}, idGenerator = new RandomIdGenerator()) {
  return new BasicTracerProvider({ resource: sampleResource(), spanProcessors: [new BatchSpanProcessor(exporter, batching)], idGenerator });
}

/** What the SDK warns of, until `diag.disable()`. */
function collectWarnings() {
  const warnings = [];
  const ignore = () => {};
  const warn = (...words) => warnings.push(words.join(' '));
  diag.setLogger({ error: ignore, warn, info: ignore, debug: ignore, verbose: ignore }, DiagLogLevel.WARN);
  return warnings;
}

function randomTraceId() {
  return randomBytes(16).toString('hex');
}

/** What the spans of the sample have in common; a span's own fields go over it. */
function ofTheSample(traceId) {
  return {
    trace_id: traceId,
    service: SERVICE,
    status: 'unset',
    status_message: '',
    trace_state: REMOTE_PARENT.traceState.serialize(),
    flags: SAMPLED_WITH_LOCAL_PARENT,
    attributes: [],
    dropped_attributes_count: 0,
    events: [],
    dropped_events_count: 0,
    links: [],
    dropped_links_count: 0,
    resource: { attributes: typedAttributes(RESOURCE_ATTRIBUTES), dropped_attributes_count: 0, schema_url: RESOURCE_SCHEMA_URL },
    scope: { name: SCOPE.name, version: SCOPE.version, attributes: [], dropped_attributes_count: 0, schema_url: SCOPE.schemaUrl },
  };
}

function lasting(fromMilliseconds, toMilliseconds) {
  return { start_unix_nano: nanos(fromMilliseconds), end_unix_nano: nanos(toMilliseconds), duration_nano: (toMilliseconds - fromMilliseconds) * 1_000_000 };
}

/** Emits a trace of so many spans and returns its id. */
function emitTrace(tracer, spanCount) {
  const root = tracer.startSpan('root', {}, ROOT_CONTEXT);
  const inRoot = trace.setSpan(ROOT_CONTEXT, root);
  for (let index = 1; index < spanCount; index += 1) {
    tracer.startSpan('child', {}, inRoot).end();
  }
  root.end();
  return root.spanContext().traceId;
}

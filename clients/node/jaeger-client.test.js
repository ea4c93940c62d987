'use strict';

// What Jaeger's own client for Node sends, to the agent's ports over UDP and to the collector's over HTTP, read back field by field.

const assert = require('node:assert/strict');
const { after, before, describe, test } = require('node:test');

const { initTracer } = require('jaeger-client');
const { REFERENCE_FOLLOWS_FROM, Reference, Tags } = require('opentracing');

const { Backtrail, eventually } = require('./harness.js');
const { tagsByKey } = require('./shapes.js');

const START_MS = 1_760_000_000_000;
const SERVICE = 'käsehaus-訂單';
const TAGS = { 'text.unicode': 'Grüße, 世界 🚀 "quoted" \\ back\nslash', 'text.empty': '', 'flag.yes': true, 'flag.no': false, double: 2.5, int: 42, bytes: Buffer.from([0, 1, 254, 255]), object: { a: [1, 'b'] } };
/** `object` is JSON text, and every number a double: this client has no other. */
const TYPED_TAGS = {
  'text.unicode': { type: 'string', value: TAGS['text.unicode'] },
  'text.empty': { type: 'string', value: '' },
  'flag.yes': { type: 'bool', value: true },
  'flag.no': { type: 'bool', value: false },
  double: { type: 'double', value: 2.5 },
  int: { type: 'double', value: 42 },
  bytes: { type: 'bytes', value: 'AAH+/w==' },
  object: { type: 'string', value: '{"a":[1,"b"]}' },
};

let backtrail;
before(async () => (backtrail = await Backtrail.start()));
after(() => backtrail?.stop());

const SENDERS = {
  'UDP to the port for the binary protocol': () => agentAt('jaeger-agent-binary'),
  'UDP to the port for the compact protocol, which reads both': () => agentAt('jaeger-agent-compact'),
  HTTP: () => ({ collectorEndpoint: backtrail.url('jaeger-http', '/api/traces') }),
};

for (const [sender, reporter] of Object.entries(SENDERS)) {
  for (const traceId128bit of [false, true]) {
    describe(`${sender}, trace ids of ${traceId128bit ? 128 : 64} bits`, () => {
      let ids;
      before(async () => (ids = await sendSample(reporter(), { traceId128bit })));

      test('the skeleton has the tree', async () => {
        const { columns, ...skeleton } = await backtrail.skeletonOf(ids.trace, 3);
        assert.equal(skeleton.trace_id, ids.trace);
        assert.equal(skeleton.start_unix_nano, `${START_MS}000000`);
        assert.equal(skeleton.incomplete, false);
        assert.deepEqual(columns.span_id, [ids.server, ids.client, ids.consumer]);
        assert.deepEqual(columns.parent, [-1, 0, 0]);
        assert.deepEqual(columns.start_offset_nano, [0, 5_000_000, 20_000_000]);
        assert.deepEqual(columns.duration_nano, [40_000_000, 4_000_000, 10_000_000]);
        assert.deepEqual(columns.kind, [2, 3, 5]);
        assert.deepEqual(columns.status, [0, 2, 0]);
      });

      test('a span with every type of tag, and what the sampler says', async () => {
        await backtrail.skeletonOf(ids.trace, 3);
        const span = await backtrail.span(ids.trace, ids.server);
        assert.deepEqual([span.name, span.kind, span.service, span.parent_span_id], ['GET /käse/{größe} 🧀', 'server', SERVICE, null]);
        const attributes = tagsByKey(span.attributes);
        for (const [key, value] of Object.entries(TYPED_TAGS)) {
          assert.deepEqual(attributes[key], value, key);
        }
        assert.deepEqual(attributes['sampler.type'], { type: 'string', value: 'const' });
      });

      test('a span with logs and an error', async () => {
        await backtrail.skeletonOf(ids.trace, 3);
        const span = await backtrail.span(ids.trace, ids.client);
        assert.deepEqual([span.name, span.kind, span.status, span.parent_span_id], ['SELECT carts', 'client', 'error', ids.server]);
        const [read, failed, ...more] = span.events;
        assert.deepEqual(more, []);
        assert.deepEqual([read.name, read.time_unix_nano], ['row.read', `${START_MS + 6}000000`]);
        assert.deepEqual(tagsByKey(read.attributes)['row.number'], { type: 'double', value: 17 });
        assert.deepEqual([failed.name, failed.time_unix_nano], ['error', `${START_MS + 8}000000`]);
        assert.deepEqual(tagsByKey(failed.attributes).message, { type: 'string', value: 'no such column: größe' });
      });

      test('a reference to a span that does not wait is its parent', async () => {
        await backtrail.skeletonOf(ids.trace, 3);
        const span = await backtrail.span(ids.trace, ids.consumer);
        assert.deepEqual([span.name, span.kind, span.parent_span_id], ['orders process', 'consumer', ids.server]);
      });

      test('the process is the resource', async () => {
        await backtrail.skeletonOf(ids.trace, 3);
        const { resource } = await backtrail.span(ids.trace, ids.server);
        const attributes = tagsByKey(resource.attributes);
        assert.deepEqual(attributes['service.name'], { type: 'string', value: SERVICE });
        assert.deepEqual(attributes['service.version'], { type: 'string', value: '2.0.0-β' });
        // The OpenTelemetry Collector renames these two tags, and so do we.
        assert.equal(attributes['host.name'].type, 'string');
        assert.deepEqual(attributes['opencensus.exporterversion'], { type: 'string', value: 'Jaeger-Node-3.19.0' });
      });

      test('Jaeger’s API gives back what came in', async () => {
        await backtrail.skeletonOf(ids.trace, 3);
        const { spans, processes } = await backtrail.jaegerTrace(ids.trace);
        const client = spans.find(({ spanID }) => spanID === ids.client);
        assert.deepEqual([client.operationName, client.startTime, client.duration], ['SELECT carts', (START_MS + 5) * 1000, 4000]);
        assert.deepEqual(tagsByKey(client.tags).error, { type: 'bool', value: true });
        assert.deepEqual(client.logs.map(({ timestamp }) => timestamp), [(START_MS + 6) * 1000, (START_MS + 8) * 1000]);
        assert.equal(processes[client.processID].serviceName, SERVICE);
        const server = spans.find(({ spanID }) => spanID === ids.server);
        assert.deepEqual(tagsByKey(server.tags).double, { type: 'float64', value: 2.5 });
        assert.equal(tagsByKey(server.tags).bytes.type, 'binary');
      });
    });
  }
}

test('500 spans that leave in many datagrams arrive', async () => {
  const tracer = tracerWith(agentAt('jaeger-agent-binary'));
  const root = tracer.startSpan('root');
  for (let index = 1; index < 500; index += 1) {
    tracer.startSpan(`child ${index}`, { childOf: root, tags: { filler: 'x'.repeat(500) } }).finish();
    // This client loses spans that end while it hands a full datagram to the socket.
    await new Promise(setImmediate);
  }
  root.finish();
  await close(tracer);
  await backtrail.skeletonOf(traceIdOf(root), 500);
});

test('the remote sampler is told to sample everything', async () => {
  const [host, port] = backtrail.address('jaeger-sampling').split(':');
  const sampler = { type: 'remote', param: 0, host, port: Number(port), refreshIntervalMs: 50 };
  const tracer = tracerWith(agentAt('jaeger-agent-binary'), {}, sampler);
  assert.equal(tracer.startSpan('too early').context().isSampled(), false);
  const span = await eventually('sampled span', () => {
    const span = tracer.startSpan('sampled');
    assert.ok(span.context().isSampled());
    return span;
  });
  span.finish();
  await close(tracer);
  const [read] = await backtrail.spansOf(traceIdOf(span), 1);
  const attributes = tagsByKey(read.attributes);
  assert.deepEqual(attributes['sampler.type'], { type: 'string', value: 'probabilistic' });
  assert.deepEqual(attributes['sampler.param'], { type: 'double', value: 1 });
});

function agentAt(listener) {
  const [agentHost, agentPort] = backtrail.address(listener).split(':');
  return { agentHost, agentPort: Number(agentPort) };
}

function tracerWith(reporter, options = {}, sampler = { type: 'const', param: 1 }) {
  const logger = { info: () => {}, error: (message) => assert.fail(`jaeger-client complains: ${message}`) };
  return initTracer({ serviceName: SERVICE, sampler, reporter }, { logger, tags: { 'service.version': '2.0.0-β' }, ...options });
}

async function sendSample(reporter, options) {
  const tracer = tracerWith(reporter, options);
  const server = tracer.startSpan('GET /käse/{größe} 🧀', { startTime: START_MS, tags: { [Tags.SPAN_KIND]: 'server', ...TAGS } });

  const client = tracer.startSpan('SELECT carts', { startTime: START_MS + 5, childOf: server, tags: { [Tags.SPAN_KIND]: 'client', [Tags.ERROR]: true } });
  client.log({ event: 'row.read', 'row.number': 17 }, START_MS + 6);
  client.log({ event: 'error', 'error.kind': 'Error', message: 'no such column: größe', stack: new Error('no such column: größe').stack }, START_MS + 8);
  client.finish(START_MS + 9);

  const consumer = tracer.startSpan('orders process', { startTime: START_MS + 20, references: [new Reference(REFERENCE_FOLLOWS_FROM, server.context())], tags: { [Tags.SPAN_KIND]: 'consumer' } });
  consumer.finish(START_MS + 30);

  server.finish(START_MS + 40);
  await close(tracer);
  const spanId = (span) => span.context().spanIdStr.padStart(16, '0');
  return { trace: traceIdOf(server), server: spanId(server), client: spanId(client), consumer: spanId(consumer) };
}

function traceIdOf(span) {
  return span.context().traceIdStr.padStart(32, '0');
}

/** Sends what is waiting. */
function close(tracer) {
  return new Promise((resolve) => tracer.close(resolve));
}

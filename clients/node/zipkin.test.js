'use strict';

// What Zipkin's own client for Node sends with its instrumentation of HTTP, and OpenTelemetry's exporter for Zipkin, read back field by field.

const assert = require('node:assert/strict');
const { once } = require('node:events');
const { after, before, describe, test } = require('node:test');

const { BatchSpanProcessor, BasicTracerProvider } = require('@opentelemetry/sdk-trace-base');
const { ZipkinExporter } = require('@opentelemetry/exporter-zipkin');
const { Annotation, BatchRecorder, ExplicitContext, Instrumentation, Tracer, jsonEncoder, option } = require('zipkin');
const { HttpLogger } = require('zipkin-transport-http');

const { Backtrail } = require('./harness.js');
const { ATTRIBUTES, REMOTE_PARENT, SERVICE, emitSample, nanos, sampleResource } = require('./sample.js');
const { tagsByKey } = require('./shapes.js');

let backtrail;
before(async () => (backtrail = await Backtrail.start()));
after(() => backtrail?.stop());

const ENCODINGS = {
  'JSON of version 2': { path: '/api/v2/spans', jsonEncoder: jsonEncoder.JSON_V2 },
  // What this client sends unless told otherwise.
  'JSON of version 1': { path: '/api/v1/spans' },
};

for (const [encoding, { path, ...logger }] of Object.entries(ENCODINGS)) {
  for (const traceId128Bit of [false, true]) {
    describe(`zipkin with zipkin-transport-http, ${encoding}, trace ids of ${traceId128Bit ? 128 : 64} bits`, () => {
      let shop;
      let warehouse;
      let traceId;
      before(async () => {
        shop = new ZipkinService('shop', { endpoint: backtrail.url('zipkin', path), ...logger }, { traceId128Bit });
        warehouse = new ZipkinService('warehouse', { endpoint: backtrail.url('zipkin', path), ...logger }, { traceId128Bit });
        traceId = shop.answers('GET', '/orders/13', {}, () =>
          shop.asks('POST', 'http://warehouse/stock', 'warehouse', (headers) => {
            warehouse.answers('POST', '/stock', headers, () => 500);
            return 500;
          }),
        );
        await Promise.all([shop.flush(), warehouse.flush()]);
      });

      test('the halves of a shared span are two spans, one in the other', async () => {
        const skeleton = await backtrail.skeletonOf(traceId, 3);
        const { columns, names, services } = skeleton;
        assert.equal(skeleton.trace_id, traceId.padStart(32, '0'));
        assert.equal(skeleton.incomplete, false);
        assert.deepEqual(columns.service.map((index) => services[index]), ['shop', 'shop', 'warehouse']);
        assert.deepEqual(columns.name.map((index) => names[index].toLowerCase()), ['get', 'post', 'post']);
        assert.deepEqual(columns.kind, [2, 3, 2]);
        assert.deepEqual(columns.status, [2, 2, 2]);
        assert.deepEqual(columns.parent, [-1, 0, 1]);
        assert.equal(columns.span_id[1], columns.span_id[2]);
      });

      test('times, tags, annotations and endpoints', async () => {
        await backtrail.skeletonOf(traceId, 3);
        const spans = [...shop.sent, ...warehouse.sent];
        assert.equal(spans.length, 3);
        for (const sent of spans) {
          const { spans } = await backtrail.get(`/api/v1/traces/${traceId}/spans/${sent.id}`);
          const read = spans.find(({ kind }) => kind === sent.kind.toLowerCase());
          assert.equal(read.service, sent.localEndpoint.serviceName);
          assert.equal(read.parent_span_id, sent.parentId ?? null);
          assert.equal(read.status, 'error');
          assert.equal(read.status_message, '500');

          const attributes = tagsByKey(read.attributes);
          for (const [key, value] of Object.entries(sent.tags)) {
            assert.deepEqual(attributes[key], { type: 'string', value }, key);
          }
          assert.deepEqual(read.events.map(({ name, time_unix_nano }) => [name, time_unix_nano]), sent.annotations.map(({ value, timestamp }) => [value, `${timestamp}000`]));
          if (!sent.shared || sent.timestamp) {
            assert.equal(read.start_unix_nano, `${sent.timestamp}000`);
            assert.equal(read.duration_nano, sent.duration * 1000);
          }
          if (sent.kind === 'CLIENT') {
            assert.deepEqual(attributes['peer.service'], { type: 'string', value: 'warehouse' });
          } else {
            assert.deepEqual(attributes['network.local.address'], { type: 'string', value: '10.1.2.3' });
            assert.deepEqual(attributes['network.local.port'], { type: 'int', value: '8080' });
          }
        }
      });

      test('Zipkin’s API gives back what its client had', async () => {
        await backtrail.skeletonOf(traceId, 3);
        const read = await backtrail.zipkinTrace(traceId);
        for (const sent of [...shop.sent, ...warehouse.sent]) {
          const found = read.filter(({ id, kind }) => id === sent.id && kind === sent.kind);
          const expected = JSON.parse(jsonEncoder.JSON_V2.encode(sent));
          assert.deepEqual(found, [expected]);
        }
      });

      test('the trace is found by what its spans say, in every API', async () => {
        await backtrail.skeletonOf(traceId, 3);
        for (const search of [{ service: 'warehouse', attr: 'http.path=/stock' }, { service: 'shop', kind: 'client', status: 'error' }]) {
          const { traces } = await backtrail.get(`/api/v1/search?${new URLSearchParams(search)}`);
          assert.ok(traces.some(({ trace_id }) => trace_id === traceId.padStart(32, '0')), JSON.stringify(search));
        }
        const { spans } = await backtrail.jaegerTrace(traceId);
        assert.equal(spans.length, 3);
        const response = await fetch(backtrail.url('zipkin', `/api/v2/traces?${new URLSearchParams({ serviceName: 'warehouse', annotationQuery: 'http.path=/stock' })}`));
        const found = await response.json();
        assert.ok(found.some(([{ traceId: id }]) => id === traceId), 'found in Zipkin’s API');
      });
    });
  }
}

test('a trace that is to be debugged says so', async () => {
  const shop = new ZipkinService('debugged', { endpoint: backtrail.url('zipkin', '/api/v2/spans'), jsonEncoder: jsonEncoder.JSON_V2 });
  const traceId = shop.answers('GET', '/', { 'X-B3-Flags': '1' }, () => 200);
  await shop.flush();
  const [span] = await backtrail.spansOf(traceId, 1);
  assert.equal(shop.sent[0].debug, true);
  assert.deepEqual(tagsByKey(span.attributes)['zipkin.debug'], { type: 'bool', value: true });
  assert.equal(span.status, 'unset');
});

describe('OpenTelemetry’s exporter for Zipkin', () => {
  const traceId = '463ac35c9f6413ad48485a3953bb6124';
  let ids;
  before(async () => {
    const exporter = new ZipkinExporter({ url: backtrail.url('zipkin', '/api/v2/spans') });
    const provider = new BasicTracerProvider({ resource: sampleResource(), spanProcessors: [new BatchSpanProcessor(exporter)] });
    ids = emitSample(provider, traceId);
    await provider.shutdown();
  });

  test('the skeleton has the tree, with kinds and statuses', async () => {
    const { columns, names, services } = await backtrail.skeletonOf(traceId, 5);
    assert.deepEqual(columns.span_id, [ids.server, ids.client, ids.internal, ids.producer, ids.consumer]);
    assert.deepEqual(columns.parent, [-1, 0, 0, 0, 3]);
    assert.deepEqual(columns.start_offset_nano, [0, 5_000_000, 10_000_000, 11_000_000, 20_000_000]);
    assert.deepEqual(columns.duration_nano.filter((_, row) => row !== 2), [40_000_000, 4_000_000, 1_000_000, 10_000_000]);
    // Zipkin has no word for spans within a service, nor for a duration of zero: the exporter writes nothing, or one microsecond.
    assert.deepEqual(columns.kind, [2, 3, 0, 4, 5]);
    assert.deepEqual(columns.status, [0, 2, 1, 0, 0]);
    assert.deepEqual(columns.event_count, [0, 3, 0, 0, 0]);
    assert.deepEqual(columns.name.map((index) => names[index]), ['GET /warenkorb/{größe} 🧀', 'SELECT carts', 'price', 'orders publish', 'orders process']);
    assert.deepEqual(columns.service.map((index) => services[index]), Array(5).fill(SERVICE));
  });

  test('tags, annotations, error and scope', async () => {
    await backtrail.skeletonOf(traceId, 5);
    const server = await backtrail.span(traceId, ids.server);
    assert.equal(server.parent_span_id, REMOTE_PARENT.spanId);
    const attributes = tagsByKey(server.attributes);
    assert.deepEqual(attributes['text.unicode'], { type: 'string', value: ATTRIBUTES['text.unicode'] });
    // All tags of Zipkin's are strings.
    assert.deepEqual(attributes['flag.no'], { type: 'string', value: 'false' });
    assert.deepEqual(attributes['int.negative'], { type: 'string', value: '-7' });

    const client = await backtrail.span(traceId, ids.client);
    assert.deepEqual([client.status, client.status_message, client.kind], ['error', 'no such column: größe', 'client']);
    assert.deepEqual(client.events.map(({ name, time_unix_nano }) => [name, time_unix_nano]), [
      ['row.read', inMicros(6)],
      ['bare', inMicros(7)],
      ['exception', inMicros(8)],
    ]);
    assert.equal(client.service, SERVICE);
  });
});

/** The instant as a client sends it that counts microseconds. */
function inMicros(milliseconds) {
  return `${nanos(milliseconds).slice(0, -3)}000`;
}

/** A service that is traced by Zipkin's instrumentation of HTTP. Its requests are function calls. */
class ZipkinService {
  /** The spans as the client itself has them, before they are encoded. */
  sent = [];

  constructor(serviceName, logger, tracing = {}) {
    this.ctxImpl = new ExplicitContext();
    this.http = new HttpLogger({ httpInterval: 3_600_000, ...logger });
    const recorder = new BatchRecorder({
      logger: {
        logSpan: (span) => {
          this.sent.push(span);
          this.http.logSpan(span);
        },
      },
    });
    this.tracer = new Tracer({ ctxImpl: this.ctxImpl, recorder, localServiceName: serviceName, ...tracing });
    this.server = new Instrumentation.HttpServer({ tracer: this.tracer, host: '10.1.2.3', port: 8080 });
  }

  /** A request to this service: `handle` returns the status. Returns the trace id. */
  answers(method, url, headers, handle) {
    return this.tracer.scoped(() => {
      const readHeader = (name) => (headers[name] === undefined ? option.None : new option.Some(headers[name]));
      const id = this.server.recordRequest(method, url, readHeader);
      this.server.recordResponse(id, handle());
      return id.traceId;
    });
  }

  /** A request of this service to another: `send` is given the headers and returns the status. Returns the status. */
  asks(method, url, remoteServiceName, send) {
    return this.tracer.scoped(() => {
      const client = new Instrumentation.HttpClient({ tracer: this.tracer, remoteServiceName });
      const { headers } = client.recordRequest({ headers: {} }, url, method);
      const { id } = this.tracer;
      this.tracer.recordAnnotation(new Annotation.Message('connection opened'));
      const status = send(headers);
      client.recordResponse(id, status);
      return status;
    });
  }

  /** Sends what has ended, and waits until the server has taken it. */
  async flush() {
    const taken = once(this.http, 'success');
    this.http.processQueue(this.http.fetchImplementation);
    await taken;
  }
}

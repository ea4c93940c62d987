'use strict';

// OpenTelemetry's Java agent with its defaults, but for the endpoint and the name of the service, on a program that knows nothing of tracing.

const assert = require('node:assert/strict');
const { once } = require('node:events');
const http = require('node:http');
const { after, before, test } = require('node:test');

const { JAVA_SERVICE } = require('../node/built.js');
const { Backtrail } = require('../node/harness.js');
const { Service } = require('../node/program.js');
const { tagsByKey } = require('../node/shapes.js');

/** How a JVM ends that was asked to by SIGTERM. */
const TERMINATED = 143;

let backtrail;
/** Ids of the trace and of the client's span, as the service that was asked read them from its request. */
let asked;
/** Status of the order that fails. */
let failed;
let printed;
before(async () => {
  backtrail = await Backtrail.start();
  const warehouse = http.createServer((request, response) => response.end(request.headers.traceparent)).listen(0, '127.0.0.1');
  await once(warehouse, 'listening');
  const orders = await Service.start(JAVA_SERVICE(), {
    env: {
      OTEL_EXPORTER_OTLP_ENDPOINT: backtrail.url('otlp-http', ''),
      OTEL_SERVICE_NAME: 'orders',
      NEXT_URL: `http://127.0.0.1:${warehouse.address().port}/stock`,
    },
  });
  const [, traceId, spanId] = (await (await orders.fetch('/')).text()).split('-');
  asked = { traceId, spanId, url: `http://127.0.0.1:${warehouse.address().port}/stock` };
  failed = (await orders.fetch('/orders/13')).status;
  // Everything leaves at the end: what the agent was told is stored can be read at once.
  await orders.stop(TERMINATED);
  printed = orders.printed;
  warehouse.close();
});
after(() => backtrail?.stop());

test('a request that asks another service is a server’s span with a client’s span in it', async () => {
  const [server, client, ...more] = await backtrail.spansOf(asked.traceId, 2);
  assert.deepEqual(more, []);
  assert.deepEqual([server.name, server.kind, server.status, server.service], ['GET /', 'server', 'unset', 'orders']);
  assert.deepEqual([client.name, client.kind, client.status, client.service], ['GET', 'client', 'unset', 'orders']);
  assert.equal(client.span_id, asked.spanId, 'the span that the other service was told of');
  assert.equal(client.parent_span_id, server.span_id);
  assert.ok(BigInt(server.start_unix_nano) <= BigInt(client.start_unix_nano) && BigInt(client.end_unix_nano) <= BigInt(server.end_unix_nano), 'one within the other');

  const attributes = tagsByKey(client.attributes);
  assert.deepEqual(attributes['http.request.method'], { type: 'string', value: 'GET' });
  assert.deepEqual(attributes['http.response.status_code'], { type: 'int', value: '200' });
  assert.equal(attributes['url.full'].value, asked.url);
  const resource = tagsByKey(server.resource.attributes);
  assert.deepEqual(resource['telemetry.sdk.language'], { type: 'string', value: 'java' });
  assert.equal(resource['process.command_args'].type, 'array');
  assert.equal(server.scope.name, 'io.opentelemetry.java-http-server');
});

test('a request that fails is an error, and found by its status', async () => {
  assert.equal(failed, 500);
  const { traces } = await backtrail.get(`/api/v1/search?${new URLSearchParams({ service: 'orders', attr: 'http.response.status_code>=500' })}`);
  assert.equal(traces.length, 1);
  const [span] = await backtrail.spansOf(traces[0].trace_id, 1);
  assert.deepEqual([span.name, span.kind, span.status], ['GET /orders', 'server', 'error']);
  assert.deepEqual(tagsByKey(span.attributes)['error.type'], { type: 'string', value: '500' });
});

test('the exception that the service logged is an event of the span it was logged in', async () => {
  const { traces } = await backtrail.get(`/api/v1/search?${new URLSearchParams({ service: 'orders', attr: 'event.exception.type=java.lang.IllegalStateException' })}`);
  assert.equal(traces.length, 1);
  const [span] = await backtrail.spansOf(traces[0].trace_id, 1);
  assert.equal(span.name, 'GET /orders');
  const [event, ...more] = span.events;
  assert.deepEqual(more, []);
  assert.equal(event.name, 'exception');
  const attributes = tagsByKey(event.attributes);
  assert.deepEqual(attributes['exception.message'], { type: 'string', value: 'no price for /orders/13' });
  assert.match(attributes['exception.stacktrace'].value, /^java\.lang\.IllegalStateException: no price for \/orders\/13\n\tat Orders\.price\(Orders\.java:\d+\)/);
  assert.deepEqual(attributes['log.body'], { type: 'string', value: 'the order failed' });
});

test('the agent, which sends metrics and logs too, has nothing to complain of', () => {
  const ofAgent = printed.split('\n').filter((line) => line.startsWith('[otel.javaagent '));
  assert.ok(ofAgent.length > 0, 'it says its version');
  assert.deepEqual(ofAgent.filter((line) => !line.includes(' INFO ')), []);
  assert.match(printed, /SEVERE: the order failed/);
});

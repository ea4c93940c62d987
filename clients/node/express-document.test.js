'use strict';

// The document's `tracing.js` and middleware, run as they stand on the npm packages of their time.

const assert = require('node:assert/strict');
const fs = require('node:fs');
const path = require('node:path');
const { after, before, describe, test } = require('node:test');

const { launchChromium } = require('./browser.js');
const { EXAMPLE, ExampleService, NEVER_MS } = require('./example.js');
const { Backtrail, eventually } = require('./harness.js');
const { tagsByKey } = require('./shapes.js');

const STATUS_ERROR = 2;
const FLAG_HAS_EXCEPTION = 4;

const PRICE_ERROR = "Cannot read properties of undefined (reading 'cents')";

let backtrail;
let jaegerEndpoint;
before(async () => {
  backtrail = await Backtrail.start();
  jaegerEndpoint = backtrail.url('jaeger-http', '/api/traces');
});
after(() => backtrail?.stop());

test('the example has the document’s code verbatim, below its imports and above its exports', () => {
  for (const [file, imported, exported] of [
    ['tracing.js', 'SpanStatusCode, trace', 'TracingSystem'],
    ['tracing-middleware.js', 'SpanKind, SpanStatusCode, trace', 'TracingMiddleware'],
  ]) {
    const [before, after, ...more] = read(file).split(read(path.join('document', file)));
    assert.equal(before, `// The document forgets this import.\nconst { ${imported} } = require('@opentelemetry/api');\n\n`);
    assert.equal(after, `\nmodule.exports = { ${exported} };\n`);
    assert.deepEqual(more, []);
  }
});

describe('two services that are asked for orders', () => {
  let warehouse;
  let shop;
  before(async () => {
    warehouse = await ExampleService.start('warehouse.js', jaegerEndpoint);
    shop = await ExampleService.start('server.js', jaegerEndpoint, { env: { WAREHOUSE_URL: warehouse.url } });
  });
  after(() => Promise.all([shop?.stop(), warehouse?.stop()]));

  test('the X-Trace-Id of a response opens the trace over both services', async () => {
    const response = await shop.fetch('/orders/7');
    assert.equal(response.status, 200);

    const tree = await treeOf(response.headers.get('x-trace-id'), { 'orders-shop GET /orders/:id': 1, 'warehouse POST /stock/:article/reservations': 2 });
    const { skeleton } = tree;
    assert.equal(skeleton.incomplete, false);
    assert.deepEqual(skeleton.columns.parent.filter((parent) => parent === -1), [-1], 'one root');
    assert.equal(tree.pathTo('price order'), 'GET /orders/:id > prepare order > price order');
    assert.equal(tree.pathTo('GET /orders/7'), 'GET /orders/:id > GET /orders/7');
    assert.equal(tree.pathTo('reserve'), 'GET /orders/:id > prepare order > reserve stock > POST > POST /stock/:article/reservations > reserve');

    const priced = await tree.span('price order');
    assert.equal(priced.status, 'ok');
    assert.equal(priced.scope.name, 'orders-shop');
    assert.deepEqual(priced.attributes.find(({ key }) => key === 'order.total_cents'), { key: 'order.total_cents', type: 'double', value: 2100 });

    const middleware = await tree.span('GET /orders/7');
    assert.equal(middleware.kind, 'server');
    assert.equal(middleware.service, 'orders-shop');
    assert.equal(attribute(middleware, 'http.target'), '/orders/7');
    assert.equal(attribute(middleware, 'http.status_code'), 200);

    const reserving = await tree.span('reserve stock');
    assert.deepEqual(reserving.events.map(({ name, attributes }) => [name, attributes]), [
      ['reserving', [{ key: 'order.articles', type: 'string', value: 'tea,cup' }]],
    ]);
  });

  test('an error thrown within createSpan shows as an exception event', async () => {
    const response = await shop.fetch('/orders/13');
    assert.equal(response.status, 500);
    const { traceId } = await response.json();
    assert.equal(traceId, response.headers.get('x-trace-id'));

    const tree = await treeOf(traceId, { 'orders-shop GET /orders/:id': 1 });
    const row = tree.row('price order');
    assert.equal(tree.skeleton.columns.status[row], STATUS_ERROR);
    assert.equal(tree.skeleton.columns.flags[row] & FLAG_HAS_EXCEPTION, FLAG_HAS_EXCEPTION);

    for (const name of ['price order', 'prepare order']) {
      const span = await tree.span(name);
      assert.equal(span.status, 'error');
      assert.equal(span.status_message, PRICE_ERROR);
      const [event, ...more] = span.events;
      assert.deepEqual(more, []);
      assert.equal(event.name, 'exception');
      assert.deepEqual(Object.keys(tagsByKey(event.attributes)), ['exception.type', 'exception.message', 'exception.stacktrace']);
      assert.equal(attribute(event, 'exception.type'), 'TypeError');
      assert.equal(attribute(event, 'exception.message'), PRICE_ERROR);
      assert.match(attribute(event, 'exception.stacktrace'), /^TypeError: Cannot read properties.*\n {4}at .*server\.js:\d+:\d+/);
    }

    const failed = await tree.span('GET /orders/13');
    assert.equal(failed.status, 'error');
    assert.equal(failed.status_message, 'HTTP 500');
  });

  test('a 404 is an error of the middleware’s span', async () => {
    const response = await shop.fetch('/orders/99');
    assert.equal(response.status, 404);
    const tree = await treeOf(response.headers.get('x-trace-id'), { 'orders-shop GET /orders/:id': 1 });
    const middleware = await tree.span('GET /orders/99');
    assert.equal(middleware.status_message, 'HTTP 404');
    assert.equal((await tree.span('GET /orders/:id')).status, 'unset');
  });

  test('its traces are found by what the exporter sent, though it sends every number as a double', async () => {
    const response = await shop.fetch('/orders/13');
    const traceId = response.headers.get('x-trace-id');
    await treeOf(traceId, { 'orders-shop GET /orders/:id': 1 });

    for (const condition of ['http.status_code=500', 'http.status_code>=500', 'event.exception.type=TypeError', 'order.id="13"']) {
      const { traces } = await backtrail.get(`/api/v1/search?${new URLSearchParams({ service: 'orders-shop', attr: condition })}`);
      assert.ok(traces.some(({ trace_id }) => trace_id === traceId), `found by ${condition}`);
      assert.ok(traces.every(({ error_count }) => error_count > 0), `only failed traces by ${condition}`);
    }
    for (const tags of [{ 'http.status_code': '500' }, { error: 'true' }, { 'exception.type': 'TypeError' }]) {
      const { data } = await backtrail.get(`/api/traces?${new URLSearchParams({ service: 'orders-shop', tags: JSON.stringify(tags), lookback: '1h' })}`);
      assert.ok(data.some(({ traceID }) => traceID === traceId), `found in the Jaeger API by ${JSON.stringify(tags)}`);
    }
  });

  test('the page shows the trace', async (t) => {
    const response = await shop.fetch('/orders/7');
    const traceId = response.headers.get('x-trace-id');
    await treeOf(traceId, { 'orders-shop GET /orders/:id': 1 });

    const browser = await launchChromium();
    t.after(() => browser.close());
    const page = await browser.newPage();
    const errors = [];
    page.on('pageerror', (error) => errors.push(error.message));
    await page.goto(backtrail.url('web', `/trace/${traceId}`));
    await page.getByRole('heading', { level: 1, name: 'GET /orders/:id' }).waitFor({ state: 'visible' });
    await page.getByRole('treegrid').getByRole('row', { name: 'prepare order' }).waitFor();
    assert.deepEqual(errors, []);
  });
});

test('SIGTERM sends what has ended just before', async () => {
  const shop = await ExampleService.start('server.js', jaegerEndpoint, { exportAfterMs: NEVER_MS });
  const response = await shop.fetch('/orders/13');
  const traceId = response.headers.get('x-trace-id');
  await response.text();
  await shop.stop();
  assert.match(shop.printed, /^Tracing terminated$/m);

  // No waiting: what the exporter was told is stored can be read at once.
  const skeleton = await backtrail.get(`/api/v1/traces/${traceId}/skeleton`);
  assert.ok(skeleton.names.includes('prepare order'), `names: ${skeleton.names}`);
});

/** The trace as a tree, once it has that many spans with each of these `service name`s. */
async function treeOf(traceId, expectedSpans) {
  const skeleton = await eventually(`trace ${traceId} with ${JSON.stringify(expectedSpans)}`, async () => {
    const skeleton = await backtrail.get(`/api/v1/traces/${traceId}/skeleton`);
    const counts = {};
    skeleton.columns.span_id.forEach((_, row) => {
      const label = `${skeleton.services[skeleton.columns.service[row]]} ${skeleton.names[skeleton.columns.name[row]]}`;
      counts[label] = (counts[label] ?? 0) + 1;
    });
    for (const [label, count] of Object.entries(expectedSpans)) {
      assert.equal(counts[label], count, `spans '${label}' among ${JSON.stringify(counts)}`);
    }
    assert.ok(!skeleton.incomplete, 'a parent is still missing');
    return skeleton;
  });

  const { columns, names } = skeleton;
  const nameOf = (row) => names[columns.name[row]];
  const row = (name) => {
    const found = columns.span_id.findIndex((_, row) => nameOf(row) === name);
    assert.notEqual(found, -1, `no span '${name}' among ${names}`);
    return found;
  };
  return {
    skeleton,
    row,
    span: (name) => backtrail.span(traceId, columns.span_id[row(name)]),
    pathTo(name) {
      const path = [];
      for (let at = row(name); at !== -1; at = columns.parent[at]) {
        path.unshift(nameOf(at));
      }
      return path.join(' > ');
    },
  };
}

function attribute({ attributes }, wanted) {
  return attributes.find(({ key }) => key === wanted)?.value;
}

function read(file) {
  return fs.readFileSync(path.join(EXAMPLE, file), 'utf8');
}

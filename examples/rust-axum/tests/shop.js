'use strict';

// Runs the services of this example as processes of their own, and reads their traces back from Backtrail.

const assert = require('node:assert/strict');
const path = require('node:path');

const { built } = require('../../../clients/node/built.js');
const { eventually } = require('../../../clients/node/harness.js');
const { Service } = require('../../../clients/node/program.js');
const { tagsByKey } = require('../../../clients/node/shapes.js');

const NEVER_MS = 3_600_000;

/** Cargo's target folder may be anywhere, so a variable names the program. */
const SHOP = () => built(process.env.SHOP_BIN || path.resolve(__dirname, '../target/debug/shop'), 'run `cargo build` in examples/rust-axum, or set SHOP_BIN to the program');

/** Where spans go, as each exporter is told. */
const EXPORTERS = {
  'OTLP over HTTP': (backtrail) => ({ OTEL_EXPORTER_OTLP_ENDPOINT: backtrail.url('otlp-http', '') }),
  'Jaeger Thrift over HTTP': (backtrail) => ({ JAEGER_ENDPOINT: backtrail.url('jaeger-http', '/api/traces') }),
};

/** A service of the example on a port that was free. Nothing is exported before SIGTERM, so that what arrives was flushed. */
function startShop(service, env) {
  return Service.start([SHOP(), service], { env: settings(env) });
}

/** Both services, by the command without arguments; asked is the shop. */
async function startBoth(env) {
  const both = await Service.start([SHOP()], { env: settings(env) });
  both.url = await eventually('address of the shop', () => {
    const [, url] = both.printed.match(/^orders-shop listens on (http:\S+)$/m) ?? [];
    assert.ok(url, `it printed:\n${both.printed}`);
    return url;
  });
  return both;
}

/** What may be set where the tests run is not for these services. */
function settings(env) {
  const ours = { JAEGER_ENDPOINT: '', DATABASE_URL: 'sqlite::memory:', RUST_LOG: 'info', OTEL_BSP_SCHEDULE_DELAY: String(NEVER_MS) };
  return { ...ours, PORT: '0', WAREHOUSE_PORT: '0', ...env };
}

/** Asks for something, and returns status, trace id and the answer's JSON. */
async function ask(service, pathAndQuery, { json, ...options } = {}) {
  const body = json && { method: 'POST', body: JSON.stringify(json), headers: { 'content-type': 'application/json' } };
  const response = await service.fetch(pathAndQuery, { ...body, ...options });
  return { status: response.status, traceId: response.headers.get('x-trace-id'), answer: await response.json() };
}

/** The trace as lines of text, each deeper than its parent: service, name, kind, status. Nothing is waited for. */
async function treeOf(backtrail, traceId) {
  const skeleton = await backtrail.get(`/api/v1/traces/${traceId}/skeleton`);
  const spans = await Promise.all(skeleton.columns.span_id.map((spanId) => backtrail.span(traceId, spanId)));
  const depths = [];
  const lines = spans.map(({ service, name, kind, status }, row) => {
    const parent = skeleton.columns.parent[row];
    depths[row] = parent === -1 ? 0 : depths[parent] + 1;
    return `${'  '.repeat(depths[row])}${service}: ${name} ${kind} ${status}`;
  });
  const named = (wanted) => spans.filter(({ name }) => name === wanted);
  return { incomplete: skeleton.incomplete, lines, spans, named };
}

/** The values of some attributes. */
function valuesOf({ attributes }, keys) {
  const tags = tagsByKey(attributes);
  return Object.fromEntries(keys.map((key) => [key, tags[key]?.value]));
}

module.exports = { EXPORTERS, ask, startBoth, startShop, treeOf, valuesOf };

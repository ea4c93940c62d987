'use strict';

// A page of another origin that sends its spans straight from the browser.

const assert = require('node:assert/strict');
const { once } = require('node:events');
const http = require('node:http');
const { after, before, test } = require('node:test');

const esbuild = require('esbuild');

const { launchChromium } = require('./browser.js');
const { Backtrail } = require('./harness.js');

let backtrail;
let origin;
let browser;
before(async () => {
  backtrail = await Backtrail.start();
  origin = await serveShopPage();
  browser = await launchChromium();
});
after(async () => {
  await browser?.close();
  origin?.server.close();
  await backtrail?.stop();
});

test('fetch with application/json: the preflight passes and the span arrives', async () => {
  const traceId = 'b0b0b0b0b0b0b0b0b0b0b0b0b0b0b001';
  const page = await openShopPage();
  const answer = await page.evaluate(post, { url: otlpUrl(), contentType: 'application/json', request: requestWithOneSpan(traceId) });
  assert.deepEqual(answer, { status: 200, body: '{}' });
  const [span] = await backtrail.spansOf(traceId, 1);
  assert.equal(span.name, 'click');
});

test('the OpenTelemetry SDK for the web', async () => {
  const page = await openShopPage();
  const { traceId, rootId, childId } = await page.evaluate((url) => window.sendSpans(url), otlpUrl());

  const { columns, names, services } = await backtrail.skeletonOf(traceId, 2);
  assert.deepEqual(columns.span_id, [rootId, childId]);
  assert.deepEqual(columns.name.map((index) => names[index]), ['documentLoad', 'render cart']);
  assert.deepEqual(services, ['shop-page']);
  const child = await backtrail.span(traceId, childId);
  assert.deepEqual(child.attributes, [{ key: 'cart.items', type: 'int', value: '3' }]);
});

// What the exporter for the web did, unless it was given headers, until it moved to `fetch` after 0.212. Browsers send a beacon with the page's
// credentials, and first ask whether they may: an answer that allows the origin `*` is none.
test('sendBeacon with application/json', async () => {
  const traceId = 'b0b0b0b0b0b0b0b0b0b0b0b0b0b0b003';
  const page = await openShopPage();
  const queued = await page.evaluate(({ url, request }) => navigator.sendBeacon(url, new Blob([JSON.stringify(request)], { type: 'application/json' })), {
    url: otlpUrl(),
    request: requestWithOneSpan(traceId),
  });
  assert.ok(queued);
  const [span] = await backtrail.spansOf(traceId, 1);
  assert.equal(span.name, 'click');
});

test('text/plain is refused with 415, and the page can read the refusal', async () => {
  const traceId = 'b0b0b0b0b0b0b0b0b0b0b0b0b0b0b002';
  const page = await openShopPage();
  const answer = await page.evaluate(post, { url: otlpUrl(), contentType: 'text/plain', request: requestWithOneSpan(traceId) });
  assert.equal(answer.status, 415);
  const { status } = await fetch(backtrail.url('web', `/api/v1/traces/${traceId}`));
  assert.equal(status, 404, 'nothing was stored');
});

test('sendBeacon with a string, which browsers send as text/plain, is refused', async () => {
  const page = await openShopPage();
  const refused = page.waitForResponse(otlpUrl());
  await page.evaluate((url) => navigator.sendBeacon(url, '{}'), otlpUrl());
  assert.equal((await refused).status(), 415);
});

function otlpUrl() {
  return backtrail.url('otlp-http', '/v1/traces');
}

async function openShopPage() {
  const page = await browser.newPage();
  await page.goto(origin.url);
  return page;
}

function requestWithOneSpan(traceId) {
  const span = { traceId, spanId: '0000000000000001', name: 'click', kind: 1, startTimeUnixNano: '1760000000000000000', endTimeUnixNano: '1760000000001000000' };
  return { resourceSpans: [{ scopeSpans: [{ spans: [span] }] }] };
}

/** Runs in the page. */
async function post({ url, contentType, request }) {
  const response = await fetch(url, { method: 'POST', headers: { 'content-type': contentType }, body: JSON.stringify(request) });
  return { status: response.status, body: await response.text() };
}

/** A page on an origin of its own that has `window.sendSpans`, made with the SDK for the web. */
async function serveShopPage() {
  const bundle = await esbuild.build({ entryPoints: [require.resolve('./shop-page.js')], bundle: true, platform: 'browser', write: false });
  const files = {
    '/': ['text/html', '<!doctype html><title>shop</title><script src="/shop-page.js"></script>'],
    '/shop-page.js': ['text/javascript', bundle.outputFiles[0].text],
  };
  const server = http.createServer((request, response) => {
    const [type, content] = files[request.url] ?? [];
    response.writeHead(content === undefined ? 404 : 200, { 'content-type': `${type ?? 'text/plain'}; charset=utf-8` });
    response.end(content);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return { server, url: `http://127.0.0.1:${server.address().port}/` };
}

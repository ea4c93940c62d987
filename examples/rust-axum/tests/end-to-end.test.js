'use strict';

// Both services as processes of their own, and their traces as the real Backtrail gives them back.

const assert = require('node:assert/strict');
const fs = require('node:fs');
const os = require('node:os');
const path = require('node:path');
const { after, before, describe, test } = require('node:test');

const { launchChromium } = require('../../../clients/node/browser.js');
const { Backtrail } = require('../../../clients/node/harness.js');
const { EXPORTERS, ask, startBoth, startShop, treeOf, valuesOf } = require('./shop.js');
const { NEW_ORDER, ORDER_13, ORDER_7, ORDER_99 } = require('./trees.js');

let backtrail;
before(async () => (backtrail = await Backtrail.start()));
after(() => backtrail?.stop());

for (const [exporter, settings] of Object.entries(EXPORTERS)) {
  describe(`two services that send ${exporter}`, () => {
    const asked = {};
    before(async () => {
      const env = settings(backtrail);
      const warehouse = await startShop('warehouse', env);
      const shop = await startShop('orders', { ...env, WAREHOUSE_URL: warehouse.url });
      asked.order7 = await ask(shop, '/orders/7', { headers: { 'x-user-id': 'ann', 'x-session-id': 's-1' } });
      asked.order13 = await ask(shop, '/orders/13');
      asked.order99 = await ask(shop, '/orders/99');
      asked.newOrder = await ask(shop, '/orders', { json: { lines: [{ article: 'cup', count: 3 }] } });
      asked.health = await shop.fetch('/health');
      await shop.stop();
      await warehouse.stop();
      asked.printed = { shop: shop.printed, warehouse: warehouse.printed };
    });

    test('SIGTERM exports what has ended, and tells how much', () => {
      const spans = [...ORDER_7, ...ORDER_13, ...ORDER_99, ...NEW_ORDER];
      const ofShop = spans.filter((line) => /^ *orders-shop:/.test(line)).length;
      assert.match(asked.printed.shop, new RegExp(`^Tracing terminated: ${ofShop} spans exported, 0 lost$`, 'm'));
      assert.match(asked.printed.warehouse, new RegExp(`^Tracing terminated: ${spans.length - ofShop} spans exported, 0 lost$`, 'm'));
      for (const printed of Object.values(asked.printed)) {
        assert.doesNotMatch(printed, /WARN|ERROR/);
      }
    });

    test('the X-Trace-Id of order 7 opens one trace over both services', async () => {
      const { status, traceId, answer } = asked.order7;
      assert.equal(status, 200);
      assert.deepEqual(answer, {
        id: '7',
        lines: [{ article: 'tea', count: 2 }, { article: 'cup', count: 1 }],
        totalInCents: 2100,
        reserved: [{ article: 'tea', left: 998 }, { article: 'cup', left: 999 }],
      });
      const tree = await treeOf(backtrail, traceId);
      assert.equal(tree.incomplete, false);
      assert.deepEqual(tree.lines, ORDER_7);
    });

    test('the server’s span has the stable names, and user and session from the hook', async () => {
      const tree = await treeOf(backtrail, asked.order7.traceId);
      const expected = {
        'http.request.method': 'GET',
        'http.route': '/orders/{id}',
        'url.path': '/orders/7',
        'http.response.status_code': '200',
        'user.id': 'ann',
        'session.id': 's-1',
      };
      assert.deepEqual(valuesOf(tree.spans[0], Object.keys(expected)), expected);
    });

    test('what the code says of its spans arrives', async () => {
      const tree = await treeOf(backtrail, asked.order7.traceId);
      assert.deepEqual(valuesOf(tree.named('prepare order')[0], ['order.id', 'order.lines']), { 'order.id': '7', 'order.lines': '2' });
      assert.deepEqual(valuesOf(tree.named('price order')[0], ['order.total_cents']), { 'order.total_cents': '2100' });
      assert.deepEqual(tree.named('reserve stock')[0].events.map(({ name }) => name), ['reserving']);
      const left = tree.named('reserve').map((span) => valuesOf(span, ['stock.article', 'stock.left']));
      left.sort((a, b) => a['stock.left'] - b['stock.left']);
      assert.deepEqual(left, [{ 'stock.article': 'tea', 'stock.left': '998' }, { 'stock.article': 'cup', 'stock.left': '999' }]);
    });

    test('statements are told without their values', async () => {
      const tree = await treeOf(backtrail, asked.newOrder.traceId);
      assert.equal(asked.newOrder.status, 201);
      assert.deepEqual(asked.newOrder.answer, { id: '100', lines: [{ article: 'cup', count: 3 }] });
      assert.deepEqual(tree.lines, NEW_ORDER);
      const [statement] = tree.named('INSERT order_lines');
      assert.deepEqual(valuesOf(statement, ['db.system.name', 'db.query.text']), {
        'db.system.name': 'sqlite',
        'db.query.text': 'INSERT INTO order_lines (order_id, position, article, count) VALUES ($1, $2, $3, $4)',
      });
      assert.doesNotMatch(JSON.stringify(tree.spans), /cup/);
    });

    test('an article without a price fails its spans, with an exception, and the answer tells the trace', async () => {
      const { status, traceId, answer } = asked.order13;
      assert.equal(status, 500);
      assert.deepEqual(answer, { error: 'no price for teapot', traceId });
      const tree = await treeOf(backtrail, traceId);
      assert.deepEqual(tree.lines, ORDER_13);
      assert.deepEqual(valuesOf(tree.spans[0], ['http.response.status_code', 'error.type']), { 'http.response.status_code': '500', 'error.type': '500' });
      for (const name of ['price order', 'prepare order']) {
        const [span] = tree.named(name);
        assert.equal(span.status_message, 'no price for teapot');
        assert.deepEqual(span.events.map(({ name }) => name), ['exception']);
        const expected = { 'exception.type': 'shop::orders::OrderError', 'exception.message': 'no price for teapot' };
        assert.deepEqual(valuesOf(span.events[0], Object.keys(expected)), expected);
      }
    });

    test('an order that is not found is no error of the service', async () => {
      const { status, traceId, answer } = asked.order99;
      assert.equal(status, 404);
      assert.deepEqual(answer, { error: 'no order 99', traceId });
      const tree = await treeOf(backtrail, traceId);
      assert.deepEqual(tree.lines, ORDER_99);
    });

    test('questions after the service’s health are not traced', () => {
      assert.equal(asked.health.status, 200);
      assert.equal(asked.health.headers.get('x-trace-id'), null);
    });

    test('the page shows the trace with both services', async (t) => {
      const browser = await launchChromium();
      t.after(() => browser.close());
      const page = await browser.newPage({ viewport: { width: 1280, height: 720 } });
      const errors = [];
      page.on('pageerror', (error) => errors.push(error.message));
      await page.goto(backtrail.url('web', `/trace/${asked.order7.traceId}`));
      await page.getByRole('heading', { level: 1, name: 'GET /orders/{id}' }).waitFor({ state: 'visible' });
      const rows = page.getByRole('treegrid').getByRole('row').and(page.locator('[aria-level]'));
      await rows.filter({ hasText: 'load order' }).waitFor();
      const shown = await rows.evaluateAll((rows) => rows.map((row) => [Number(row.getAttribute('aria-level')), row.textContent]));
      assert.equal(shown.length, ORDER_7.length);
      ORDER_7.forEach((line, row) => {
        const [, indent, service, name] = line.match(/^( *)(\S+): (.*) \w+ \w+$/);
        const [level, text] = shown[row];
        assert.equal(level, indent.length / 2 + 1, `the depth of row ${row}, ${name}`);
        assert.ok(text.includes(service) && text.includes(name), `row ${row} is ${service} ${name}: ${text}`);
      });
      assert.deepEqual(errors, []);
    });
  });
}

test('one command starts both services, and one SIGTERM ends them', async () => {
  const both = await startBoth(EXPORTERS['OTLP over HTTP'](backtrail));
  const { status, traceId } = await ask(both, '/orders/7');
  assert.equal(status, 200);
  await both.stop();
  assert.equal(both.printed.match(/^Tracing terminated: \d+ spans exported, 0 lost$/gm)?.length, 2, both.printed);
  const tree = await treeOf(backtrail, traceId);
  assert.deepEqual(tree.lines, ORDER_7);
});

test('an order that was placed is there when the service starts again with the same file', async (t) => {
  const directory = fs.mkdtempSync(path.join(os.tmpdir(), 'backtrail-shop-'));
  t.after(() => fs.rmSync(directory, { recursive: true }));
  const env = { ...EXPORTERS['OTLP over HTTP'](backtrail), DATABASE_URL: `sqlite:${path.join(directory, 'orders.db')}?mode=rwc` };
  const first = await startShop('orders', env);
  const placed = await ask(first, '/orders', { json: { lines: [{ article: 'teapot', count: 1 }] } });
  assert.deepEqual([placed.status, placed.answer.id], [201, '100']);
  await first.stop();

  const second = await startShop('orders', env);
  const again = await ask(second, '/orders/100');
  assert.deepEqual([again.status, again.answer.error], [500, 'no price for teapot']);
  await second.stop();
});

test('a warehouse that is not there fails the order, and the trace says where', async () => {
  const shop = await startShop('orders', { ...EXPORTERS['OTLP over HTTP'](backtrail), WAREHOUSE_URL: 'http://127.0.0.1:1' });
  const { status, traceId, answer } = await ask(shop, '/orders/7');
  assert.equal(status, 502);
  assert.deepEqual(answer, { error: 'the warehouse failed', traceId });
  await shop.stop();
  const tree = await treeOf(backtrail, traceId);
  const failed = tree.lines.filter((line) => line.endsWith('error')).map((line) => line.trim());
  // Both are asked at once. When one fails, the order gives up the other.
  assert.ok(failed.includes('orders-shop: POST client error'), `failed: ${failed}`);
  assert.ok(failed.includes('orders-shop: reserve stock internal error'), `failed: ${failed}`);
  assert.equal(tree.lines[0], 'orders-shop: GET /orders/{id} server error');
});

'use strict';

// The Express shop next door has the same paths and the same JSON: either service can be the other's, and the trace goes through both languages.

const assert = require('node:assert/strict');
const { after, before, test } = require('node:test');

const { ExampleService, NEVER_MS } = require('../../../clients/node/example.js');
const { Backtrail } = require('../../../clients/node/harness.js');
const { EXPORTERS, ask, startShop, treeOf } = require('./shop.js');

const PREPARED = {
  id: '7',
  lines: [{ article: 'tea', count: 2 }, { article: 'cup', count: 1 }],
  totalInCents: 2100,
  reserved: [{ article: 'tea', left: 998 }, { article: 'cup', left: 999 }],
};

let backtrail;
before(async () => (backtrail = await Backtrail.start()));
after(() => backtrail?.stop());

const startNode = (script, env) => ExampleService.start(script, backtrail.url('jaeger-http', '/api/traces'), { exportAfterMs: NEVER_MS, env });
const startRust = (service, env) => startShop(service, { ...EXPORTERS['OTLP over HTTP'](backtrail), ...env });

test('the shop in Rust reserves in the warehouse in Node, in one trace', async () => {
  const warehouse = await startNode('warehouse.js');
  const shop = await startRust('orders', { WAREHOUSE_URL: warehouse.url });
  const { status, traceId, answer } = await ask(shop, '/orders/7');
  assert.deepEqual([status, answer], [200, PREPARED]);
  await shop.stop();
  await warehouse.stop();

  const tree = await oneTree(traceId);
  assert.deepEqual(tree.pathsTo('warehouse', 'reserve'), Array(2).fill([
    'orders-shop: GET /orders/{id}',
    'orders-shop: prepare order',
    'orders-shop: reserve stock',
    'orders-shop: POST',
    'warehouse: POST /stock/:article/reservations',
    'warehouse: reserve',
  ]));
});

test('the shop in Node reserves in the warehouse in Rust, in one trace', async () => {
  const warehouse = await startRust('warehouse');
  const shop = await startNode('server.js', { WAREHOUSE_URL: warehouse.url });
  const { status, traceId, answer } = await ask(shop, '/orders/7');
  assert.deepEqual([status, answer], [200, PREPARED]);
  await shop.stop();
  await warehouse.stop();

  const tree = await oneTree(traceId);
  assert.deepEqual(tree.pathsTo('warehouse', 'reserve'), Array(2).fill([
    'orders-shop: GET /orders/:id',
    'orders-shop: prepare order',
    'orders-shop: reserve stock',
    'orders-shop: POST',
    'warehouse: POST /stock/{article}/reservations',
    'warehouse: reserve',
  ]));
});

/** The trace, which must have one root and no span whose parent is missing. */
async function oneTree(traceId) {
  const tree = await treeOf(backtrail, traceId);
  assert.equal(tree.incomplete, false);
  assert.deepEqual(tree.spans.filter(({ parent_span_id }) => parent_span_id === null).length, 1, tree.lines.join('\n'));
  const byId = new Map(tree.spans.map((span) => [span.span_id, span]));
  return {
    pathsTo(service, name) {
      const ends = tree.spans.filter((span) => span.service === service && span.name === name);
      return ends.map((span) => {
        const path = [];
        for (let at = span; at; at = byId.get(at.parent_span_id)) {
          path.unshift(`${at.service}: ${at.name}`);
        }
        return path;
      });
    },
  };
}

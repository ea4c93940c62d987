'use strict';

// The shop with PostgreSQL for its orders: the same traces, and the same care for values.

const assert = require('node:assert/strict');
const { after, before, describe, test } = require('node:test');

const { Backtrail } = require('../../../clients/node/harness.js');
const { Postgres } = require('./postgres.js');
const { EXPORTERS, ask, startShop, treeOf, valuesOf } = require('./shop.js');
const { NEW_ORDER, ORDER_13, ORDER_7, ORDER_99 } = require('./trees.js');

describe('a shop with PostgreSQL', () => {
  const asked = {};
  let backtrail;
  let postgres;
  before(async () => {
    backtrail = await Backtrail.start();
    postgres = await Postgres.start();
    const env = { ...EXPORTERS['OTLP over HTTP'](backtrail), DATABASE_URL: postgres.url };
    const warehouse = await startShop('warehouse', env);
    const shop = await startShop('orders', { ...env, WAREHOUSE_URL: warehouse.url });
    asked.order7 = await ask(shop, '/orders/7');
    asked.order13 = await ask(shop, '/orders/13');
    asked.order99 = await ask(shop, '/orders/99');
    asked.newOrder = await ask(shop, '/orders', { json: { lines: [{ article: 'cup', count: 3 }] } });
    await shop.stop();
    asked.printed = shop.printed;
    // With the tables and orders that are there already.
    const again = await startShop('orders', { ...env, WAREHOUSE_URL: warehouse.url });
    asked.placed = await ask(again, `/orders/${asked.newOrder.answer.id}`);
    await again.stop();
    await warehouse.stop();
  });
  after(() => postgres?.stop());
  after(() => backtrail?.stop());

  test('each question is the trace that it is with SQLite', async () => {
    const expected = { order7: ORDER_7, order13: ORDER_13, order99: ORDER_99, newOrder: NEW_ORDER };
    for (const [name, lines] of Object.entries(expected)) {
      const tree = await treeOf(backtrail, asked[name].traceId);
      assert.equal(tree.incomplete, false);
      assert.deepEqual(tree.lines, lines, name);
    }
    assert.deepEqual([asked.order7.status, asked.order7.answer.totalInCents], [200, 2100]);
    assert.deepEqual([asked.order13.status, asked.order99.status, asked.newOrder.status], [500, 404, 201]);
  });

  test('statements and transactions name the database, and no value', async () => {
    const tree = await treeOf(backtrail, asked.newOrder.traceId);
    const statements = {
      BEGIN: 'BEGIN',
      'INSERT orders': 'INSERT INTO orders DEFAULT VALUES RETURNING id',
      'INSERT order_lines': 'INSERT INTO order_lines (order_id, position, article, count) VALUES ($1, $2, $3, $4)',
      COMMIT: 'COMMIT',
    };
    for (const [name, text] of Object.entries(statements)) {
      const [span] = tree.named(name);
      const expected = {
        'db.system.name': 'postgresql',
        'db.namespace': 'postgres',
        'server.address': 'localhost',
        'server.port': '5432',
        'db.query.text': text,
        'db.query.summary': name,
      };
      assert.deepEqual(valuesOf(span, Object.keys(expected)), expected);
    }
    assert.doesNotMatch(JSON.stringify(tree.spans), /cup|secret-of-the-shop/);
  });

  test('what was kept is there when the service starts again', () => {
    const { status, answer } = asked.placed;
    assert.equal(status, 200);
    assert.deepEqual([answer.lines, answer.totalInCents], [[{ article: 'cup', count: 3 }], 3600]);
  });

  test('nothing is lost and nothing complained of', () => {
    const ofShop = [...ORDER_7, ...ORDER_13, ...ORDER_99, ...NEW_ORDER].filter((line) => /^ *orders-shop:/.test(line)).length;
    assert.match(asked.printed, new RegExp(`^Tracing terminated: ${ofShop} spans exported, 0 lost$`, 'm'));
    assert.doesNotMatch(asked.printed, /WARN|ERROR/);
  });
});

'use strict';

// The shop: it knows the orders, and asks the warehouse what is in stock.

require('./source-maps.js');
const { TracingSystem } = require('./tracing.js');

const tracing = new TracingSystem('orders-shop');
// Before anything else is loaded: the instrumentations patch `http` and `express` as they are required.
tracing.initialize();

const express = require('express');
const { TracingMiddleware } = require('./tracing-middleware.js');
const { reserveStock } = require('./warehouse-client.js');

const PRICES_IN_CENTS = new Map([
  ['tea', 450],
  ['cup', 1200],
]);

const orders = new Map([
  ['7', { id: '7', lines: [{ article: 'tea', count: 2 }, { article: 'cup', count: 1 }] }],
  // Nobody sells teapots any more: pricing this order throws.
  ['13', { id: '13', lines: [{ article: 'teapot', count: 1 }] }],
]);

const app = express();
app.use(express.json());
app.use(new TracingMiddleware().express());

app.get('/orders/:id', forwardingErrors(async (req, res) => {
  const order = await tracing.createSpan('load order', () => loadOrder(req.params.id), { 'order.id': req.params.id });
  if (order === undefined) {
    res.status(404).json({ error: `no order ${req.params.id}` });
    return;
  }
  res.json(await tracing.createSpan('prepare order', () => prepare(order), { 'order.id': order.id, 'order.lines': order.lines.length }));
}));

app.post('/orders', forwardingErrors(async (req, res) => {
  res.status(201).json(await tracing.createSpan('save order', () => saveOrder(req.body.lines)));
}));

app.use((error, req, res, _next) => {
  res.status(500).json({ error: error.message, traceId: req.traceId });
});

/** Express 4 does not see the rejections of asynchronous handlers. */
function forwardingErrors(handler) {
  return (req, res, next) => handler(req, res).catch(next);
}

async function loadOrder(id) {
  return orders.get(id);
}

async function saveOrder(lines) {
  const order = { id: String(orders.size + 100), lines };
  orders.set(order.id, order);
  return order;
}

/** Prices an order, then reserves its articles: two spans within the caller's. */
async function prepare(order) {
  const totalInCents = await tracing.createSpan('price order', async (span) => {
    const total = order.lines.reduce((sum, line) => sum + line.count * priceOf(line.article).cents, 0);
    span.setAttribute('order.total_cents', total);
    return total;
  });
  const reserved = await tracing.createSpan('reserve stock', async (span) => {
    span.addEvent('reserving', { 'order.articles': order.lines.map((line) => line.article) });
    return Promise.all(order.lines.map((line) => reserveStock(line.article, line.count)));
  });
  return { ...order, totalInCents, reserved };
}

function priceOf(article) {
  if (PRICES_IN_CENTS.has(article)) {
    return { cents: PRICES_IN_CENTS.get(article) };
  }
}

const server = app.listen(Number(process.env.PORT ?? 3000), '127.0.0.1', () => {
  console.log(`orders-shop listens on http://127.0.0.1:${server.address().port}`);
});

// A shop's traffic over eight services: what the demo sends, small enough for tests.

import { hexId, random } from './otlp.js';

/** @import { SpanDraft } from './otlp.js' */

const MS = 1e6;

const stack = `TypeError: Cannot read properties of undefined (reading 'total')
    at priceOf (/srv/checkout/dist/pricing.8f31c.js:1:20431)
    at Array.map (<anonymous>)
    at placeOrder (/srv/checkout/dist/main.8f31c.js:1:88124)
    at async Layer.handle [as handle_request] (/srv/checkout/node_modules/express/lib/router/layer.js:95:5)
    at async next (/srv/checkout/node_modules/express/lib/router/route.js:144:13)`;

/**
 * One checkout: a front end, a gateway, carts, payment, stock, a queue.
 *
 * @param {number} number makes the ids
 * @param {bigint} start
 * @param {{ slow?: boolean, fails?: boolean }} [options]
 * @returns {SpanDraft[]}
 */
export function checkout(number, start, { slow = false, fails = false } = {}) {
  const next = random(number + 7);
  const traceId = `c0ffee${hexId(number, 26)}`;
  let count = 0;
  /** @type {SpanDraft[]} */
  const spans = [];
  const add = (/** @type {Partial<SpanDraft> & { service: string, name: string }} */ draft, /** @type {number} */ atMs, /** @type {number} */ forMs) => {
    const span = { traceId, spanId: hexId(number * 1000 + ++count, 16), start: start + BigInt(Math.round(atMs * MS)), duration: forMs * MS, ...draft };
    spans.push(span);
    return span.spanId;
  };
  const factor = (slow ? 9 : 1) * (0.7 + next() * 0.7);
  const total = 120 * factor;
  const web = add({ service: 'web', name: 'POST /checkout', kind: 3, error: fails, message: 'HTTP 500',
    attributes: { 'http.request.method': 'POST', 'url.full': 'https://shop.example/checkout', 'http.response.status_code': fails ? 500 : 200, 'user_agent.original': 'Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36', 'session.id': `s-${number}` } }, 0, total);
  const gateway = add({ service: 'gateway', name: 'POST /checkout', kind: 2, parent: web, error: fails, message: 'HTTP 500',
    attributes: { 'http.route': '/checkout', 'http.request.method': 'POST', 'http.response.status_code': fails ? 500 : 200, 'server.address': 'gateway', 'server.port': 8080, 'network.protocol.version': '1.1', 'url.scheme': 'https', 'client.address': '203.0.113.9', 'sampling.rate': 0.25, 'cache.hit': false } }, 3 * factor, 112 * factor);
  const order = add({ service: 'checkout', name: 'placeOrder', kind: 2, parent: gateway, error: fails, message: "Cannot read properties of undefined (reading 'total')",
    attributes: { 'order.id': `o-${number}`, 'order.items': 3, 'order.total': 59.97, 'customer.tags': ['returning', 'newsletter'] },
    events: fails
      ? [{ name: 'exception', at: 96 * factor * MS, attributes: { 'exception.type': 'TypeError', 'exception.message': "Cannot read properties of undefined (reading 'total')", 'exception.stacktrace': stack } }]
      : [{ name: 'order accepted', at: 90 * factor * MS, attributes: { 'order.id': `o-${number}` } }] }, 8 * factor, 100 * factor);
  const cart = add({ service: 'cart', name: 'GET /cart/{id}', kind: 2, parent: order, attributes: { 'http.route': '/cart/{id}', 'http.response.status_code': 200 } }, 10 * factor, 20 * factor);
  add({ service: 'cart', name: 'HGETALL cart', kind: 3, parent: cart, attributes: { 'db.system.name': 'redis', 'db.query.text': 'HGETALL cart:?' } }, 12 * factor, 6 * factor);
  for (let item = 0; item < 3; item++) {
    const stock = add({ service: 'stock', name: 'ReserveItem', kind: 2, parent: order, attributes: { 'rpc.system': 'grpc', 'item.sku': `SKU-${item}` } }, (32 + item * 9) * factor, 8 * factor);
    add({ service: 'stock', name: 'SELECT stock.items', kind: 3, parent: stock, attributes: { 'db.system.name': 'postgresql', 'db.query.text': 'SELECT count FROM items WHERE sku = $1 FOR UPDATE' } }, (33 + item * 9) * factor, 4 * factor);
  }
  const payment = add({ service: 'payment', name: 'POST /charge', kind: 2, parent: order, attributes: { 'http.response.status_code': 201, 'payment.provider': 'acme' } }, 62 * factor, 34 * factor);
  add({ service: 'payment', name: 'POST acme.example/v1/charges', kind: 3, parent: payment, attributes: { 'server.address': 'acme.example' } }, 64 * factor, 30 * factor);
  const publish = add({ service: 'checkout', name: 'orders publish', kind: 4, parent: order, attributes: { 'messaging.system': 'kafka', 'messaging.destination.name': 'orders' } }, 98 * factor, 2 * factor);
  const mail = add({ service: 'mail', name: 'orders process', kind: 5, parent: publish, links: [{ traceId, spanId: order }], attributes: { 'messaging.system': 'kafka' } }, 104 * factor, 14 * factor);
  add({ service: 'mail', name: 'send confirmation', parent: mail }, 106 * factor, 9 * factor);
  return spans;
}

/**
 * A batch job of `count` spans, with errors and long names here and there.
 *
 * @param {number} number
 * @param {bigint} start
 * @param {number} count
 * @returns {SpanDraft[]}
 */
export function batchJob(number, start, count) {
  const next = random(number);
  const traceId = `ba7c4${hexId(number, 27)}`;
  const services = ['scheduler', 'worker', 'catalog', 'search-index', 'cache', 'postgres'];
  /** @type {SpanDraft[]} */
  const spans = [{ service: 'scheduler', name: 'nightly reindex', traceId, spanId: hexId(number * 1e6 + 1, 16), start, duration: count * MS + 50 * MS }];
  // A stack of open spans: each new one is a child of one of them.
  const open = [0];
  for (let at = 1; at < count; at++) {
    const depth = Math.min(open.length, 1 + Math.floor(next() * 7));
    const parent = spans[open[depth - 1]];
    open.length = depth;
    open.push(at);
    const begin = start + BigInt(at) * BigInt(MS);
    const room = Number(parent.start + BigInt(Math.round(parent.duration)) - begin);
    const error = next() < 0.004;
    spans.push({
      service: services[depth % services.length],
      name: depth < 3 ? `reindex shard ${at % 64}` : `step ${at % 41} of ${services[depth % services.length]}`,
      traceId,
      spanId: hexId(number * 1e6 + at + 1, 16),
      parent: parent.spanId,
      kind: 1 + (at % 5),
      start: begin,
      duration: Math.max(1000, Math.min(Math.max(room, 0), Math.round(10 ** (4 + next() * 4)))),
      error,
      message: error ? 'shard is locked' : '',
      attributes: { 'shard.id': at % 64, 'shard.bytes': Math.floor(next() * 1e6) },
    });
  }
  return spans;
}

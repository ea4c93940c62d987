'use strict';

// The second service: it counts what is in stock.

require('./source-maps.js');
const { TracingSystem } = require('./tracing.js');

const tracing = new TracingSystem('warehouse');
tracing.initialize();

const express = require('express');
const { TracingMiddleware } = require('./tracing-middleware.js');

const stock = new Map([
  ['tea', 1000],
  ['cup', 1000],
]);

const app = express();
app.use(new TracingMiddleware().express());

app.post('/stock/:article/reservations', (req, res, next) => {
  tracing
    .createSpan('reserve', () => reserve(req.params.article, Number(req.query.count)), { 'stock.article': req.params.article })
    .then((left) => res.status(201).json({ article: req.params.article, left }))
    .catch(next);
});

async function reserve(article, count) {
  const left = stock.get(article) - count;
  stock.set(article, left);
  return left;
}

const server = app.listen(Number(process.env.PORT ?? 3001), '127.0.0.1', () => {
  console.log(`warehouse listens on http://127.0.0.1:${server.address().port}`);
});

'use strict';

const http = require('node:http');

const WAREHOUSE_URL = process.env.WAREHOUSE_URL ?? 'http://127.0.0.1:3001';

/** Asks the warehouse to put articles aside. The HTTP instrumentation adds the `traceparent` header that joins both services' spans in one trace. */
function reserveStock(article, count) {
  return new Promise((resolve, reject) => {
    const request = http.request(`${WAREHOUSE_URL}/stock/${article}/reservations?count=${count}`, { method: 'POST' }, async (response) => {
      try {
        const chunks = await response.toArray();
        resolve(JSON.parse(Buffer.concat(chunks)));
      } catch (error) {
        reject(error);
      }
    });
    request.on('error', reject);
    request.end();
  });
}

module.exports = { reserveStock };

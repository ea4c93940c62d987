// An error that a bundled service throws: the stack trace that it sends, and what it says of the source.

import { readFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { hexId } from './otlp.js';

/** @import { SpanDraft } from './otlp.js' */

const folder = join(dirname(fileURLToPath(import.meta.url)), '..', 'fixtures', 'webpack');

export const bundle = 'main.efbcacc41ec5b6ccc1e4.js';
export const map = 'sourcemaps/main.a1858a884031fd5b819d.js.map';

/** As Node wrote it for the bundle of `fixtures/webpack`, which ran as a service does. */
export const stack = `PaymentError: limit exceeded: 120
    at n (/var/task/${bundle}:1:404)
    at n (/var/task/${bundle}:1:209)
    at /var/task/${bundle}:1:899
    at /var/task/${bundle}:1:920
    at Object.<anonymous> (/var/task/${bundle}:1:940)
    at Module._compile (node:internal/modules/cjs/loader:1521:14)
    at Module._extensions..js (node:internal/modules/cjs/loader:1613:10)
    at Module.load (node:internal/modules/cjs/loader:1275:32)
    at node:internal/main/run_main_module:28:49`;

/** What Node says of the same calls in the sources that the bundle was made of. */
export const truth = ['chargeCustomer src/payment.js:12:11', 'placeOrder src/order.js:9:10', 'handle src/index.js:5:10'];

/** The files that the build left, by their paths. @returns {Promise<Record<string, Buffer>>} */
export async function build() {
  return { [bundle]: await readFile(join(folder, bundle)), [map]: await readFile(join(folder, map)) };
}

/**
 * A span that ended with the error.
 * @param {number} number makes the ids
 * @param {string} service
 * @param {{ version?: string, text?: string, message?: string, start?: bigint }} [options]
 * @returns {SpanDraft[]}
 */
export function crash(number, service, { version = '1.4.2', text = stack, message = 'limit exceeded: 120', start = BigInt(Date.now() - 60_000) * 1_000_000n } = {}) {
  return [
    {
      service,
      name: 'POST /orders',
      traceId: `c2a5${hexId(number, 28)}`,
      spanId: hexId(0xc2a50000 + number, 16),
      kind: 2,
      start,
      duration: 42e6,
      error: true,
      message,
      resource: { 'service.version': version },
      attributes: { 'http.request.method': 'POST', 'http.route': '/orders', 'http.response.status_code': 500 },
      events: [{ name: 'exception', at: 40e6, attributes: { 'exception.type': 'PaymentError', 'exception.message': message, 'exception.stacktrace': text } }],
    },
  ];
}

'use strict';

// OTLP/JSON written by hand, as scripts and small devices send it: what is refused, and how the sender learns of it.

const assert = require('node:assert/strict');
const { after, before, test } = require('node:test');

const { Backtrail } = require('./harness.js');

let backtrail;
before(async () => (backtrail = await Backtrail.start()));
after(() => backtrail?.stop());

test('one span with a bad id among good ones: it is counted and named, the others are kept', async () => {
  const traceId = '5b8efff798038103d269b633813fc60c';
  const response = await post({
    resourceSpans: [
      {
        resource: { attributes: [{ key: 'service.name', value: { stringValue: 'by-hand' } }] },
        scopeSpans: [
          {
            spans: [
              span({ traceId, spanId: 'eee19b7ec3c1b174', name: 'good' }),
              span({ traceId, spanId: 'eee19b7ec3c1b1', name: 'six bytes of id' }),
              span({ traceId, spanId: 'EEE19B7EC3C1B175', name: 'also good' }),
            ],
          },
        ],
      },
    ],
  });

  assert.equal(response.status, 200);
  assert.match(response.headers.get('content-type'), /^application\/json/);
  const { partialSuccess } = await response.json();
  assert.equal(partialSuccess.rejectedSpans, '1');
  assert.match(partialSuccess.errorMessage, /span id/i);
  const spans = await backtrail.spansOf(traceId, 2);
  assert.deepEqual(spans.map(({ span_id, name, service }) => [span_id, name, service]), [
    ['eee19b7ec3c1b174', 'good', 'by-hand'],
    ['eee19b7ec3c1b175', 'also good', 'by-hand'],
  ]);
});

test('when all is well the answer has no partialSuccess', async () => {
  const response = await post(oneSpan({ traceId: '5b8efff798038103d269b633813fc60d', spanId: '0000000000000001' }));
  assert.equal(response.status, 200);
  assert.deepEqual(await response.json(), {});
});

test('numbers as strings or numbers, enum names or numbers, unknown fields', async () => {
  const traceId = '5b8efff798038103d269b633813fc60e';
  const response = await post({
    resourceSpans: [
      {
        scopeSpans: [
          {
            spans: [
              {
                ...span({ traceId, spanId: '000000000000000a', name: 'strings' }),
                kind: 'SPAN_KIND_SERVER',
                status: { code: 'STATUS_CODE_ERROR', message: 'no' },
                attributes: [{ key: 'int', value: { intValue: '-9223372036854775808' } }, { key: 'double', value: { doubleValue: '-Infinity' } }],
              },
              {
                ...span({ traceId, spanId: '000000000000000b', name: 'numbers' }),
                kind: 2,
                status: { code: 2, message: 'no' },
                attributes: [{ key: 'int', value: { intValue: -7 } }, { key: 'double', value: { doubleValue: 3 } }],
                inventedHere: { deeply: ['nested'] },
              },
            ],
          },
        ],
      },
    ],
    inventedThere: null,
  });
  assert.equal(response.status, 200, await response.clone().text());
  const [strings, numbers] = await backtrail.spansOf(traceId, 2);
  for (const { kind, status, status_message } of [strings, numbers]) {
    assert.deepEqual({ kind, status, status_message }, { kind: 'server', status: 'error', status_message: 'no' });
  }
  assert.deepEqual(strings.attributes, [
    { key: 'int', type: 'int', value: '-9223372036854775808' },
    { key: 'double', type: 'double', value: '-Infinity' },
  ]);
  assert.deepEqual(numbers.attributes, [
    { key: 'int', type: 'int', value: '-7' },
    { key: 'double', type: 'double', value: 3 },
  ]);
});

test('a body that is not what its content type says is refused with the reason', async () => {
  const body = JSON.stringify(oneSpan({ traceId: '5b8efff798038103d269b633813fc60f', spanId: '0000000000000001' }));
  for (const [what, status, options] of [
    ['a content type that is no OTLP', 415, { headers: { 'content-type': 'text/plain' }, body }],
    ['an encoding nobody knows', 415, { headers: { 'content-type': 'application/json', 'content-encoding': 'br' }, body }],
    ['half of the JSON', 400, { headers: { 'content-type': 'application/json' }, body: body.slice(0, body.length / 2) }],
    ['gzip that is none', 400, { headers: { 'content-type': 'application/json', 'content-encoding': 'gzip' }, body }],
  ]) {
    const response = await fetch(backtrail.url('otlp-http', '/v1/traces'), { method: 'POST', ...options });
    const text = await response.text();
    assert.equal(response.status, status, `${what}: ${text}`);
    assert.notEqual(text.trim(), '', `${what}: the answer gives a reason`);
  }
});

function post(request) {
  return fetch(backtrail.url('otlp-http', '/v1/traces'), { method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify(request) });
}

function oneSpan(ids) {
  return { resourceSpans: [{ scopeSpans: [{ spans: [span({ ...ids, name: 'alone' })] }] }] };
}

function span({ traceId, spanId, name }) {
  return { traceId, spanId, name, startTimeUnixNano: '1760000000000000000', endTimeUnixNano: 1_760_000_001_000_000_000 };
}

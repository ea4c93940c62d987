import assert from 'node:assert/strict';
import { test } from 'node:test';
import { filterAttributes, valueText } from '../../model/attributes.js';
import { parseSpanId, parseTraceId } from '../../model/ids.js';
import { hash, reserveColors, serviceColor } from '../../model/palette.js';
import { endpoints, snippets } from '../../model/snippets.js';
import { counted, label, visible } from '../../model/text.js';
import { readTraceView, traceViewUrl } from '../../model/trace-state.js';

const id = '463ac35c9f6413ad48485a3953bb6124';

test('control characters and direction overrides can be seen', () => {
  assert.equal(visible('a\u0000b\u001bc'), 'a⟨U+0000⟩b⟨U+001B⟩c');
  assert.equal(visible('user\u202egpj.exe'), 'user⟨U+202E⟩gpj.exe');
  assert.equal(visible('line\n\ttab שלום'), 'line\n\ttab שלום');
});

test('labels are one line of a bounded length', () => {
  assert.equal(label('  a \n b\t', 10), 'a b');
  assert.equal(label('x'.repeat(1_000_000), 5), 'xxxxx…');
});

test('counts agree with their nouns', () => {
  assert.equal(counted(1, 'span'), '1 span');
  assert.equal(counted(12_345, 'span'), '12,345 spans');
});

test('a trace id is found in whatever was pasted', () => {
  for (const text of [
    id,
    ` ${id.toUpperCase()}\n`,
    `00-${id}-00f067aa0ba902b7-01`,
    `http://localhost:16686/trace/${id}?span=1`,
    '463ac35c-9f64-13ad-4848-5a3953bb6124',
  ]) {
    assert.equal(parseTraceId(text), id, text);
  }
  assert.equal(parseTraceId('463AC35C9F6413AD'), '0000000000000000463ac35c9f6413ad');
  for (const text of ['', 'hello', `${id}0`, '0'.repeat(32)]) assert.equal(parseTraceId(text), null, text);
});

test('span ids are padded', () => {
  assert.equal(parseSpanId('ABC'), '0000000000000abc');
  assert.equal(parseSpanId('no'), null);
});

test('the view of a trace survives its URL', () => {
  const view = { span: '00f067aa0ba902b7', wide: true, find: 'GET /a&b', range: { from: 10, to: 99 }, closed: ['0000000000000001', '0000000000000002'] };
  const url = traceViewUrl(id, view);
  assert.deepEqual(readTraceView(url.slice(url.indexOf('?'))), view);
  assert.equal(traceViewUrl(id, readTraceView('')), `/trace/${id}`);
  assert.deepEqual(readTraceView('?closed=all&from=9&to=3&span=zz'), { span: null, wide: false, find: '', range: null, closed: 'all' });
});

test('a service has one colour, and few services have different ones', () => {
  const names = ['web', 'gateway', 'checkout', 'cart', 'stock', 'payment', 'mail', 'search'];
  reserveColors(names);
  const colors = names.map((name) => serviceColor(name, false));
  assert.equal(new Set(colors).size, names.length);
  assert.deepEqual(names.map((name) => serviceColor(name, false)), colors);
  for (let more = 0; more < 500; more++) assert.match(serviceColor(`service-${more}`, true), /^oklch\(/);
  assert.equal(hash('cart'), hash('cart'));
});

test('values of every type have a text', () => {
  assert.equal(valueText({ type: 'string', value: 'x' }), 'x');
  assert.equal(valueText({ type: 'int', value: '9007199254740993' }), '9007199254740993');
  assert.equal(valueText({ type: 'double', value: 'NaN' }), 'NaN');
  assert.equal(valueText({ type: 'empty', value: null }), '');
  assert.equal(valueText({ type: 'array', value: [{ type: 'int', value: '1' }, { type: 'string', value: 'a' }] }), '[1, "a"]');
  assert.equal(valueText({ type: 'map', value: [{ key: 'k', type: 'bool', value: true }] }), '{\n  "k": true\n}');
});

test('attributes are filtered by name and by value', () => {
  /** @type {import('../../api/types.js').Attribute[]} */
  const attributes = [{ key: 'db.system', type: 'string', value: 'sqlite' }, { key: 'count', type: 'int', value: '42' }];
  assert.equal(filterAttributes(attributes, 'DB').length, 1);
  assert.equal(filterAttributes(attributes, '42')[0].key, 'count');
  assert.equal(filterAttributes(attributes, '').length, 2);
});

test('snippets name the addresses that the server listens at', () => {
  const at = endpoints([{ name: 'otlp-http', address: '0.0.0.0:4318' }, { name: 'jaeger-http', address: '127.0.0.1:14268' }], 'traces.example');
  assert.deepEqual(at, { otlpHttp: 'traces.example:4318', otlpGrpc: null, jaegerHttp: '127.0.0.1:14268' });
  const all = snippets(at);
  assert.deepEqual(all.map((snippet) => snippet.id), ['curl', 'node', 'node-jaeger', 'python', 'rust', 'go', 'java']);
  for (const snippet of all) assert.match(snippet.code, snippet.id === 'node-jaeger' ? /127\.0\.0\.1:14268/ : /traces\.example:4318/);
  assert.deepEqual(snippets({ otlpHttp: null, otlpGrpc: null, jaegerHttp: null }), []);
});

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { conditionFor, parseConditions } from '../../model/conditions.js';
import { conditionCount, everything, isUnfiltered, readSearch, searchErrors, searchParameters, searchUrl } from '../../model/search-state.js';

const full = {
  ...everything,
  service: 'cart & co',
  name: 'GET /cart/{id}',
  kind: 'server',
  status: 'error',
  minDuration: '250ms',
  maxDuration: '2s',
  attributes: 'http.response.status_code>=500 exception.message="not found"',
  range: '1h',
  limit: 50,
};

test('the URL holds the whole search', () => {
  const url = searchUrl(full);
  assert.deepEqual(readSearch(url.slice('/search'.length)), full);
});

test('a search for everything needs no URL of its own', () => {
  assert.equal(searchUrl(everything), '/search');
  assert.deepEqual(readSearch(''), everything);
  assert.equal(isUnfiltered({ ...everything, limit: 100 }), true);
  assert.equal(isUnfiltered({ ...everything, status: 'error' }), false);
});

test('a custom range keeps its instants', () => {
  const custom = { ...everything, range: 'custom', start: '2026-01-31T12:00:00.000Z', end: '2026-01-31T13:00:00.000Z' };
  assert.deepEqual(readSearch(searchUrl(custom).slice('/search'.length)), custom);
});

test('what a URL says wrongly is left at its default', () => {
  const state = readSearch('?range=yesterday&limit=-4');
  assert.equal(state.range, 'all');
  assert.equal(state.limit, everything.limit);
});

test('the request names what is set, and each condition by itself', () => {
  const now = 1_760_000_000_000;
  const parameters = searchParameters(full, now, 'next');
  assert.equal(parameters.get('service'), 'cart & co');
  assert.equal(parameters.get('min_duration'), '250000000ns');
  assert.equal(parameters.get('start'), String((BigInt(now) - 3_600_000n) * 1_000_000n));
  assert.equal(parameters.has('end'), false);
  assert.deepEqual(parameters.getAll('attr'), ['http.response.status_code>=500', 'exception.message="not found"']);
  assert.equal(parameters.get('cursor'), 'next');
  assert.equal([...searchParameters(everything, now).keys()].join(), 'limit');
});

test('mistakes are named by their field before the server is asked', () => {
  assert.deepEqual(searchErrors(full), {});
  assert.match(searchErrors({ ...everything, minDuration: 'long' }).minDuration ?? '', /250ms/);
  assert.match(searchErrors({ ...everything, minDuration: '2s', maxDuration: '1s' }).maxDuration ?? '', /below/);
  assert.match(searchErrors({ ...everything, attributes: 'lonely' }).attributes ?? '', /“lonely” has no operator/);
  assert.match(searchErrors({ ...everything, range: 'custom', start: '2026-02-01T00:00:00Z', end: '2026-01-01T00:00:00Z' }).end ?? '', /before/);
});

test('conditions are split at spaces outside of quotes', () => {
  assert.deepEqual(parseConditions(' a=1  b.c!="x y"\n d<=2.5 ').conditions, ['a=1', 'b.c!="x y"', 'd<=2.5']);
  assert.match(parseConditions('a="open').error ?? '', /quote/);
  assert.deepEqual(parseConditions(String.raw`a="say \"hi\"  x" b="c:\\" c=1`).conditions, [String.raw`a="say \"hi\"  x"`, String.raw`b="c:\\"`, 'c=1']);
  assert.match(parseConditions('=3').error ?? '', /no attribute name/);
  assert.match(parseConditions('a>many').error ?? '', /compares numbers/);
  assert.match(parseConditions('a>').error ?? '', /compares numbers/);
  assert.deepEqual(parseConditions('url=http://a/?q=1').conditions, ['url=http://a/?q=1']);
});

test('an attribute that is shown can be searched for, where its value can be written', () => {
  assert.equal(conditionFor('span', 'db.system', 'string', 'sqlite'), 'span.db.system="sqlite"');
  assert.equal(conditionFor('resource', 'count', 'int', '3'), 'resource.count=3');
  const said = conditionFor('span', 'a', 'string', String.raw`say "hi" c:\ `) ?? '';
  assert.equal(said, String.raw`span.a="say \"hi\" c:\\ "`);
  assert.deepEqual(parseConditions(said).conditions, [said]);
  assert.equal(conditionFor('span', 'a b', 'string', 'x'), null);
  assert.equal(conditionFor('span', 'a', 'array', '[1]'), null);
});

test('conditions are counted for the closed form', () => {
  assert.equal(conditionCount(everything), 0);
  assert.equal(conditionCount(full), 9);
});

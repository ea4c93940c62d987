import assert from 'node:assert/strict';
import { test } from 'node:test';
import { findSpans, nextError, nextMatch } from '../../model/find.js';
import { family } from './trace.js';

/** @param {string} text */
function found(text) {
  return [...(findSpans(family(), text)?.rows ?? [])];
}

test('names and services are searched without regard to case', () => {
  assert.deepEqual(found('LEAF'), [2, 3]);
  assert.deepEqual(found('cart'), [1]);
});

test('span ids are found by any four digits of them', () => {
  assert.deepEqual(found('0000000000000003'), [2]);
  assert.deepEqual(found('0003'), [2]);
  assert.deepEqual(found('003'), []);
});

test('nothing to look for is not the same as nothing found', () => {
  assert.equal(findSpans(family(), '  '), null);
  assert.deepEqual(found('nowhere'), []);
});

test('matches are gone through in order and around the end', () => {
  const rows = Int32Array.of(2, 5, 9);
  assert.equal(nextMatch(rows, -1, 1), 2);
  assert.equal(nextMatch(rows, 2, 1), 5);
  assert.equal(nextMatch(rows, 9, 1), 2);
  assert.equal(nextMatch(rows, 7, 1), 9);
  assert.equal(nextMatch(rows, 5, -1), 2);
  assert.equal(nextMatch(rows, 2, -1), 9);
  assert.equal(nextMatch(rows, -1, -1), 9);
  assert.equal(nextMatch(new Int32Array(0), 3, 1), -1);
});

test('the next error is found from anywhere, in both directions', () => {
  const trace = family();
  for (const row of [-1, 0, 3, 4]) {
    assert.equal(nextError(trace, row, 1), 3);
    assert.equal(nextError(trace, row, -1), 3);
  }
});

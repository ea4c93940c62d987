import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Flag } from '../../model/columns.js';
import { family, traceOf } from './trace.js';

test('depth, children and the end of each subtree follow from the parents', () => {
  const trace = family();
  assert.deepEqual([...trace.depth], [0, 1, 2, 2, 1]);
  assert.deepEqual([...trace.childCount], [2, 2, 0, 0, 0]);
  assert.deepEqual([...trace.subtreeEnd], [5, 4, 3, 4, 5]);
  assert.equal(trace.maxDepth, 2);
});

test('a span knows of the errors below it, not of its own', () => {
  assert.deepEqual([...family().hiddenErrors], [1, 1, 0, 0, 0]);
});

test('errors and spans are counted by service', () => {
  const trace = traceOf([{ service: 'a', children: [{ service: 'b', error: true }, { service: 'b' }] }]);
  assert.deepEqual([...trace.serviceSpans], [1, 2]);
  assert.deepEqual([...trace.serviceErrors], [0, 1]);
  assert.equal(trace.errorCount, 1);
});

test('the time that a trace covers begins before its root when a clock is wrong', () => {
  const trace = traceOf([{ at: 0, for: 100, children: [{ at: -40, for: 10, flags: Flag.clockSkew }, { at: 50, for: 200 }] }]);
  assert.equal(trace.begin, -40);
  assert.equal(trace.end, 250);
  assert.equal(trace.clockSkews, 1);
});

test('a trace of one instant still has a width', () => {
  const trace = traceOf([{ at: 0, for: 0 }]);
  assert.ok(trace.end > trace.begin);
});

test('the root is the first span that names no parent, else the earliest', () => {
  const orphan = { flags: Flag.missingParent };
  assert.equal(traceOf([{ ...orphan, at: 5 }, { at: 9 }]).root, 1);
  const orphans = traceOf([{ ...orphan, at: 7 }, { ...orphan, at: 3 }]);
  assert.equal(orphans.root, 1);
  assert.equal(orphans.missingParents, 2);
});

test('a chain of 10,000 spans is no deeper a recursion than one of two', () => {
  /** @type {import('./trace.js').Draft} */
  let chain = { error: true };
  for (let depth = 1; depth < 10_000; depth++) chain = { children: [chain] };
  const trace = traceOf([chain]);
  assert.equal(trace.maxDepth, 9_999);
  assert.equal(trace.subtreeEnd[0], 10_000);
  assert.equal(trace.hiddenErrors[0], 1);
});

test('an empty trace is no crash', () => {
  assert.equal(traceOf([]).count, 0);
});

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Visibility } from '../../model/visibility.js';
import { family } from './trace.js';

/** @param {Visibility} visibility */
function shown(visibility) {
  return [...visibility.rows.slice(0, visibility.count)];
}

test('everything is shown at first', () => {
  assert.deepEqual(shown(new Visibility(family())), [0, 1, 2, 3, 4]);
});

test('a collapsed span hides all that is below it and nothing else', () => {
  const visibility = new Visibility(family());
  assert.equal(visibility.setCollapsed(1, true), true);
  assert.deepEqual(shown(visibility), [0, 1, 4]);
  assert.equal(visibility.position[2], -1);
  assert.equal(visibility.position[4], 2);
  assert.equal(visibility.setCollapsed(1, false), true);
  assert.deepEqual(shown(visibility), [0, 1, 2, 3, 4]);
});

test('a span without children can not be collapsed', () => {
  const visibility = new Visibility(family());
  assert.equal(visibility.setCollapsed(2, true), false);
  assert.equal(visibility.count, 5);
});

test('what was collapsed inside stays so when its parent opens again', () => {
  const visibility = new Visibility(family());
  visibility.setCollapsed(1, true);
  visibility.setCollapsed(0, true);
  assert.deepEqual(shown(visibility), [0]);
  visibility.setCollapsed(0, false);
  assert.deepEqual(shown(visibility), [0, 1, 4]);
});

test('revealing a span opens what hides it', () => {
  const visibility = new Visibility(family());
  visibility.collapseAll();
  assert.deepEqual(shown(visibility), [0]);
  assert.equal(visibility.reveal(3), true);
  assert.deepEqual(shown(visibility), [0, 1, 2, 3, 4]);
  assert.equal(visibility.reveal(3), false);
});

test('the nearest shown ancestor of a hidden span is found', () => {
  const visibility = new Visibility(family());
  visibility.setCollapsed(0, true);
  assert.equal(visibility.shownAncestor(3), 0);
  assert.equal(visibility.shownAncestor(0), 0);
});

test('collapsed spans are named as long as they are few', () => {
  const visibility = new Visibility(family());
  visibility.collapseAll();
  assert.deepEqual(visibility.collapsedRows(2), [0, 1]);
  assert.equal(visibility.collapsedRows(1), null);
});

// The helper alone, with stacks of several engines.

import assert from 'node:assert/strict';
import fs from 'node:fs';
import { afterEach, test } from 'node:test';

import { DebugIds, debugImages } from '../debug-ids.js';

const ID = '5f1c2b8a-1f0e-8c5d-9a51-0d3f8b6f2a10';
const OTHER_ID = '0a4b7c6d-2e3f-8a1b-8c2d-3e4f5a6b7c8d';

afterEach(() => delete globalThis._sentryDebugIds);

/** What the line that `inject` writes leaves, when its stack is `noted`. */
function note(noted, id = ID) {
  globalThis._sentryDebugIds = { ...globalThis._sentryDebugIds, [noted]: id };
}

for (const [engine, noted, stack, file] of [
  ['V8 in a browser', 'Error\n    at https://shop.test/page.js:1:200\n    at https://shop.test/page.js:1:240', 'TypeError: x\n    at a (https://shop.test/page.js:2:40)', 'https://shop.test/page.js'],
  ['V8 in Node, CommonJS', 'Error\n    at /var/task/main.js:1:200\n    at Object.<anonymous> (/var/task/main.js:1:240)', 'Error: x\n    at a (/var/task/main.js:2:40)', '/var/task/main.js'],
  ['V8 in Node, a module', 'Error\n    at file:///var/task/main.mjs:1:200', 'Error: x\n    at file:///var/task/main.mjs:2:40', 'file:///var/task/main.mjs'],
  ['V8 on Windows', 'Error\n    at C:\\app (x86)\\main.js:1:200', 'Error: x\n    at a (C:\\app (x86)\\main.js:2:40)', 'C:\\app (x86)\\main.js'],
  ['Firefox', '@https://shop.test/page.js:1:200\n@https://shop.test/page.js:1:240\n', 'a@https://shop.test/page.js:2:40\n', 'https://shop.test/page.js'],
  ['Safari', 'global code@https://shop.test/page.js:1:200', 'a@https://shop.test/page.js:2:40', 'https://shop.test/page.js'],
]) {
  test(`${engine}: a script in the stack is named with its id`, () => {
    note(noted);
    note('Error\n    at https://elsewhere.test/page.js:1:200', OTHER_ID);
    assert.deepEqual(debugImages(stack), { 'exception.debug_images.code_files': [file], 'exception.debug_images.debug_ids': [ID] });
  });
}

test('a stack over two scripts has two ids', () => {
  note('Error\n    at https://shop.test/page.js:1:200');
  note('Error\n    at https://shop.test/vendor.js:1:200', OTHER_ID);
  const images = debugImages('Error: x\n    at a (https://shop.test/vendor.js:2:4)\n    at b (https://shop.test/page.js:2:40)');
  assert.deepEqual(images['exception.debug_images.code_files'], ['https://shop.test/page.js', 'https://shop.test/vendor.js']);
  assert.deepEqual(images['exception.debug_images.debug_ids'], [ID, OTHER_ID]);
});

test('scripts without ids, and no stack at all, add nothing', () => {
  assert.deepEqual(debugImages('Error: x\n    at a (https://shop.test/page.js:2:40)'), {});
  note('Error\n    at https://shop.test/page.js:1:200');
  assert.deepEqual(debugImages(undefined), {});
  assert.deepEqual(debugImages('Error: x'), {});
});

test('the processor adds to exceptions and leaves other events alone', () => {
  note('Error\n    at https://shop.test/page.js:1:200');
  const exception = { name: 'exception', attributes: { 'exception.stacktrace': 'Error: x\n    at a (https://shop.test/page.js:2:40)' } };
  const other = { name: 'paid', attributes: { cents: 900 } };
  const bare = { name: 'bare' };
  new DebugIds().onEnd({ events: [other, exception, bare] });
  assert.deepEqual(exception.attributes['exception.debug_images.debug_ids'], [ID]);
  assert.deepEqual([other, bare], [{ name: 'paid', attributes: { cents: 900 } }, { name: 'bare' }]);
});

test('the guide has the helper as it is', () => {
  const [helper, guide] = ['../debug-ids.js', '../../../docs/source-maps.md'].map((file) => fs.readFileSync(new URL(file, import.meta.url), 'utf8'));
  assert.ok(guide.includes(`\`\`\`js\n${helper}\`\`\`\n`));
});

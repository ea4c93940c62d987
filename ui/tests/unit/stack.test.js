import assert from 'node:assert/strict';
import { test } from 'node:test';
import { readSourceMapsView, sourceMapsUrl } from '../../model/sourcemaps-state.js';
import { atColumn, codeParts, firstOwn, missingMaps, stackItems, stepText } from '../../model/stack.js';
import { uploadSnippets } from '../../model/upload-snippets.js';

/** @import { ResolvedStack, StackFrame } from '../../api/types.js' */

/**
 * @param {number} line
 * @param {'own' | 'package' | 'native' | 'no_map' | 'not_covered'} is
 * @param {number | null} [script]
 * @returns {StackFrame}
 */
function frame(line, is, script = 0) {
  const resolved = is === 'own' || is === 'package';
  return {
    text_line: line,
    raw: { function: 'n', url: '/app/main.js', line: 1, column: line },
    resolved: resolved ? { file: 'src/a.js', source: './src/a.js', line: 1, column: 1, function: 'a', in_app: is === 'own', context: null } : null,
    kept: resolved ? null : { code: is, message: is },
    script,
  };
}

/** @param {string} raw @param {StackFrame[]} frames @returns {ResolvedStack} */
function stackOf(raw, frames) {
  const script = (/** @type {string} */ url) => ({ url, map: null, bad_map: null, reasons: [], fix: null });
  return { raw, resolved: raw, resolved_frames: 0, frames, frames_left_out: 0, source_withheld: null, scripts: [script('a.js'), script('b.js')] };
}

const none = { type: '', message: '' };

test('what stands between the frames of a stack is shown, its head is not shown twice', () => {
  const raw = 'Error: no\n  at a\n\nCaused by: Error: why\n  at b\n{\n  code: 1\n}';
  const stack = stackOf(raw, [frame(1, 'own'), frame(4, 'own')]);
  assert.deepEqual(stackItems(stack, { type: 'Error', message: 'no' }, 50), [
    { kind: 'frame', at: 0 },
    { kind: 'text', text: 'Caused by: Error: why' },
    { kind: 'frame', at: 1 },
    { kind: 'text', text: '{\n  code: 1\n}' },
  ]);
  assert.deepEqual(stackItems(stack, { type: 'Other', message: 'something else' }, 50)[0], { kind: 'text', text: 'Error: no' });
  assert.deepEqual(stackItems(stack, none, 50)[0], { kind: 'text', text: 'Error: no' });
  assert.deepEqual(stackItems(stackOf('Error\n  at a', [frame(1, 'own')]), { type: 'Error', message: '' }, 50), [{ kind: 'frame', at: 0 }]);
});

test('a long run of frames that are not the service’s own is one item, a short one is not', () => {
  const raw = Array.from({ length: 9 }, (_, at) => `at ${at}`).join('\n');
  const frames = [frame(0, 'own'), frame(1, 'package'), frame(2, 'native'), frame(3, 'own'), frame(4, 'native'), frame(5, 'package'), frame(6, 'native'), frame(7, 'native'), frame(8, 'not_covered')];
  assert.deepEqual(stackItems(stackOf(raw, frames), none, 50), [
    ...[0, 1, 2, 3].map((at) => ({ kind: 'frame', at })),
    { kind: 'quiet', from: 4, to: 8 },
    { kind: 'frame', at: 8 },
  ]);
});

test('text between frames is cut, and frames beyond the first are not listed', () => {
  const raw = `head\nat 0\n${'x'.repeat(1_000_000)}\n${'line\n'.repeat(1000)}`;
  const items = stackItems(stackOf(raw, [frame(1, 'own'), frame(1003, 'own')]), { type: '', message: 'head' }, 1);
  assert.deepEqual(items, [{ kind: 'frame', at: 0 }]);
  const [, text] = stackItems(stackOf(raw, [frame(1, 'own'), frame(1003, 'own')]), { type: '', message: 'head' }, 2);
  assert.ok(text.kind === 'text' && text.text.length <= 601 && text.text.endsWith('…'));
});

test('the frame that is opened is the innermost of the service’s own, else the innermost with a source', () => {
  assert.equal(firstOwn([frame(0, 'native'), frame(1, 'package'), frame(2, 'own'), frame(3, 'own')]), 2);
  assert.equal(firstOwn([frame(0, 'no_map'), frame(1, 'package')]), 1);
  assert.equal(firstOwn([frame(0, 'no_map')]), -1);
});

test('only files whose frames lack a map are named as missing, those that one deed gives a map together', () => {
  const stack = stackOf('', [frame(0, 'no_map', 1), frame(1, 'no_map', 1), frame(2, 'not_covered', 0), frame(3, 'native', null)]);
  const named = () => missingMaps(stack).map(({ scripts, frames }) => [scripts.map(({ url }) => url).join(), frames]);
  assert.deepEqual(named(), [['b.js', 2]]);
  stack.frames.push(frame(4, 'no_map', 0), frame(5, 'no_map', 2));
  stack.scripts.push({ ...stack.scripts[0], url: '/x/node_modules/y/z.js' });
  assert.deepEqual(named(), [['b.js', 2], ['a.js', 1], ['/x/node_modules/y/z.js', 1]]);
  for (const script of stack.scripts) script.fix = 'upload';
  assert.deepEqual(named(), [['b.js,a.js,/x/node_modules/y/z.js', 4]]);
});

test('the word at a column is marked, whatever the line holds', () => {
  assert.deepEqual(atColumn('  throw new PaymentError(1)', 9), ['  throw ', 'new', ' PaymentError(1)']);
  assert.deepEqual(atColumn('f()', 2), ['f', '(', ')']);
  assert.deepEqual(atColumn('größe = 1', 1), ['', 'größe', ' = 1']);
  assert.deepEqual(atColumn('"😀"', 2), ['"', '😀', '"']);
  assert.deepEqual(atColumn('"😀"', 3), ['"\ud83d', '\ude00', '"']);
  assert.equal(atColumn('short', 6), null);
  assert.equal(atColumn('short', 0), null);
});

test('commands in an advice are apart from its words', () => {
  assert.deepEqual(codeParts('run `backtrail x` now'), [
    { text: 'run ', isCode: false },
    { text: 'backtrail x', isCode: true },
    { text: ' now', isCode: false },
  ]);
  assert.deepEqual(codeParts('a ` alone'), [{ text: 'a ', isCode: false }, { text: ' alone', isCode: false }]);
  assert.deepEqual(codeParts(''), []);
});

test('a step that is not known yet is named all the same', () => {
  assert.equal(stepText('debug_id'), 'by its debug id');
  assert.equal(stepText('some_new_step'), 'some new step');
});

test('the view of the source maps survives its URL', () => {
  const view = { service: 'a&b', releases: ['web@1.2.3+45', 'ü/1'] };
  const url = sourceMapsUrl(view);
  assert.deepEqual(readSourceMapsView(url.slice(url.indexOf('?'))), view);
  assert.equal(sourceMapsUrl({}), '/sourcemaps');
  assert.deepEqual(readSourceMapsView('?release=&release=1&release=1'), { service: '', releases: ['1'] });
});

test('snippets name a service only where a shell takes it as it is', () => {
  assert.ok(uploadSnippets('http://h:1', 'cart').every(({ code }) => code.includes('cart') && code.includes('http://h:1')));
  assert.ok(uploadSnippets('http://h:1', 'a; rm -rf /').every(({ code }) => !code.includes('rm')));
});

'use strict';

// What the server makes of the frames of an exception.

const assert = require('node:assert/strict');
const fs = require('node:fs');
const path = require('node:path');

const LINES_AROUND = 5;

/**
 * Checks the frames of the one exception of a trace against what the unminified run tells, and against the sources below `cwd`.
 * What the bundler added is raw with the reason, or, where its map has that too, no code of the service. Without `hasColumns` the map only knows where
 * statements begin. Returns what the API answered.
 */
async function assertResolved(backtrail, traceId, { truth, cwd, hasColumns = true }) {
  const { exceptions, truncated } = await backtrail.get(`/api/v1/traces/${traceId}/exceptions`);
  assert.equal(truncated, false);
  assert.equal(exceptions.length, 1);
  const [{ stack }] = exceptions;
  const told = () => `the server told ${JSON.stringify(stack, null, 1)}`;
  const resolved = stack.frames.filter((frame) => frame.resolved !== null);
  const own = resolved.filter((frame) => frame.resolved.in_app);
  assert.deepEqual(own.map((frame) => lineOf(frame.resolved)), truth.map(lineOf), told());
  assert.equal(stack.resolved_frames, resolved.length);
  assert.equal(stack.frames_left_out, 0);
  own.forEach((frame, at) => {
    const { column, function: name } = frame.resolved;
    assert.ok(hasColumns ? column === truth[at].column : column <= truth[at].column, `column ${column} is ${truth[at].column}. ${told()}`);
    assert.ok(namesAlike(name, truth[at].function), `${name} is ${truth[at].function}. ${told()}`);
    assertContext(frame.resolved, path.join(cwd, truth[at].file));
    assert.equal(frame.kept, null);
    assert.ok(stack.scripts[frame.script].map?.step_name, 'the step that found the map is told');
  });

  const bundlers = resolved.filter((frame) => !own.includes(frame));
  bundlers.forEach((frame) => assert.match(frame.resolved.file, /^webpack\//, told()));
  const kept = stack.frames.filter((frame) => frame.resolved === null);
  const native = kept.filter(({ raw }) => raw.url.startsWith('node:'));
  assert.deepEqual(native.map((frame) => frame.kept.code), native.map(() => 'native'));
  const uncovered = kept.filter((frame) => !native.includes(frame));
  assert.ok(uncovered.length > 0, `webpack’s own frames stay raw. ${told()}`);
  for (const frame of uncovered) {
    assert.equal(frame.kept.code, 'not_covered', told());
    assert.ok(frame.kept.message);
  }
  assertText(stack, resolved, kept);
  return stack;
}

/** The text has the places of the resolved frames and the others as they came. */
function assertText({ raw, resolved: text, frames }, resolved, kept) {
  const [before, after] = [raw.split('\n'), text.split('\n')];
  assert.equal(after.length, before.length);
  resolved.forEach((frame) => assert.ok(after[frame.text_line].includes(placeOf(frame)), `${placeOf(frame)} is in ${after[frame.text_line]}`));
  kept.forEach((frame) => assert.equal(after[frame.text_line], before[frame.text_line]));
  const ofFrames = new Set(frames.map(({ text_line }) => text_line));
  before.forEach((line, at) => ofFrames.has(at) || assert.equal(after[at], line));
}

function assertContext({ context, line }, source) {
  const lines = fs.readFileSync(source, 'utf8').trimEnd().split('\n');
  const first = Math.max(1, line - LINES_AROUND);
  assert.equal(context.first_line, first);
  assert.equal(context.lines.join('\n').trimEnd(), lines.slice(first - 1, line + LINES_AROUND).join('\n').trimEnd());
}

function lineOf({ file, line }) {
  return `${file}:${line}`;
}

function placeOf({ resolved }) {
  return `${lineOf(resolved)}:${resolved.column}`;
}

/** V8 puts the receiver before a method's name; what runs when a module is loaded has no name. */
function namesAlike(name, inTruth) {
  return (name ?? '<anonymous>').split('.').at(-1) === inTruth.split('.').at(-1);
}

module.exports = { assertResolved };

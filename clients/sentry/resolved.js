'use strict';

// What the server makes of the frames of an exception.

const assert = require('node:assert/strict');

/** Checks the frames of the one exception of a trace against what the unminified run tells. The bundler's own frames stay as they came. */
async function assertResolved(backtrail, traceId, truth) {
  const { exceptions } = await backtrail.get(`/api/v1/traces/${traceId}/exceptions`);
  assert.equal(exceptions.length, 1);
  const [{ frames }] = exceptions;
  const resolved = frames.filter(({ file }) => file?.includes('/src/'));
  assert.deepEqual(resolved.map(({ line, column }) => [line, column]), truth.map(({ line, column }) => [line, column]));
  resolved.forEach(({ file, function: name, step }, at) => {
    assert.ok(file.endsWith(truth[at].file), `${file} is ${truth[at].file}`);
    // V8 puts the receiver before a method's name, which no map knows.
    assert.ok(truth[at].function.split('.').at(-1) === (name ?? '<anonymous>'), `${name} is ${truth[at].function}`);
    assert.ok(step, 'the step that found the map is told');
  });
  for (const { file, reason } of frames.filter((frame) => !resolved.includes(frame))) {
    assert.ok(reason, `why ${file} is raw`);
  }
}

module.exports = { assertResolved };

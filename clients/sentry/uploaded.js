'use strict';

// What arrived, as the public API lists it.

const assert = require('node:assert/strict');
const crypto = require('node:crypto');
const fs = require('node:fs');

const ROOT = '/api/v1/sourcemaps/organizations';

/** A release with its commits, deploys and bundles. */
function release(backtrail, organization, version) {
  return backtrail.get(`${ROOT}/${encodeURIComponent(organization)}/releases/${encodeURIComponent(version)}`);
}

/** All bundles of a project, each with its files. */
async function bundlesOf(backtrail, organization, project) {
  const bundles = `${ROOT}/${encodeURIComponent(organization)}/bundles`;
  const listed = await backtrail.get(`${bundles}?${new URLSearchParams({ project, limit: 1000 })}`);
  assert.equal(listed.next_cursor, null, 'all are on one page');
  return Promise.all(listed.bundles.map(({ id }) => backtrail.get(`${bundles}/${id}`)));
}

/** The files of all bundles of a project, in the order of their addresses. */
async function filesOf(backtrail, organization, project) {
  const bundles = await bundlesOf(backtrail, organization, project);
  return bundles.flatMap(({ files }) => files).sort((a, b) => (a.url < b.url ? -1 : 1));
}

/** Each minified file, with its map, by their debug ids. */
function pairs(files) {
  const maps = files.filter(({ type }) => type === 'source_map');
  return files.filter(({ type }) => type === 'minified_source').map((minified) => {
    assert.ok(minified.debug_id, `${minified.url} has a debug id`);
    const map = maps.find(({ debug_id }) => debug_id === minified.debug_id);
    assert.ok(map, `${minified.url} has a map among ${JSON.stringify(files)}`);
    return { minified, map };
  });
}

/** Checks that a file was kept as it is on disk. */
function assertSameContent(file, onDisk) {
  const content = fs.readFileSync(onDisk);
  assert.equal(file.bytes, content.length, file.url);
  assert.equal(file.sha256, crypto.createHash('sha256').update(content).digest('hex'), file.url);
}

module.exports = { assertSameContent, bundlesOf, filesOf, pairs, release };

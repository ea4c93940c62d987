'use strict';

// The document's webpack configuration as it stands: the bundle crashes, its maps are uploaded afterwards, and the trace tells the sources.

const assert = require('node:assert/strict');
const { after, before, describe, test } = require('node:test');

const { Backtrail } = require('../node/harness.js');
const { OLD_WEBPACK } = require('./client.js');
const { Checkout } = require('./crash.js');
const { assertResolved } = require('./resolved.js');
const { filesOf, release } = require('./uploaded.js');

const WEBPACKS = { 'webpack-4': OLD_WEBPACK, 'webpack-5.60': OLD_WEBPACK, 'webpack-current': {} };
/** As the configuration names them. */
const ORGANIZATION = 'your-org';
const PROJECT = 'your-project';

/** What people set. The plugin guesses a release from the commit, and the service says 1.0.0, when nothing is set. */
const VERSIONS = {
  alike: (webpack) => ({ release: `checkout@2.0.0+${webpack}`, service: `checkout@2.0.0+${webpack}` }),
  'set differently': (webpack) => ({ release: `build-7-${webpack}`, service: '2.0.0' }),
  'both unset': () => ({}),
};

let backtrail;
before(async () => (backtrail = await Backtrail.start()));
after(() => backtrail?.stop());

describe('the document’s configuration', { concurrency: 2 }, () => {
  for (const [webpack, environment] of Object.entries(WEBPACKS)) {
    for (const [how, choose] of Object.entries(VERSIONS)) {
      test(`${webpack}, versions ${how}: a crash before the upload shows its sources after it`, async (t) => {
        const versions = choose(webpack);
        const checkout = await Checkout.make(t, webpack);
        const { traceId } = await checkout.buildCrashAndUpload(backtrail, {
          project: PROJECT,
          environment: { ...environment, ...(versions.release && { RELEASE_VERSION: versions.release }) },
          serviceVersion: versions.service,
        });
        const truth = await checkout.truth();
        t.diagnostic(`trace ${traceId}, in truth ${JSON.stringify(truth)}`);
        assert.deepEqual(truth.map((frame) => frame.function), ['totalOf', 'Object.charge', 'settle', 'settleAll', 'run', 'Object.<anonymous>']);

        const kept = await release(backtrail, ORGANIZATION, versions.release ?? checkout.commit);
        assert.deepEqual(kept.projects, [PROJECT]);
        assert.ok(kept.released_unix_nano, 'the plugin finalizes the release');
        const files = await filesOf(backtrail, ORGANIZATION, PROJECT);
        for (const type of ['minified_source', 'source_map']) {
          assert.ok(files.some((file) => file.type === type && file.debug_id === null), `a ${type} without a debug id is there`);
        }
        await backtrail.skeletonOf(traceId, 1);
        await assertResolved(backtrail, traceId, truth);
      });
    }
  }
});

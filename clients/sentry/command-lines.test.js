'use strict';

// `sentry-cli` by hand: all that it does around a release, with several versions of it.

const assert = require('node:assert/strict');
const fs = require('node:fs');
const path = require('node:path');
const { after, before, describe, test } = require('node:test');

const { Backtrail } = require('../node/harness.js');
const { ORGANIZATION, commandLine, commitAll, folder, run, settings } = require('./client.js');
const { bundlesOf, filesOf, assertSameContent, pairs, release } = require('./uploaded.js');

const VERSIONS = ['1.77.2', '2.39.1', '2.58.6', '3.8.0'];
/** The later ones put all that they upload into bundles. */
const HAS_SINGLE_FILES = ['1.77.2', '2.39.1'];
/** A version with what has to be escaped in a path. */
const RELEASE = 'web@1.2.3+45';

let backtrail;
before(async () => (backtrail = await Backtrail.start()));
after(() => backtrail?.stop());

for (const version of VERSIONS) {
  describe(`sentry-cli ${version}`, () => {
    const project = `cli-${version.replaceAll('.', '-')}`;
    const named = `${RELEASE}-${project}`;
    /** Runs the command line with nothing set but what users set. */
    const cli = (cwd, ...args) => run([commandLine(version), ...args], { cwd, env: settings(backtrail.url('web', ''), project) });

    test('asks who it is', async (t) => {
      const printed = await cli(folder(t, project), 'info');
      assert.match(printed, /Sentry Server: http:\/\/127\.0\.0\.1/);
      assert.match(printed, /project:releases/);
    });

    test('makes a release with commits, files, a date and a deploy', async (t) => {
      const cwd = folder(t, project);
      const built = buildOf(cwd);
      const commit = await commitAll(cwd);
      await cli(cwd, 'releases', 'new', named);
      await cli(cwd, 'releases', 'set-commits', named, '--auto', '--ignore-missing');
      await cli(cwd, 'sourcemaps', 'inject', built);
      await cli(cwd, 'sourcemaps', 'upload', '--release', named, '--dist', '42', built);
      await cli(cwd, 'releases', 'finalize', named);
      const deploy = ['--env', 'production', '--name', 'the first'];
      await cli(cwd, ...(version.startsWith('1') ? ['releases', 'deploys', named, 'new', ...deploy] : ['deploys', 'new', '--release', named, ...deploy]));

      const kept = await release(backtrail, ORGANIZATION, named);
      assert.equal(kept.version, named);
      assert.deepEqual(kept.projects, [project]);
      assert.deepEqual(kept.commits.map(({ id, author_email, message }) => [id, author_email, message.trim()]), [[commit, 'ada@example.com', 'the first']]);
      assert.deepEqual(kept.deploys.map(({ environment, name }) => [environment, name]), [['production', 'the first']]);
      assert.ok(kept.released, 'finalize sets the date');
      assert.deepEqual(kept.bundles.map(({ dist }) => dist), ['42']);

      const files = await filesOf(backtrail, ORGANIZATION, project);
      assert.deepEqual(files.map(({ url, type }) => [url, type]), [['~/main.js', 'minified_source'], ['~/main.js.map', 'source_map']]);
      const [{ minified, map }] = pairs(files);
      assertSameContent(minified, path.join(built, 'main.js'));
      assertSameContent(map, path.join(built, 'main.js.map'));
      assert.ok(fs.readFileSync(path.join(built, 'main.js'), 'utf8').includes(minified.debug_id), 'the debug id is that of the file');

      assert.match(await cli(cwd, 'releases', 'list'), new RegExp(project));
      assert.match(await cli(cwd, 'releases', 'info', named), new RegExp(project));
    });

    test('uploads without a release, by debug ids alone', async (t) => {
      const cwd = folder(t, project);
      const built = buildOf(cwd, `alone ${version}`);
      await cli(cwd, 'sourcemaps', 'inject', built);
      await cli(cwd, 'sourcemaps', 'upload', built);
      const bundles = await bundlesOf(backtrail, ORGANIZATION, project);
      const [alone, ...more] = bundles.filter(({ release }) => release === null);
      assert.deepEqual(more, []);
      assert.equal(pairs(alone.files).length, 1);
    });

    test('finds what it uploads again', async (t) => {
      const cwd = folder(t, project);
      const built = buildOf(cwd, `twice ${version}`);
      const upload = ['sourcemaps', 'upload', '--release', `${named}-twice`, built];
      await cli(cwd, ...upload);
      await cli(cwd, ...upload);
      const kept = await release(backtrail, ORGANIZATION, `${named}-twice`);
      assert.equal(kept.bundles.length, 1, 'the same content is one bundle');
    });

    if (HAS_SINGLE_FILES.includes(version)) {
      test('uploads files one by one, as it did before there were bundles', async (t) => {
        const cwd = folder(t, project);
        const built = buildOf(cwd, `files ${version}`);
        await cli(cwd, 'releases', 'files', `${named}-files`, 'upload', path.join(built, 'main.js.map'), '~/static/main.js.map');
        const [kept] = (await release(backtrail, ORGANIZATION, `${named}-files`)).bundles;
        assert.equal(kept.file_count, 1);
        const [file] = (await filesOf(backtrail, ORGANIZATION, project)).filter(({ url }) => url === '~/static/main.js.map');
        assertSameContent(file, path.join(built, 'main.js.map'));
      });
    }
  });
}

/** A bundle with its map, in a folder of their own. What differs makes other content. */
function buildOf(cwd, differs = '') {
  const built = path.join(cwd, 'dist');
  fs.mkdirSync(built);
  const source = `'use strict';\n// ${differs}\nfunction totalOf(order) {\n  return order.lines.length;\n}\n\nmodule.exports = { totalOf };\n`;
  const map = {
    version: 3,
    file: 'main.js',
    sources: ['webpack://shop/./src/order.js'],
    sourcesContent: [source],
    names: ['totalOf', 'order', 'lines', 'length', 'module', 'exports'],
    mappings: 'aAEA,SAASA,QAAQC,GACf,OAAOA,EAAMC,MAAMC,MACrB,CAEAC,OAAOC,QAAU,CAAEJ',
  };
  fs.writeFileSync(path.join(built, 'main.js'), '"use strict";function totalOf(t){return t.lines.length}module.exports={totalOf};\n//# sourceMappingURL=main.js.map\n');
  fs.writeFileSync(path.join(built, 'main.js.map'), JSON.stringify(map));
  return built;
}

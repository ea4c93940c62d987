'use strict';

// The plugins of bundlers that name files by debug ids: what they put into a bundle is what they upload.

const assert = require('node:assert/strict');
const fs = require('node:fs');
const path = require('node:path');
const { after, before, describe, test } = require('node:test');

const { Backtrail } = require('../node/harness.js');
const { ORGANIZATION, commitAll, folder, run, settings } = require('./client.js');
const { filesOf, pairs, release } = require('./uploaded.js');

const PLUGINS = [
  'webpack-plugin-2.23.1', 'webpack-plugin-4.9.1', 'webpack-plugin-5.4.1', 'webpack-plugin-11.8.0',
  'vite-plugin', 'rollup-plugin', 'esbuild-plugin',
];
const BUILD = path.join(__dirname, 'plugins/build.js');
const DEBUG_ID = /[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}/g;

let backtrail;
before(async () => (backtrail = await Backtrail.start()));
after(() => backtrail?.stop());

describe('each plugin', { concurrency: 2 }, () => {
  for (const plugin of PLUGINS) {
    test(`${plugin} uploads bundle and map by the debug id that it put into the bundle`, async (t) => {
      const cwd = folder(t, plugin);
      const out = path.join(cwd, 'dist');
      fs.mkdirSync(path.join(cwd, 'src'));
      fs.writeFileSync(path.join(cwd, 'src/main.js'), SOURCE);
      await commitAll(cwd);
      const project = plugin.replaceAll('.', '-');
      const RELEASE_VERSION = `${project}@1.2.3+45`;
      await run([process.execPath, BUILD, plugin, path.join(cwd, 'src/main.js'), out], { cwd, env: settings(backtrail.url('web', ''), project, { RELEASE_VERSION }) });

      const kept = await release(backtrail, ORGANIZATION, RELEASE_VERSION);
      assert.deepEqual(kept.projects, [project]);
      assert.ok(kept.released, 'the plugin finalizes the release');
      const uploaded = pairs(await filesOf(backtrail, ORGANIZATION, project));
      assert.equal(uploaded.length, 1);
      const [bundle] = fs.readdirSync(out, { recursive: true }).filter((name) => /\.m?js$/.test(name));
      const inBundle = new Set(fs.readFileSync(path.join(out, bundle), 'utf8').match(DEBUG_ID));
      assert.deepEqual([...inBundle], [uploaded[0].minified.debug_id]);
    });
  }
});

const SOURCE = `export function totalOf(order) {
  return order.lines.reduce((total, { cents }) => total + cents, 0);
}

console.log(totalOf({ lines: [{ cents: 350 }] }));
`;

// The files of the page, seen as text: what no type checker knows.

import assert from 'node:assert/strict';
import { readdir, readFile } from 'node:fs/promises';
import { dirname, join, posix } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { gzipSync } from 'node:zlib';

const ui = join(dirname(fileURLToPath(import.meta.url)), '..', '..');
const index = await readFile(join(ui, 'index.html'), 'utf8');

const atOnce = /(?:^|;|\})\s*(?:import|export)\b[^;'"]*?from\s*["']([^"']+)["']/gm;
const atOnceOrLater = new RegExp(`${atOnce.source}|\\bawait import\\(["']([^"']+)["']\\)`, 'gm');

/**
 * Every module that `entry` reaches, nearest first.
 * @param {string} entry
 * @param {RegExp} imports
 */
async function reachable(entry, imports) {
  const found = [entry];
  for (const path of found) {
    const source = await readFile(join(ui, path), 'utf8');
    for (const [, now, later] of source.matchAll(imports)) {
      const imported = now ?? later;
      assert.match(imported, /^\.\.?\//, `${path} imports ${imported}: only relative paths reach a file without a build`);
      const target = posix.normalize(posix.join(posix.dirname(path), imported));
      if (!found.includes(target)) found.push(target);
    }
  }
  return found;
}

test('every module that the first load needs is preloaded, so that none waits for the one that imports it', async () => {
  const wanted = (await reachable('app.js', atOnce)).filter((path) => path !== 'app.js').sort();
  const preloaded = [...index.matchAll(/rel="modulepreload" href="__ASSETS__\/([^"]+)"/g)].map((match) => match[1]);
  assert.deepEqual(preloaded, wanted, 'run `node preload.mjs`');
});

test('the first load is less than 120 KB, compressed', async () => {
  const paths = [...index.matchAll(/__ASSETS__\/([^"]+)"/g)].map((match) => match[1]);
  const sizes = await Promise.all(['index.html', ...paths].map(async (path) => gzipSync(await readFile(join(ui, path))).length));
  const total = sizes.reduce((sum, size) => sum + size, 0);
  assert.ok(total < 120_000, `${total} bytes`);
});

test('every style sheet is linked', async () => {
  const sheets = (await readdir(join(ui, 'styles'))).map((name) => `styles/${name}`).sort();
  const linked = [...index.matchAll(/rel="stylesheet" href="__ASSETS__\/([^"]+)"/g)].map((match) => match[1]).sort();
  assert.deepEqual(linked, sheets);
});

test('index.html holds nothing inline', () => {
  assert.doesNotMatch(index, /<style|\sstyle=|\son[a-z]+=|javascript:|data:/i);
  assert.doesNotMatch(index, /<script(?![^>]*\ssrc=)/i);
});

test('nothing is put in as HTML, and nothing is evaluated', async () => {
  for (const path of await reachable('app.js', atOnceOrLater)) {
    if (path.startsWith('vendor/')) continue;
    const source = await readFile(join(ui, path), 'utf8');
    assert.doesNotMatch(source, /innerHTML|outerHTML|insertAdjacentHTML|document\.write|\beval\(|new Function|createContextualFragment/, path);
  }
});

test('the model knows nothing of the document', async () => {
  for (const name of await readdir(join(ui, 'model'))) {
    const source = await readFile(join(ui, 'model', name), 'utf8');
    assert.doesNotMatch(source, /\b(document|window|navigator|localStorage)\b\s*[.(]/, name);
    assert.doesNotMatch(source, /from '\.\.\/(?!api\/types)/, `${name} imports from outside of model/`);
  }
});

test('the lock file names no registry', async () => {
  assert.doesNotMatch(await readFile(join(ui, 'package-lock.json'), 'utf8'), /"resolved"/);
});

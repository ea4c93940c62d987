// Copies the few libraries of the page from node_modules into vendor/, so that the files in this
// folder are all a browser needs. Bare specifiers become relative paths, because an inline import map
// is not allowed under `Content-Security-Policy: default-src 'self'`.
//
// Run with `npm ci && node vendor.mjs`; `cargo xtask vendor` does both. The result is committed.

import { mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { dirname, join, posix } from 'node:path';
import { fileURLToPath } from 'node:url';

const here = dirname(fileURLToPath(import.meta.url));
const modules = join(here, 'node_modules');
const target = join(here, 'vendor');

/** Each module of the page's vocabulary: where it comes from, and where it goes below vendor/. */
const files = [
  { specifier: 'preact', from: 'preact/dist/preact.mjs', to: 'preact/preact.js' },
  { specifier: 'preact/hooks', from: 'preact/hooks/dist/hooks.mjs', to: 'preact/hooks.js' },
  { specifier: '@preact/signals-core', from: '@preact/signals-core/dist/signals-core.mjs', to: 'signals/signals-core.js' },
  { specifier: '@preact/signals', from: '@preact/signals/dist/signals.mjs', to: 'signals/signals.js' },
  { specifier: 'htm', from: 'htm/dist/htm.mjs', to: 'htm/htm.js' },
];

const licences = [
  { from: 'preact/LICENSE', to: 'preact/LICENSE' },
  { from: '@preact/signals/LICENSE', to: 'signals/LICENSE' },
  { from: 'htm/LICENSE', to: 'htm/LICENSE' },
];

const destinations = new Map(files.map((file) => [file.specifier, file.to]));

/**
 * @param {string} source
 * @param {string} to path below vendor/ of the module that holds `source`
 */
function withRelativeImports(source, to) {
  const rewritten = source.replace(
    /(\bfrom|\bimport)\s*(["'])([^"'.][^"']*)\2/g,
    (_whole, keyword, _quote, specifier) => {
      const destination = destinations.get(specifier);
      if (destination === undefined) {
        throw new Error(`${to} imports "${specifier}", which is not vendored`);
      }
      const relative = posix.relative(posix.dirname(to), destination);
      return `${keyword} "${relative.startsWith('.') ? relative : `./${relative}`}"`;
    },
  );
  return rewritten.replace(/\n?\/\/# sourceMappingURL=\S+\s*$/, '\n');
}

/** @param {string} path */
async function packageOf(path) {
  const name = path.split('/').slice(0, path.startsWith('@') ? 2 : 1).join('/');
  return JSON.parse(await readFile(join(modules, name, 'package.json'), 'utf8'));
}

await rm(target, { recursive: true, force: true });
/** @type {Map<string, string>} */
const versions = new Map();
for (const { specifier, from, to } of files) {
  const { name, version, license } = await packageOf(from);
  versions.set(name, `| \`${name}\` | ${version} | ${license} |`);
  await mkdir(dirname(join(target, to)), { recursive: true });
  await writeFile(join(target, to), withRelativeImports(await readFile(join(modules, from), 'utf8'), to));
  // Types are a matter of development: they stay in node_modules and are only pointed at.
  const declaration =
    specifier === 'htm'
      ? `import htm from 'htm';\nexport default htm;\n`
      : `export * from '${specifier}';\n`;
  await writeFile(join(target, to.replace(/\.js$/, '.d.ts')), declaration);
}
for (const { from, to } of licences) {
  await writeFile(join(target, to), await readFile(join(modules, from)));
}
await writeFile(
  join(target, 'README.md'),
  [
    'Written by `cargo xtask vendor` (`node vendor.mjs`); do not edit. The versions are those of `package-lock.json`,',
    'which holds the hash of each package.',
    '',
    '| package | version | licence |',
    '|---|---|---|',
    ...versions.values(),
    '',
  ].join('\n'),
);

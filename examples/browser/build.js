// Builds the page into dist: one minified script with a hash in its name, and its map, which no comment in the script names.

import fs from 'node:fs';
import path from 'node:path';

import esbuild from 'esbuild';

/** Where the page sends its spans. */
const OTLP_URL = process.env.OTLP_URL ?? 'http://localhost:4318/v1/traces';

fs.rmSync('dist', { recursive: true, force: true });
const { metafile } = await esbuild.build({
  entryPoints: ['src/page.js'],
  outdir: 'dist',
  entryNames: '[name]-[hash]',
  bundle: true,
  minify: true,
  format: 'esm',
  sourcemap: 'external',
  define: { OTLP_URL: JSON.stringify(OTLP_URL) },
  metafile: true,
});
const [script] = Object.keys(metafile.outputs).filter((file) => file.endsWith('.js'));
const page = fs.readFileSync('index.html', 'utf8').replace('SCRIPT', path.basename(script));
fs.writeFileSync('dist/index.html', page);

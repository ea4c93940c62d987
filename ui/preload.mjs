// Writes into index.html which modules the page needs, so that the browser asks for all of them at
// once. Run it after adding or removing a module; a test says when that was forgotten.

import { readFile, writeFile } from 'node:fs/promises';
import { dirname, join, posix } from 'node:path';
import { fileURLToPath } from 'node:url';

const ui = dirname(fileURLToPath(import.meta.url));
const found = ['app.js'];
for (const path of found) {
  const source = await readFile(join(ui, path), 'utf8');
  for (const match of source.matchAll(/(?:^|;|\})\s*(?:import|export)\b[^;'"]*?from\s*["'](\.[^"']+)["']/gm)) {
    const target = posix.normalize(posix.join(posix.dirname(path), match[1]));
    if (!found.includes(target)) found.push(target);
  }
}
const links = found
  .filter((path) => path !== 'app.js')
  .sort()
  .map((path) => `    <link rel="modulepreload" href="__ASSETS__/${path}">`);
const index = join(ui, 'index.html');
const page = await readFile(index, 'utf8');
await writeFile(index, page.replace(/(<!-- preload -->\n)[\s\S]*?( *<!-- \/preload -->)/, `$1${links.join('\n')}\n$2`));

// The page as it is deployed: built, given debug ids, uploaded, opened in a browser, and its exception read back with the sources.

import assert from 'node:assert/strict';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { after, before, test } from 'node:test';
import { fileURLToPath } from 'node:url';

import browsers from '../../../clients/node/browser.js';
import harness from '../../../clients/node/harness.js';
import programs from '../../../clients/node/program.js';

const EXAMPLE = fileURLToPath(new URL('..', import.meta.url));
const FILES = ['package.json', 'index.html', 'build.js', 'serve.js', 'debug-ids.js', 'src'];
const ERROR = 'nobody sells a teapot';

/** The frames of the exception, innermost first: the file, its line as it is written, what of it is called, and the function around it. */
const FRAMES = [
  ['src/prices.js', '    throw new UnknownArticle(`nobody sells a ${article}`);', 'new', 'priceOf'],
  ['src/cart.js', '    total += count * priceOf(article);', 'priceOf', 'totalOf'],
  ['src/cart.js', '    const total = totalOf(this.#lines);', 'totalOf', 'Cart.checkOut'],
  ['src/page.js', '    const cents = cart.checkOut();', 'checkOut', undefined],
];

let backtrail;
let browser;
let cwd;
let page;
let deployed;
before(async () => {
  backtrail = await harness.Backtrail.start();
  browser = await browsers.launchChromium();
  cwd = checkout();
  deployed = await deploy();
  page = await programs.Service.start([process.execPath, 'serve.js'], { cwd, env: { PORT: '0' } });
});
after(async () => {
  page?.process.kill();
  await browser?.close();
  await backtrail?.stop();
  if (cwd) {
    fs.rmSync(cwd, { recursive: true, force: true });
  }
});

test('deploying writes ids, uploads, and leaves no map where the page is served from', () => {
  assert.match(deployed, /page-\w+\.js\.map \(debug_id\)/);
  assert.match(deployed, /uploaded .* project cart-page, no release/);
  assert.deepEqual(fs.readdirSync(path.join(cwd, 'dist')).map((name) => path.extname(name)).sort(), ['.html', '.js']);
});

test('what works is a trace without an exception', async () => {
  const { traceId, said } = await click('#tea');
  assert.equal(said, 'That is 9.00. Thank you!');
  await backtrail.skeletonOf(traceId, 1);
  const { exceptions } = await backtrail.get(`/api/v1/traces/${traceId}/exceptions`);
  assert.deepEqual(exceptions, []);
});

test('an exception resolves by its debug id to file, line, column and function', async () => {
  const { traceId, said } = await click('#teapot');
  assert.equal(said, `This went wrong. It is trace ${traceId}.`);
  const { columns } = await backtrail.skeletonOf(traceId, 1);
  const span = await backtrail.span(traceId, columns.span_id[0]);
  const sent = Object.fromEntries(span.events[0].attributes.map(({ key, value }) => [key, value]));
  assert.match(sent['exception.stacktrace'], /page-\w+\.js:2:\d+/, 'the script ran minified, behind the line of its id');

  const { exceptions } = await backtrail.get(`/api/v1/traces/${traceId}/exceptions`);
  assert.equal(exceptions.length, 1);
  const [{ type, message, service, stack }] = exceptions;
  assert.deepEqual({ type, message, service }, { type: 'UnknownArticle', message: ERROR, service: 'cart-page' });
  const told = `the server told ${JSON.stringify(stack, null, 1)}`;
  FRAMES.forEach(([file, text, called, name], at) => {
    const { line, column } = placeOf(file, text, called);
    const { resolved } = stack.frames[at];
    assert.ok(resolved, told);
    assert.deepEqual([resolved.file, resolved.line, resolved.column], [file, line, column], told);
    assert.ok(name === undefined || resolved.function === name, `${resolved.function} is ${name}. ${told}`);
    assert.equal(resolved.in_app, true);
    assert.equal(resolved.context.lines[line - resolved.context.first_line], text);
  });
  const packages = stack.frames.filter(({ resolved }) => resolved?.file.includes('node_modules'));
  assert.ok(packages.length > 0, told);
  assert.ok(packages.every(({ resolved }) => !resolved.in_app), told);
  assert.deepEqual(stack.scripts.map(({ map }) => map?.step_name), ['debug_id'], told);
  assert.ok(stack.resolved.startsWith(`UnknownArticle: ${ERROR}\n    at priceOf (src/prices.js:`), stack.resolved);
});

/** The example in a temporary folder, with the packages that are installed here. */
function checkout() {
  const modules = path.join(EXAMPLE, 'node_modules');
  assert.ok(fs.existsSync(modules), `${modules} is not there: run \`npm ci\` in examples/browser`);
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'backtrail-cart-page-'));
  FILES.forEach((name) => fs.cpSync(path.join(EXAMPLE, name), path.join(folder, name), { recursive: true }));
  fs.symlinkSync(modules, path.join(folder, 'node_modules'));
  return folder;
}

/** Runs `npm run deploy` with nothing set but addresses, and returns what it printed. */
async function deploy() {
  // The scripts call `backtrail` by its name.
  const bin = path.join(cwd, 'bin');
  fs.mkdirSync(bin);
  fs.symlinkSync(path.resolve(process.env.BACKTRAIL_BIN), path.join(bin, 'backtrail'));
  const env = {
    PATH: `${bin}${path.delimiter}${process.env.PATH}`,
    OTLP_URL: backtrail.url('otlp-http', '/v1/traces'),
    BACKTRAIL_SERVER: backtrail.url('web', ''),
    // While the server has no token for uploads, any will do.
    SENTRY_AUTH_TOKEN: 'any',
  };
  return new programs.Program(['npm', 'run', 'deploy'], { cwd, env }).end();
}

async function click(button) {
  const tab = await browser.newPage();
  await tab.goto(page.url);
  await tab.click(button);
  const output = tab.locator('output[data-trace-id]');
  const answer = { traceId: await output.getAttribute('data-trace-id'), said: await output.textContent() };
  // What was recorded is sent when the page is left, if not before.
  await tab.close({ runBeforeUnload: true });
  return answer;
}

/** Where `called` stands in that line of a source, counted from 1. */
function placeOf(file, text, called) {
  const lines = fs.readFileSync(path.join(EXAMPLE, file), 'utf8').split('\n');
  assert.ok(lines.includes(text), `${file} has the line ${text}`);
  return { line: lines.indexOf(text) + 1, column: text.indexOf(called) + 1 };
}

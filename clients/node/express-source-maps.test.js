'use strict';

// The example's shop, built with the document's webpack configuration and run with the document's `source-map-support`: with hidden maps the
// server resolves, with visible ones the service has done so, and its frames are left alone.

const assert = require('node:assert/strict');
const fs = require('node:fs');
const os = require('node:os');
const path = require('node:path');
const { after, before, describe, test } = require('node:test');

const { EXAMPLE, ExampleService } = require('./example.js');
const { Backtrail, eventually } = require('./harness.js');
const { Program } = require('./program.js');

const PRICE_ERROR = "Cannot read properties of undefined (reading 'cents')";

let backtrail;
let jaegerEndpoint;
/** Where the server put the frames of the bundle. */
let resolvedPlaces;
before(async () => {
  backtrail = await Backtrail.start();
  jaegerEndpoint = backtrail.url('jaeger-http', '/api/traces');
});
after(() => backtrail?.stop());

test('the example has the document’s configuration verbatim, below its import, and what it has for the run', () => {
  const [configuration, atRun] = read('document/webpack.config.js').split('\n// Runtime source map support\n');
  const [before, after, ...more] = read('webpack.config.js').split(configuration);
  assert.equal(before, "// The document forgets this import.\nconst SentryWebpackPlugin = require('@sentry/webpack-plugin');\n\n");
  assert.deepEqual([after, ...more], ['']);
  assert.equal(read('source-maps.js'), `// Runtime source map support\n${atRun}`);
});

describe('the shop with hidden maps, as the document has it', () => {
  test('the server resolves every frame of the bundle, though the release has another name than the service’s version', async (t) => {
    // As it is written, the same error tells where it is from.
    const asWritten = await exceptionOf('server.js', EXAMPLE);
    const truth = placesIn(asWritten.stack.raw, EXAMPLE);
    assert.ok(truth.length >= 3, asWritten.stack.raw);
    const built = await build(t, 'orders-shop-2.0.0');
    const { stack, spanId, traceId } = await exceptionOf(built.script, built.cwd);
    const told = `the server told ${JSON.stringify(stack, null, 1)}`;
    const ofBundle = stack.frames.filter(({ raw }) => raw.url.includes('/dist/'));
    const resolved = ofBundle.filter(({ resolved }) => resolved !== null);
    resolvedPlaces = resolved.map(({ resolved: { file, line, column } }) => ({ file, line, column }));
    assert.deepEqual(resolvedPlaces.map(lineOf), truth.map(lineOf), told);
    // The map has no token for the `.cents` that V8 points at; the one before it is that of its object.
    resolvedPlaces.forEach(({ column }, at) => assert.ok(at === 0 ? column < truth[at].column : column === truth[at].column, told));
    assert.ok(ofBundle.every((frame) => frame.resolved || frame.kept.code === 'not_covered'), told);
    assert.ok(resolved.every((frame) => frame.resolved.in_app && frame.resolved.context.lines.length > 5), told);

    const script = stack.scripts.find(({ url }) => url.includes('/dist/'));
    assert.equal(script.map.step_name, 'file_field', told);
    assert.equal(script.map.release, 'orders-shop-2.0.0');
    assert.ok(script.reasons.some(({ code }) => code === 'no_such_release'), told);

    const fields = await jaegerFields(traceId, spanId);
    assert.equal(fields['exception.stacktrace'], stack.resolved);
    assert.equal(fields['exception.stacktrace.raw'], stack.raw);
    assert.ok(fields['exception.stacktrace'].includes(`${lineOf(truth[0])}:`), fields['exception.stacktrace']);
  });
});

describe('the shop with visible maps', () => {
  test('source-map-support has resolved, and what it wrote is left alone', async (t) => {
    const built = await build(t, 'orders-shop-3.0.0', ['--devtool', 'source-map']);
    const { stack, spanId, traceId } = await exceptionOf(built.script, built.cwd);
    const told = `the server told ${JSON.stringify(stack, null, 1)}`;
    assert.equal(stack.resolved, stack.raw);
    assert.equal(stack.resolved_frames, 0);
    const written = stack.frames.filter(({ raw }) => raw.url.includes('/webpack:/'));
    assert.ok(written.length > 0, told);
    assert.ok(written.every(({ kept }) => kept.code === 'original'), told);
    const places = written.map(({ raw: { url, line, column } }) => ({ file: url.split('/webpack:/orders-shop/').at(-1), line, column }));
    assert.deepEqual(places, resolvedPlaces, 'the server and source-map-support agree');

    const fields = await jaegerFields(traceId, spanId);
    assert.equal(fields['exception.stacktrace'], stack.raw);
    assert.equal(fields['exception.stacktrace.raw'], undefined);
  });
});

/** Builds the services in a temporary folder with the document's plugin, which uploads. */
async function build(t, release, args = []) {
  const cwd = fs.realpathSync(fs.mkdtempSync(path.join(os.tmpdir(), 'backtrail-express-')));
  t.after(() => fs.rmSync(cwd, { recursive: true, force: true }));
  const files = fs.readdirSync(EXAMPLE).filter((name) => name.endsWith('.js') || name === 'package.json');
  files.forEach((name) => fs.copyFileSync(path.join(EXAMPLE, name), path.join(cwd, name)));
  fs.symlinkSync(path.join(EXAMPLE, 'node_modules'), path.join(cwd, 'node_modules'));
  const env = { SENTRY_URL: backtrail.url('web', ''), SENTRY_AUTH_TOKEN: 'a1'.repeat(32), RELEASE_VERSION: release };
  await new Program([process.execPath, 'node_modules/webpack-cli/bin/cli.js', '--config', 'webpack.service.js', '--output-clean', ...args], { cwd, env }).end();
  const [shop] = fs.readdirSync(path.join(cwd, 'dist')).filter((name) => /^shop\..*\.js$/.test(name));
  return { cwd, script: path.join('dist', shop) };
}

/** Asks the shop for an order that cannot be priced, and returns the exception as the server tells it. */
async function exceptionOf(script, cwd) {
  const shop = await ExampleService.start(script, jaegerEndpoint, { cwd });
  try {
    const response = await shop.fetch('/orders/13');
    assert.equal(response.status, 500);
    const { traceId } = await response.json();
    return await eventually(`the exception in ${traceId}`, async () => {
      const { exceptions } = await backtrail.get(`/api/v1/traces/${traceId}/exceptions`);
      const { columns, names } = await backtrail.get(`/api/v1/traces/${traceId}/skeleton`);
      const row = columns.name.findIndex((name) => names[name] === 'price order');
      const exception = exceptions.find(({ span_id }) => span_id === columns.span_id[row]);
      assert.equal(exception?.message, PRICE_ERROR);
      return { stack: exception.stack, spanId: exception.span_id, traceId };
    });
  } finally {
    await shop.stop();
  }
}

/** The place of each frame of a stack of V8 that is in a source of `cwd`, innermost first. */
function placesIn(stack, cwd) {
  const frames = [...stack.matchAll(/^ {4}at .*?(\/[^()\n]*):(\d+):(\d+)\)?$/gm)];
  const places = frames.map(([, file, line, column]) => ({ file: path.relative(cwd, file), line: Number(line), column: Number(column) }));
  return places.filter(({ file }) => !file.startsWith('node_modules/') && !file.startsWith('..'));
}

function lineOf({ file, line }) {
  return `${file}:${line}`;
}

/** The fields of the exception's log in Jaeger's API. */
async function jaegerFields(traceId, spanId) {
  const { spans } = await backtrail.jaegerTrace(traceId);
  const [log] = spans.find(({ spanID }) => spanID === spanId).logs;
  return Object.fromEntries(log.fields.map(({ key, value }) => [key, value]));
}

function read(file) {
  return fs.readFileSync(path.join(EXAMPLE, file), 'utf8');
}

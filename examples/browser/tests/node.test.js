// The helper in a bundled service of Node: the same file, the same ids.

import assert from 'node:assert/strict';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { after, before, test } from 'node:test';
import { fileURLToPath } from 'node:url';

import esbuild from 'esbuild';

import harness from '../../../clients/node/harness.js';
import programs from '../../../clients/node/program.js';

const HERE = fileURLToPath(new URL('.', import.meta.url));

/** A job that prices what nobody sells. */
const JOB = `
import { trace } from '@opentelemetry/api';
import { OTLPTraceExporter } from '@opentelemetry/exporter-trace-otlp-http';
import { resourceFromAttributes } from '@opentelemetry/resources';
import { BasicTracerProvider, SimpleSpanProcessor } from '@opentelemetry/sdk-trace-web';
import { DebugIds } from '../debug-ids.js';
import { totalOf } from '../src/cart.js';

trace.setGlobalTracerProvider(new BasicTracerProvider({
  resource: resourceFromAttributes({ 'service.name': 'pricing-job' }),
  spanProcessors: [new DebugIds(), new SimpleSpanProcessor(new OTLPTraceExporter({ url: process.env.OTLP_URL }))],
}));
const span = trace.getTracer('job').startSpan('price');
try {
  totalOf([{ article: 'teapot', count: 1 }]);
} catch (error) {
  span.recordException(error);
}
span.end();
console.log(span.spanContext().traceId);
`;

let backtrail;
let folder;
before(async () => {
  backtrail = await harness.Backtrail.start();
  folder = fs.mkdtempSync(path.join(os.tmpdir(), 'backtrail-pricing-job-'));
});
after(async () => {
  await backtrail?.stop();
  if (folder) {
    fs.rmSync(folder, { recursive: true, force: true });
  }
});

/** Packages that call `require` are bundled too, and modules have none. */
const REQUIRE = "import { createRequire } from 'node:module'; const require = createRequire(import.meta.url);";

for (const [format, name, banner] of [['cjs', 'job.cjs', ''], ['esm', 'job.mjs', REQUIRE]]) {
  test(`a bundle of Node as ${format} resolves by its debug id, without a release`, async () => {
    const dist = path.join(folder, format);
    await esbuild.build({
      stdin: { contents: JOB, resolveDir: HERE, sourcefile: 'job.js' },
      outfile: path.join(dist, name),
      bundle: true,
      minify: true,
      platform: 'node',
      format,
      banner: { js: banner },
      sourcemap: 'external',
    });
    const env = { BACKTRAIL_SERVER: backtrail.url('web', ''), SENTRY_AUTH_TOKEN: 'any', OTLP_URL: backtrail.url('otlp-http', '/v1/traces') };
    const run = (...command) => new programs.Program(command, { cwd: dist, env }).end();
    await run(process.env.BACKTRAIL_BIN, 'sourcemaps', 'inject', '.');
    await run(process.env.BACKTRAIL_BIN, 'sourcemaps', 'upload', '.', '--project', 'pricing-job');
    const traceId = (await run(process.execPath, name)).trim();

    await backtrail.skeletonOf(traceId, 1);
    const { exceptions: [{ stack }] } = await backtrail.get(`/api/v1/traces/${traceId}/exceptions`);
    const told = `the server told ${JSON.stringify(stack, null, 1)}`;
    assert.deepEqual(stack.frames.slice(0, 2).map(({ resolved }) => [path.basename(resolved?.file ?? ''), resolved?.function]), [['prices.js', 'priceOf'], ['cart.js', 'totalOf']], told);
    assert.equal(stack.scripts[0].map?.step_name, 'debug_id', told);
  });
}

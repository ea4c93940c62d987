'use strict';

// Runs the services of `examples/node-express` as processes of their own.

const assert = require('node:assert/strict');
const fs = require('node:fs');
const path = require('node:path');

const { Service } = require('./program.js');

const EXAMPLE = path.resolve(__dirname, '../../examples/node-express');

/** The exporter's own delay is five seconds, which is long for a test. */
const SOON_MS = 100;
const NEVER_MS = 3_600_000;

/** One service of the example, listening on a port that was free. At SIGTERM the document's handler flushes and exits with 0. */
class ExampleService extends Service {
  /** `exportAfterMs` is how long finished spans wait before the exporter sends them. `cwd` has the scripts, when they were built. */
  static start(script, jaegerEndpoint, { exportAfterMs = SOON_MS, cwd = EXAMPLE, env = {} } = {}) {
    assert.ok(fs.existsSync(path.join(EXAMPLE, 'node_modules')), 'the packages of examples/node-express are not installed: run `npm ci` there');
    const settings = { JAEGER_ENDPOINT: jaegerEndpoint, OTEL_BSP_SCHEDULE_DELAY: String(exportAfterMs), PORT: '0', ...env };
    return super.start([process.execPath, script], { cwd, env: settings });
  }
}

module.exports = { EXAMPLE, ExampleService, NEVER_MS };

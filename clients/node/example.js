'use strict';

// Runs the services of `examples/node-express` as processes of their own.

const assert = require('node:assert/strict');
const { spawn } = require('node:child_process');
const { once } = require('node:events');
const fs = require('node:fs');
const path = require('node:path');
const { setTimeout: sleep } = require('node:timers/promises');

const { GivenUp, endWithThisProcess, eventually } = require('./harness.js');

const EXAMPLE = path.resolve(__dirname, '../../examples/node-express');
const START_TIMEOUT_MS = 20_000;
const STOP_TIMEOUT_MS = 10_000;

/** The exporter's own delay is five seconds, which is long for a test. */
const SOON_MS = 100;
const NEVER_MS = 3_600_000;

/** One service of the example, listening on a port that was free. */
class ExampleService {
  /** `exportAfterMs` is how long finished spans wait before the exporter sends them. */
  static async start(script, jaegerEndpoint, { exportAfterMs = SOON_MS, env = {} } = {}) {
    const service = new ExampleService(script, { JAEGER_ENDPOINT: jaegerEndpoint, OTEL_BSP_SCHEDULE_DELAY: String(exportAfterMs), PORT: '0', ...env });
    await service.#awaitAddress();
    return service;
  }

  url;
  #script;
  #process;
  #printed = '';
  #outcome;

  constructor(script, env) {
    assert.ok(fs.existsSync(path.join(EXAMPLE, 'node_modules')), 'the packages of examples/node-express are not installed: run `npm ci` there');
    this.#script = script;
    this.#process = spawn(process.execPath, [script], { cwd: EXAMPLE, env: { ...process.env, ...env }, stdio: ['ignore', 'pipe', 'pipe'] });
    this.#process.stdout.on('data', (chunk) => (this.#printed += chunk));
    this.#process.stderr.on('data', (chunk) => (this.#printed += chunk));
    endWithThisProcess(this.#process);
    once(this.#process, 'close').then(([code, signal]) => (this.#outcome = { code, signal }));
  }

  get printed() {
    return this.#printed;
  }

  fetch(pathAndQuery, options) {
    return fetch(`${this.url}${pathAndQuery}`, { signal: AbortSignal.timeout(STOP_TIMEOUT_MS), ...options });
  }

  /** Sends SIGTERM and waits for the end; the document's handler flushes and exits with 0. */
  async stop() {
    this.#process.kill('SIGTERM');
    const deadline = Date.now() + STOP_TIMEOUT_MS;
    while (this.#outcome === undefined && Date.now() < deadline) {
      await sleep(10);
    }
    if (this.#outcome === undefined) {
      this.#process.kill('SIGKILL');
    }
    assert.deepEqual(this.#outcome, { code: 0, signal: null }, `${this.#script} did not end well after SIGTERM. It printed:\n${this.#printed}`);
  }

  async #awaitAddress() {
    this.url = await eventually(`address of ${this.#script}`, () => {
      if (this.#outcome !== undefined) {
        throw new GivenUp(`${this.#script} ended early. It printed:\n${this.#printed}`);
      }
      const [, url] = this.#printed.match(/listens on (http:\S+)/) ?? [];
      assert.ok(url, `it printed:\n${this.#printed}`);
      return url;
    }, START_TIMEOUT_MS);
  }
}

module.exports = { EXAMPLE, ExampleService, NEVER_MS };

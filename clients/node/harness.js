'use strict';

// Starts Backtrail's server for a test, reads back through its public APIs what it was sent, and stops it.

const assert = require('node:assert/strict');
const { spawn } = require('node:child_process');
const fs = require('node:fs');
const os = require('node:os');
const path = require('node:path');
const { setTimeout: sleep } = require('node:timers/promises');

const START_TIMEOUT_MS = 20_000;
const STOP_TIMEOUT_MS = 20_000;
const READ_TIMEOUT_MS = 10_000;
const POLL_INTERVAL_MS = 25;

const SERVER_BINARY = serverBinary();
const LISTENERS = [
  'otlp-grpc', 'otlp-http', 'jaeger-http', 'jaeger-grpc', 'jaeger-sampling', 'jaeger-agent-compact', 'jaeger-agent-binary', 'zipkin', 'jaeger-query-grpc', 'web',
];

/** A server of its own, with a temporary data directory and ports that were free. */
class Backtrail {
  static async start() {
    const server = new Backtrail();
    await server.#awaitListeners();
    return server;
  }

  #directory = fs.mkdtempSync(path.join(os.tmpdir(), 'backtrail-clients-'));
  #output = [];
  #process;
  #exited;
  #addresses;

  constructor() {
    const listenerFlags = LISTENERS.flatMap((name) => [`--${name}`, '127.0.0.1:0']);
    const args = ['serve', '--data-dir', path.join(this.#directory, 'data'), ...listenerFlags, '--port-file', this.#portFile];
    this.#process = spawn(SERVER_BINARY, args, { cwd: this.#directory, env: environmentWithoutSettings(), stdio: ['ignore', 'pipe', 'pipe'] });
    this.#process.stdout.on('data', (chunk) => this.#output.push(chunk));
    this.#process.stderr.on('data', (chunk) => this.#output.push(chunk));
    this.#exited = new Promise((resolve) => {
      this.#process.once('exit', (code, signal) => resolve({ code, signal }));
      this.#process.once('error', (error) => resolve({ error }));
    });
    endWithThisProcess(this.#process);
  }

  /** `host:port` of a listener, by its name in the port file. */
  address(listener) {
    return this.#addresses[listener];
  }

  url(listener, pathAndQuery) {
    return `http://${this.address(listener)}${pathAndQuery}`;
  }

  async get(pathAndQuery) {
    const response = await fetch(this.url('web', pathAndQuery), { signal: AbortSignal.timeout(READ_TIMEOUT_MS) });
    const text = await response.text();
    assert.equal(response.status, 200, `GET ${pathAndQuery} answered ${response.status}: ${text}`);
    return JSON.parse(text);
  }

  /** The trace's skeleton, once that many spans of it have arrived. */
  async skeletonOf(traceId, spanCount) {
    return eventually(`trace ${traceId} with ${spanCount} spans`, async () => {
      const skeleton = await this.get(`/api/v1/traces/${traceId}/skeleton`);
      assert.equal(skeleton.span_count, spanCount);
      return skeleton;
    });
  }

  /** The details of the one span with this id. */
  async span(traceId, spanId) {
    const { spans } = await this.get(`/api/v1/traces/${traceId}/spans/${spanId}`);
    assert.equal(spans.length, 1, `spans with the id ${spanId}`);
    return spans[0];
  }

  /** The details of all spans of a trace that has arrived, in the order of the skeleton. */
  async spansOf(traceId, spanCount) {
    const { columns } = await this.skeletonOf(traceId, spanCount);
    return Promise.all(columns.span_id.map((spanId) => this.span(traceId, spanId)));
  }

  /** The trace as Jaeger's HTTP API gives it. */
  async jaegerTrace(traceId) {
    const { data } = await this.get(`/api/traces/${traceId}`);
    assert.equal(data.length, 1, `Jaeger traces with the id ${traceId}`);
    return data[0];
  }

  /** The spans of the trace as Zipkin's read API gives them. */
  async zipkinTrace(traceId) {
    const response = await fetch(this.url('zipkin', `/api/v2/trace/${traceId}`), { signal: AbortSignal.timeout(READ_TIMEOUT_MS) });
    assert.equal(response.status, 200, `Zipkin's API answered ${response.status}`);
    return response.json();
  }

  /** Asks the server to stop as a service manager does, and checks that it ends well. */
  async stop() {
    this.#process.kill('SIGTERM');
    const outcome = await Promise.race([this.#exited, sleep(STOP_TIMEOUT_MS, 'still running', { ref: false })]);
    if (outcome === 'still running') {
      this.#process.kill('SIGKILL');
    }
    assert.deepEqual(outcome, { code: 0, signal: null }, `the server did not end well after SIGTERM. It printed:\n${this.#printed()}`);
    fs.rmSync(this.#directory, { recursive: true });
  }

  get #portFile() {
    return path.join(this.#directory, 'ports.json');
  }

  #printed() {
    return Buffer.concat(this.#output).toString();
  }

  async #awaitListeners() {
    let early;
    this.#exited.then((outcome) => (early = outcome));
    try {
      this.#addresses = await eventually('the port file', () => {
        if (early !== undefined) {
          throw new GivenUp(`the server ended before it listened: ${early.error?.message ?? `exit code ${early.code}, signal ${early.signal}`}`);
        }
        return JSON.parse(fs.readFileSync(this.#portFile, 'utf8'));
      }, START_TIMEOUT_MS);
    } catch (error) {
      this.#process.kill('SIGKILL');
      await this.#exited;
      fs.rmSync(this.#directory, { recursive: true });
      throw new Error(`${error.message}. The server printed:\n${this.#printed()}`, { cause: error });
    }
    assert.deepEqual(LISTENERS.filter((name) => !this.#addresses[name]), [], 'listeners that the port file does not name');
  }
}

/** An error that trying again cannot mend. */
class GivenUp extends Error {}

/** Repeats `attempt` until it does not throw, and returns what it returned; after the deadline the last error is thrown. */
async function eventually(what, attempt, timeoutMs = READ_TIMEOUT_MS) {
  const deadline = Date.now() + timeoutMs;
  for (;;) {
    try {
      return await attempt();
    } catch (error) {
      if (error instanceof GivenUp) {
        throw error;
      }
      if (Date.now() > deadline) {
        throw new Error(`no ${what} within ${timeoutMs} ms: ${error.message}`, { cause: error });
      }
    }
    await sleep(POLL_INTERVAL_MS);
  }
}

/** Leaves no child behind when a run of the tests is cut short. */
function endWithThisProcess(child) {
  const end = () => child.kill('SIGKILL');
  process.once('exit', end);
  child.once('exit', () => process.removeListener('exit', end));
}

/** The server takes settings from variables that begin so; those of whoever runs the tests are not for it. */
function environmentWithoutSettings() {
  return Object.fromEntries(Object.entries(process.env).filter(([name]) => !name.startsWith('BACKTRAIL_')));
}

function serverBinary() {
  const binary = process.env.BACKTRAIL_BIN;
  if (!binary) {
    throw new Error('BACKTRAIL_BIN is not set: it names the backtrail binary to test, for example target/debug/backtrail after `cargo build`');
  }
  if (!fs.existsSync(binary)) {
    throw new Error(`BACKTRAIL_BIN names ${binary}, which is not there: run \`cargo build\` first`);
  }
  return path.resolve(binary);
}

module.exports = { Backtrail, GivenUp, endWithThisProcess, eventually };

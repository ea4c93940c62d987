// The server that the browser tests drive: the real binary, on free ports and a directory of its own.

import { execFile, spawn } from 'node:child_process';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';
import { logRequest, requests } from './support/otlp.js';

/** @import { LogDraft, SpanDraft } from './support/otlp.js' */

const STARTS_WITHIN_MS = 20_000;

/** @typedef {{ web: string, otlp: string, zipkin: string, tokens: (...args: string[]) => Promise<string>, made: Record<string, string>, stop: () => Promise<void> }} Running */

const run = promisify(execFile);

/** @param {{ scopes?: string[] }} [options] a token for each of these scopes, which is its name too, is there before the server is */
export async function startServer({ scopes = [] } = {}) {
  const binary = process.env.BACKTRAIL_BIN;
  if (binary === undefined) throw new Error('set BACKTRAIL_BIN to the server to test, such as ../target/debug/backtrail');
  const running = await startBinary(resolve(binary), scopes);
  return {
    ...running,
    feed: (/** @type {SpanDraft[]} */ drafts) => feed(running.otlp, requests(drafts)),
    feedLogs: (/** @type {LogDraft[]} */ drafts) => feed(running.otlp.replace('/v1/traces', '/v1/logs'), drafts.map(logRequest)),
  };
}

/**
 * @param {string} binary
 * @param {string[]} scopes
 * @returns {Promise<Running>}
 */
async function startBinary(binary, scopes) {
  const directory = await mkdtemp(join(tmpdir(), 'backtrail-ui-'));
  const portFile = join(directory, 'ports.json');
  const off = ['jaeger-query-grpc', 'jaeger-grpc', 'jaeger-sampling', 'jaeger-agent-compact', 'jaeger-agent-binary'].flatMap((name) => [`--${name}`, 'off']);
  const on = ['otlp-grpc', 'otlp-http', 'jaeger-http', 'zipkin', 'web'].flatMap((name) => [`--${name}`, '127.0.0.1:0']);
  const listeners = [...on, ...off];
  const data = join(directory, 'data');
  const tokens = async (/** @type {string[]} */ ...args) => (await run(binary, ['tokens', ...args, '--data-dir', data])).stdout.trim();
  /** @type {Record<string, string>} */
  const made = {};
  for (const scope of scopes) made[scope] = await tokens('create', '--name', scope, '--scope', scope);
  const child = spawn(binary, ['serve', '--data-dir', data, ...listeners, '--port-file', portFile], {
    // What is set for whoever runs the tests must not reach the server.
    env: Object.fromEntries(Object.entries(process.env).filter(([name]) => !name.startsWith('BACKTRAIL_'))),
    cwd: directory,
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let said = '';
  child.stdout.on('data', (bytes) => (said += bytes));
  child.stderr.on('data', (bytes) => (said += bytes));
  const ended = new Promise((done) => child.once('exit', done));
  const ports = await portsFrom(portFile, () => child.exitCode !== null, () => said);
  return {
    web: `http://${ports.web}`,
    otlp: `http://${ports['otlp-http']}/v1/traces`,
    zipkin: `http://${ports.zipkin}/api/v2/spans`,
    tokens,
    made,
    stop: async () => {
      child.kill('SIGTERM');
      await ended;
      await rm(directory, { recursive: true, force: true });
    },
  };
}

/**
 * @param {string} file
 * @param {() => boolean} hasEnded
 * @param {() => string} said
 * @returns {Promise<Record<string, string>>}
 */
async function portsFrom(file, hasEnded, said) {
  const deadline = Date.now() + STARTS_WITHIN_MS;
  while (Date.now() < deadline) {
    if (hasEnded()) throw new Error(`the server ended before it listened:\n${said()}`);
    try {
      return JSON.parse(await readFile(file, 'utf8'));
    } catch {
      await sleep(50); // not written yet, or not whole
    }
  }
  throw new Error(`the server wrote no ports within ${STARTS_WITHIN_MS} ms:\n${said()}`);
}

/**
 * @param {string} url
 * @param {Iterable<object>} bodies
 */
async function feed(url, bodies) {
  for (const request of bodies) {
    const response = await fetch(url, { method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify(request) });
    const answer = await response.text();
    if (!response.ok) throw new Error(`the server refused what was sent: ${response.status} ${answer}`);
    const rejected = JSON.parse(answer || '{}').partialSuccess?.rejectedSpans ?? 0;
    if (Number(rejected) > 0) throw new Error(`the server rejected ${rejected} spans: ${answer}`);
  }
}

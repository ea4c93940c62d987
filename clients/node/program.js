'use strict';

// Runs programs of other languages for a test: to their end, or as services that listen on a port that was free.

const assert = require('node:assert/strict');
const { spawn } = require('node:child_process');
const { once } = require('node:events');
const { setTimeout: sleep } = require('node:timers/promises');

const { GivenUp, endWithThisProcess, eventually } = require('./harness.js');

const START_TIMEOUT_MS = 30_000;
const STOP_TIMEOUT_MS = 20_000;

/** A program that was started. What it prints is kept. */
class Program {
  /** `command` is the program with its arguments; `options` are those of `spawn`. `env` is added to the environment, without its `OTEL_`. */
  constructor([program, ...args], { env = {}, ...options } = {}) {
    this.name = [program, ...args].join(' ');
    this.stdout = '';
    /** Standard output and standard error, as they came. */
    this.printed = '';
    this.outcome = undefined;
    const inherited = Object.entries(process.env).filter(([name]) => !name.startsWith('OTEL_'));
    this.process = spawn(program, args, { ...options, env: { ...Object.fromEntries(inherited), ...env }, stdio: ['ignore', 'pipe', 'pipe'] });
    this.process.stdout.on('data', (chunk) => {
      this.stdout += chunk;
      this.printed += chunk;
    });
    this.process.stderr.on('data', (chunk) => (this.printed += chunk));
    this.process.once('error', (error) => (this.outcome = { error }));
    endWithThisProcess(this.process);
    once(this.process, 'close').then(([code, signal]) => (this.outcome ??= { code, signal }));
  }

  /** Waits for its end, which must be the expected one, and returns what it wrote to standard output. */
  async end(exitCode = 0) {
    const deadline = Date.now() + STOP_TIMEOUT_MS;
    while (this.outcome === undefined && Date.now() < deadline) {
      await sleep(10);
    }
    if (this.outcome === undefined) {
      this.process.kill('SIGKILL');
    }
    assert.deepEqual(this.outcome, { code: exitCode, signal: null }, `${this.name} did not end well. It printed:\n${this.printed}`);
    return this.stdout;
  }
}

/** A program that prints `listens on http://…`, and ends at SIGTERM. */
class Service extends Program {
  static async start(command, options) {
    const service = new this(command, options);
    await service.awaitAddress();
    return service;
  }

  url;

  fetch(pathAndQuery, options) {
    return fetch(`${this.url}${pathAndQuery}`, { signal: AbortSignal.timeout(STOP_TIMEOUT_MS), ...options });
  }

  /** What it printed but for its address and what a JVM with an agent says of itself. */
  get complaints() {
    const lines = this.printed.split('\n').filter((line) => line !== '');
    return lines.filter((line) => !/^listens on http:|^OpenJDK .* warning: Sharing is only supported|^\[otel\.javaagent .* INFO /.test(line));
  }

  /** Sends SIGTERM and waits for the end. */
  stop(exitCode = 0) {
    this.process.kill('SIGTERM');
    return this.end(exitCode);
  }

  async awaitAddress() {
    this.url = await eventually(`address of ${this.name}`, () => {
      if (this.outcome !== undefined) {
        throw new GivenUp(`${this.name} ended early: ${this.outcome.error?.message ?? ''}. It printed:\n${this.printed}`);
      }
      const [, url] = this.printed.match(/listens on (http:\S+)/) ?? [];
      assert.ok(url, `it printed:\n${this.printed}`);
      return url;
    }, START_TIMEOUT_MS);
  }
}

module.exports = { Program, Service };

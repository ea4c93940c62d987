'use strict';

// Runs the clients that upload source maps, each in a folder of its own and with the settings that its users have.

const assert = require('node:assert/strict');
const { execFile } = require('node:child_process');
const fs = require('node:fs');
const os = require('node:os');
const path = require('node:path');

const { endWithThisProcess } = require('../node/harness.js');

/** A build under load takes a while; a client that waits for ever is stopped. */
const CLIENT_TIMEOUT_MS = 120_000;

const ORGANIZATION = 'acme';
/** The form of the tokens that users made before they had prefixes: 64 hexadecimal digits. */
const TOKEN = 'a1'.repeat(32);
/** Since OpenSSL 3 the hash that webpack took until 5.60 is behind a switch. */
const OLD_WEBPACK = { NODE_OPTIONS: '--openssl-legacy-provider' };

/** What users set, and nothing else. */
function settings(url, project, more = {}) {
  return { SENTRY_URL: url, SENTRY_AUTH_TOKEN: TOKEN, SENTRY_ORG: ORGANIZATION, SENTRY_PROJECT: project, ...more };
}

/** The command line of that version, as its package has it. */
function commandLine(version) {
  const program = path.join(__dirname, 'node_modules', `sentry-cli-${version}`, 'bin/sentry-cli');
  assert.ok(fs.existsSync(program), `${program} is not there: run \`npm ci\` in clients/sentry`);
  return program;
}

/** A temporary folder that goes with the test. */
function folder(t, name) {
  // Programs that are asked where they are answer with the real path.
  const made = fs.realpathSync(fs.mkdtempSync(path.join(os.tmpdir(), `backtrail-${name}-`)));
  t.after(() => fs.rmSync(made, { recursive: true, force: true }));
  return made;
}

/** Runs a program to its end, which must be with exit code 0, and returns what it printed. */
async function run([program, ...args], { cwd, env = {} }) {
  const { error, printed } = await outcomeOf([program, ...args], { cwd, env });
  assert.equal(error, undefined, `${[path.basename(program), ...args].join(' ')} did not end well: ${error?.message}\nIt printed:\n${printed}`);
  return printed;
}

/** Runs a program to its end, and returns what it printed and, when it did not end well, why. */
function outcomeOf([program, ...args], { cwd, env = {} }) {
  return new Promise((resolve) => {
    // Neither settings nor a configuration file of whoever runs the tests are for the client.
    const inherited = Object.entries(process.env).filter(([name]) => !/^(SENTRY|OTEL_|RELEASE_VERSION|SERVICE_VERSION|NODE_OPTIONS)/.test(name));
    const options = { cwd, env: { ...Object.fromEntries(inherited), HOME: cwd, ...env }, timeout: CLIENT_TIMEOUT_MS, killSignal: 'SIGKILL', maxBuffer: 64 << 20 };
    const child = execFile(program, args, options, (error, stdout, stderr) => resolve({ error: error ?? undefined, stdout, printed: stdout + stderr }));
    endWithThisProcess(child);
  });
}

/** Makes a folder a git checkout with one commit, which is returned. */
async function commitAll(cwd) {
  const git = (...args) => run(['git', '-c', 'user.name=Ada', '-c', 'user.email=ada@example.com', '-c', 'commit.gpgsign=false', ...args], { cwd });
  await git('init', '--quiet', '--initial-branch', 'main');
  fs.writeFileSync(path.join(cwd, '.gitignore'), 'node_modules\ndist\n');
  await git('add', '--all');
  await git('commit', '--quiet', '--message', 'the first');
  return (await git('rev-parse', 'HEAD')).trim();
}

module.exports = { OLD_WEBPACK, ORGANIZATION, commandLine, commitAll, folder, outcomeOf, run, settings };

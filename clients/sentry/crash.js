'use strict';

// A service that is built with the document's webpack configuration, and whose bundle throws.

const assert = require('node:assert/strict');
const fs = require('node:fs');
const path = require('node:path');

const { commitAll, folder, outcomeOf, run, settings } = require('./client.js');
const { Gate } = require('./gate.js');

const DOCUMENT = path.join(__dirname, 'document');
const TRACING = path.join(DOCUMENT, 'tracing.js');

/** A checkout of the service with the webpack of one of the folders beside this file. */
class Checkout {
  static async make(t, webpack) {
    const cwd = folder(t, webpack);
    fs.cpSync(path.join(DOCUMENT, 'src'), path.join(cwd, 'src'), { recursive: true });
    fs.copyFileSync(path.join(DOCUMENT, 'webpack.config.js'), path.join(cwd, 'webpack.config.js'));
    const modules = path.join(__dirname, webpack, 'node_modules');
    assert.ok(fs.existsSync(modules), `${modules} is not there: run \`npm ci\` in clients/sentry/${webpack}`);
    fs.symlinkSync(modules, path.join(cwd, 'node_modules'));
    return new Checkout(cwd, await commitAll(cwd));
  }

  constructor(cwd, commit) {
    this.cwd = cwd;
    /** What the plugin guesses a release from. */
    this.commit = commit;
  }

  /**
   * Builds with the plugin; between the build and its upload, which waits so long, the bundle crashes. Returns what the crash printed.
   * `environment` is what the user has set for the build.
   */
  async buildCrashAndUpload(backtrail, { project, environment, serviceVersion }) {
    const gate = await Gate.before(backtrail.address('web'));
    try {
      const webpack = [process.execPath, path.join(this.cwd, 'node_modules/webpack-cli/bin/cli.js')];
      const built = run(webpack, { cwd: this.cwd, env: settings(gate.url, project, environment) });
      // When the crash fails, that is what is told.
      built.catch(() => {});
      await Promise.race([gate.arrival, built]);
      const crash = await this.crash(backtrail.url('otlp-http', ''), serviceVersion);
      gate.open();
      await built;
      return crash;
    } finally {
      gate.close();
    }
  }

  /** Runs the bundle, which throws and sends the exception. */
  crash(endpoint, serviceVersion) {
    const [main] = fs.readdirSync(path.join(this.cwd, 'dist')).filter((name) => /^main\..*\.js$/.test(name));
    return this.#run(path.join('dist', main), { OTEL_EXPORTER_OTLP_ENDPOINT: endpoint, ...(serviceVersion && { SERVICE_VERSION: serviceVersion }) });
  }

  /** The frames of the same exception when the sources run as they are, innermost first. */
  async truth() {
    const { stack } = await this.#run('src/index.js', {});
    return framesOf(stack, this.cwd).filter(({ file }) => file.startsWith('src/'));
  }

  async #run(script, env) {
    const { error, stdout, printed } = await outcomeOf([process.execPath, '--require', TRACING, script], { cwd: this.cwd, env });
    assert.equal(error, undefined, `${script} did not end well. It printed:\n${printed}`);
    return JSON.parse(stdout);
  }
}

/** File, line, column and function of each frame of a stack of V8; files are relative to the checkout. */
function framesOf(stack, cwd) {
  const frames = [...stack.matchAll(/^ {4}at (?:(.+?) \()?(\/[^)]*):(\d+):(\d+)\)?$/gm)];
  return frames.map(([, name, file, line, column]) => ({ file: path.relative(cwd, file), line: Number(line), column: Number(column), function: name }));
}

module.exports = { Checkout, framesOf };

'use strict';

// The programs of other languages that the tests run, where their build tools put them.

const fs = require('node:fs');
const path = require('node:path');

const CLIENTS = path.resolve(__dirname, '..');

const GO_CLIENT = () => built(path.join(CLIENTS, 'go/target/client'), 'run `go build -o target/client .` in clients/go');

/** Cargo's target folder may be anywhere, so a variable names it. */
const RUST_CLIENT = () =>
  built(process.env.RUST_CLIENT || path.join(CLIENTS, 'rust/target/debug/backtrail-client-rust'), 'run `cargo build` in clients/rust, or set RUST_CLIENT to the program');

const PYTHON = () => built(path.join(CLIENTS, 'python/.venv/bin/python'), 'make the environment of clients/python, as clients/README.md says');

/** The command that starts the service in Java, with the agent. */
const JAVA_SERVICE = () => {
  const [agent, service] = ['opentelemetry-javaagent.jar', 'client.jar'].map((jar) => built(path.join(CLIENTS, 'java/target', jar), 'run `mvn package` in clients/java'));
  return ['java', `-javaagent:${agent}`, '-jar', service];
};

function built(program, how) {
  if (!fs.existsSync(program)) {
    throw new Error(`${program} is not there: ${how}`);
  }
  return program;
}

module.exports = { CLIENTS, GO_CLIENT, JAVA_SERVICE, PYTHON, RUST_CLIENT, built };

'use strict';

// A PostgreSQL of a test's own: made in a temporary folder, asked over a socket in it, and gone afterwards.

const fs = require('node:fs');
const os = require('node:os');
const path = require('node:path');
const { execFileSync } = require('node:child_process');

const { built } = require('../../../clients/node/built.js');
const { GivenUp, eventually } = require('../../../clients/node/harness.js');
const { Program } = require('../../../clients/node/program.js');

const START_TIMEOUT_MS = 60_000;
const USER = 'shop';
const PASSWORD = 'secret-of-the-shop';

class Postgres {
  static async start() {
    const postgres = new Postgres();
    try {
      await postgres.#make();
      await postgres.#awaitReady();
    } catch (error) {
      await postgres.stop().catch(() => {});
      throw error;
    }
    return postgres;
  }

  #directory = fs.mkdtempSync(path.join(os.tmpdir(), 'backtrail-pg-'));
  #owner = owner();
  #server;

  /** The port is part of the socket's name, and no port of the machine. */
  get url() {
    return `postgres://${USER}:${PASSWORD}@localhost:5432/postgres?host=${encodeURIComponent(this.#directory)}`;
  }

  /** Asks it to end without waiting for its clients, and removes what it kept. */
  async stop() {
    try {
      if (this.#server !== undefined) {
        this.#server.process.kill('SIGINT');
        await this.#server.end();
      }
    } finally {
      fs.rmSync(this.#directory, { recursive: true });
    }
  }

  get #data() {
    return path.join(this.#directory, 'data');
  }

  async #make() {
    if (this.#owner.uid !== undefined) {
      fs.chownSync(this.#directory, this.#owner.uid, this.#owner.gid);
    }
    const passwordFile = path.join(this.#directory, 'password');
    fs.writeFileSync(passwordFile, PASSWORD);
    const settings = ['--auth=scram-sha-256', `--username=${USER}`, `--pwfile=${passwordFile}`, '--encoding=UTF8', '--no-locale', '--no-sync'];
    await this.#program('initdb', [...settings, '--pgdata', this.#data]).end();
    this.#server = this.#program('postgres', ['-D', this.#data, '-k', this.#directory, '-p', '5432', '-c', 'listen_addresses=', '-c', 'fsync=off']);
  }

  #awaitReady() {
    return eventually('PostgreSQL', async () => {
      if (this.#server.outcome !== undefined) {
        throw new GivenUp(`it ended early. It printed:\n${this.#server.printed}`);
      }
      // A line of its log could be in another language.
      await this.#program('pg_isready', ['--quiet', '-h', this.#directory, '-p', '5432']).end();
    }, START_TIMEOUT_MS);
  }

  /** A program of PostgreSQL, as somebody who is not root: it refuses to work for root. */
  #program(name, args) {
    const program = built(path.join(folder(), name), 'set POSTGRES_BIN to the folder with initdb, postgres and pg_isready');
    return new Program([program, ...args], { cwd: this.#directory, ...this.#owner });
  }
}

/** Whom the server's files and processes belong to: nobody in particular, but for root. */
function owner() {
  if (process.getuid() !== 0) {
    return {};
  }
  const id = (flag) => Number(execFileSync('id', [flag, 'nobody'], { encoding: 'utf8' }));
  return { uid: id('-u'), gid: id('-g') };
}

/** Debian keeps the programs of the server out of `PATH`. */
function folder() {
  if (process.env.POSTGRES_BIN) {
    return process.env.POSTGRES_BIN;
  }
  const inPath = process.env.PATH.split(path.delimiter).find((folder) => fs.existsSync(path.join(folder, 'initdb')));
  return inPath ? path.dirname(fs.realpathSync(path.join(inPath, 'initdb'))) : '';
}

module.exports = { Postgres };

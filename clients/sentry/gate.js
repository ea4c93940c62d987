'use strict';

// An address that holds back whoever connects until it is opened: between a build and the upload that its plugin starts at once,
// something can happen.

const net = require('node:net');

class Gate {
  /** A gate to `host:port` that is still closed. */
  static async before(address) {
    const gate = new Gate(address);
    await new Promise((resolve) => gate.#server.listen(0, '127.0.0.1', resolve));
    return gate;
  }

  #server;
  #sockets = new Set();
  #arrived = withResolvers();
  #opened = withResolvers();

  constructor(address) {
    const [host, port] = address.split(':');
    this.#server = net.createServer((client) => {
      this.#arrived.resolve();
      this.#keep(client);
      this.#opened.promise.then(() => {
        const server = this.#keep(net.connect(Number(port), host));
        client.pipe(server).pipe(client);
        client.once('close', () => server.destroy());
        server.once('close', () => client.destroy());
      });
    });
  }

  get url() {
    return `http://127.0.0.1:${this.#server.address().port}`;
  }

  /** Resolves when somebody stands before it. */
  get arrival() {
    return this.#arrived.promise;
  }

  open() {
    this.#opened.resolve();
  }

  close() {
    this.#server.close();
    this.#sockets.forEach((socket) => socket.destroy());
  }

  #keep(socket) {
    this.#sockets.add(socket);
    // Whoever is cut off says so itself.
    socket.on('error', () => socket.destroy());
    socket.once('close', () => this.#sockets.delete(socket));
    return socket;
  }
}

function withResolvers() {
  const parts = {};
  parts.promise = new Promise((resolve, reject) => Object.assign(parts, { resolve, reject }));
  return parts;
}

module.exports = { Gate };

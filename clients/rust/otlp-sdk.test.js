'use strict';

// What the current OpenTelemetry SDK for Rust sends is read back field by field, over each of its exporters.

const { after, before } = require('node:test');

const { RUST_CLIENT } = require('../node/built.js');
const { Backtrail } = require('../node/harness.js');
const { describeSample } = require('../node/program-sample.js');

let backtrail;
before(async () => (backtrail = await Backtrail.start()));
after(() => backtrail?.stop());

for (const protocol of ['grpc', 'http/protobuf', 'http/json']) {
  for (const compression of ['none', 'gzip']) {
    describeSample(`OTLP ${protocol}, compression ${compression}`, {
      backtrail: () => backtrail,
      command: [RUST_CLIENT(), 'sample'],
      settings: (server) => ({
        OTEL_EXPORTER_OTLP_PROTOCOL: protocol,
        OTEL_EXPORTER_OTLP_ENDPOINT: `http://${server.address(protocol === 'grpc' ? 'otlp-grpc' : 'otlp-http')}`,
        // This SDK knows no word for none.
        ...(compression === 'none' ? {} : { OTEL_EXPORTER_OTLP_COMPRESSION: compression }),
      }),
    });
  }
}

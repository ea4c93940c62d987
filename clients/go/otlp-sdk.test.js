'use strict';

// What the current OpenTelemetry SDK for Go sends over gRPC is read back field by field.

const assert = require('node:assert/strict');
const { after, before } = require('node:test');

const { GO_CLIENT } = require('../node/built.js');
const { Backtrail } = require('../node/harness.js');
const { describeSample } = require('../node/program-sample.js');

let backtrail;
before(async () => (backtrail = await Backtrail.start()));
after(() => backtrail?.stop());

for (const compression of ['none', 'gzip']) {
  describeSample(`OTLP/gRPC, compression ${compression}`, {
    backtrail: () => backtrail,
    command: [GO_CLIENT(), 'sample'],
    linkTraceState: '',
    settings: (server) => ({
      OTEL_EXPORTER_OTLP_ENDPOINT: `http://${server.address('otlp-grpc')}`,
      OTEL_EXPORTER_OTLP_COMPRESSION: compression,
    }),
    exception(attributes) {
      assert.equal(attributes['exception.type'].value, '*errors.errorString');
      assert.equal(attributes['exception.message'].value, 'no such column: größe');
      assert.match(attributes['exception.stacktrace'].value, /sample\.go:\d+/);
    },
  });
}

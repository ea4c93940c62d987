'use strict';

// `jaeger-client` with nothing set but where the server is. Its sampler takes one span in a thousand until it has asked the server, and
// first asks after one to two minutes. The name of this file comes first, so that the other files are run while it waits.

const assert = require('node:assert/strict');
const { after, before, test } = require('node:test');

const { initTracer } = require('jaeger-client');

const { Backtrail, eventually } = require('./harness.js');

/** The sampler waits for a random part of a minute, then for a whole one: of so many services one asks soon. */
const SERVICES = 12;
const ASKED_WITHIN_MS = 125_000;
/** So many spans in a row are not sampled by one chance in 10^30, unless the server said so. */
const IN_A_ROW = 10;

let backtrail;
before(async () => (backtrail = await Backtrail.start()));
after(() => backtrail?.stop());

test('a service with Jaeger’s defaults is sampled once its sampler has asked', async () => {
  const [agentHost, agentPort] = backtrail.address('jaeger-agent-binary').split(':');
  const [host, port] = backtrail.address('jaeger-sampling').split(':');
  const tracers = Array.from({ length: SERVICES }, (_, index) => initTracer({ serviceName: `defaults-${index}`, reporter: { agentHost, agentPort: Number(agentPort) } }, { host, port: Number(port) }));

  const asked = await eventually('service that is sampled', () => {
    const asked = tracers.find((tracer) => Array.from({ length: IN_A_ROW }).every(() => tracer.startSpan('probe').context().isSampled()));
    assert.ok(asked);
    return asked;
  }, ASKED_WITHIN_MS);
  const span = asked.startSpan('work');
  span.finish();
  await Promise.all(tracers.map((tracer) => new Promise((resolve) => tracer.close(resolve))));

  const [read] = await backtrail.spansOf(span.context().traceIdStr, 1);
  assert.equal(read.name, 'work');
});

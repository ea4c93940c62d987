'use strict';

// One request that goes through services in five languages. Each sends its spans in a protocol of its own (Jaeger's over UDP, Zipkin's,
// OTLP/HTTP protobuf, OTLP/gRPC, OTLP/HTTP JSON), and hands the trace on in the header that its neighbour reads: Jaeger's, then B3, then W3C's.

const assert = require('node:assert/strict');
const fs = require('node:fs');
const path = require('node:path');
const { after, before, test } = require('node:test');

const { launchChromium } = require('../node/browser.js');
const { CLIENTS, GO_CLIENT, JAVA_SERVICE, PYTHON, RUST_CLIENT } = require('../node/built.js');
const { Backtrail } = require('../node/harness.js');
const { Service } = require('../node/program.js');
const { tagsByKey } = require('../node/shapes.js');

/** How a JVM ends that was asked to by SIGTERM. */
const TERMINATED = 143;

/** Service, name and kind of each span; a span's parent is the one before it. */
const PATH = [
  ['edge-node', 'GET /', 'server'],
  ['edge-node', 'ask the next service', 'client'],
  ['hop-python', 'GET /', 'server'],
  ['hop-python', 'ask the next service', 'client'],
  ['hop-java', 'GET /', 'server'],
  ['hop-java', 'GET', 'client'],
  ['hop-go', 'GET /', 'server'],
  ['hop-go', 'ask the next service', 'internal'],
  ['hop-go', 'HTTP GET', 'client'],
  ['leaf-rust', 'GET /', 'server'],
  ['leaf-rust', 'the last step', 'internal'],
];

let backtrail;
let traceId;
before(async () => {
  backtrail = await Backtrail.start();
  const services = [];
  // From the last to the first, since each is told where the next one is.
  const start = async (command, env, exitCode) => {
    const next = services.at(-1)?.service.url;
    const service = await Service.start(command, { env: { ...(next && { NEXT_URL: `${next}/` }), ...env } });
    services.push({ service, exitCode });
    return service;
  };
  const otlpHttp = backtrail.url('otlp-http', '');
  await start([RUST_CLIENT(), 'serve'], { OTEL_SERVICE_NAME: 'leaf-rust', OTEL_EXPORTER_OTLP_ENDPOINT: otlpHttp, OTEL_EXPORTER_OTLP_PROTOCOL: 'http/json' });
  await start([GO_CLIENT(), 'serve'], { OTEL_SERVICE_NAME: 'hop-go', OTEL_EXPORTER_OTLP_ENDPOINT: `http://${backtrail.address('otlp-grpc')}` });
  await start(JAVA_SERVICE(), { OTEL_SERVICE_NAME: 'hop-java', OTEL_EXPORTER_OTLP_ENDPOINT: otlpHttp, OTEL_PROPAGATORS: 'b3multi,tracecontext' }, TERMINATED);
  await start([PYTHON(), path.join(CLIENTS, 'python/hop.py')], { SERVICE: 'hop-python', ZIPKIN_ENDPOINT: backtrail.url('zipkin', '/api/v2/spans') });
  const [JAEGER_AGENT_HOST, JAEGER_AGENT_PORT] = backtrail.address('jaeger-agent-binary').split(':');
  const edge = await start([process.execPath, path.join(CLIENTS, 'node/edge.js')], { SERVICE: 'edge-node', JAEGER_AGENT_HOST, JAEGER_AGENT_PORT });

  const response = await edge.fetch('/');
  assert.deepEqual([response.status, await response.text()], [200, 'node > python > java > go > rust']);
  traceId = response.headers.get('x-trace-id').padStart(32, '0');
  await Promise.all(services.map(({ service, exitCode }) => service.stop(exitCode)));
  assert.deepEqual(services.flatMap(({ service }) => service.complaints), [], 'no exporter complains');
});
after(() => backtrail?.stop());

test('it is one tree in the API', async () => {
  const { columns, names, services, ...header } = await backtrail.skeletonOf(traceId, PATH.length);
  assert.equal(header.incomplete, false);
  const spans = await backtrail.spansOf(traceId, PATH.length);
  assert.deepEqual(spans.map(({ service, name, kind }) => [service, name, kind]), PATH);
  assert.deepEqual(columns.parent, PATH.map((_, row) => row - 1));
  assert.deepEqual(spans.map(({ parent_span_id }) => parent_span_id), [null, ...spans.slice(0, -1).map(({ span_id }) => span_id)]);
  for (const language of ['node', 'python', 'go', 'rust']) {
    const told = spans.filter(({ attributes }) => tagsByKey(attributes)['hop.language']?.value === language);
    assert.equal(told.length, 1, `the tag of ${language} arrived`);
  }
});

const APIS = {
  'Jaeger’s API v1': async () => {
    const { spans, processes } = await backtrail.jaegerTrace(traceId);
    return spans.map(({ spanID, references, processID, operationName }) => ({
      id: spanID,
      parent: references.find(({ refType }) => refType === 'CHILD_OF')?.spanID,
      label: [processes[processID].serviceName, operationName],
    }));
  },
  'Jaeger’s API v3': async () => {
    const { result } = await backtrail.get(`/api/v3/traces/${traceId}`);
    return result.resourceSpans.flatMap(({ resource, scopeSpans }) => {
      const service = resource.attributes.find(({ key }) => key === 'service.name').value.stringValue;
      return scopeSpans.flatMap(({ spans }) => spans).map(({ spanId, parentSpanId, name }) => ({ id: spanId, parent: parentSpanId || undefined, label: [service, name] }));
    });
  },
  'Zipkin’s API': async () => {
    const spans = await backtrail.zipkinTrace(traceId);
    return spans.map(({ id, parentId, localEndpoint, name }) => ({ id, parent: parentId, label: [localEndpoint.serviceName, name] }));
  },
};

for (const [api, read] of Object.entries(APIS)) {
  test(`it is one tree in ${api}`, async () => {
    const spans = await read();
    assert.equal(spans.length, PATH.length);
    const byId = new Map(spans.map((span) => [span.id, span]));
    const path = [];
    for (let at = spans.find(({ label: [, name] }) => name === 'the last step'); at; at = byId.get(at.parent)) {
      path.unshift(at.label);
    }
    assert.deepEqual(path, PATH.map(([service, name]) => [service, name]));
  });
}

test('a search for any of its services finds it, once', async () => {
  for (const service of new Set(PATH.map(([service]) => service))) {
    const { traces } = await backtrail.get(`/api/v1/search?${new URLSearchParams({ service })}`);
    assert.deepEqual(traces.map(({ trace_id, root_service, span_count }) => [trace_id, root_service, span_count]), [[traceId, 'edge-node', PATH.length]], service);
  }
});

test('it is one tree in the page', async (t) => {
  const browser = await launchChromium();
  t.after(() => browser.close());
  const page = await browser.newPage({ viewport: { width: 1280, height: 720 } });
  const errors = [];
  page.on('pageerror', (error) => errors.push(error.message));
  await page.goto(backtrail.url('web', `/trace/${traceId}`));
  const rows = page.getByRole('treegrid').getByRole('row');
  await rows.filter({ hasText: 'the last step' }).waitFor();
  const shown = await rows.evaluateAll((rows) => rows.map((row) => [row.getAttribute('aria-level'), row.textContent]).filter(([level]) => level !== null));
  assert.deepEqual(shown.map(([level]) => Number(level)), PATH.map((_, row) => row + 1), 'each row is one level deeper');
  PATH.forEach(([service, name], row) => {
    assert.ok(shown[row][1].includes(service) && shown[row][1].includes(name), `row ${row} is ${service} ${name}: ${shown[row][1]}`);
  });
  assert.deepEqual(errors, []);
  if (process.env.SCREENSHOTS) {
    fs.mkdirSync(process.env.SCREENSHOTS, { recursive: true });
    await page.screenshot({ path: path.join(process.env.SCREENSHOTS, 'one-trace.png') });
  }
});

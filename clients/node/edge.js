'use strict';

// The first hop of the trace that crosses all languages: a service of the time before OpenTelemetry, traced by `jaeger-client`.

const http = require('node:http');

const { initTracer } = require('jaeger-client');
const { FORMAT_HTTP_HEADERS, Tags } = require('opentracing');

const { JAEGER_AGENT_HOST, JAEGER_AGENT_PORT, NEXT_URL, SERVICE } = process.env;

// 64-bit ids, the header `uber-trace-id` and UDP, as this client has them unless told otherwise.
const tracer = initTracer(
  { serviceName: SERVICE, sampler: { type: 'const', param: 1 }, reporter: { agentHost: JAEGER_AGENT_HOST, agentPort: Number(JAEGER_AGENT_PORT) } },
  { logger: { info: () => {}, error: (message) => console.error(message) } },
);

const server = http.createServer(async (request, response) => {
  const inbound = tracer.startSpan(`${request.method} ${request.url}`, { tags: { [Tags.SPAN_KIND]: Tags.SPAN_KIND_RPC_SERVER } });
  const outbound = tracer.startSpan('ask the next service', { childOf: inbound, tags: { [Tags.SPAN_KIND]: Tags.SPAN_KIND_RPC_CLIENT, 'hop.language': 'node' } });
  const headers = {};
  tracer.inject(outbound, FORMAT_HTTP_HEADERS, headers);
  const answer = await fetch(NEXT_URL, { headers });
  const text = await answer.text();
  outbound.log({ event: 'answered', status: answer.status });
  outbound.finish();
  inbound.finish();
  response.writeHead(answer.status, { 'x-trace-id': inbound.context().traceIdStr }).end(`node > ${text}`);
});
server.listen(0, '127.0.0.1', () => console.log(`listens on http://127.0.0.1:${server.address().port}`));

process.once('SIGTERM', () => tracer.close(() => process.exit(0)));

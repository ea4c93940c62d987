'use strict';

// Saves one request body of each exporter as test data for the decoders:
//
//     node record-fixtures.js ../../crates/codec/tests/fixtures
//
// The ids are drawn from a counter and the instants are fixed, so running it again gives the same bytes. The Jaeger exporter comes from the
// packages of `examples/node-express`.

const { once } = require('node:events');
const fs = require('node:fs');
const http = require('node:http');
const http2 = require('node:http2');
const { createRequire } = require('node:module');
const path = require('node:path');

const { OTLPTraceExporter: GrpcExporter } = require('@opentelemetry/exporter-trace-otlp-grpc');
const { OTLPTraceExporter: JsonExporter } = require('@opentelemetry/exporter-trace-otlp-http');
const { OTLPTraceExporter: ProtobufExporter } = require('@opentelemetry/exporter-trace-otlp-proto');
const currentSdk = require('@opentelemetry/sdk-trace-base');

const requireFromExample = createRequire(path.resolve(__dirname, '../../examples/node-express/package.json'));
const { JaegerExporter } = requireFromExample('@opentelemetry/exporter-jaeger');
const { Resource } = requireFromExample('@opentelemetry/resources');
const exampleSdk = requireFromExample('@opentelemetry/sdk-trace-base');

const { RESOURCE_ATTRIBUTES, emitSample, sampleResource } = require('./sample.js');

const TRACE_ID = '5b8efff798038103d269b633813fc60c';
const GRPC_PREFIX_BYTES = 5;

async function main() {
  const directory = path.resolve(process.argv[2]);

  const overHttp = await listen(http.createServer());
  const overGrpc = await listen(http2.createServer());
  const otlpUrl = `http://${overHttp.authority}/v1/traces`;

  const recordings = [
    { name: 'otlp-json.json', exporter: new JsonExporter({ url: otlpUrl }), nextBody: () => nextHttpBody(overHttp.server) },
    { name: 'otlp-protobuf.bin', exporter: new ProtobufExporter({ url: otlpUrl }), nextBody: () => nextHttpBody(overHttp.server) },
    { name: 'otlp-grpc-message.bin', exporter: new GrpcExporter({ url: `http://${overGrpc.authority}` }), nextBody: () => nextGrpcMessage(overGrpc.server) },
  ];
  const otlpVersion = require('@opentelemetry/exporter-trace-otlp-http/package.json').version;
  for (const { name, exporter, nextBody } of recordings) {
    const body = nextBody();
    await exportSample(currentSdk, sampleResource(), exporter);
    save(path.join(directory, `node-${otlpVersion}-${name}`), await body);
  }

  const jaegerVersion = requireFromExample('@opentelemetry/exporter-jaeger/package.json').version;
  const body = nextHttpBody(overHttp.server);
  await exportSample(exampleSdk, new Resource(RESOURCE_ATTRIBUTES), new JaegerExporter({ endpoint: `http://${overHttp.authority}/api/traces` }));
  save(path.join(directory, `node-jaeger-exporter-${jaegerVersion}-thrift-binary.bin`), await body);

  overHttp.server.close();
  overHttp.server.closeAllConnections();
  overGrpc.server.close();
}

async function listen(server) {
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return { server, authority: `127.0.0.1:${server.address().port}` };
}

function save(file, body) {
  fs.writeFileSync(file, body);
  console.log(file);
}

async function exportSample({ BasicTracerProvider, BatchSpanProcessor }, resource, exporter) {
  let drawn = 0;
  const provider = new BasicTracerProvider({
    resource,
    spanProcessors: [new BatchSpanProcessor(exporter)],
    idGenerator: {
      generateTraceId: () => TRACE_ID,
      generateSpanId: () => (++drawn).toString(16).padStart(16, 'e'),
    },
  });
  emitSample(provider, TRACE_ID);
  await provider.shutdown();
}

async function nextHttpBody(server) {
  const [request, response] = await once(server, 'request');
  const body = await collect(request);
  response.end();
  return body;
}

/** The protobuf message of the next call, without the five bytes that gRPC puts before it. */
async function nextGrpcMessage(server) {
  const [stream] = await once(server, 'stream');
  const body = await collect(stream);
  stream.respond({ ':status': 200, 'content-type': 'application/grpc' }, { waitForTrailers: true });
  stream.on('wantTrailers', () => stream.sendTrailers({ 'grpc-status': '0' }));
  stream.end(Buffer.alloc(GRPC_PREFIX_BYTES));
  return body.subarray(GRPC_PREFIX_BYTES);
}

async function collect(stream) {
  const chunks = [];
  for await (const chunk of stream) {
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}

main();

// How to send the first span, in the languages that people ask about. The addresses are those that the
// server listens at.

/** @import { Listener } from '../api/types.js' */

/**
 * @typedef {object} Snippet
 * @property {string} id
 * @property {string} title
 * @property {string} note what to install and where it goes
 * @property {string} code
 */

/** @typedef {{ otlpHttp: string | null, otlpGrpc: string | null, jaegerHttp: string | null }} Endpoints */

/**
 * The addresses to send to, as host and port. A listener on all addresses is reached at the name that
 * this page was opened with.
 *
 * @param {readonly Listener[]} listeners
 * @param {string} pageHost without a port
 * @returns {Endpoints}
 */
export function endpoints(listeners, pageHost) {
  const addressOf = (/** @type {string} */ name) => {
    const address = listeners.find((listener) => listener.name === name)?.address;
    return address === undefined ? null : address.replace(/^(0\.0\.0\.0|\[::\])(?=:)/, pageHost);
  };
  return { otlpHttp: addressOf('otlp-http'), otlpGrpc: addressOf('otlp-grpc'), jaegerHttp: addressOf('jaeger-http') };
}

/**
 * Only what the listeners can take.
 * @param {Endpoints} at
 * @returns {Snippet[]}
 */
export function snippets(at) {
  const { otlpHttp, jaegerHttp } = at;
  const forJaeger = jaegerHttp === null ? [] : [nodeJaeger(jaegerHttp)];
  if (otlpHttp === null) return forJaeger;
  return [curl(otlpHttp), node(otlpHttp), ...forJaeger, python(otlpHttp), rust(otlpHttp), go(otlpHttp), java(otlpHttp)];
}

/** @param {string} address @returns {Snippet} */
function curl(address) {
  return {
    id: 'curl',
    title: 'curl',
    note: 'Sends one span from a shell, nothing to install.',
    code: `now=$(date +%s)
curl -i http://${address}/v1/traces -H 'content-type: application/json' -d '{
  "resourceSpans": [{
    "resource": { "attributes": [{ "key": "service.name", "value": { "stringValue": "hello" } }] },
    "scopeSpans": [{ "spans": [{
      "traceId": "'$(openssl rand -hex 16)'",
      "spanId": "'$(openssl rand -hex 8)'",
      "name": "first span",
      "kind": 2,
      "startTimeUnixNano": "'$now'000000000",
      "endTimeUnixNano": "'$now'250000000"
    }] }]
  }]
}'`,
  };
}

/** @param {string} address @returns {Snippet} */
function node(address) {
  return {
    id: 'node',
    title: 'Node',
    note: 'npm install @opentelemetry/sdk-node @opentelemetry/auto-instrumentations-node @opentelemetry/exporter-trace-otlp-proto, then node --require ./tracing.js app.js',
    code: `// tracing.js
const { NodeSDK } = require('@opentelemetry/sdk-node');
const { getNodeAutoInstrumentations } = require('@opentelemetry/auto-instrumentations-node');
const { OTLPTraceExporter } = require('@opentelemetry/exporter-trace-otlp-proto');

const sdk = new NodeSDK({
  serviceName: 'my-service',
  traceExporter: new OTLPTraceExporter({ url: 'http://${address}/v1/traces' }),
  instrumentations: [getNodeAutoInstrumentations()],
});
sdk.start();

process.on('SIGTERM', () => sdk.shutdown().finally(() => process.exit(0)));`,
  };
}

/** @param {string} address @returns {Snippet} */
function nodeJaeger(address) {
  return {
    id: 'node-jaeger',
    title: 'Node (Jaeger)',
    note: 'For code that uses the JaegerExporter: only its endpoint is needed, or JAEGER_ENDPOINT in the environment.',
    code: `const { NodeSDK } = require('@opentelemetry/sdk-node');
const { JaegerExporter } = require('@opentelemetry/exporter-jaeger');

const sdk = new NodeSDK({
  serviceName: 'my-service',
  traceExporter: new JaegerExporter({ endpoint: 'http://${address}/api/traces' }),
});
sdk.start();`,
  };
}

/** @param {string} address @returns {Snippet} */
function python(address) {
  return {
    id: 'python',
    title: 'Python',
    note: 'pip install opentelemetry-sdk opentelemetry-exporter-otlp-proto-http',
    code: `from opentelemetry import trace
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor

provider = TracerProvider(resource=Resource.create({"service.name": "my-service"}))
provider.add_span_processor(
    BatchSpanProcessor(OTLPSpanExporter(endpoint="http://${address}/v1/traces"))
)
trace.set_tracer_provider(provider)

with trace.get_tracer(__name__).start_as_current_span("first span"):
    print("hello")

provider.shutdown()`,
  };
}

/** @param {string} address @returns {Snippet} */
function rust(address) {
  return {
    id: 'rust',
    title: 'Rust',
    note: 'cargo add opentelemetry opentelemetry_sdk, and cargo add opentelemetry-otlp --no-default-features --features trace,http-proto,reqwest-blocking-client',
    code: `use opentelemetry::global;
use opentelemetry::trace::{Tracer, TracerProvider as _};
use opentelemetry_otlp::{SpanExporter, WithExportConfig};
use opentelemetry_sdk::{Resource, trace::SdkTracerProvider};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let exporter = SpanExporter::builder()
        .with_http()
        .with_endpoint("http://${address}/v1/traces")
        .build()?;
    let provider = SdkTracerProvider::builder()
        .with_resource(Resource::builder().with_service_name("my-service").build())
        .with_batch_exporter(exporter)
        .build();
    global::set_tracer_provider(provider.clone());

    provider.tracer("my-service").in_span("first span", |_| println!("hello"));

    provider.shutdown()?;
    Ok(())
}`,
  };
}

/** @param {string} address @returns {Snippet} */
function go(address) {
  return {
    id: 'go',
    title: 'Go',
    note: 'go get go.opentelemetry.io/otel/sdk go.opentelemetry.io/otel/exporters/otlp/otlptrace/otlptracehttp',
    code: `package main

import (
	"context"
	"log"

	"go.opentelemetry.io/otel"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/exporters/otlp/otlptrace/otlptracehttp"
	"go.opentelemetry.io/otel/sdk/resource"
	"go.opentelemetry.io/otel/sdk/trace"
)

func main() {
	ctx := context.Background()
	exporter, err := otlptracehttp.New(ctx, otlptracehttp.WithEndpointURL("http://${address}/v1/traces"))
	if err != nil {
		log.Fatal(err)
	}
	provider := trace.NewTracerProvider(
		trace.WithBatcher(exporter),
		trace.WithResource(resource.NewSchemaless(attribute.String("service.name", "my-service"))),
	)
	otel.SetTracerProvider(provider)

	_, span := otel.Tracer("my-service").Start(ctx, "first span")
	span.End()

	if err := provider.Shutdown(ctx); err != nil {
		log.Fatal(err)
	}
}`,
  };
}

/** @param {string} address @returns {Snippet} */
function java(address) {
  return {
    id: 'java',
    title: 'Java',
    note: 'With the OpenTelemetry Java agent (opentelemetry-javaagent.jar of its latest release); no change of code.',
    code: `java -javaagent:opentelemetry-javaagent.jar \\
  -Dotel.service.name=my-service \\
  -Dotel.traces.exporter=otlp \\
  -Dotel.metrics.exporter=none \\
  -Dotel.logs.exporter=none \\
  -Dotel.exporter.otlp.protocol=http/protobuf \\
  -Dotel.exporter.otlp.endpoint=http://${address} \\
  -jar app.jar`,
  };
}

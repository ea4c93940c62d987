//! A Rust service as OpenTelemetry's documentation would have it written: its spans go to Backtrail over OTLP.
//!
//! `sample` sends one trace that uses every feature of the API that reaches the wire, and prints its ids. `serve` is the
//! last hop of the trace that crosses all languages.

mod sample;
mod serve;

use std::env;

use anyhow::{Context, Result, bail};
use opentelemetry::global;
use opentelemetry_otlp::SpanExporter;
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::propagation::TraceContextPropagator;
use opentelemetry_sdk::trace::SdkTracerProvider;
use tokio::runtime::Runtime;
use tracing_subscriber::EnvFilter;

fn main() -> Result<()> {
    // An exporter that is told of a refused span says so here and nowhere else.
    tracing_subscriber::fmt()
        .with_writer(std::io::stderr)
        .with_env_filter(EnvFilter::new("warn"))
        .init();
    // The gRPC exporter wants a runtime when it is made; the HTTP exporter's shutdown blocks, so it happens outside of it.
    let runtime = Runtime::new()?;
    let provider = {
        let _entered = runtime.enter();
        provider()?
    };
    let outcome = match env::args().nth(1).as_deref() {
        Some("sample") => sample::send(&provider),
        Some("serve") => runtime.block_on(serve::until_asked_to_end()),
        other => bail!("unknown command {other:?}: sample or serve"),
    };
    provider.shutdown().context("what was waiting is lost")?;
    outcome
}

/// Endpoint, protocol, compression and service come from the variables of OpenTelemetry's specification. Only the choice
/// between gRPC and HTTP is left to the program by this SDK.
fn provider() -> Result<SdkTracerProvider> {
    let over_grpc = env::var("OTEL_EXPORTER_OTLP_PROTOCOL").is_ok_and(|name| name == "grpc");
    let exporter = if over_grpc {
        SpanExporter::builder().with_tonic().build()
    } else {
        SpanExporter::builder().with_http().build()
    };
    let provider = SdkTracerProvider::builder()
        .with_batch_exporter(exporter.context("no exporter")?)
        .with_resource(Resource::builder().build())
        .build();
    global::set_tracer_provider(provider.clone());
    global::set_text_map_propagator(TraceContextPropagator::new());
    Ok(provider)
}

//! `opentelemetry_sdk`'s batch processor with `opentelemetry-otlp`, for those who are built on it.

use std::thread::sleep;
use std::time::{Duration, Instant};

use anyhow::Result;
use opentelemetry::KeyValue;
use opentelemetry_http::HttpClient;
use opentelemetry_otlp::{Protocol, SpanExporter, WithExportConfig as _, WithHttpConfig as _};
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::trace::SdkTracerProvider;

use crate::sdk::task::Task;

/// What the exporter's own clients wait for by default.
const EXPORT_TIMEOUT: Duration = Duration::from_secs(10);
const RETRY_EVERY: Duration = Duration::from_millis(1);

/// With the batch processor that has a thread of its own. Queue, batch and sampler come from the
/// environment.
pub(super) fn provider(task: &Task) -> Result<SdkTracerProvider> {
    Ok(SdkTracerProvider::builder()
        .with_batch_exporter(blocking_exporter(task)?)
        .with_resource(resource())
        .build())
}

/// Protobuf over HTTP, with reqwest's blocking client.
pub(super) fn blocking_exporter(task: &Task) -> Result<SpanExporter> {
    let client = reqwest::blocking::Client::builder()
        .timeout(EXPORT_TIMEOUT)
        .build()?;
    exporter(task, client)
}

/// The same with the client that needs a runtime.
pub(super) fn async_exporter(task: &Task) -> Result<SpanExporter> {
    let client = reqwest::Client::builder().timeout(EXPORT_TIMEOUT).build()?;
    exporter(task, client)
}

fn exporter<C: HttpClient + 'static>(task: &Task, client: C) -> Result<SpanExporter> {
    Ok(SpanExporter::builder()
        .with_http()
        .with_http_client(client)
        .with_protocol(Protocol::HttpBinary)
        .with_endpoint(task.endpoint())
        .build()?)
}

pub(super) fn resource() -> Resource {
    Resource::builder_empty()
        .with_attribute(KeyValue::new("service.name", "bench"))
        .build()
}

/// A flush fails after five seconds, while the processor goes on, or when there is no room in the
/// queue for the wish.
pub(super) fn flush(provider: &SdkTracerProvider, until: Instant) {
    while provider.force_flush().is_err() && Instant::now() < until {
        sleep(RETRY_EVERY);
    }
}

/// An error means that the time was up; what was lost by that, the sink tells.
pub(super) fn shut_down(provider: &SdkTracerProvider, timeout: Duration) {
    if let Err(error) = provider.shutdown_with_timeout(timeout) {
        eprintln!("the SDK did not shut down in order: {error}");
    }
}

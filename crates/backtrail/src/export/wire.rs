//! Exporters over HTTP: encode, send, and try again while it makes sense.

use std::sync::Arc;
use std::time::Duration;

use backtrail_wire::WireError;
use bytes::Bytes;
use opentelemetry::Key;
use opentelemetry_sdk::Resource;
use tokio::time::{Instant, sleep};

use super::encode::{EncodeLimits, jaeger, otlp, otlp_json, zipkin_json};
use super::http_sender::{Format, HttpSender};
use super::retry::Backoff;
use super::{Export, Exporting, Outcome};
use crate::processor::{Batch, Recycle};

#[derive(Debug)]
pub(super) struct WireExporter {
    sender: HttpSender,
    service_name: String,
    resource: Resource,
    encoded_resource: Vec<u8>,
    limits: EncodeLimits,
    /// For all attempts together.
    timeout: Duration,
}

impl WireExporter {
    pub(super) fn new(
        sender: HttpSender,
        resource: &Resource,
        limits: EncodeLimits,
        timeout: Duration,
    ) -> Self {
        Self {
            sender,
            service_name: service_name(resource),
            resource: resource.clone(),
            encoded_resource: otlp::encode_resource(resource),
            limits,
            timeout,
        }
    }

    fn encode(&self, batch: &Batch) -> Result<Vec<u8>, WireError> {
        let otlp = || {
            otlp::encode(
                batch.spans(),
                batch.len(),
                &self.encoded_resource,
                &self.limits,
            )
        };
        match self.sender.format() {
            Format::OtlpProtobuf | Format::OtlpGrpc => Ok(otlp()),
            Format::OtlpJson => otlp_json(&otlp()),
            Format::ZipkinJson => zipkin_json(&otlp()),
            Format::JaegerThrift => Ok(jaeger::encode(
                batch.spans(),
                batch.len(),
                &self.service_name,
                &self.resource,
                &self.limits,
            )),
        }
    }

    async fn deliver(&self, body: Bytes) -> Outcome {
        let give_up_at = Instant::now() + self.timeout;
        let mut backoff = Backoff::new();
        loop {
            let error = match self.sender.send(body.clone()).await {
                Ok((rejected, message)) => return Outcome::Accepted { rejected, message },
                Err(error) => error,
            };
            let delay = error.retry_after.unwrap_or_else(|| backoff.next());
            if !error.is_retryable || Instant::now() + delay >= give_up_at {
                return Outcome::Failed(error.message);
            }
            sleep(delay).await;
        }
    }
}

fn service_name(resource: &Resource) -> String {
    let name = resource.get(&Key::from_static_str("service.name"));
    name.map(|name| name.to_string()).unwrap_or_default()
}

impl Export for WireExporter {
    fn export<'a>(&'a self, batch: Batch, recycle: Arc<dyn Recycle>) -> Exporting<'a> {
        Box::pin(async move {
            let encoded = self.encode(&batch);
            recycle.recycle(batch);
            match encoded {
                Ok(encoded) => self.deliver(self.sender.body(encoded)).await,
                Err(error) => Outcome::Failed(format!("can't encode spans: {error}")),
            }
        })
    }

    fn describe(&self) -> String {
        let format = match self.sender.format() {
            Format::OtlpProtobuf => "OTLP over HTTP",
            Format::OtlpJson => "OTLP over HTTP as JSON",
            Format::OtlpGrpc => "OTLP over gRPC",
            Format::JaegerThrift => "Jaeger Thrift over HTTP",
            Format::ZipkinJson => "Zipkin JSON",
        };
        format!("{format} to {}", self.sender.describe())
    }
}

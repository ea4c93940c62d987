//! Exporters over HTTP: encode, send, and try again while it makes sense.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use backtrail_wire::WireError;
use bytes::Bytes;
use opentelemetry::Key;
use opentelemetry_sdk::Resource;
use tokio::time::{sleep, timeout_at};

use super::encode::{EncodeLimits, jaeger, otlp, otlp_json, zipkin_json};
use super::http_sender::{Format, HttpSender};
use super::retry::Backoff;
use super::{Export, Exporting, Outcome};
use crate::deadline;
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
    /// Why the last attempt came to nothing; nothing when it went well.
    trouble: Mutex<Option<String>>,
}

/// How much earlier than the worker's limit an exporter gives up, so that it can say why; a twentieth of the time at most.
const HEAD_START: Duration = Duration::from_millis(100);

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
            timeout: deadline::limit(timeout),
            trouble: Mutex::default(),
        }
    }

    fn encode(&self, batch: &Batch) -> Result<Vec<u8>, WireError> {
        match self.sender.format() {
            Format::OtlpProtobuf | Format::OtlpGrpc => Ok(self.otlp(batch)),
            Format::OtlpJson => otlp_json(&self.otlp(batch)),
            Format::ZipkinJson => zipkin_json(&self.otlp(batch)),
            Format::JaegerThrift => Ok(jaeger::encode(
                batch.spans(),
                batch.len(),
                &self.service_name,
                &self.resource,
                &self.limits,
            )),
        }
    }

    fn otlp(&self, batch: &Batch) -> Vec<u8> {
        let resource = &self.encoded_resource;
        if batch.is_encoded() {
            otlp::request(batch.encoded(), resource)
        } else {
            otlp::encode(batch.spans(), batch.len(), resource, &self.limits)
        }
    }

    /// Sends until it is accepted, refused for good, or the time for all attempts is over: the reason then is that of the last attempt.
    async fn deliver(&self, body: Bytes) -> Outcome {
        let head_start = HEAD_START.min(self.timeout / 20);
        let give_up_at = deadline::after(self.timeout.saturating_sub(head_start));
        let mut backoff = Backoff::new();
        let mut reason = None;
        loop {
            let Ok(sent) = timeout_at(give_up_at, self.sender.send(body.clone())).await else {
                return reason.map_or_else(|| Outcome::timed_out(self.timeout), Outcome::Failed);
            };
            let error = match sent {
                Ok((rejected, message)) => {
                    *self.trouble() = None;
                    return Outcome::Accepted { rejected, message };
                }
                Err(error) => error,
            };
            *self.trouble() = Some(error.message.clone());
            // A collector that asks to come back at once, or at a time that has passed, is not asked without a pause.
            let delay = backoff.next().max(error.retry_after.unwrap_or_default());
            if !error.is_retryable || deadline::after(delay) >= give_up_at {
                return Outcome::Failed(error.message);
            }
            reason = Some(error.message);
            sleep(delay).await;
        }
    }

    fn trouble(&self) -> MutexGuard<'_, Option<String>> {
        self.trouble.lock().unwrap_or_else(PoisonError::into_inner)
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

    /// All formats but one are made of OTLP.
    fn encoding(&self) -> Option<EncodeLimits> {
        (self.sender.format() != Format::JaegerThrift).then_some(self.limits)
    }

    fn trouble(&self) -> Option<String> {
        self.trouble().clone()
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

//! Exporters over HTTP: encode, send, and try again while it makes sense.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use backtrail_wire::WireError;
use bytes::Bytes;
use opentelemetry::Key;
use opentelemetry_sdk::Resource;
use tokio::time::{Instant, sleep, timeout_at};

use super::encode::{jaeger, otlp, otlp_json, zipkin_json};
use super::http_sender::{Format, HttpSender, Refused};
use super::retry::Backoff;
use super::source::Source;
use super::tally::Tally;
use super::{Export, Exporting, Outcome};
use crate::deadline;
use crate::processor::{Batch, Recycle};

#[derive(Debug)]
pub(super) struct WireExporter {
    sender: HttpSender,
    service_name: String,
    resource: Resource,
    encoded_resource: Vec<u8>,
    /// For all attempts together.
    timeout: Duration,
    /// Why the last attempt came to nothing; nothing when it went well.
    trouble: Mutex<Option<String>>,
}

/// How much earlier than the worker's limit an exporter gives up, so that it can say why; a twentieth of the time at most.
const HEAD_START: Duration = Duration::from_millis(100);
/// Requests for one batch that may be refused as too large before what is left of it is given up: enough for some spans that are too large among
/// thousands, and no storm where everything is.
const MAX_REFUSALS: usize = 64;

impl WireExporter {
    pub(super) fn new(sender: HttpSender, resource: &Resource, timeout: Duration) -> Self {
        Self {
            sender,
            service_name: service_name(resource),
            resource: resource.clone(),
            encoded_resource: otlp::encode_resource(resource),
            timeout: deadline::limit(timeout),
            trouble: Mutex::default(),
        }
    }

    /// What the requests for a batch are made of. The batch's memory goes back.
    fn source(&self, batch: Batch, recycle: &dyn Recycle) -> Source {
        let len = batch.len();
        let request = otlp::request(batch.chunks(), &self.encoded_resource).into();
        recycle.recycle(batch);
        Source { request, len }
    }

    fn body(&self, request: &Bytes) -> Result<Bytes, WireError> {
        let encoded = match self.sender.format() {
            Format::OtlpProtobuf | Format::OtlpGrpc => request.clone(),
            Format::OtlpJson => otlp_json(request)?.into(),
            Format::ZipkinJson => zipkin_json(request)?.into(),
            Format::JaegerThrift => {
                jaeger::encode(request, &self.service_name, &self.resource)?.into()
            }
        };
        Ok(self.sender.body(encoded))
    }

    /// Sends what is too large in halves, and those in theirs. A span that is too large alone is lost, and no other.
    async fn deliver_in_parts(&self, whole: Source) -> Outcome {
        let head_start = HEAD_START.min(self.timeout / 20);
        let give_up_at = deadline::after(self.timeout.saturating_sub(head_start));
        let mut tally = Tally::default();
        let mut parts = vec![whole];
        let mut refusals = 0;
        while let Some(part) = parts.pop() {
            let len = part.len as u64;
            let sent = match self.body(&part.request) {
                Ok(body) => self.deliver(body, give_up_at).await,
                Err(error) => Err(Lost::for_good(format!("can't encode spans: {error}"))),
            };
            let lost = match sent {
                Ok((rejected, message)) => {
                    tally.accept(len, rejected, message);
                    continue;
                }
                Err(lost) => lost,
            };
            refusals += usize::from(lost.is_too_large);
            let may_divide = lost.is_too_large && refusals <= MAX_REFUSALS;
            match may_divide.then(|| part.halves()).flatten() {
                Some([first, second]) => {
                    tally.divide(lost.reason);
                    parts.extend([second, first]);
                }
                None => tally.lose(len, lost.reason),
            }
        }
        tally.outcome()
    }

    /// Sends until it is accepted, refused for good, or the time for all attempts is over: the reason then is that of the last attempt.
    async fn deliver(&self, body: Bytes, give_up_at: Instant) -> Result<Refused, Lost> {
        let mut backoff = Backoff::new();
        let mut reason = None;
        loop {
            let Ok(sent) = timeout_at(give_up_at, self.sender.send(body.clone())).await else {
                let ms = self.timeout.as_millis();
                let reason = reason.unwrap_or_else(|| format!("not done within {ms} ms"));
                return Err(Lost::for_good(reason));
            };
            let error = match sent {
                Ok(refused) => {
                    *self.trouble() = None;
                    return Ok(refused);
                }
                Err(error) => error,
            };
            *self.trouble() = Some(error.message.clone());
            // A collector that asks to come back at once, or at a time that has passed, is not asked without a pause.
            let delay = backoff.next().max(error.retry_after.unwrap_or_default());
            if !error.is_retryable || deadline::after(delay) >= give_up_at {
                return Err(Lost {
                    reason: error.message,
                    is_too_large: error.is_too_large,
                });
            }
            reason = Some(error.message);
            sleep(delay).await;
        }
    }

    fn trouble(&self) -> MutexGuard<'_, Option<String>> {
        self.trouble.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Why a request came to nothing.
struct Lost {
    reason: String,
    is_too_large: bool,
}

impl Lost {
    const fn for_good(reason: String) -> Self {
        Self {
            reason,
            is_too_large: false,
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
            let source = self.source(batch, &*recycle);
            self.deliver_in_parts(source).await
        })
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

//! Decode, log, count: the path that all protocols share.

use std::num::NonZero;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use codec::{
    ContentEncoding, DecodeError, Decoded, DecodedLogs, Encoding, InflateError, OtlpEncoding,
    Rejections,
};
use host::{BoxFuture, Clock};
use model::{Limits, Signal, SpanBatch, TenantId};
use tokio::sync::Semaphore;

use super::ignored::IgnoredServices;
use super::{InFlight, OtlpSignal, RawPayload, Refusal, Reservation};
use crate::metrics::Metrics;

/// Bodies up to this size are decoded where they are: handing them over would cost more.
const MAX_INLINE_BYTES: usize = 32 << 10;

/// Where admitted spans go. It is the store; tests put in its place what fails.
pub(crate) trait SpanLog: Send + Sync {
    /// Keeps the batch. Once it says so, the spans are in the log under the configured durability.
    fn append(
        &self,
        tenant: TenantId,
        signal: Signal,
        batch: SpanBatch,
        payload: Bytes,
    ) -> BoxFuture<'_, Result<(), Refusal>>;
}

/// What was accepted of a request.
#[derive(Debug)]
pub(crate) struct Accepted {
    /// Spans (or log records, or data points) in the request.
    pub(crate) received: usize,
    /// Those that had to be refused.
    pub(crate) rejected: Rejections,
}

/// Bounds of admission.
#[derive(Debug, Clone)]
pub(crate) struct AdmissionLimits {
    /// What one span may ask for.
    pub(crate) spans: Limits,
    /// Bytes of a body after decompression.
    pub(crate) max_inflated_bytes: usize,
    /// Bytes of all requests at one time.
    pub(crate) max_in_flight_bytes: usize,
}

/// Takes what receivers have received.
pub(crate) struct Admission {
    log: Arc<dyn SpanLog>,
    limits: AdmissionLimits,
    in_flight: InFlight,
    /// Bounds memory and threads: one big body for each core is inflated and decoded at a time.
    decoders: Arc<Semaphore>,
    ignored_services: IgnoredServices,
    metrics: Arc<Metrics>,
    clock: Arc<dyn Clock>,
}

impl Admission {
    /// Admission into `log`.
    pub(crate) fn new(
        log: Arc<dyn SpanLog>,
        limits: AdmissionLimits,
        metrics: Arc<Metrics>,
        clock: Arc<dyn Clock>,
    ) -> Self {
        let cores = std::thread::available_parallelism().map_or(1, NonZero::get);
        Self {
            log,
            in_flight: InFlight::new(limits.max_in_flight_bytes),
            limits,
            decoders: Arc::new(Semaphore::new(cores)),
            ignored_services: IgnoredServices::default(),
            metrics,
            clock,
        }
    }

    /// The bounded queue.
    pub(crate) fn in_flight(&self) -> &InFlight {
        &self.in_flight
    }

    /// Where receivers count requests.
    pub(crate) fn metrics(&self) -> &Metrics {
        &self.metrics
    }

    /// Takes an OTLP request of any signal.
    pub(crate) async fn admit_otlp(
        &self,
        signal: OtlpSignal,
        payload: RawPayload<OtlpEncoding>,
    ) -> Result<Accepted, Refusal> {
        match signal {
            OtlpSignal::Traces => self.admit(payload.map_encoding(Encoding::from)).await,
            OtlpSignal::Logs => self.admit_logs(payload).await,
            OtlpSignal::Metrics => self.admit_metrics(payload).await,
        }
    }

    /// Decodes a request and keeps what is good of it.
    pub(crate) async fn admit(&self, payload: RawPayload) -> Result<Accepted, Refusal> {
        let RawPayload {
            protocol,
            encoding,
            content_encoding,
            tenant,
            body,
            mut reservation,
        } = payload;
        self.metrics.count_body(protocol, body.len());
        let body = self
            .inflate(content_encoding, body, &mut reservation)
            .await?;
        let decoded = self.decode(encoding, body).await?;

        let accepted = Accepted {
            received: decoded.received,
            rejected: decoded.rejected,
        };
        self.metrics.count_spans(protocol, &accepted);
        if decoded.batch.is_empty() {
            return Ok(accepted);
        }
        let spans = decoded.batch.len();
        let appended = self
            .log
            .append(tenant, Signal::Traces, decoded.batch, decoded.payload)
            .await;
        match appended {
            Ok(()) => Ok(accepted),
            Err(refusal) => {
                self.metrics.count_refused_spans(protocol, &refusal, spans);
                Err(refusal)
            }
        }
    }

    /// Keeps the log records that carry an exception of a trace. The others are counted, and nobody is told off for them.
    async fn admit_logs(&self, payload: RawPayload<OtlpEncoding>) -> Result<Accepted, Refusal> {
        let RawPayload {
            protocol,
            encoding,
            content_encoding,
            tenant,
            body,
            mut reservation,
        } = payload;
        let signals = self.metrics.signals();
        signals.count_body(OtlpSignal::Logs, protocol, body.len());
        let body = self
            .inflate(content_encoding, body, &mut reservation)
            .await?;
        let limits = self.limits.spans;
        let DecodedLogs {
            batch,
            payload,
            received,
            kept,
            ignored,
            rejected,
        } = self
            .decode_with(body.len(), move || {
                codec::decode_logs(encoding, &body, &limits)
            })
            .await?;
        let accepted = Accepted { received, rejected };
        signals.count_log_records(protocol, &accepted, &ignored);
        self.ignored_services
            .tell(OtlpSignal::Logs, ignored.services());
        if kept == 0 {
            return Ok(accepted);
        }
        match self.log.append(tenant, Signal::Logs, batch, payload).await {
            Ok(()) => {
                signals.count_kept_log_records(protocol, kept);
                Ok(accepted)
            }
            Err(refusal) => {
                signals.count_refused_log_records(protocol, &refusal, kept);
                Err(refusal)
            }
        }
    }

    /// Counts metrics and keeps none.
    async fn admit_metrics(&self, payload: RawPayload<OtlpEncoding>) -> Result<Accepted, Refusal> {
        let RawPayload {
            protocol,
            encoding,
            content_encoding,
            body,
            mut reservation,
            ..
        } = payload;
        let signals = self.metrics.signals();
        signals.count_body(OtlpSignal::Metrics, protocol, body.len());
        let body = self
            .inflate(content_encoding, body, &mut reservation)
            .await?;
        let summary = self
            .decode_with(body.len(), move || {
                codec::summarize_metrics(encoding, &body)
            })
            .await?;
        signals.count_data_points(protocol, summary.data_points);
        self.ignored_services
            .tell(OtlpSignal::Metrics, &summary.services);
        Ok(Accepted {
            received: summary.data_points,
            rejected: Rejections::default(),
        })
    }

    async fn inflate(
        &self,
        encoding: ContentEncoding,
        body: Bytes,
        reservation: &mut Reservation,
    ) -> Result<Bytes, Refusal> {
        if encoding == ContentEncoding::Identity {
            return Ok(body);
        }
        let limit_bytes = self.limits.max_inflated_bytes;
        let body = self
            .on_blocking_thread(move || codec::inflate(encoding, body, limit_bytes))
            .await?
            .map_err(|error| match error {
                InflateError::TooLarge { limit_bytes } => Refusal::InflatesTooLarge { limit_bytes },
                other => Refusal::Malformed(other.to_string()),
            })?;
        reservation.grow_to(body.len())?;
        Ok(body)
    }

    async fn decode(&self, encoding: Encoding, body: Bytes) -> Result<Decoded, Refusal> {
        let limits = self.limits.spans;
        let received_unix_nano = self.clock.now_unix_nano();
        self.decode_with(body.len(), move || {
            codec::decode(encoding, body, &limits, received_unix_nano)
        })
        .await
    }

    async fn decode_with<T: Send + 'static>(
        &self,
        body_bytes: usize,
        decode: impl FnOnce() -> Result<T, DecodeError> + Send + 'static,
    ) -> Result<T, Refusal> {
        let decoded = if body_bytes <= MAX_INLINE_BYTES {
            decode()
        } else {
            self.on_blocking_thread(decode).await?
        };
        decoded.map_err(|error| match error {
            DecodeError::TooManyEvents { .. } | DecodeError::ResourcesTooLarge { .. } => {
                Refusal::DecodesTooLarge(error.to_string())
            }
            other => Refusal::Malformed(other.to_string()),
        })
    }

    /// Runs what would keep other requests of this thread waiting.
    async fn on_blocking_thread<T: Send + 'static>(
        &self,
        work: impl FnOnce() -> T + Send + 'static,
    ) -> Result<T, Refusal> {
        let permit = Arc::clone(&self.decoders).acquire_owned().await;
        let running = tokio::task::spawn_blocking(move || {
            let _permit = permit;
            work()
        });
        running.await.map_err(|_| internal_error())
    }
}

/// A defect of ours; the panic itself was reported on stderr.
fn internal_error() -> Refusal {
    Refusal::Unavailable {
        reason: "internal error; the server's log says more".to_owned(),
        retry_after: Duration::from_secs(30),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ingest::{Protocol, RawPayload};
    use crate::metrics::Readings;

    /// Says no to everything.
    struct Stopped;

    impl SpanLog for Stopped {
        fn append(
            &self,
            _tenant: TenantId,
            _signal: Signal,
            _batch: SpanBatch,
            _payload: Bytes,
        ) -> BoxFuture<'_, Result<(), Refusal>> {
            Box::pin(async { Err(stopped()) })
        }
    }

    fn stopped() -> Refusal {
        Refusal::Unavailable {
            reason: "stopped".to_owned(),
            retry_after: Duration::from_secs(1),
        }
    }

    fn admission(max_in_flight_bytes: usize) -> Admission {
        let limits = AdmissionLimits {
            spans: Limits::default(),
            max_inflated_bytes: 1 << 20,
            max_in_flight_bytes,
        };
        Admission::new(
            Arc::new(Stopped),
            limits,
            Arc::new(Metrics::new()),
            Arc::new(host::SystemClock::new()),
        )
    }

    fn json(admission: &Admission, content_encoding: ContentEncoding, body: Bytes) -> RawPayload {
        let mut reservation = admission.in_flight().enter(body.len()).unwrap();
        reservation.grow_to(body.len()).unwrap();
        RawPayload {
            protocol: Protocol::OtlpHttpJson,
            encoding: Encoding::OtlpJson,
            content_encoding,
            tenant: TenantId::default_tenant(),
            body,
            reservation,
        }
    }

    #[tokio::test]
    async fn what_the_log_refuses_is_not_acknowledged_and_counted() {
        let admission = admission(1 << 20);
        let span = r#"{"traceId":"0102030405060708090a0b0c0d0e0f10","spanId":"0102030405060708"}"#;
        let body =
            format!(r#"{{"resourceSpans":[{{"scopeSpans":[{{"spans":[{span},{span},{{}}]}}]}}]}}"#);
        let payload = json(&admission, ContentEncoding::Identity, body.into());
        assert_eq!(admission.admit(payload).await.unwrap_err(), stopped());

        let metrics = admission.metrics().encode(&Readings::default()).unwrap();
        for sample in [
            r#"spans_received_total{protocol="otlp_http_json"} 3"#,
            r#"spans_rejected_total{protocol="otlp_http_json",reason="unavailable"} 2"#,
            r#"spans_rejected_total{protocol="otlp_http_json",reason="invalid_trace_id"} 1"#,
        ] {
            assert!(metrics.contains(sample), "{sample}\n{metrics}");
        }
        assert_eq!(admission.in_flight().bytes(), 0);
    }

    #[tokio::test]
    async fn a_request_without_spans_needs_no_log() {
        let admission = admission(1 << 20);
        let payload = json(&admission, ContentEncoding::Identity, "{}".into());
        assert_eq!(admission.admit(payload).await.unwrap().received, 0);
    }

    #[tokio::test]
    async fn what_a_body_becomes_must_fit_into_the_queue_too() {
        let admission = admission(1000);
        let body = zstd::encode_all(" ".repeat(100_000).as_bytes(), 1).unwrap();
        let payload = json(&admission, ContentEncoding::Zstd, body.into());
        assert_eq!(
            admission.admit(payload).await.unwrap_err(),
            Refusal::Overloaded
        );
        assert_eq!(admission.in_flight().bytes(), 0);
    }
}

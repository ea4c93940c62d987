//! Counters and histograms of this process, for `/metrics`.

mod open_request;
mod signals;
mod uploads;

use std::fmt;
use std::sync::atomic::AtomicU64;
use std::time::Duration;

use codec::RejectReason;
use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::encoding::text::encode;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::{Histogram, exponential_buckets};
use prometheus_client::registry::{Registry, Unit};

use self::open_request::OpenRequest;
use self::signals::SignalCounters;
use self::uploads::UploadCounters;
pub(crate) use self::uploads::{SourceMapReadings, UploadKind};
use crate::ingest::{Accepted, OtlpSignal, Protocol, Refusal};

/// The media type of [`Metrics::encode`].
pub(crate) const CONTENT_TYPE: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct ProtocolLabel {
    protocol: &'static str,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct RejectionLabels {
    protocol: &'static str,
    reason: &'static str,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct RequestLabels {
    protocol: &'static str,
    status: &'static str,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct EndpointLabel {
    endpoint: String,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct DropLabels {
    protocol: &'static str,
    reason: &'static str,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct DenialLabels {
    listener: &'static str,
    reason: &'static str,
}

/// The reason of datagrams that were lost in the kernel.
const SOCKET_BUFFER: &str = "socket_buffer";

type Latencies = Family<EndpointLabel, Histogram, fn() -> Histogram>;

/// All of them.
pub(crate) struct Metrics {
    registry: Registry,
    received: Family<ProtocolLabel, Counter>,
    rejected: Family<RejectionLabels, Counter>,
    requests: Family<RequestLabels, Counter>,
    body_bytes: Family<ProtocolLabel, Counter>,
    dropped_datagrams: Family<DropLabels, Counter>,
    denied_requests: Family<DenialLabels, Counter>,
    signals: SignalCounters,
    uploads: UploadCounters,
    log_syncs: Histogram,
    log_synced_bytes: Counter,
    queries: Latencies,
    gauges: Gauges,
}

/// What is read off the moment somebody asks.
#[derive(Debug, Default, Clone, Copy, PartialEq)]
pub(crate) struct Readings {
    /// Bytes of requests between their first byte and their reply.
    pub(crate) in_flight_bytes: u64,
    /// Such requests.
    pub(crate) in_flight_requests: u64,
    /// Spans in memtables.
    pub(crate) memtable_spans: u64,
    /// Bytes of the log's segments.
    pub(crate) log_bytes: u64,
    /// Bytes that wait for the log's next sync.
    pub(crate) log_pending_bytes: u64,
    /// Bytes of live blocks.
    pub(crate) block_bytes: u64,
    /// Spans in live blocks.
    pub(crate) block_spans: u64,
    /// Live blocks.
    pub(crate) blocks: u64,
    /// Frozen memtables that wait to be written.
    pub(crate) flush_pending: u64,
    /// Compactions that wait to be run.
    pub(crate) compaction_pending: u64,
    /// Deletions of which something is left in files.
    pub(crate) deletions_pending: u64,
    /// Repeats that flush and compaction left out.
    pub(crate) repeats: u64,
    /// Source maps.
    pub(crate) sourcemaps: SourceMapReadings,
    /// Memory of this process.
    pub(crate) resident_memory_bytes: u64,
    /// CPU time of this process.
    pub(crate) cpu_seconds: f64,
}

#[derive(Default)]
struct Gauges {
    in_flight_bytes: Gauge,
    in_flight_requests: Gauge,
    memtable_spans: Gauge,
    log_bytes: Gauge,
    log_pending_bytes: Gauge,
    block_bytes: Gauge,
    block_spans: Gauge,
    blocks: Gauge,
    flush_pending: Gauge,
    compaction_pending: Gauge,
    deletions_pending: Gauge,
    repeats: Counter,
    resident_memory_bytes: Gauge,
    cpu_seconds: Counter<f64, AtomicU64>,
}

impl Metrics {
    /// All of them at zero.
    pub(crate) fn new() -> Self {
        let mut metrics = Self {
            registry: Registry::default(),
            received: Family::default(),
            rejected: Family::default(),
            requests: Family::default(),
            body_bytes: Family::default(),
            dropped_datagrams: Family::default(),
            denied_requests: Family::default(),
            signals: SignalCounters::default(),
            uploads: UploadCounters::default(),
            // 62.5 µs to 2 s: from a battery-backed cache to a disk that struggles.
            log_syncs: Histogram::new(exponential_buckets(0.000_062_5, 2.0, 16)),
            log_synced_bytes: Counter::default(),
            queries: Latencies::new_with_constructor(|| {
                Histogram::new(exponential_buckets(0.000_25, 2.0, 16))
            }),
            gauges: Gauges::default(),
        };
        metrics.register();
        // Alerts on a rate need the series before the first event.
        for protocol in Protocol::ALL.map(Protocol::label) {
            drop(metrics.received.get_or_create(&ProtocolLabel { protocol }));
            drop(
                metrics
                    .body_bytes
                    .get_or_create(&ProtocolLabel { protocol }),
            );
            let status = "ok";
            drop(
                metrics
                    .requests
                    .get_or_create(&RequestLabels { protocol, status }),
            );
            for reason in RejectReason::ALL.map(RejectReason::as_str) {
                drop(
                    metrics
                        .rejected
                        .get_or_create(&RejectionLabels { protocol, reason }),
                );
            }
        }
        for protocol in Protocol::DATAGRAMS.map(Protocol::label) {
            for reason in [SOCKET_BUFFER, "queue", "malformed", "overloaded"] {
                let labels = DropLabels { protocol, reason };
                drop(metrics.dropped_datagrams.get_or_create(&labels));
            }
        }
        metrics
    }

    fn register(&mut self) {
        let ours = self.registry.sub_registry_with_prefix("backtrail");
        ours.register(
            "spans_received",
            "Spans in requests that could be decoded, by protocol",
            self.received.clone(),
        );
        ours.register(
            "spans_rejected",
            "Spans of those that were not kept, by protocol and reason",
            self.rejected.clone(),
        );
        ours.register(
            "requests",
            "Requests that bring spans, by protocol and how they ended",
            self.requests.clone(),
        );
        ours.register_with_unit(
            "request_body",
            "Bodies of those requests on the wire, by protocol",
            Unit::Bytes,
            self.body_bytes.clone(),
        );
        ours.register(
            "datagrams_dropped",
            "Datagrams of which nothing was kept, by protocol and reason; socket_buffer is the kernel's count",
            self.dropped_datagrams.clone(),
        );
        ours.register(
            "denied_requests",
            "Requests that were denied for want of a token, by listener and reason: no_token, malformed_token, unknown_token, expired_token, wrong_scope",
            self.denied_requests.clone(),
        );
        self.signals.register(ours);
        self.uploads.register(ours);
        ours.register_with_unit(
            "log_sync_duration",
            "How long it took to make one group of the log durable",
            Unit::Seconds,
            self.log_syncs.clone(),
        );
        ours.register_with_unit(
            "log_synced",
            "Bytes that were made durable in the log",
            Unit::Bytes,
            self.log_synced_bytes.clone(),
        );
        ours.register_with_unit(
            "query_duration",
            "How long requests of the read APIs took, by route",
            Unit::Seconds,
            self.queries.clone(),
        );

        let gauges = &self.gauges;
        for (name, help, gauge) in [
            (
                "in_flight_bytes",
                "Bytes of requests between their first byte and their reply; bounded by limits.max_in_flight_bytes",
                &gauges.in_flight_bytes,
            ),
            (
                "in_flight_requests",
                "Requests that bring spans, between their first byte and their reply",
                &gauges.in_flight_requests,
            ),
            (
                "memtable_spans",
                "Spans that are in memory and in the log, and not yet in a block",
                &gauges.memtable_spans,
            ),
            ("log_bytes", "Bytes of the log on disk", &gauges.log_bytes),
            (
                "log_pending_bytes",
                "Bytes that wait for the next sync of the log",
                &gauges.log_pending_bytes,
            ),
            ("block_bytes", "Bytes of all blocks", &gauges.block_bytes),
            ("block_spans", "Spans in all blocks", &gauges.block_spans),
            ("blocks", "Blocks", &gauges.blocks),
            (
                "flush_pending",
                "Frozen memtables that wait to be written as blocks",
                &gauges.flush_pending,
            ),
            (
                "compaction_pending",
                "Compactions that wait to be run",
                &gauges.compaction_pending,
            ),
            (
                "deletions_pending",
                "Deletions that are followed and of which something is left in files",
                &gauges.deletions_pending,
            ),
        ] {
            ours.register(name, help, gauge.clone());
        }
        ours.register(
            "spans_collapsed",
            "Spans that a client sent again, byte by byte, and that were left out of blocks",
            gauges.repeats.clone(),
        );
        // These two bear the names that every dashboard knows.
        self.registry.register(
            "process_resident_memory_bytes",
            "Resident memory of this process in bytes",
            gauges.resident_memory_bytes.clone(),
        );
        self.registry.register(
            "process_cpu_seconds",
            "User and system CPU time of this process in seconds",
            gauges.cpu_seconds.clone(),
        );
    }

    /// A body of `bytes` on the wire was received.
    pub(crate) fn count_body(&self, protocol: Protocol, bytes: usize) {
        let protocol = protocol.label();
        self.body_bytes
            .get_or_create(&ProtocolLabel { protocol })
            .inc_by(bytes as u64);
    }

    /// A request was decoded.
    pub(crate) fn count_spans(&self, protocol: Protocol, accepted: &Accepted) {
        let protocol = protocol.label();
        self.received
            .get_or_create(&ProtocolLabel { protocol })
            .inc_by(accepted.received as u64);
        for (reason, spans) in accepted.rejected.by_reason() {
            self.reject(protocol, reason.as_str(), spans);
        }
    }

    /// Spans that were good could not be kept.
    pub(crate) fn count_refused_spans(&self, protocol: Protocol, refusal: &Refusal, spans: usize) {
        self.reject(protocol.label(), refusal.label(), spans);
    }

    fn reject(&self, protocol: &'static str, reason: &'static str, spans: usize) {
        self.rejected
            .get_or_create(&RejectionLabels { protocol, reason })
            .inc_by(spans as u64);
    }

    /// A request has begun that brings spans or another signal.
    pub(crate) fn begin_request(&self, signal: OtlpSignal, protocol: Protocol) -> OpenRequest<'_> {
        OpenRequest::new(self, signal, protocol)
    }

    /// Datagrams were dropped, and their senders do not know.
    pub(crate) fn count_dropped_datagrams(
        &self,
        protocol: Protocol,
        reason: &'static str,
        datagrams: u64,
    ) {
        let protocol = protocol.label();
        self.dropped_datagrams
            .get_or_create(&DropLabels { protocol, reason })
            .inc_by(datagrams);
    }

    /// The kernel has dropped this many datagrams of a protocol in all.
    pub(crate) fn raise_kernel_drops(&self, protocol: Protocol, total: u64) {
        if total == 0 {
            return;
        }
        let labels = DropLabels {
            protocol: protocol.label(),
            reason: SOCKET_BUFFER,
        };
        let counter = self.dropped_datagrams.get_or_create(&labels);
        counter.inc_by(total.saturating_sub(counter.get()));
    }

    /// Makes the series of a listener's denials, which an alert on a rate needs before the first.
    pub(crate) fn begin_denials(&self, listener: &'static str, reasons: &[&'static str]) {
        for reason in reasons {
            let labels = DenialLabels { listener, reason };
            drop(self.denied_requests.get_or_create(&labels));
        }
    }

    /// A request was denied.
    pub(crate) fn count_denied_request(&self, listener: &'static str, reason: &'static str) {
        let labels = DenialLabels { listener, reason };
        self.denied_requests.get_or_create(&labels).inc();
    }

    fn count_request(&self, signal: OtlpSignal, protocol: Protocol, status: &'static str) {
        match signal {
            OtlpSignal::Traces => {
                let protocol = protocol.label();
                self.requests
                    .get_or_create(&RequestLabels { protocol, status })
                    .inc();
            }
            OtlpSignal::Logs | OtlpSignal::Metrics => {
                self.signals.count_request(signal, protocol, status);
            }
        }
    }

    /// Counters of OTLP's logs and metrics.
    pub(crate) fn signals(&self) -> &SignalCounters {
        &self.signals
    }

    /// Counters of uploads of source maps.
    pub(crate) fn uploads(&self) -> &UploadCounters {
        &self.uploads
    }

    /// A group of the log was made durable.
    pub(crate) fn observe_log_sync(&self, took: Duration, bytes: usize) {
        self.log_syncs.observe(took.as_secs_f64());
        self.log_synced_bytes.inc_by(bytes as u64);
    }

    /// A request of a read API was answered.
    pub(crate) fn observe_query(&self, endpoint: &str, took: Duration) {
        self.queries
            .get_or_create(&EndpointLabel {
                endpoint: endpoint.to_owned(),
            })
            .observe(took.as_secs_f64());
    }

    /// Everything as text, with `readings` of this moment.
    pub(crate) fn encode(&self, readings: &Readings) -> Result<String, fmt::Error> {
        let gauges = &self.gauges;
        for (gauge, value) in [
            (&gauges.in_flight_bytes, readings.in_flight_bytes),
            (&gauges.in_flight_requests, readings.in_flight_requests),
            (&gauges.memtable_spans, readings.memtable_spans),
            (&gauges.log_bytes, readings.log_bytes),
            (&gauges.log_pending_bytes, readings.log_pending_bytes),
            (&gauges.block_bytes, readings.block_bytes),
            (&gauges.block_spans, readings.block_spans),
            (&gauges.blocks, readings.blocks),
            (&gauges.flush_pending, readings.flush_pending),
            (&gauges.compaction_pending, readings.compaction_pending),
            (&gauges.deletions_pending, readings.deletions_pending),
            (
                &gauges.resident_memory_bytes,
                readings.resident_memory_bytes,
            ),
        ] {
            gauge.set(i64::try_from(value).unwrap_or(i64::MAX));
        }
        self.uploads.set(&readings.sourcemaps);
        let repeats = gauges.repeats.get();
        gauges
            .repeats
            .inc_by(readings.repeats.saturating_sub(repeats));
        let known = gauges.cpu_seconds.get();
        gauges
            .cpu_seconds
            .inc_by((readings.cpu_seconds - known).max(0.0));
        let mut text = String::new();
        encode(&mut text, &self.registry)?;
        Ok(text)
    }
}

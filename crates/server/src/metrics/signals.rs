//! Counters of OTLP's logs and metrics.

use codec::{IgnoreReason, IgnoredLogs, RejectReason};
use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::registry::{Registry, Unit};

use super::{ProtocolLabel, RejectionLabels};
use crate::ingest::{Accepted, OtlpSignal, Protocol, Refusal};

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct RequestLabels {
    signal: &'static str,
    protocol: &'static str,
    status: &'static str,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct SignalLabels {
    signal: &'static str,
    protocol: &'static str,
}

/// What came of signals other than traces.
#[derive(Default)]
pub(crate) struct SignalCounters {
    requests: Family<RequestLabels, Counter>,
    body_bytes: Family<SignalLabels, Counter>,
    log_records_received: Family<ProtocolLabel, Counter>,
    log_records_kept: Family<ProtocolLabel, Counter>,
    log_records_ignored: Family<RejectionLabels, Counter>,
    log_records_rejected: Family<RejectionLabels, Counter>,
    data_points: Family<ProtocolLabel, Counter>,
}

impl SignalCounters {
    pub(super) fn register(&self, registry: &mut Registry) {
        registry.register(
            "signal_requests",
            "Requests that bring logs or metrics, by signal, protocol and how they ended",
            self.requests.clone(),
        );
        registry.register_with_unit(
            "signal_request_body",
            "Bodies of those requests on the wire, by signal and protocol",
            Unit::Bytes,
            self.body_bytes.clone(),
        );
        registry.register(
            "log_records_received",
            "Log records in requests that could be decoded, by protocol",
            self.log_records_received.clone(),
        );
        registry.register(
            "log_records_kept",
            "Log records of those that carry an exception of a trace and were kept, by protocol",
            self.log_records_kept.clone(),
        );
        registry.register(
            "log_records_ignored",
            "Log records of those that are not for us, by protocol and reason: no_exception, or no_trace that the exception belongs to",
            self.log_records_ignored.clone(),
        );
        registry.register(
            "log_records_rejected",
            "Log records with an exception that could not be kept, by protocol and reason",
            self.log_records_rejected.clone(),
        );
        registry.register(
            "metric_points_ignored",
            "Data points of metrics, of which none is kept, by protocol",
            self.data_points.clone(),
        );
        self.begin_at_zero();
    }

    /// Alerts on a rate need the series before the first event.
    fn begin_at_zero(&self) {
        for protocol in [
            Protocol::OtlpGrpc,
            Protocol::OtlpHttpProtobuf,
            Protocol::OtlpHttpJson,
        ] {
            let of_protocol = ProtocolLabel {
                protocol: protocol.label(),
            };
            for counters in [
                &self.log_records_received,
                &self.log_records_kept,
                &self.data_points,
            ] {
                drop(counters.get_or_create(&of_protocol));
            }
            for reason in IgnoreReason::ALL {
                self.ignored(protocol, reason, 0);
            }
            for reason in RejectReason::ALL {
                self.rejected(protocol, reason.as_str(), 0);
            }
            for signal in [OtlpSignal::Logs, OtlpSignal::Metrics] {
                self.count_body(signal, protocol, 0);
                drop(self.requests.get_or_create(&RequestLabels {
                    signal: signal.label(),
                    protocol: protocol.label(),
                    status: "ok",
                }));
            }
        }
    }

    /// A request was answered.
    pub(super) fn count_request(
        &self,
        signal: OtlpSignal,
        protocol: Protocol,
        status: &'static str,
    ) {
        self.requests
            .get_or_create(&RequestLabels {
                signal: signal.label(),
                protocol: protocol.label(),
                status,
            })
            .inc();
    }

    /// A body of `bytes` on the wire was received.
    pub(crate) fn count_body(&self, signal: OtlpSignal, protocol: Protocol, bytes: usize) {
        self.body_bytes
            .get_or_create(&SignalLabels {
                signal: signal.label(),
                protocol: protocol.label(),
            })
            .inc_by(bytes as u64);
    }

    /// A request of log records was decoded.
    pub(crate) fn count_log_records(
        &self,
        protocol: Protocol,
        accepted: &Accepted,
        ignored: &IgnoredLogs,
    ) {
        add(&self.log_records_received, protocol, accepted.received);
        for (reason, records) in ignored.by_reason() {
            self.ignored(protocol, reason, records);
        }
        for (reason, records) in accepted.rejected.by_reason() {
            self.rejected(protocol, reason.as_str(), records);
        }
    }

    /// Log records were kept.
    pub(crate) fn count_kept_log_records(&self, protocol: Protocol, records: usize) {
        add(&self.log_records_kept, protocol, records);
    }

    /// Log records that were good could not be kept.
    pub(crate) fn count_refused_log_records(
        &self,
        protocol: Protocol,
        refusal: &Refusal,
        records: usize,
    ) {
        self.rejected(protocol, refusal.label(), records);
    }

    /// A request of metrics was looked into.
    pub(crate) fn count_data_points(&self, protocol: Protocol, data_points: usize) {
        add(&self.data_points, protocol, data_points);
    }

    fn ignored(&self, protocol: Protocol, reason: IgnoreReason, records: usize) {
        let labels = RejectionLabels {
            protocol: protocol.label(),
            reason: reason.as_str(),
        };
        self.log_records_ignored
            .get_or_create(&labels)
            .inc_by(records as u64);
    }

    fn rejected(&self, protocol: Protocol, reason: &'static str, records: usize) {
        let labels = RejectionLabels {
            protocol: protocol.label(),
            reason,
        };
        self.log_records_rejected
            .get_or_create(&labels)
            .inc_by(records as u64);
    }
}

fn add(counters: &Family<ProtocolLabel, Counter>, protocol: Protocol, items: usize) {
    let protocol = protocol.label();
    counters
        .get_or_create(&ProtocolLabel { protocol })
        .inc_by(items as u64);
}

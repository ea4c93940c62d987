//! How requests end.

use super::Metrics;
use crate::ingest::{Accepted, CANCELLED, OtlpSignal, Protocol, Refusal};

/// A request between its head and its reply. It is counted when it ends, however it does: one that is dropped before was left by its client,
/// or its deadline came.
pub(crate) struct OpenRequest<'a> {
    metrics: &'a Metrics,
    signal: OtlpSignal,
    protocol: Protocol,
    status: &'static str,
}

impl<'a> OpenRequest<'a> {
    pub(super) fn new(metrics: &'a Metrics, signal: OtlpSignal, protocol: Protocol) -> Self {
        Self {
            metrics,
            signal,
            protocol,
            status: CANCELLED,
        }
    }

    /// It has its reply.
    pub(crate) fn end(mut self, result: &Result<Accepted, Refusal>) {
        self.status = match result {
            Ok(accepted) if accepted.rejected.is_empty() => "ok",
            Ok(_) => "partial",
            Err(refusal) => refusal.label(),
        };
    }
}

impl Drop for OpenRequest<'_> {
    fn drop(&mut self) {
        let Self {
            metrics,
            signal,
            protocol,
            status,
        } = self;
        metrics.count_request(*signal, *protocol, status);
    }
}

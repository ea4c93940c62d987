//! Which of OpenTelemetry's signals a batch came as.

/// A signal that is kept. Metrics are not.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Signal {
    /// Spans with their events: a payload is a `TracesData`.
    Traces,
    /// Exceptions that came as log records: a payload is a `LogsData`, its batch has events without spans.
    Logs,
}

//! OTLP's signals, as its senders know them.

/// What an OTLP request brings.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum OtlpSignal {
    /// Spans.
    Traces,
    /// Log records, of which exceptions are kept.
    Logs,
    /// Metrics, which are not kept.
    Metrics,
}

impl OtlpSignal {
    /// All of them.
    pub(crate) const ALL: [Self; 3] = [Self::Traces, Self::Logs, Self::Metrics];

    /// Its name, as a label of a metric too.
    pub(crate) fn label(self) -> &'static str {
        match self {
            Self::Traces => "traces",
            Self::Logs => "logs",
            Self::Metrics => "metrics",
        }
    }
}

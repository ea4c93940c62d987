//! What the parent asks of a process of its own, and what it answers: one line of JSON each.

use clap::ValueEnum;
use serde::{Deserialize, Serialize};

/// Who is measured.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ValueEnum)]
pub(super) enum Name {
    /// What no SDK can avoid
    Roofline,
    /// `opentelemetry_sdk` with `opentelemetry-otlp`
    Opentelemetry,
    /// The same with its experimental processor that exports several batches at once
    OpentelemetryAsync,
    /// `tracing` with `tracing-opentelemetry`, on top of `opentelemetry_sdk`
    Tracing,
    /// `fastrace` with `fastrace-opentelemetry` and `opentelemetry-otlp`
    Fastrace,
    /// The crate of this repository
    Backtrail,
}

impl Name {
    pub(super) const fn title(self) -> &'static str {
        match self {
            Self::Roofline => "(roofline)",
            Self::Opentelemetry => "opentelemetry_sdk",
            Self::OpentelemetryAsync => "opentelemetry_sdk, async processor",
            Self::Tracing => "tracing + tracing-opentelemetry",
            Self::Fastrace => "fastrace",
            Self::Backtrail => "backtrail",
        }
    }
}

/// What an SDK is told to do with spans.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(super) enum Mode {
    Record,
    /// The sampler says no to all.
    SampleOut,
    /// The SDK is off, or was never set up.
    Disable,
}

/// The settings between a span's end and the wire.
#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
pub(super) struct Pipeline {
    pub(super) queue_spans: usize,
    pub(super) batch_spans: usize,
    pub(super) concurrent_exports: usize,
}

impl Pipeline {
    /// What a busy service would choose.
    pub(super) const LARGE: Self = Self {
        queue_spans: 262_144,
        batch_spans: 8_192,
        concurrent_exports: 8,
    };
    /// The defaults of the OpenTelemetry specification.
    pub(super) const SPECIFIED: Self = Self {
        queue_spans: 2_048,
        batch_spans: 512,
        concurrent_exports: 1,
    };
}

/// One process: one contestant, one measure.
#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
pub(super) struct Task {
    pub(super) name: Name,
    pub(super) mode: Mode,
    pub(super) pipeline: Pipeline,
    /// Where the sink listens on loopback.
    pub(super) sink_port: u16,
    pub(super) measure: Measure,
}

impl Task {
    pub(super) fn endpoint(&self) -> String {
        format!("http://127.0.0.1:{}/v1/traces", self.sink_port)
    }
}

#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
pub(super) enum Measure {
    /// CPU time of the calling thread.
    Create { rounds: usize },
    /// Allocations of the calling thread.
    Allocate { rounds: usize },
    /// CPU time of the process until all is sent.
    Send { parts: usize, spans_per_part: u64 },
    /// What becomes of spans that are offered at a rate.
    Offer(Offer),
    /// What a layer adds to an HTTP handler.
    Handle { requests: usize },
}

#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
pub(super) struct Offer {
    pub(super) threads: usize,
    pub(super) spans_per_second: u64,
    pub(super) seconds: u64,
    /// How long the contestant may take to get rid of what it has kept.
    pub(super) drain_seconds: u64,
    /// It is stopped before it takes more memory than this.
    pub(super) memory_max_bytes: u64,
}

#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
pub(super) enum Figures {
    /// Nanoseconds of CPU for a span.
    Nanoseconds(Spread),
    Allocations {
        count_per_span: f64,
        bytes_per_span: f64,
    },
    Sent {
        nanoseconds: Spread,
        spans: u64,
    },
    Offered(Offered),
    Handled {
        /// Made by the layer.
        spans: u64,
        bare: Percentiles,
        layered: Percentiles,
    },
}

/// Other programs can only make a round slower, so its minimum is the best estimate and the median
/// says how much there was of that.
#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
pub(super) struct Spread {
    pub(super) min: f64,
    pub(super) median: f64,
}

impl Spread {
    /// Of at least one value.
    pub(super) fn of(mut values: Vec<f64>) -> Self {
        values.sort_by(f64::total_cmp);
        Self {
            min: values[0],
            median: values[values.len() / 2],
        }
    }
}

#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
pub(super) struct Offered {
    pub(super) created: u64,
    /// Dropped, as the SDK itself says; `None` when it does not say.
    pub(super) reported: Option<u64>,
    pub(super) peak_bytes: u64,
    pub(super) drain_seconds: f64,
    pub(super) stopped_for_memory: bool,
}

#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
pub(super) struct Percentiles {
    pub(super) p50_ns: f64,
    pub(super) p99_ns: f64,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_spread_is_the_least_and_the_middle_value() {
        let spread = Spread::of(vec![5.0, 1.0, 9.0, 3.0, 2.0]);
        assert!((spread.min - 1.0).abs() < f64::EPSILON);
        assert!((spread.median - 3.0).abs() < f64::EPSILON);
    }
}

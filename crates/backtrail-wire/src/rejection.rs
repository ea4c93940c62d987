//! What was not accepted of a request, and why.

use std::fmt::{self, Display, Write as _};

/// How many rejections are described one by one.
const MAX_EXAMPLES: usize = 5;
/// A description may quote what the client sent, so it is cut after this many bytes.
const MAX_EXAMPLE_BYTES: usize = 300;

/// Why a span was rejected: few enough to count each apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum RejectReason {
    /// The trace id has not 16 bytes, or is all zero.
    InvalidTraceId,
    /// The span id has not 8 bytes, or is all zero.
    InvalidSpanId,
    /// The parent's id has neither 0 nor 8 bytes.
    InvalidParentId,
    /// An id of a link has the wrong length.
    InvalidLink,
    /// The span ends before it starts.
    TimeBackwards,
    /// A time does not fit into nanoseconds since 1970.
    TimeOutOfRange,
    /// A text is not UTF-8.
    InvalidUtf8,
    /// An attribute value is nested too deep.
    TooDeep,
    /// The span is larger than the limit.
    TooLarge,
    /// The span, its resource or its scope can't be read otherwise.
    Malformed,
}

impl RejectReason {
    /// All reasons, in the order of their definition.
    pub const ALL: [Self; 10] = [
        Self::InvalidTraceId,
        Self::InvalidSpanId,
        Self::InvalidParentId,
        Self::InvalidLink,
        Self::TimeBackwards,
        Self::TimeOutOfRange,
        Self::InvalidUtf8,
        Self::TooDeep,
        Self::TooLarge,
        Self::Malformed,
    ];

    /// The reason's name, as a label of a metric.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::InvalidTraceId => "invalid_trace_id",
            Self::InvalidSpanId => "invalid_span_id",
            Self::InvalidParentId => "invalid_parent_id",
            Self::InvalidLink => "invalid_link",
            Self::TimeBackwards => "time_backwards",
            Self::TimeOutOfRange => "time_out_of_range",
            Self::InvalidUtf8 => "invalid_utf8",
            Self::TooDeep => "too_deep",
            Self::TooLarge => "too_large",
            Self::Malformed => "malformed",
        }
    }
}

/// Where a span, or what holds spans, stands in an OTLP request.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct OtlpPath {
    /// Index in `resourceSpans`.
    pub resource: usize,
    /// Index in its `scopeSpans`.
    pub scope: Option<usize>,
    /// Index in its `spans`.
    pub span: Option<usize>,
}

impl Display for OtlpPath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "resourceSpans[{}]", self.resource)?;
        if let Some(scope) = self.scope {
            write!(f, ".scopeSpans[{scope}]")?;
        }
        if let Some(span) = self.span {
            write!(f, ".spans[{span}]")?;
        }
        Ok(())
    }
}

/// The same place in a request of log records.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct OtlpLogPath(pub OtlpPath);

impl Display for OtlpLogPath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let OtlpPath {
            resource,
            scope,
            span: record,
        } = self.0;
        write!(f, "resourceLogs[{resource}]")?;
        if let Some(scope) = scope {
            write!(f, ".scopeLogs[{scope}]")?;
        }
        if let Some(record) = record {
            write!(f, ".logRecords[{record}]")?;
        }
        Ok(())
    }
}

/// What a rejected thing is called.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
enum Noun {
    #[default]
    Span,
    LogRecord,
}

impl Noun {
    const fn of(self, count: usize) -> &'static str {
        match (self, count) {
            (Self::Span, 1) => "span",
            (Self::Span, _) => "spans",
            (Self::LogRecord, 1) => "log record",
            (Self::LogRecord, _) => "log records",
        }
    }
}

/// The rejected spans (or log records) of one request: all are counted, the first few are described.
///
/// Its `Display` is the message of OTLP's `partial_success`.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Rejections {
    noun: Noun,
    count: usize,
    by_reason: [usize; RejectReason::ALL.len()],
    examples: Vec<String>,
}

impl Rejections {
    /// None yet, of log records.
    pub fn of_log_records() -> Self {
        Self {
            noun: Noun::LogRecord,
            ..Self::default()
        }
    }

    /// Counts `spans` spans that are rejected for one reason. `path` says where they stand, `detail` what is wrong.
    pub fn add(
        &mut self,
        spans: usize,
        reason: RejectReason,
        path: impl Display,
        detail: impl Display,
    ) {
        if spans == 0 {
            return;
        }
        self.count += spans;
        self.by_reason[reason as usize] += spans;
        if self.examples.len() < MAX_EXAMPLES {
            let mut example = Bounded(String::new());
            // An error only says that the bound was met.
            let _ = write!(example, "{path}: {detail}");
            self.examples.push(example.0);
        }
    }

    /// Whether nothing was rejected.
    pub fn is_empty(&self) -> bool {
        self.count == 0
    }

    /// How many spans were rejected.
    pub fn count(&self) -> usize {
        self.count
    }

    /// How many spans were rejected for each reason that occurred.
    pub fn by_reason(&self) -> impl Iterator<Item = (RejectReason, usize)> + '_ {
        RejectReason::ALL
            .into_iter()
            .map(|reason| (reason, self.by_reason[reason as usize]))
            .filter(|(_, count)| *count > 0)
    }

    /// Descriptions of the first rejections, at most five: where the span stands, and what is wrong with it.
    pub fn examples(&self) -> &[String] {
        &self.examples
    }
}

impl Display for Rejections {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let noun = self.noun.of(self.count);
        write!(f, "{} {noun} rejected (", self.count)?;
        for (index, (reason, count)) in self.by_reason().enumerate() {
            let separator = if index == 0 { "" } else { ", " };
            write!(f, "{separator}{count} {}", reason.as_str())?;
        }
        f.write_str(")")?;
        for (index, example) in self.examples.iter().enumerate() {
            let separator = if index == 0 { ": " } else { "; " };
            write!(f, "{separator}{example}")?;
        }
        Ok(())
    }
}

/// A text that takes no more than its bound and ends with an ellipsis then.
struct Bounded(String);

impl fmt::Write for Bounded {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        let room = MAX_EXAMPLE_BYTES.saturating_sub(self.0.len());
        if text.len() <= room {
            self.0.push_str(text);
            return Ok(());
        }
        self.0.push_str(&text[..text.floor_char_boundary(room)]);
        self.0.push('…');
        Err(fmt::Error)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_message_counts_all_and_describes_the_first() {
        let mut rejections = Rejections::default();
        for span in 0..7 {
            let path = OtlpPath {
                resource: 1,
                scope: Some(0),
                span: Some(span),
            };
            rejections.add(
                1,
                RejectReason::InvalidTraceId,
                path,
                "trace id is all zero",
            );
        }
        let path = OtlpPath {
            resource: 2,
            ..OtlpPath::default()
        };
        rejections.add(10, RejectReason::InvalidUtf8, path, "not described");
        rejections.add(0, RejectReason::TooDeep, path, "no span was in it");

        assert_eq!(rejections.count(), 17);
        assert_eq!(
            rejections.by_reason().collect::<Vec<_>>(),
            [
                (RejectReason::InvalidTraceId, 7),
                (RejectReason::InvalidUtf8, 10)
            ]
        );
        assert_eq!(rejections.examples().len(), MAX_EXAMPLES);
        let message = rejections.to_string();
        let start = "17 spans rejected (7 invalid_trace_id, 10 invalid_utf8): \
                     resourceSpans[1].scopeSpans[0].spans[0]: trace id is all zero; ";
        assert!(message.starts_with(start), "{message}");
    }

    #[test]
    fn log_records_are_called_by_their_name() {
        let mut rejections = Rejections::of_log_records();
        let path = OtlpLogPath(OtlpPath {
            resource: 0,
            scope: Some(1),
            span: Some(2),
        });
        rejections.add(1, RejectReason::TooDeep, path, "too deep");
        assert_eq!(
            rejections.to_string(),
            "1 log record rejected (1 too_deep): resourceLogs[0].scopeLogs[1].logRecords[2]: too deep"
        );
    }

    #[test]
    fn a_description_has_a_bound() {
        let mut rejections = Rejections::default();
        rejections.add(1, RejectReason::Malformed, "spans[0]", "ü".repeat(100_000));
        let example = &rejections.examples()[0];
        assert!(example.len() <= MAX_EXAMPLE_BYTES + '…'.len_utf8());
        assert!(example.starts_with("spans[0]: üü") && example.ends_with("ü…"));
    }
}

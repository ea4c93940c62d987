//! Which log records are kept, and what is asked of those.

use super::attributes::{validate_any_value, validate_field};
use super::{LogRecord, SpanLimits};
use crate::protobuf::Fields;
use crate::{RejectReason, WireError};

/// Attributes that say that a log record carries an exception, as OpenTelemetry's conventions for exceptions in logs name them.
const EXCEPTION_KEYS: [&[u8]; 3] = [
    b"exception.type",
    b"exception.message",
    b"exception.stacktrace",
];

/// What is done with a log record.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum LogVerdict {
    /// It carries an exception of a trace.
    Keep,
    /// It is passed over, which is no fault of it.
    Ignore(IgnoreReason),
}

/// Why a log record is not kept though nothing is wrong with it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum IgnoreReason {
    /// It has none of the attributes of an exception, as far as it can be read.
    NoException,
    /// It carries an exception and belongs to no trace: its trace id is not there, or all zero.
    NoTrace,
}

impl IgnoreReason {
    /// All reasons.
    pub const ALL: [Self; 2] = [Self::NoException, Self::NoTrace];

    /// The reason's name, as a label of a metric.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::NoException => "no_exception",
            Self::NoTrace => "no_trace",
        }
    }
}

/// What is wrong with a log record that carries an exception.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum LogFault {
    /// The trace id has the wrong length.
    #[error("trace id has {len_bytes} bytes instead of 16")]
    TraceIdLength {
        /// The length that it has.
        len_bytes: usize,
    },
    /// The span id has the wrong length.
    #[error("span id has {len_bytes} bytes instead of 0 or 8")]
    SpanIdLength {
        /// The length that it has.
        len_bytes: usize,
    },
    /// The log record is larger than the limit.
    #[error("log record of {len_bytes} bytes is over the limit of {max_bytes}")]
    TooLarge {
        /// The length that it has.
        len_bytes: usize,
        /// The limit.
        max_bytes: usize,
    },
    /// A part of it can't be read.
    #[error("{part}: {error}")]
    Unreadable {
        /// Which part.
        part: &'static str,
        /// What is wrong with it.
        error: WireError,
    },
}

impl LogFault {
    /// What the fault counts as.
    pub const fn reason(&self) -> RejectReason {
        match self {
            Self::TraceIdLength { .. } => RejectReason::InvalidTraceId,
            Self::SpanIdLength { .. } => RejectReason::InvalidSpanId,
            Self::TooLarge { .. } => RejectReason::TooLarge,
            Self::Unreadable { error, .. } => error.reason(),
        }
    }
}

impl LogRecord<'_> {
    /// Decides what is done with the bytes of a `LogRecord`. Of one that is kept, every part was read, so that later reads can't fail; one
    /// that carries no exception is not read further.
    pub fn judge(raw: &[u8], limits: &SpanLimits) -> Result<LogVerdict, LogFault> {
        if !has_exception(raw) {
            return Ok(LogVerdict::Ignore(IgnoreReason::NoException));
        }
        let record = LogRecord::parse(raw).map_err(unreadable("log record"))?;
        if is_no_trace(record.trace_id) {
            return Ok(LogVerdict::Ignore(IgnoreReason::NoTrace));
        }
        if record.trace_id.len() != 16 {
            return Err(LogFault::TraceIdLength {
                len_bytes: record.trace_id.len(),
            });
        }
        if !matches!(record.span_id.len(), 0 | 8) {
            return Err(LogFault::SpanIdLength {
                len_bytes: record.span_id.len(),
            });
        }
        if raw.len() > limits.max_span_bytes {
            return Err(LogFault::TooLarge {
                len_bytes: raw.len(),
                max_bytes: limits.max_span_bytes,
            });
        }
        let depth = limits.max_value_depth;
        validate_field(raw, 6, depth).map_err(unreadable("attributes"))?;
        validate_any_value(record.body, depth).map_err(unreadable("body"))?;
        Ok(LogVerdict::Keep)
    }
}

/// Whether there is an attribute of an exception before the first thing that can't be read.
fn has_exception(raw: &[u8]) -> bool {
    Fields::new(raw)
        .map_while(Result::ok)
        .filter(|field| field.number == 6)
        .filter_map(|attribute| attribute.bytes().ok())
        .any(|attribute| {
            Fields::new(attribute)
                .map_while(Result::ok)
                .filter(|field| field.number == 1)
                .filter_map(|key| key.bytes().ok())
                .any(is_exception_key)
        })
}

/// Whether an attribute of this name says that there is an exception.
pub(crate) fn is_exception_key(key: &[u8]) -> bool {
    EXCEPTION_KEYS.contains(&key)
}

/// OTLP's invalid trace id says the same as none.
fn is_no_trace(trace_id: &[u8]) -> bool {
    trace_id.is_empty() || trace_id == [0; 16]
}

fn unreadable(part: &'static str) -> impl Fn(WireError) -> LogFault {
    move |error| LogFault::Unreadable { part, error }
}

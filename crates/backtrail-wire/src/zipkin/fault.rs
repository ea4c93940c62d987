//! What is wrong with one span.

use crate::otlp::SpanFault;
use crate::{RejectReason, WireError};

/// Why a span can't be told in OTLP.
#[derive(Debug, Clone, thiserror::Error)]
pub(super) enum Fault {
    #[error("{what} {text:?} {problem}")]
    Id {
        what: &'static str,
        text: String,
        problem: &'static str,
    },
    #[error("{what} has {len_bytes} bytes instead of {expected}")]
    IdLength {
        what: &'static str,
        len_bytes: usize,
        expected: &'static str,
    },
    #[error(
        "{what} of {micros} microseconds is not within the nanoseconds since 1970 that OTLP has"
    )]
    Time { what: &'static str, micros: String },
    #[error("{found} where {expected} is expected")]
    Type {
        found: String,
        expected: &'static str,
    },
    #[error("{0} is missing")]
    Missing(&'static str),
    #[error("kind {0} is none of Zipkin's")]
    Kind(String),
    #[error("port {0} is none")]
    Port(String),
    #[error("{0} is not valid UTF-8")]
    Utf8(&'static str),
    #[error("the span tells of more than {0} services")]
    ManyServices(usize),
    #[error("{0}")]
    Json(String),
    #[error("{len_bytes} bytes of one span are more than a span of {max_bytes} bytes can need")]
    TooLong { len_bytes: usize, max_bytes: usize },
    #[error(transparent)]
    Wire(#[from] WireError),
    #[error(transparent)]
    Otlp(#[from] SpanFault),
}

impl Fault {
    pub(super) fn reason(&self) -> RejectReason {
        match self {
            Self::Id { what, .. } | Self::IdLength { what, .. } => match *what {
                "trace id" => RejectReason::InvalidTraceId,
                "parent id" => RejectReason::InvalidParentId,
                _ => RejectReason::InvalidSpanId,
            },
            Self::Time { .. } => RejectReason::TimeOutOfRange,
            Self::TooLong { .. } | Self::ManyServices(_) => RejectReason::TooLarge,
            Self::Utf8(_) => RejectReason::InvalidUtf8,
            Self::Wire(error) => error.reason(),
            Self::Otlp(fault) => fault.reason(),
            Self::Type { .. }
            | Self::Missing(_)
            | Self::Kind(_)
            | Self::Port(_)
            | Self::Json(_) => RejectReason::Malformed,
        }
    }

    /// Says where in the span it is.
    pub(super) fn at(self, place: impl std::fmt::Display) -> PlacedFault {
        PlacedFault {
            path: place.to_string(),
            fault: self,
        }
    }
}

/// A fault and where in the span it is: `.localEndpoint.port`, or nothing for the whole span.
#[derive(Debug, Clone)]
pub(super) struct PlacedFault {
    pub path: String,
    pub fault: Fault,
}

impl PlacedFault {
    /// The same, seen from what is around it.
    pub(super) fn within(mut self, outer: impl std::fmt::Display) -> Self {
        self.path = format!("{outer}{}", self.path);
        self
    }
}

impl<F: Into<Fault>> From<F> for PlacedFault {
    fn from(fault: F) -> Self {
        Self {
            path: String::new(),
            fault: fault.into(),
        }
    }
}

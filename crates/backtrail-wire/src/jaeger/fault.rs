//! What is wrong with a span, or with the process.

use crate::otlp::SpanFault;
use crate::thrift::ThriftError;
use crate::{RejectReason, WireError};

/// What is wrong with a span, or with the process.
#[derive(Debug, Clone, thiserror::Error)]
pub(crate) enum Fault {
    #[error("{0} is not valid UTF-8")]
    Utf8(&'static str),
    #[error("a tag lacks its key or its type")]
    IncompleteTag,
    #[error("tag {key:?} has type {v_type}, which Jaeger does not define")]
    TagType { key: String, v_type: i64 },
    #[error("a reference lacks its trace id or span id")]
    IncompleteReference,
    #[error("{what} of {found} is not within the nanoseconds since 1970 that OTLP has")]
    Time { what: &'static str, found: String },
    #[error("times run backwards: duration of {found}")]
    NegativeDuration { found: String },
    #[error("{what} {text:?} is not hexadecimal digits")]
    Id {
        what: &'static str,
        text: String,
        reason: RejectReason,
    },
    #[error("{0}")]
    Json(String),
    #[error(transparent)]
    Otlp(#[from] SpanFault),
    #[error(transparent)]
    Thrift(#[from] ThriftError),
    #[error(transparent)]
    Protobuf(#[from] WireError),
}

impl Fault {
    /// The type of a tag that is not defined. Of the key, which may be long, the beginning is enough.
    pub(crate) fn tag_type(key: &str, v_type: i64) -> Self {
        let key = key.chars().take(60).collect();
        Self::TagType { key, v_type }
    }

    /// An id that is none. Of what stands there, which may be long, the beginning is enough.
    pub(crate) fn id(what: &'static str, text: &str, reason: RejectReason) -> Self {
        let text = text.chars().take(60).collect();
        Self::Id { what, text, reason }
    }

    pub(crate) fn json(error: impl std::fmt::Display) -> Self {
        Self::Json(error.to_string())
    }

    pub(crate) const fn reason(&self) -> RejectReason {
        match self {
            Self::Utf8(_) => RejectReason::InvalidUtf8,
            Self::Time { .. } => RejectReason::TimeOutOfRange,
            Self::NegativeDuration { .. } => RejectReason::TimeBackwards,
            Self::Otlp(fault) => fault.reason(),
            Self::Protobuf(error) => error.reason(),
            Self::Id { reason, .. } => *reason,
            Self::IncompleteTag
            | Self::Json(_)
            | Self::TagType { .. }
            | Self::IncompleteReference
            | Self::Thrift(_) => RejectReason::Malformed,
        }
    }
}

pub(crate) fn utf8<'a>(bytes: &'a [u8], what: &'static str) -> Result<&'a str, Fault> {
    std::str::from_utf8(bytes).map_err(|_| Fault::Utf8(what))
}

//! Why a whole request was refused, and what each protocol says then.

use std::time::Duration;

use http::{HeaderMap, StatusCode, header};
use tonic::Code;

use super::in_flight::Full;
use crate::auth::Denied;

/// When to come again after the queue was full: by then a group of the log has been synced many times.
const RETRY_WHEN_FULL: Duration = Duration::from_secs(1);

/// How a request ends that its client or its deadline ends, as a label of a metric.
pub(crate) const CANCELLED: &str = "cancelled";

/// Why a whole request was refused. The text tells the sender what to do.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Refusal {
    /// Its sender may not send.
    #[error("{0}")]
    Denied(#[from] Denied),
    /// It can't be understood.
    #[error("{0}")]
    Malformed(String),
    /// The body's type is none that we read here.
    #[error("content type {found:?} is not supported here; send {supported}")]
    UnsupportedType {
        /// What was sent; empty when nothing was said.
        found: String,
        /// What would do.
        supported: &'static str,
    },
    /// The body's compression is none that we read.
    #[error("content encoding {found:?} is not supported; send gzip, zstd, deflate or identity")]
    UnsupportedEncoding {
        /// What was sent.
        found: String,
    },
    /// Too many bytes on the wire.
    #[error(
        "the body is larger than {limit_bytes} bytes on the wire ({setting}); send smaller batches"
    )]
    TooLarge {
        /// The bound.
        limit_bytes: usize,
        /// What moves it.
        setting: &'static str,
    },
    /// Too many bytes after decompression.
    #[error(
        "the body is larger than {limit_bytes} bytes after decompression \
         (limits.max_inflated_bytes); send smaller batches"
    )]
    InflatesTooLarge {
        /// The bound.
        limit_bytes: usize,
    },
    /// It takes far more memory than bytes on the wire.
    #[error("{0}; send smaller batches")]
    DecodesTooLarge(String),
    /// The connection or the call ended before the body did: mostly, its client left.
    #[error("the body ended early: {0}")]
    BrokenOff(String),
    /// The body did not arrive in time.
    #[error("the body did not arrive within {0:?}")]
    TooSlow(Duration),
    /// The queue is full.
    #[error("too many bytes are on their way into the log already; send again later")]
    Overloaded,
    /// Nothing can be kept at the moment.
    #[error("{reason}")]
    Unavailable {
        /// Why.
        reason: String,
        /// When to come again.
        retry_after: Duration,
    },
}

impl From<Full> for Refusal {
    fn from(_: Full) -> Self {
        Self::Overloaded
    }
}

impl Refusal {
    /// Its name as a label of a metric.
    pub(crate) fn label(&self) -> &'static str {
        match self {
            Self::Denied(denied) => denied.label(),
            Self::Malformed(_) => "malformed",
            Self::UnsupportedType { .. } | Self::UnsupportedEncoding { .. } => "unsupported",
            Self::TooLarge { .. } | Self::InflatesTooLarge { .. } | Self::DecodesTooLarge(_) => {
                "too_large"
            }
            Self::BrokenOff(_) => CANCELLED,
            Self::TooSlow(_) => "too_slow",
            Self::Overloaded => "overloaded",
            Self::Unavailable { .. } => "unavailable",
        }
    }

    /// What HTTP says.
    pub(crate) fn http_status(&self) -> StatusCode {
        match self {
            Self::Denied(denied) => denied.http_status(),
            Self::Malformed(_) | Self::BrokenOff(_) => StatusCode::BAD_REQUEST,
            Self::UnsupportedType { .. } | Self::UnsupportedEncoding { .. } => {
                StatusCode::UNSUPPORTED_MEDIA_TYPE
            }
            Self::TooLarge { .. } | Self::InflatesTooLarge { .. } | Self::DecodesTooLarge(_) => {
                StatusCode::PAYLOAD_TOO_LARGE
            }
            Self::TooSlow(_) => StatusCode::REQUEST_TIMEOUT,
            Self::Overloaded => StatusCode::TOO_MANY_REQUESTS,
            Self::Unavailable { .. } => StatusCode::SERVICE_UNAVAILABLE,
        }
    }

    /// What gRPC says. OTLP clients repeat a request after `RESOURCE_EXHAUSTED` only when it
    /// carries a `RetryInfo`, so a batch that is too large is not sent again and again.
    pub(crate) fn grpc_code(&self) -> Code {
        match self {
            Self::Denied(denied) => denied.grpc_code(),
            Self::Malformed(_) | Self::UnsupportedType { .. } => Code::InvalidArgument,
            Self::UnsupportedEncoding { .. } => Code::Unimplemented,
            Self::TooLarge { .. }
            | Self::InflatesTooLarge { .. }
            | Self::DecodesTooLarge(_)
            | Self::Overloaded => Code::ResourceExhausted,
            Self::BrokenOff(_) => Code::Cancelled,
            Self::TooSlow(_) => Code::DeadlineExceeded,
            Self::Unavailable { .. } => Code::Unavailable,
        }
    }

    /// What HTTP says of it beside the status.
    pub(crate) fn http_headers(&self) -> HeaderMap {
        let mut headers = HeaderMap::new();
        if let Some(delay) = self.retry_after() {
            let seconds = delay.as_secs_f64().ceil() as u64;
            headers.insert(header::RETRY_AFTER, seconds.into());
        }
        if let Self::Denied(denied) = self {
            headers.insert(header::WWW_AUTHENTICATE, denied.challenge());
        }
        headers
    }

    /// When to send the same request again, if that makes sense at all.
    pub(crate) fn retry_after(&self) -> Option<Duration> {
        match self {
            Self::Overloaded => Some(RETRY_WHEN_FULL),
            Self::Unavailable { retry_after, .. } => Some(*retry_after),
            _ => None,
        }
    }
}

//! What the specification asks of a span beyond being readable.

use crate::otlp::attributes::validate_field;
use crate::otlp::{Link, Span};
use crate::{RejectReason, WireError};

/// What is wrong with a span.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum SpanFault {
    /// The trace id has the wrong length.
    #[error("trace id has {len_bytes} bytes instead of 16")]
    TraceIdLength {
        /// The length that it has.
        len_bytes: usize,
    },
    /// The trace id is the invalid one.
    #[error("trace id is all zero")]
    TraceIdZero,
    /// The span id has the wrong length.
    #[error("span id has {len_bytes} bytes instead of 8")]
    SpanIdLength {
        /// The length that it has.
        len_bytes: usize,
    },
    /// The span id is the invalid one.
    #[error("span id is all zero")]
    SpanIdZero,
    /// The parent's id has the wrong length.
    #[error("parent span id has {len_bytes} bytes instead of 0 or 8")]
    ParentIdLength {
        /// The length that it has.
        len_bytes: usize,
    },
    /// An id of a link has the wrong length.
    #[error("links[{link}]: {id} has {len_bytes} bytes instead of {expected_bytes}")]
    LinkIdLength {
        /// Index of the link.
        link: usize,
        /// Which of its ids.
        id: &'static str,
        /// The length that it has.
        len_bytes: usize,
        /// The length that it must have.
        expected_bytes: usize,
    },
    /// The span ends before it starts.
    #[error(
        "times run backwards: starts at {start_unix_nano} and ends at {end_unix_nano} (nanoseconds since 1970)"
    )]
    EndsBeforeStart {
        /// When it starts.
        start_unix_nano: u64,
        /// When it ends.
        end_unix_nano: u64,
    },
    /// The span is larger than the limit.
    #[error("span of {len_bytes} bytes is over the limit of {max_bytes}")]
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

impl SpanFault {
    /// What the fault counts as.
    pub const fn reason(&self) -> RejectReason {
        match self {
            Self::TraceIdLength { .. } | Self::TraceIdZero => RejectReason::InvalidTraceId,
            Self::SpanIdLength { .. } | Self::SpanIdZero => RejectReason::InvalidSpanId,
            Self::ParentIdLength { .. } => RejectReason::InvalidParentId,
            Self::LinkIdLength { .. } => RejectReason::InvalidLink,
            Self::EndsBeforeStart { .. } => RejectReason::TimeBackwards,
            Self::TooLarge { .. } => RejectReason::TooLarge,
            Self::Unreadable { error, .. } => error.reason(),
        }
    }
}

impl WireError {
    /// What the error counts as when it makes a span unreadable.
    pub const fn reason(&self) -> RejectReason {
        match self {
            Self::Utf8 { .. } => RejectReason::InvalidUtf8,
            Self::TooDeep { .. } => RejectReason::TooDeep,
            _ => RejectReason::Malformed,
        }
    }
}

/// Bounds of what a span may ask for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SpanLimits {
    /// Levels of arrays and maps inside an attribute value.
    pub max_value_depth: usize,
    /// Bytes of one span as OTLP protobuf.
    pub max_span_bytes: usize,
}

impl<'a> Span<'a> {
    /// Reads the bytes of a `Span` that is not too large and keeps OTLP's rules ([`Span::check`]). The attributes are not read.
    pub fn parse_valid(raw: &'a [u8], max_bytes: usize) -> Result<Self, SpanFault> {
        if raw.len() > max_bytes {
            return Err(SpanFault::TooLarge {
                len_bytes: raw.len(),
                max_bytes,
            });
        }
        let span = Self::parse(raw).map_err(unreadable("span"))?;
        span.check()?;
        Ok(span)
    }

    /// Checks ids, times and links, as OTLP defines them. A parent's id of 8 zero bytes is let through, for it says "no parent",
    /// and so is an end of 0, which says that the end is not known.
    pub fn check(&self) -> Result<(), SpanFault> {
        match self.trace_id {
            id if id.len() != 16 => {
                return Err(SpanFault::TraceIdLength {
                    len_bytes: id.len(),
                });
            }
            id if is_zero(id) => return Err(SpanFault::TraceIdZero),
            _ => {}
        }
        match self.span_id {
            id if id.len() != 8 => {
                return Err(SpanFault::SpanIdLength {
                    len_bytes: id.len(),
                });
            }
            id if is_zero(id) => return Err(SpanFault::SpanIdZero),
            _ => {}
        }
        if !matches!(self.parent_span_id.len(), 0 | 8) {
            return Err(SpanFault::ParentIdLength {
                len_bytes: self.parent_span_id.len(),
            });
        }
        if self.end_unix_nano != 0 && self.end_unix_nano < self.start_unix_nano {
            return Err(SpanFault::EndsBeforeStart {
                start_unix_nano: self.start_unix_nano,
                end_unix_nano: self.end_unix_nano,
            });
        }
        for (index, link) in self.raw_links().enumerate() {
            let link = link.and_then(Link::parse).map_err(unreadable("link"))?;
            check_link_id(index, "trace id", link.trace_id, 16)?;
            check_link_id(index, "span id", link.span_id, 8)?;
        }
        Ok(())
    }

    /// Reads every attribute of the span, its events and links once, so that later reads can't fail.
    pub fn check_attributes(&self, max_depth: usize) -> Result<(), SpanFault> {
        validate_field(self.raw, 9, max_depth).map_err(unreadable("attributes"))?;
        for event in self.events() {
            event
                .and_then(|event| validate_field(event.raw, 3, max_depth))
                .map_err(unreadable("event"))?;
        }
        for link in self.raw_links() {
            link.and_then(|link| validate_field(link, 4, max_depth))
                .map_err(unreadable("link"))?;
        }
        Ok(())
    }
}

fn unreadable(part: &'static str) -> impl Fn(WireError) -> SpanFault {
    move |error| SpanFault::Unreadable { part, error }
}

fn is_zero(id: &[u8]) -> bool {
    id.iter().all(|byte| *byte == 0)
}

fn check_link_id(
    link: usize,
    name: &'static str,
    id: &[u8],
    expected_bytes: usize,
) -> Result<(), SpanFault> {
    if id.len() == expected_bytes {
        return Ok(());
    }
    Err(SpanFault::LinkIdLength {
        link,
        id: name,
        len_bytes: id.len(),
        expected_bytes,
    })
}

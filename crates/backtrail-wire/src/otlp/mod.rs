//! OTLP traces and logs: borrowed views of the messages, and an encoder of spans.
//!
//! Source: `opentelemetry/proto/trace/v1/trace.proto`, `logs/v1/logs.proto`, `common/v1/common.proto` and `resource/v1/resource.proto`, version 1.9.
//!
//! A view keeps the bytes it was made from and reads fields when they are asked for. Attribute lists are handled in one
//! form throughout: the bytes of a `KeyValueList` message, which [`Attributes`] reads and every part of Backtrail stores.

mod attributes;
mod check;
mod encode;
mod encode_attribute;
mod log_check;
mod logs;
mod span;
mod trace;

pub use attributes::{
    AnyValue, ArrayValue, Attributes, KeyValue, attributes_of, put_any_value, put_key_value,
};
pub use check::{SpanFault, SpanLimits};
pub use encode::{SpanFields, put_event, put_span};
pub use encode_attribute::{put_attribute, write_short_attribute};
pub(crate) use log_check::is_exception_key;
pub use log_check::{IgnoreReason, LogFault, LogVerdict};
pub use logs::{LogRecord, LogsData, ResourceLogs, ScopeLogs};
pub use span::{Event, Link, Span, Status};
pub use trace::{ResourceSpans, ScopeSpans, TracesData};

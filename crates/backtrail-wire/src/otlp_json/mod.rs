//! OTLP/JSON: to OTLP protobuf, and from it. Spans, and log records that carry exceptions.
//!
//! Source: <https://opentelemetry.io/docs/specs/otlp/#json-protobuf-encoding> and
//! <https://protobuf.dev/programming-guides/json/>. What is read, beyond the plain case:
//!
//! - Fields by their lowerCamelCase name or by the name in the `.proto` file; others are ignored.
//! - Ids as hexadecimal digits of any case, bytes as base64 of either alphabet with or without padding.
//! - Integers as numbers or strings, also in the form `1e3`. An `intValue` *number* beyond 64 bits becomes a double, for
//!   that is what it was in the JavaScript that wrote it.
//! - Enums as numbers or names. Doubles also as strings, and `NaN`, `Infinity`, `-Infinity`.
//! - `null` is a field that is not there. An `AnyValue` of `{}` is an empty value, and `{}` as status, resource or scope is one
//!   that is there and says nothing.
//! - A name that occurs twice in an object is read as protobuf reads a field that occurs twice: the last scalar wins, lists
//!   are joined, messages are merged.
//!
//! A span or log record that can't be read is rejected alone. A resource or scope that can't be read takes its spans along. What is not JSON, or
//! has something else than lists of objects where `resourceSpans`, `scopeSpans` and `spans` (or their like of logs) are, is an error as a whole.
//! `serde_json` passes over spans and unknown fields without recursion, and values inside a span are read to a stated depth: nesting
//! can't exhaust the stack.

mod logs;
mod metrics;
mod object;
mod read;
mod scalar;
mod span;
mod traces;
mod value;
mod write;

pub use crate::json::JsonError;
pub use logs::exception_logs;
pub use metrics::metrics_summary;
pub use traces::to_protobuf;
pub use write::{from_protobuf, put_value};

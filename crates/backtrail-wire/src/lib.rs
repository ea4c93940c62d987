//! What traces look like on the wire: OTLP (protobuf and JSON) and Jaeger (Thrift and protobuf).
//!
//! The server reads with this crate and the SDK writes with it, so both agree by construction. Everything works on bytes
//! in memory: nothing here does I/O, reads a clock or starts a task.
//!
//! - [`protobuf`]: the encoding itself, as a field reader that borrows and a few `put_…` functions.
//! - [`otlp`]: borrowed views of `opentelemetry.proto.trace.v1` messages, and an encoder for them.
//! - [`otlp_json`]: the same messages as JSON, to protobuf and from it.
//! - [`jaeger_json`]: the JSON that Jaeger's page downloads, as OTLP.
//! - [`jaeger_thrift`]: Jaeger's batches as OTLP, bare and in messages to an agent; and a writer of batches.
//! - [`jaeger_proto`]: the same from Jaeger's protobuf model.
//!
//! ```
//! use backtrail_wire::{otlp, protobuf};
//!
//! let mut attribute = Vec::new();
//! protobuf::put_str(&mut attribute, 1, "http.route");
//! protobuf::put_message(&mut attribute, 2, |value| protobuf::put_str(value, 1, "/orders/{id}"));
//! let mut list = Vec::new();
//! protobuf::put_bytes(&mut list, 1, &attribute);
//!
//! let first = otlp::Attributes::new(&list).iter().next().expect("one attribute")?;
//! assert_eq!(first.key, "http.route");
//! assert_eq!(first.value, otlp::AnyValue::String("/orders/{id}"));
//! # Ok::<(), backtrail_wire::WireError>(())
//! ```
//!
//! Not for: general protobuf. There is no reflection, no groups and no code generation; use `prost` for that.

mod error;
mod exception_logs;
mod jaeger;
pub mod jaeger_json;
pub mod jaeger_proto;
pub mod jaeger_thrift;
mod json;
pub mod otlp;
pub mod otlp_json;
mod otlp_metrics;
pub mod protobuf;
mod rejection;
mod service_names;
mod thrift;
pub mod zipkin;

pub use error::WireError;
pub use exception_logs::{ExceptionLogs, IgnoredLogs};
pub use json::JsonError;
pub use otlp_metrics::MetricsSummary;
pub use rejection::{OtlpLogPath, OtlpPath, RejectReason, Rejections};
pub use service_names::ServiceNames;
pub use thrift::{ThriftError, ThriftErrorKind};

/// A request in another encoding, as OTLP protobuf.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Transcoded {
    /// A `TracesData` message with the spans that keep OTLP's rules.
    pub protobuf: Vec<u8>,
    /// How many spans it has.
    pub accepted: usize,
    /// The spans that it has not.
    pub rejected: Rejections,
}

//! The domain: ids, tenants, limits, span batches, and the interface through which they are read.
//!
//! A [`SpanBatch`] is what flows from the decoder through log and memtable to blocks and queries: an Arrow record batch of
//! spans and one of their events, each of one fixed schema. It keeps everything that OTLP can say.
//!
//! ```
//! use model::{SpanBatch, TraceId};
//! use backtrail_wire::{otlp, protobuf};
//!
//! let mut request = Vec::new();
//! protobuf::put_message(&mut request, 1, |resource_spans| {
//!     protobuf::put_message(resource_spans, 2, |scope_spans| {
//!         protobuf::put_message(scope_spans, 2, |span| {
//!             let fields = otlp::SpanFields { trace_id: &[1; 16], span_id: &[2; 8], name: "GET /", ..Default::default() };
//!             otlp::put_span(span, &fields, |_| Ok(())).expect("no events");
//!         });
//!     });
//! });
//! let batch = SpanBatch::from_otlp(&request)?;
//! assert_eq!(batch.len(), 1);
//! assert_eq!(batch.columns().trace_id(0), TraceId([1; 16]));
//! assert_eq!(batch.to_otlp()?, request);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! Not for: deciding what is accepted (that is `codec`), or wire shapes of an API (they live beside the API). Nothing here does
//! I/O, reads a clock or starts a task.

pub mod batch;
mod id;
mod limits;
mod scan;
mod signal;
mod tenant;

pub use backtrail_wire::WireError;
pub use backtrail_wire::otlp::{AnyValue as AttributeValue, Attributes, KeyValue};
pub use batch::{SpanBatch, SpanBatchBuilder, SpanColumns};
pub use id::{IdError, SpanId, TraceId};
pub use limits::Limits;
pub use scan::{AttributeScope, Field, OperationCount, PartitionSummary, RowSet, Scan, ScanError};
pub use signal::Signal;
pub use tenant::{TenantError, TenantId};

/// The name of a service that names none, as OpenTelemetry's resource conventions have it.
pub const UNKNOWN_SERVICE: &str = "unknown_service";

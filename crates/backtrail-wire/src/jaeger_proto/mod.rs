//! Jaeger's protobuf model (`jaeger.api_v2`) as OTLP.
//!
//! Sources: `model.proto` and `collector.proto` of jaeger-idl. It says what `jaeger.thrift` says in other types, so the mapping is that of
//! [`jaeger_thrift`](crate::jaeger_thrift). What differs:
//!
//! | Jaeger | OTLP |
//! |---|---|
//! | `trace_id` of 16 bytes; of 8 bytes, as clients of old write it | trace id, padded with zeros on the left |
//! | `span_id` of 8 bytes | span id |
//! | the first `CHILD_OF` (else `FOLLOWS_FROM`) reference of the same trace | parent span id |
//! | a span's own process, else the batch's | resource: spans of one process stand together |
//! | `start_time`, `duration` in nanoseconds | start and end |
//! | `warnings` of a span | attribute `@jaeger@warnings`, a list of texts, as Jaeger 2 keeps them |
//!
//! What has no place in OTLP and is dropped: `process_id` of a span.

mod model;
mod translate;

pub use translate::{PostSpansError, to_otlp};

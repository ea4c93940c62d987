//! Jaeger's Thrift batches: as OTLP, and written from their parts.
//!
//! Sources: `jaeger.thrift` of jaeger-idl, Thrift's `thrift-binary-protocol.md` and `thrift-compact-protocol.md`, and the Jaeger
//! translator of the OpenTelemetry Collector, whose mapping this is. The body of a request ([`to_otlp`]) is one bare `Batch` struct: no message header goes
//! before it. A datagram to an agent ([`message_to_otlp`]) is a call of its method `emitBatch`, header and all.
//!
//! | Jaeger | OTLP |
//! |---|---|
//! | process: service name, tags | resource: `service.name`, attributes; `hostname` becomes `host.name` and `jaeger.version` becomes `opencensus.exporterversion` (`Jaeger-…`) unless these are there |
//! | `traceIdHigh`, `traceIdLow` | trace id, the high half first |
//! | `parentSpanId`, else the first `CHILD_OF` (else `FOLLOWS_FROM`) reference of the same trace | parent span id |
//! | the other references | links with the attribute `opentracing.ref_type` |
//! | `startTime`, `duration` in microseconds | start and end |
//! | low 8 bits of `flags` | flags: bit 0 is "sampled" in both; Jaeger's debug bit is OTLP's "random trace id" |
//! | tag `span.kind` | kind |
//! | tag `error` = true; else tags `otel.status_code`, `otel.status_description`; else `http.status_code` | status |
//! | tags `otel.scope.name`, `otel.scope.version` (or `otel.library.…`) | scope; spans of one scope stand together |
//! | tag `w3c.tracestate` | trace state |
//! | log | event, named by its field `event` |
//! | binary tag | bytes |
//!
//! Tags keep their order and repeats. Exactly those tags go whose meaning is said elsewhere: the last one of its name, when it has the type
//! and value that the mapping asks for; `http.status_code` and `http.status_message` stay in any case. Where this differs from
//! the collector: unknown kinds and status codes stay attributes instead of being lost, the thrift path has scopes and trace states too,
//! and a span that can't be told truly is rejected, with the reason, instead of being stored with times that wrapped around.
//!
//! [`put_batch`] writes such a batch, in the binary protocol, from parts that the caller has.
//!
//! What has no place in OTLP and is dropped: `seqNo` and `stats` of the batch, `incomplete` and the high 24 bits of `flags` of a span, and
//! that a tag of one type had values of other types beside it.

mod message;
mod model;
mod translate;
mod views;
mod write;

pub use crate::thrift::{ThriftError, ThriftErrorKind};
pub use message::{MessageError, message_to_otlp};
pub use translate::{Encoding, to_otlp};
pub use write::{Logs, References, SpanHead, SpanParts, Spans, Tags, put_batch};

//! Zipkin's spans as OTLP, and OTLP as Zipkin's spans.
//!
//! Sources: `zipkin2-api.yaml`, `zipkin.proto` and `zipkinCore.thrift` of openzipkin/zipkin-api; the OpenTelemetry specification's page on
//! the transformation to Zipkin; the rules by which Zipkin's own server reads its formats.
//!
//! | Zipkin | OTLP |
//! |---|---|
//! | trace id of 1 to 32 hexadecimal digits | 16 bytes, zeros on the left. Written with 16 digits when the left half is zero, as Zipkin has it |
//! | `kind` | the kind of that name; none is "unspecified". "Internal" is written as none |
//! | `localEndpoint.serviceName` | resource `service.name`: spans of one service stand together |
//! | `localEndpoint`'s address and port | attributes `network.local.address`, `network.local.port` |
//! | `remoteEndpoint` | attributes `peer.service`, `network.peer.address`, `network.peer.port` |
//! | `timestamp`, `duration` in microseconds | start and end |
//! | annotation | event of that name, without attributes. An event with attributes is written as `"name": {…}` |
//! | tag | string attribute |
//! | tag `error` | stays; and status "error" with its text, but for the texts `true` (no text) and `false` (no error) |
//! | tags `otel.status_code` and `error` together, as OpenTelemetry's exporters write them | status |
//! | tags `otel.scope.name`, `otel.scope.version` | scope |
//! | tag `w3c.tracestate` | trace state |
//! | `debug`, `shared` | attributes `zipkin.debug`, `zipkin.shared`: true |
//!
//! What is read is written again as it was, but for what Zipkin itself makes equal: the order of tags and annotations, repeated
//! annotations, zeros for what is not there. Names keep their case, which Zipkin makes lower. Three more attributes see to that; none is a string, as
//! tags are:
//!
//! - `zipkin.no_timestamp`: true. The span came without a timestamp. It starts with its first annotation, else with the other half of its id, with
//!   its parent or with the earliest span of its trace, whichever of them is in the same request, else when the request arrived. It is written without a timestamp.
//! - `zipkin.local_endpoint`, `zipkin.remote_endpoint`: a map, where the attributes above would not tell the same endpoint, such as
//!   one with two addresses, or where a tag has the name of one of them (`tags` lists those).
//!
//! An OTLP span's remote endpoint is the first that there is in the specification's list of attributes. Its resource's attributes, its
//! scope, status, trace state, links (`otlp.link.0` and so on) and counts of what was dropped become tags; an attribute of the span
//! with that name counts for more.
//!
//! A span of version 1 that has both halves of a call becomes two spans, by the rules of Zipkin's own converter.

mod endpoint;
mod fault;
mod from_otlp;
mod json_v1;
mod json_v2;
mod json_value;
mod proto;
mod span;
mod tags;
mod text;
mod thrift_v1;
mod to_otlp;
mod v1;

pub use from_otlp::from_otlp;
pub use json_v1::to_otlp as json_v1_to_otlp;
pub use json_v2::to_otlp as json_v2_to_otlp;
pub use proto::to_otlp as protobuf_to_otlp;
pub(crate) use thrift_v1::list_to_otlp as thrift_list_v1_to_otlp;
pub use thrift_v1::to_otlp as thrift_v1_to_otlp;

/// Attributes and their maps' keys that only this module writes.
mod key {
    pub(super) const DEBUG: &str = "zipkin.debug";
    pub(super) const SHARED: &str = "zipkin.shared";
    pub(super) const NO_TIMESTAMP: &str = "zipkin.no_timestamp";
}

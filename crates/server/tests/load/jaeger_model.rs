//! As much of Jaeger's `model.proto` and `collector.proto` (jaegertracing/jaeger-idl, Apache-2.0) as a request needs.

use prost::Message;
use prost_types::{Duration, Timestamp};

use crate::running::otlp::START_UNIX_NANO;
use crate::senders::Ids;

#[derive(Clone, PartialEq, Message)]
pub(crate) struct PostSpansRequest {
    #[prost(message, optional, tag = "1")]
    batch: Option<Batch>,
}

#[derive(Clone, PartialEq, Message)]
struct Batch {
    #[prost(message, repeated, tag = "1")]
    spans: Vec<Span>,
    #[prost(message, optional, tag = "2")]
    process: Option<Process>,
}

#[derive(Clone, PartialEq, Message)]
struct Span {
    #[prost(bytes = "vec", tag = "1")]
    trace_id: Vec<u8>,
    #[prost(bytes = "vec", tag = "2")]
    id: Vec<u8>,
    #[prost(string, tag = "3")]
    operation_name: String,
    #[prost(message, optional, tag = "6")]
    start_time: Option<Timestamp>,
    #[prost(message, optional, tag = "7")]
    duration: Option<Duration>,
}

#[derive(Clone, PartialEq, Message)]
struct Process {
    #[prost(string, tag = "1")]
    service_name: String,
}

pub(crate) fn post_spans_request(service: &str, trace: u128, ids: Ids) -> PostSpansRequest {
    let spans = ids.map(|id| Span {
        trace_id: trace.to_be_bytes().to_vec(),
        id: id.to_be_bytes().to_vec(),
        operation_name: format!("operation {id}"),
        start_time: Some(Timestamp {
            seconds: (START_UNIX_NANO / 1_000_000_000) as i64,
            nanos: id as i32,
        }),
        duration: Some(Duration {
            seconds: 0,
            nanos: 1_000_000,
        }),
    });
    let process = Process {
        service_name: service.to_owned(),
    };
    PostSpansRequest {
        batch: Some(Batch {
            spans: spans.collect(),
            process: Some(process),
        }),
    }
}

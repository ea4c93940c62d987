//! Zipkin's spans in its four encodings, as little of them as a span needs.

use prost::Message;
use serde_json::json;

use crate::running::otlp::START_UNIX_NANO;
use crate::senders::{Ids, SERVICE};

const START_MICROS: u64 = START_UNIX_NANO / 1000;
const DURATION_MICROS: u64 = 1000;

pub(crate) fn json(trace: u128, ids: Ids) -> Vec<u8> {
    let spans = ids.map(|id| {
        json!({
            "traceId": format!("{trace:032x}"),
            "id": format!("{id:016x}"),
            "name": format!("operation {id}"),
            "timestamp": START_MICROS + id,
            "duration": DURATION_MICROS,
            "localEndpoint": { "serviceName": SERVICE },
        })
    });
    serde_json::to_vec(&spans.collect::<Vec<_>>()).unwrap()
}

pub(crate) fn json_v1(trace: u128, ids: Ids) -> Vec<u8> {
    let spans = ids.map(|id| {
        json!({
            "traceId": format!("{trace:032x}"),
            "id": format!("{id:016x}"),
            "name": format!("operation {id}"),
            "timestamp": START_MICROS + id,
            "duration": DURATION_MICROS,
            "binaryAnnotations": [
                { "key": "lc", "value": "", "endpoint": { "serviceName": SERVICE } }
            ],
        })
    });
    serde_json::to_vec(&spans.collect::<Vec<_>>()).unwrap()
}

/// `zipkin.proto` of openzipkin/zipkin-api, Apache-2.0.
#[derive(Clone, PartialEq, Message)]
struct ListOfSpans {
    #[prost(message, repeated, tag = "1")]
    spans: Vec<Span>,
}

#[derive(Clone, PartialEq, Message)]
struct Span {
    #[prost(bytes = "vec", tag = "1")]
    trace_id: Vec<u8>,
    #[prost(bytes = "vec", tag = "3")]
    id: Vec<u8>,
    #[prost(string, tag = "5")]
    name: String,
    #[prost(fixed64, tag = "6")]
    timestamp: u64,
    #[prost(uint64, tag = "7")]
    duration: u64,
    #[prost(message, optional, tag = "8")]
    local_endpoint: Option<Endpoint>,
}

#[derive(Clone, PartialEq, Message)]
struct Endpoint {
    #[prost(string, tag = "1")]
    service_name: String,
}

pub(crate) fn protobuf(trace: u128, ids: Ids) -> Vec<u8> {
    let spans = ids.map(|id| Span {
        trace_id: trace.to_be_bytes().to_vec(),
        id: id.to_be_bytes().to_vec(),
        name: format!("operation {id}"),
        timestamp: START_MICROS + id,
        duration: DURATION_MICROS,
        local_endpoint: Some(Endpoint {
            service_name: SERVICE.to_owned(),
        }),
    });
    let spans = spans.collect();
    ListOfSpans { spans }.encode_to_vec()
}

/// `zipkinCore.thrift` of openzipkin/zipkin-api in Thrift's binary protocol: a list of structs without an envelope.
pub(crate) fn thrift_v1(trace: u128, ids: Ids) -> Vec<u8> {
    let mut out = vec![STRUCT];
    out.extend((ids.clone().count() as i32).to_be_bytes());
    for id in ids {
        int(&mut out, 1, trace as i64);
        text(&mut out, 3, &format!("operation {id}"));
        int(&mut out, 4, id as i64);
        // One binary annotation: where it was recorded names the service.
        field(&mut out, LIST, 8);
        out.push(STRUCT);
        out.extend(1_i32.to_be_bytes());
        text(&mut out, 1, "lc");
        text(&mut out, 2, "");
        field(&mut out, I32, 3);
        out.extend(STRING_ANNOTATION.to_be_bytes());
        field(&mut out, STRUCT, 4);
        text(&mut out, 3, SERVICE);
        out.extend([STOP, STOP]);
        int(&mut out, 10, (START_MICROS + id) as i64);
        int(&mut out, 11, DURATION_MICROS as i64);
        int(&mut out, 12, (trace >> 64) as i64);
        out.push(STOP);
    }
    out
}

const STOP: u8 = 0;
const I32: u8 = 8;
const I64: u8 = 10;
const STRING: u8 = 11;
const STRUCT: u8 = 12;
const LIST: u8 = 15;
/// `AnnotationType.STRING`.
const STRING_ANNOTATION: i32 = 6;

fn field(out: &mut Vec<u8>, kind: u8, number: i16) {
    out.push(kind);
    out.extend(number.to_be_bytes());
}

fn int(out: &mut Vec<u8>, number: i16, value: i64) {
    field(out, I64, number);
    out.extend(value.to_be_bytes());
}

fn text(out: &mut Vec<u8>, number: i16, text: &str) {
    field(out, STRING, number);
    out.extend((text.len() as i32).to_be_bytes());
    out.extend(text.as_bytes());
}

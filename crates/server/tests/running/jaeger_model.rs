//! Jaeger's `model.proto`, written down from jaeger-idl for tests alone.

use prost::Message;
use prost_types::{Duration, Timestamp};

#[derive(Clone, PartialEq, Message)]
#[expect(clippy::struct_field_names, reason = "as Jaeger names them")]
pub(crate) struct Span {
    #[prost(bytes = "vec", tag = "1")]
    pub(crate) trace_id: Vec<u8>,
    #[prost(bytes = "vec", tag = "2")]
    pub(crate) span_id: Vec<u8>,
    #[prost(string, tag = "3")]
    pub(crate) operation_name: String,
    #[prost(message, repeated, tag = "4")]
    pub(crate) references: Vec<Reference>,
    #[prost(uint32, tag = "5")]
    pub(crate) flags: u32,
    #[prost(message, optional, tag = "6")]
    pub(crate) start_time: Option<Timestamp>,
    #[prost(message, optional, tag = "7")]
    pub(crate) duration: Option<Duration>,
    #[prost(message, repeated, tag = "8")]
    pub(crate) tags: Vec<KeyValue>,
    #[prost(message, repeated, tag = "9")]
    pub(crate) logs: Vec<Log>,
    #[prost(message, optional, tag = "10")]
    pub(crate) process: Option<Process>,
    #[prost(string, tag = "11")]
    pub(crate) process_id: String,
    #[prost(string, repeated, tag = "12")]
    pub(crate) warnings: Vec<String>,
}

#[derive(Clone, PartialEq, Message)]
pub(crate) struct Reference {
    #[prost(bytes = "vec", tag = "1")]
    pub(crate) trace_id: Vec<u8>,
    #[prost(bytes = "vec", tag = "2")]
    pub(crate) span_id: Vec<u8>,
    #[prost(int32, tag = "3")]
    pub(crate) ref_type: i32,
}

#[derive(Clone, PartialEq, Message)]
pub(crate) struct Log {
    #[prost(message, optional, tag = "1")]
    pub(crate) timestamp: Option<Timestamp>,
    #[prost(message, repeated, tag = "2")]
    pub(crate) fields: Vec<KeyValue>,
}

#[derive(Clone, PartialEq, Message)]
pub(crate) struct Process {
    #[prost(string, tag = "1")]
    pub(crate) service_name: String,
    #[prost(message, repeated, tag = "2")]
    pub(crate) tags: Vec<KeyValue>,
}

#[derive(Clone, PartialEq, Message)]
pub(crate) struct KeyValue {
    #[prost(string, tag = "1")]
    pub(crate) key: String,
    #[prost(int32, tag = "2")]
    pub(crate) v_type: i32,
    #[prost(string, tag = "3")]
    pub(crate) v_str: String,
    #[prost(bool, tag = "4")]
    pub(crate) v_bool: bool,
    #[prost(int64, tag = "5")]
    pub(crate) v_int64: i64,
    #[prost(double, tag = "6")]
    pub(crate) v_float64: f64,
    #[prost(bytes = "vec", tag = "7")]
    pub(crate) v_binary: Vec<u8>,
}

/// An instant of nanoseconds since 1970.
pub(crate) fn timestamp(unix_nano: u64) -> Timestamp {
    Timestamp {
        seconds: (unix_nano / 1_000_000_000) as i64,
        nanos: (unix_nano % 1_000_000_000) as i32,
    }
}

/// A duration of nanoseconds.
pub(crate) fn duration(nano: u64) -> Duration {
    Duration {
        seconds: (nano / 1_000_000_000) as i64,
        nanos: (nano % 1_000_000_000) as i32,
    }
}

//! Spans of Zipkin as a client writes them, with `serde_json` and `prost`: none of it is ours.

use std::collections::{BTreeMap, HashMap};
use std::net::{Ipv4Addr, Ipv6Addr};

use proptest::collection::{btree_map, vec};
use proptest::option::of;
use proptest::prelude::{Just, Strategy, any, prop_oneof};
use proptest::sample::select;
use prost::Message;
use serde_json::{Map, Value, json};

/// What a span says.
#[derive(Debug, Clone)]
pub(crate) struct SpanSpec {
    trace_id: u128,
    id: u64,
    parent_id: u64,
    kind: usize,
    name: String,
    timestamp: u64,
    duration: u64,
    local: EndpointSpec,
    remote: EndpointSpec,
    annotations: Vec<(u64, String)>,
    tags: BTreeMap<String, String>,
    debug: bool,
    shared: bool,
}

#[derive(Debug, Clone)]
struct EndpointSpec {
    service_name: String,
    ipv4: Option<Ipv4Addr>,
    ipv6: Option<Ipv6Addr>,
    port: u16,
}

const KINDS: [&str; 5] = ["", "CLIENT", "SERVER", "PRODUCER", "CONSUMER"];

/// Keys that mean something in OTLP, or to the translation.
const TOLD_KEYS: [&str; 22] = [
    "error",
    "otel.status_code",
    "otel.scope.name",
    "otel.scope.version",
    "otel.library.name",
    "otel.dropped_attributes_count",
    "otlp.link.0",
    "w3c.tracestate",
    "peer.service",
    "network.peer.address",
    "network.peer.port",
    "network.local.address",
    "network.local.port",
    "server.address",
    "server.port",
    "net.sock.peer.addr",
    "db.name",
    "service.name",
    "zipkin.debug",
    "zipkin.no_timestamp",
    "zipkin.remote_endpoint",
    "zipkin.local_endpoint",
];

fn text() -> impl Strategy<Value = String> {
    prop_oneof![
        3 => "[a-zA-Z/ .:\"\\\\äß\\n]{0,12}",
        1 => select(vec!["", "true", "false", "OK", "ERROR", "192.0.2.7", "::1", "80", "shop"]).prop_map(str::to_owned),
    ]
}

fn endpoint() -> impl Strategy<Value = EndpointSpec> {
    // Zipkin takes an IPv6 address that is made from one of IPv4 for that.
    let ipv6 = any::<Ipv6Addr>().prop_filter("mapped", |ip| ip.to_ipv4_mapped().is_none());
    let port = prop_oneof![Just(0), Just(80), any::<u16>()];
    (text(), of(any::<Ipv4Addr>()), of(ipv6), port).prop_map(|(service_name, ipv4, ipv6, port)| {
        EndpointSpec {
            service_name,
            ipv4,
            ipv6,
            port,
        }
    })
}

pub(crate) fn span_spec() -> impl Strategy<Value = SpanSpec> {
    const MAX_MICROS: u64 = u64::MAX / 2000;
    let key = prop_oneof![
        select(TOLD_KEYS.to_vec()).prop_map(str::to_owned),
        "[a-z.]{0,6}"
    ];
    let trace_id = prop_oneof![1..=u128::MAX, (1..=u64::MAX).prop_map(u128::from)];
    let micros = prop_oneof![Just(0), 1..=MAX_MICROS];
    let ids = (trace_id, 1..=u64::MAX, prop_oneof![Just(0), 1..=u64::MAX]);
    let times = (micros.clone(), micros.clone());
    let what = (0..KINDS.len(), text(), any::<bool>(), any::<bool>());
    let annotations = vec((1..=MAX_MICROS, text()), 0..4);
    let tags = btree_map(key, text(), 0..8);
    (ids, times, what, endpoint(), endpoint(), annotations, tags).prop_map(
        |(ids, times, what, local, remote, annotations, tags)| SpanSpec {
            trace_id: ids.0,
            id: ids.1,
            parent_id: ids.2,
            kind: what.0,
            name: what.1,
            timestamp: times.0,
            duration: times.1,
            local,
            remote,
            annotations,
            tags,
            debug: what.2,
            shared: what.3,
        },
    )
}

impl EndpointSpec {
    fn json(&self) -> Value {
        let mut object = Map::new();
        if !self.service_name.is_empty() {
            object.insert("serviceName".to_owned(), json!(self.service_name));
        }
        if let Some(ip) = self.ipv4 {
            object.insert("ipv4".to_owned(), json!(ip.to_string()));
        }
        if let Some(ip) = self.ipv6 {
            object.insert("ipv6".to_owned(), json!(ip.to_string()));
        }
        if self.port != 0 {
            object.insert("port".to_owned(), json!(self.port));
        }
        Value::Object(object)
    }

    fn protobuf(&self) -> Endpoint {
        Endpoint {
            service_name: self.service_name.clone(),
            ipv4: self.ipv4.map_or_else(Vec::new, |ip| ip.octets().to_vec()),
            ipv6: self.ipv6.map_or_else(Vec::new, |ip| ip.octets().to_vec()),
            port: i32::from(self.port),
        }
    }
}

impl SpanSpec {
    /// As a client may write it.
    pub(crate) fn json(&self) -> Value {
        json!({
            "traceId": format!("{:x}", self.trace_id),
            "id": format!("{:016X}", self.id),
            "parentId": (self.parent_id != 0).then(|| format!("{:016x}", self.parent_id)),
            "kind": (self.kind != 0).then(|| KINDS[self.kind]),
            "name": self.name,
            "timestamp": self.timestamp,
            "duration": self.duration,
            "localEndpoint": self.local.json(),
            "remoteEndpoint": self.remote.json(),
            "annotations": self.annotations.iter().map(|(timestamp, value)| {
                json!({ "timestamp": timestamp, "value": value })
            }).collect::<Vec<_>>(),
            "tags": self.tags,
            "debug": self.debug,
            "shared": self.shared,
        })
    }

    /// As Zipkin writes it: without what is not there, annotations in order and once.
    pub(crate) fn normal_json(&self) -> Value {
        let Value::Object(mut span) = self.json() else {
            unreachable!()
        };
        let digits = if self.trace_id > u128::from(u64::MAX) {
            32
        } else {
            16
        };
        span["traceId"] = json!(format!("{:0digits$x}", self.trace_id));
        span["id"] = json!(format!("{:016x}", self.id));
        let mut annotations = self.annotations.clone();
        annotations.sort();
        annotations.dedup();
        span["annotations"] = annotations
            .iter()
            .map(|(timestamp, value)| json!({ "timestamp": timestamp, "value": value }))
            .collect();
        span.retain(|_, value| match value {
            Value::Null => false,
            Value::Bool(value) => *value,
            Value::Number(value) => value.as_u64() != Some(0),
            Value::String(value) => !value.is_empty(),
            Value::Array(value) => !value.is_empty(),
            Value::Object(value) => !value.is_empty(),
        });
        Value::Object(span)
    }

    /// As a client may write it.
    pub(crate) fn protobuf(&self) -> Span {
        let trace_id = self.trace_id.to_be_bytes();
        let is_long = self.trace_id > u128::from(u64::MAX);
        let parent_id = self.parent_id.to_be_bytes().to_vec();
        Span {
            trace_id: trace_id[if is_long { 0 } else { 8 }..].to_vec(),
            parent_id: if self.parent_id == 0 {
                Vec::new()
            } else {
                parent_id
            },
            id: self.id.to_be_bytes().to_vec(),
            kind: self.kind as i32,
            name: self.name.clone(),
            timestamp: self.timestamp,
            duration: self.duration,
            local_endpoint: Some(self.local.protobuf()),
            remote_endpoint: Some(self.remote.protobuf()),
            annotations: self
                .annotations
                .iter()
                .map(|(timestamp, value)| Annotation {
                    timestamp: *timestamp,
                    value: value.clone(),
                })
                .collect(),
            tags: self.tags.clone().into_iter().collect(),
            debug: self.debug,
            shared: self.shared,
        }
    }
}

/// `zipkin.proto3.ListOfSpans`
#[derive(Clone, PartialEq, Message)]
pub(crate) struct ListOfSpans {
    #[prost(message, repeated, tag = "1")]
    pub(crate) spans: Vec<Span>,
}

/// `zipkin.proto3.Span`
#[derive(Clone, PartialEq, Message)]
pub(crate) struct Span {
    #[prost(bytes = "vec", tag = "1")]
    trace_id: Vec<u8>,
    #[prost(bytes = "vec", tag = "2")]
    parent_id: Vec<u8>,
    #[prost(bytes = "vec", tag = "3")]
    id: Vec<u8>,
    #[prost(int32, tag = "4")]
    kind: i32,
    #[prost(string, tag = "5")]
    name: String,
    #[prost(fixed64, tag = "6")]
    timestamp: u64,
    #[prost(uint64, tag = "7")]
    duration: u64,
    #[prost(message, optional, tag = "8")]
    local_endpoint: Option<Endpoint>,
    #[prost(message, optional, tag = "9")]
    remote_endpoint: Option<Endpoint>,
    #[prost(message, repeated, tag = "10")]
    annotations: Vec<Annotation>,
    #[prost(map = "string, string", tag = "11")]
    tags: HashMap<String, String>,
    #[prost(bool, tag = "12")]
    debug: bool,
    #[prost(bool, tag = "13")]
    shared: bool,
}

/// `zipkin.proto3.Endpoint`
#[derive(Clone, PartialEq, Message)]
struct Endpoint {
    #[prost(string, tag = "1")]
    service_name: String,
    #[prost(bytes = "vec", tag = "2")]
    ipv4: Vec<u8>,
    #[prost(bytes = "vec", tag = "3")]
    ipv6: Vec<u8>,
    #[prost(int32, tag = "4")]
    port: i32,
}

/// `zipkin.proto3.Annotation`
#[derive(Clone, PartialEq, Message)]
struct Annotation {
    #[prost(fixed64, tag = "1")]
    timestamp: u64,
    #[prost(string, tag = "2")]
    value: String,
}

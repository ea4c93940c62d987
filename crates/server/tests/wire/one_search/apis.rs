//! How each API is asked the same thing.

use std::fmt::Write as _;

use opentelemetry_proto::tonic::trace::v1::TracesData;
use serde_json::{Value, json};

use super::{Asked, NO_LIMIT};
use crate::running::grpc::GrpcClient;
use crate::running::jaeger_model::{duration, timestamp};
use crate::running::jaeger_query::{
    FindTracesRequest, GetTraceV2, GetTraceV3, Spans, Summaries, TraceQueryParameters,
};
use crate::running::otlp::START_UNIX_NANO;
use crate::running::{Backtrail, Reply, agent};

const NANO_PER_US: u64 = 1_000;
const NANO_PER_MS: u64 = 1_000_000;
const US_PER_MS: u64 = 1_000;

/// A server, and a connection to its query services over gRPC.
pub(super) struct Reader<'a> {
    server: &'a Backtrail,
    grpc: GrpcClient,
}

/// The ids that a search finds, in the order of the answer.
type Find = fn(&Reader<'_>, &Asked) -> Vec<String>;
/// The id of the trace that is found by an id.
type ById = fn(&Reader<'_>, &str) -> String;

pub(super) const ALL: [(&str, Find); 8] = [
    ("/api/v1/search", ours),
    ("/api/traces", jaeger_v1),
    ("/api/v3/trace-summaries", jaeger_v3_summaries),
    ("/api/v3/traces", jaeger_v3_traces),
    ("api_v3 FindTraces", grpc_v3),
    ("api_v3 FindTraceSummaries", grpc_v3_summaries),
    ("api_v2 FindTraces", grpc_v2),
    ("Zipkin /api/v2/traces", zipkin),
];

pub(super) const BY_ID: [(&str, ById); 7] = [
    ("/api/v1/traces", |reader, id| {
        let answer = reader.json(&format!("/api/v1/traces/{id}"));
        trace_ids(&answer)[0].clone()
    }),
    ("/api/v1/traces/…/skeleton", |reader, id| {
        text(&reader.json(&format!("/api/v1/traces/{id}/skeleton"))["trace_id"])
    }),
    ("/api/traces", |reader, id| {
        text(&reader.json(&format!("/api/traces/{id}"))["data"][0]["traceID"])
    }),
    ("/api/v3/traces", |reader, id| {
        let answer = reader.json(&format!("/api/v3/traces/{id}"));
        trace_ids(&answer["result"])[0].clone()
    }),
    ("Zipkin /api/v2/trace", |reader, id| {
        let spans = reader.zipkin(&format!("/api/v2/trace/{id}"));
        whole_id(&text(&spans[0]["traceId"]))
    }),
    ("api_v3 GetTrace", |reader, id| {
        let request = GetTraceV3 {
            trace_id: id.to_owned(),
            ..GetTraceV3::default()
        };
        let path = "/jaeger.api_v3.QueryService/GetTrace";
        let found = reader.grpc.stream(path, tonic::Request::new(request));
        ids_of_otlp(&found.unwrap().messages)[0].clone()
    }),
    ("api_v2 GetTrace", |reader, id| {
        let id = u128::from_str_radix(id, 16).unwrap();
        // Bytes have no case; a short id is the lower half.
        let halves = id.to_be_bytes();
        let trace_id = if id >> 64 == 0 {
            &halves[8..]
        } else {
            &halves[..]
        };
        let request = GetTraceV2 {
            trace_id: trace_id.to_vec(),
        };
        let path = "/jaeger.api_v2.QueryService/GetTrace";
        let found = reader.grpc.stream(path, tonic::Request::new(request));
        ids_of_spans(&found.unwrap().messages)[0].clone()
    }),
];

impl<'a> Reader<'a> {
    pub(super) fn of(server: &'a Backtrail) -> Self {
        Self {
            server,
            grpc: GrpcClient::connect(server.address("jaeger-query-grpc")),
        }
    }

    fn json(&self, path: &str) -> Value {
        let (status, body) = self.server.get(path);
        assert_eq!(status, 200, "{path}: {body}");
        serde_json::from_str(&body).unwrap()
    }

    fn zipkin(&self, path: &str) -> Value {
        let reply = agent().get(self.server.url("zipkin", path)).call();
        let reply = Reply::from(reply.unwrap());
        assert_eq!(reply.status, 200, "{path}: {}", reply.text());
        serde_json::from_slice(&reply.body).unwrap()
    }

    fn find<R: prost::Message + Default + 'static>(
        &self,
        path: &'static str,
        query: TraceQueryParameters,
    ) -> Vec<R> {
        let request = tonic::Request::new(FindTracesRequest { query: Some(query) });
        self.grpc.stream(path, request).unwrap().messages
    }
}

/// An address with parameters.
struct Address(String);

impl Address {
    fn add(&mut self, name: &str, value: impl ToString) {
        let mark = if self.0.contains('?') { '&' } else { '?' };
        write!(self.0, "{mark}{name}=").unwrap();
        for byte in value.to_string().bytes() {
            write!(self.0, "%{byte:02X}").unwrap();
        }
    }

    fn add_some(&mut self, name: &str, value: Option<impl ToString>) {
        if let Some(value) = value {
            self.add(name, value);
        }
    }
}

/// The nanoseconds of the first millisecond's begin and of the last one's end, which is not in it.
fn starts_unix_nano(asked: &Asked) -> Option<(u64, u64)> {
    let (first, last) = asked.starts_ms?;
    let at = |ms: u64| START_UNIX_NANO + ms * NANO_PER_MS;
    Some((at(first), at(last + 1)))
}

fn ours(reader: &Reader<'_>, asked: &Asked) -> Vec<String> {
    let mut address = Address("/api/v1/search".to_owned());
    address.add_some("service", asked.service);
    address.add_some("name", asked.operation);
    address.add_some("kind", asked.kind);
    address.add_some("status", asked.error.then_some("error"));
    for (key, value) in &asked.tags {
        address.add("attr", format!("{key}={value}"));
    }
    let microseconds = |us: Option<u64>| us.map(|us| format!("{us}us"));
    address.add_some("min_duration", microseconds(asked.min_duration_us));
    address.add_some("max_duration", microseconds(asked.max_duration_us));
    if let Some((start, end)) = starts_unix_nano(asked) {
        address.add("start", start);
        address.add("end", end - 1);
    }
    address.add("limit", asked.limit.unwrap_or(NO_LIMIT));
    let answer = reader.json(&address.0);
    assert_eq!(answer["truncated"], false);
    texts(&answer["traces"], "trace_id")
}

/// Jaeger has tags for what is no attribute.
fn jaeger_tags(asked: &Asked) -> Vec<(String, String)> {
    let mut tags: Vec<_> = asked.tags.clone();
    tags.extend(asked.kind.map(|kind| ("span.kind", kind)));
    tags.extend(asked.error.then_some(("error", "true")));
    let owned = |(key, value): (&str, &str)| (key.to_owned(), value.to_owned());
    tags.into_iter().map(owned).collect()
}

fn jaeger_v1(reader: &Reader<'_>, asked: &Asked) -> Vec<String> {
    let mut address = Address("/api/traces".to_owned());
    address.add_some("service", asked.service);
    address.add_some("operation", asked.operation);
    for (number, (key, value)) in jaeger_tags(asked).into_iter().enumerate() {
        // Both ways to write a tag.
        if number % 2 == 0 {
            address.add("tags", json!({ key: value }));
        } else {
            address.add("tag", format!("{key}:{value}"));
        }
    }
    let microseconds = |us: Option<u64>| us.map(|us| format!("{us}us"));
    address.add_some("minDuration", microseconds(asked.min_duration_us));
    address.add_some("maxDuration", microseconds(asked.max_duration_us));
    if let Some((start, end)) = starts_unix_nano(asked) {
        address.add("start", start / NANO_PER_US);
        address.add("end", end / NANO_PER_US - 1);
    }
    address.add("limit", asked.limit.unwrap_or(NO_LIMIT));
    let answer = reader.json(&address.0);
    assert_eq!(answer["errors"], Value::Null);
    texts(&answer["data"], "traceID")
}

fn jaeger_v3(path: &str, asked: &Asked) -> String {
    let mut address = Address(path.to_owned());
    address.add_some("query.serviceName", asked.service);
    address.add_some("query.operation_name", asked.operation);
    let tags = jaeger_tags(asked);
    if !tags.is_empty() {
        let tags: serde_json::Map<String, Value> = tags
            .into_iter()
            .map(|(key, value)| (key, value.into()))
            .collect();
        address.add("query.attributes", Value::Object(tags));
    }
    let milliseconds = |us: Option<u64>| us.map(|us| format!("{}ms", us as f64 / US_PER_MS as f64));
    address.add_some("query.durationMin", milliseconds(asked.min_duration_us));
    address.add_some("query.duration_max", milliseconds(asked.max_duration_us));
    if let Some((start, end)) = starts_unix_nano(asked) {
        address.add("query.startTimeMin", start);
        address.add("query.start_time_max", end);
    }
    address.add("query.searchDepth", asked.limit.unwrap_or(NO_LIMIT));
    address.0
}

fn jaeger_v3_summaries(reader: &Reader<'_>, asked: &Asked) -> Vec<String> {
    let answer = reader.json(&jaeger_v3("/api/v3/trace-summaries", asked));
    texts(&answer["summaries"], "traceId")
}

fn jaeger_v3_traces(reader: &Reader<'_>, asked: &Asked) -> Vec<String> {
    let address = jaeger_v3("/api/v3/traces", asked);
    let (status, body) = reader.server.get(&address);
    // What finds nothing is not found.
    if status == 404 {
        return Vec::new();
    }
    let answer: Value = serde_json::from_str(&body).unwrap();
    trace_ids(&answer["result"])
}

/// `end` is what the version takes for the end of the range.
fn grpc_query(asked: &Asked, end: fn(u64) -> u64) -> TraceQueryParameters {
    let starts = starts_unix_nano(asked);
    let nanoseconds = |us: Option<u64>| us.map(|us| duration(us * NANO_PER_US));
    TraceQueryParameters {
        service_name: asked.service.unwrap_or_default().to_owned(),
        operation_name: asked.operation.unwrap_or_default().to_owned(),
        attributes: jaeger_tags(asked).into_iter().collect(),
        start_time_min: starts.map(|(start, _)| timestamp(start)),
        start_time_max: starts.map(|(_, last)| timestamp(end(last))),
        duration_min: nanoseconds(asked.min_duration_us),
        duration_max: nanoseconds(asked.max_duration_us),
        search_depth: asked.limit.unwrap_or(NO_LIMIT) as i32,
        ..TraceQueryParameters::default()
    }
}

fn grpc_v3(reader: &Reader<'_>, asked: &Asked) -> Vec<String> {
    let path = "/jaeger.api_v3.QueryService/FindTraces";
    let found = reader.find(path, grpc_query(asked, |end| end));
    ids_of_otlp(&found)
}

fn grpc_v3_summaries(reader: &Reader<'_>, asked: &Asked) -> Vec<String> {
    let path = "/jaeger.api_v3.QueryService/FindTraceSummaries";
    let found: Vec<Summaries> = reader.find(path, grpc_query(asked, |end| end));
    let summaries = found.into_iter().flat_map(|some| some.summaries);
    summaries.map(|summary| summary.trace_id).collect()
}

fn grpc_v2(reader: &Reader<'_>, asked: &Asked) -> Vec<String> {
    let path = "/jaeger.api_v2.QueryService/FindTraces";
    let found = reader.find(path, grpc_query(asked, |end| end - 1));
    ids_of_spans(&found)
}

fn zipkin(reader: &Reader<'_>, asked: &Asked) -> Vec<String> {
    let mut address = Address("/api/v2/traces".to_owned());
    address.add_some("serviceName", asked.service);
    address.add_some("spanName", asked.operation);
    let tags: Vec<_> = jaeger_tags(asked)
        .into_iter()
        .map(|(key, value)| format!("{key}={value}"))
        .collect();
    address.add_some("annotationQuery", Some(tags.join(" and ")));
    address.add_some("minDuration", asked.min_duration_us);
    address.add_some("maxDuration", asked.max_duration_us);
    // Without a range Zipkin asks for the last day.
    let (start, end) = starts_unix_nano(asked).unwrap_or((NANO_PER_MS, 2 * START_UNIX_NANO));
    let last_ms = end / NANO_PER_MS - 1;
    address.add("endTs", last_ms);
    // A lookback of nothing is none.
    let lookback_ms = last_ms - start / NANO_PER_MS;
    address.add("lookback", lookback_ms.max(1));
    address.add("limit", asked.limit.unwrap_or(NO_LIMIT));
    let answer = reader.zipkin(&address.0);
    let traces = answer.as_array().unwrap().iter();
    traces
        .map(|spans| whole_id(&text(&spans[0]["traceId"])))
        .collect()
}

/// Zipkin writes ids of 64 bits with 16 digits.
fn whole_id(id: &str) -> String {
    format!("{id:0>32}")
}

fn text(value: &Value) -> String {
    value.as_str().unwrap().to_owned()
}

fn texts(list: &Value, field: &str) -> Vec<String> {
    let list = list.as_array().unwrap().iter();
    list.map(|item| text(&item[field])).collect()
}

/// The ids of the traces in OTLP JSON; the spans of one stand together.
fn trace_ids(otlp: &Value) -> Vec<String> {
    let resources = otlp["resourceSpans"].as_array().unwrap().iter();
    let scopes = resources.flat_map(|resource| resource["scopeSpans"].as_array().unwrap());
    let spans = scopes.flat_map(|scope| scope["spans"].as_array().unwrap());
    let mut ids: Vec<_> = spans.map(|span| text(&span["traceId"])).collect();
    ids.dedup();
    ids
}

fn ids_of_otlp(messages: &[TracesData]) -> Vec<String> {
    let resources = messages.iter().flat_map(|data| &data.resource_spans);
    let scopes = resources.flat_map(|resource| &resource.scope_spans);
    let spans = scopes.flat_map(|scope| &scope.spans);
    ids(spans.map(|span| &span.trace_id))
}

fn ids_of_spans(messages: &[Spans]) -> Vec<String> {
    let spans = messages.iter().flat_map(|chunk| &chunk.spans);
    ids(spans.map(|span| &span.trace_id))
}

fn ids<'a>(bytes: impl Iterator<Item = &'a Vec<u8>>) -> Vec<String> {
    let id = |bytes: &Vec<u8>| u128::from_be_bytes(bytes.as_slice().try_into().unwrap());
    let mut ids: Vec<_> = bytes.map(|bytes| format!("{:032x}", id(bytes))).collect();
    ids.dedup();
    ids
}

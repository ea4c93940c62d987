//! Real traces of Zipkin's users come in through Zipkin's port and are the same in every API.

use std::fmt::Write as _;

use backtrail_wire::otlp::SpanLimits;
use backtrail_wire::{otlp_json, zipkin};
use serde_json::{Value, json};

use crate::running::{Backtrail, agent, post};

/// Each file is one trace.
const FILES: [(&str, &str, usize); 4] = [
    ("ascend", "ef86c83c0a05a6d6", 8),
    ("messaging-kafka", "0562809467078eab", 28),
    ("skew", "1e223ff1f80f1c69", 4),
    ("smartthings-mobile-web-install", "14b60fd9ae504820", 1041),
];

fn file(name: &str) -> Vec<u8> {
    std::fs::read(format!("tests/fixtures/zipkin/{name}.json")).unwrap()
}

/// The server with all files in it.
fn loaded() -> Backtrail {
    let server = Backtrail::start();
    for (name, _, _) in FILES {
        let headers = [("Content-Type", "application/json")];
        let reply = post(
            &server.url("zipkin", "/api/v2/spans"),
            &headers,
            &file(name),
        );
        assert_eq!((reply.status, reply.text().as_str()), (202, ""), "{name}");
    }
    server
}

fn web(server: &Backtrail, path: &str) -> Value {
    let (status, text) = server.get(path);
    assert_eq!(status, 200, "{path}: {text}");
    serde_json::from_str(&text).unwrap()
}

/// Spans as Zipkin's own server would write them, in an order of their own.
fn normal(spans: &[Value]) -> Vec<Value> {
    let mut spans: Vec<Value> = spans.to_vec();
    for span in &mut spans {
        let span = span.as_object_mut().unwrap();
        if let Some(annotations) = span.get_mut("annotations").and_then(Value::as_array_mut) {
            let key = |annotation: &Value| {
                let value = annotation["value"].as_str().unwrap().to_owned();
                (annotation["timestamp"].as_u64(), value)
            };
            annotations.sort_by_key(key);
            annotations.dedup();
        }
        span.retain(|_, value| !matches!(value, Value::Object(map) if map.is_empty()));
        span.retain(|_, value| *value != json!([]) && *value != json!(0));
    }
    spans.sort_by_cached_key(ToString::to_string);
    spans
}

#[test]
fn every_api_gives_the_spans_of_the_file() {
    let server = loaded();
    for (name, trace_id, count) in FILES {
        let sent: Vec<Value> = serde_json::from_slice(&file(name)).unwrap();
        let sent = normal(&sent);
        assert_eq!(sent.len(), count, "{name}");

        let url = server.url("zipkin", &format!("/api/v2/trace/{trace_id}"));
        let text = agent().get(url).call().unwrap().body_mut().read_to_string();
        let read: Vec<Value> = serde_json::from_str(&text.unwrap()).unwrap();
        assert_eq!(normal(&read), sent, "{name} over Zipkin's API");

        // As OTLP, nothing is lost either.
        let (status, otlp) = server.get(&format!("/api/v1/traces/{trace_id}"));
        assert_eq!(status, 200);
        let limits = SpanLimits {
            max_value_depth: 32,
            max_span_bytes: 1 << 20,
        };
        let otlp = otlp_json::to_protobuf(otlp.as_bytes(), &limits).unwrap();
        let read: Vec<Value> =
            serde_json::from_slice(&zipkin::from_otlp(&otlp.protobuf).unwrap()).unwrap();
        assert_eq!(normal(&read), sent, "{name} over our own API");

        let skeleton = web(&server, &format!("/api/v1/traces/{trace_id}/skeleton"));
        assert_eq!(skeleton["span_count"], count);
        let jaeger = web(&server, &format!("/api/traces/{trace_id}"));
        assert_eq!(jaeger["data"][0]["spans"].as_array().unwrap().len(), count);
        let jaeger = web(&server, &format!("/api/v3/traces/{trace_id}"));
        let groups = jaeger["result"]["resourceSpans"].as_array().unwrap().iter();
        let spans = groups.flat_map(|group| group["scopeSpans"].as_array().unwrap());
        let spans: usize = spans
            .map(|scope| scope["spans"].as_array().unwrap().len())
            .sum();
        assert_eq!(spans, count, "{name} over Jaeger's API v3");
    }
}

#[test]
fn one_search_finds_the_same_in_every_api() {
    let server = loaded();
    let ids = |found: &Value, of: fn(&Value) -> &Value| -> Vec<String> {
        let traces = found.as_array().unwrap().iter();
        let id = |trace| format!("{:0>32}", of(trace).as_str().unwrap());
        traces.map(id).collect()
    };
    for (service, tag, expected) in [
        (
            "servicea",
            None,
            &["0562809467078eab", "1e223ff1f80f1c69"][..],
        ),
        (
            "servicea",
            Some(("kafka.topic", "messages")),
            &["0562809467078eab"],
        ),
        (
            "content-service",
            Some(("http.method", "GET")),
            &["ef86c83c0a05a6d6"],
        ),
        ("content-service", Some(("http.method", "PUT")), &[]),
    ] {
        let expected: Vec<String> = expected.iter().map(|id| format!("{id:0>32}")).collect();
        let query = tag.map_or(String::new(), |(key, value)| {
            format!("&annotationQuery={key}%3D{value}")
        });
        let found = web(
            &server,
            &format!(
                "/zipkin/api/v2/traces?serviceName={service}&endTs=1767225600000&lookback=1767225600000{query}"
            ),
        );
        assert_eq!(
            ids(&found, |trace| &trace[0]["traceId"]),
            expected,
            "Zipkin: {service} {tag:?}"
        );
        let query = tag.map_or(String::new(), |(key, value)| format!("&tag={key}:{value}"));
        let found = web(&server, &format!("/api/traces?service={service}{query}"));
        assert_eq!(
            ids(&found["data"], |trace| &trace["traceID"]),
            expected,
            "Jaeger: {service} {tag:?}"
        );
    }
}

/// The trace as an indented list, with what is odd about a span.
fn drawn(skeleton: &Value) -> String {
    let column = |name: &str, row: usize| skeleton["columns"][name][row].as_i64().unwrap();
    let mut depths: Vec<usize> = Vec::new();
    let mut text = String::new();
    for row in 0..skeleton["span_count"].as_u64().unwrap() as usize {
        let parent = usize::try_from(column("parent", row)).ok();
        let depth = parent.map_or(0, |parent| depths[parent] + 1);
        depths.push(depth);
        let service = skeleton["services"][column("service", row) as usize]
            .as_str()
            .unwrap();
        let name = skeleton["names"][column("name", row) as usize]
            .as_str()
            .unwrap();
        let kind =
            ["", "", " server", " client", " producer", " consumer"][column("kind", row) as usize];
        let known = [
            (1, "parent missing"),
            (2, "shared id"),
            (8, "before parent"),
            (16, "cut"),
        ];
        let flags = column("flags", row);
        let odd: Vec<&str> = known
            .iter()
            .filter(|(bit, _)| flags & bit != 0)
            .map(|(_, name)| *name)
            .collect();
        let odd = if odd.is_empty() {
            String::new()
        } else {
            format!(" ({})", odd.join(", "))
        };
        writeln!(
            text,
            "{}{service}{kind}: {}{odd}",
            "  ".repeat(depth),
            name.escape_debug()
        )
        .unwrap();
    }
    text
}

#[test]
fn trees_are_what_the_clients_meant() {
    let server = loaded();
    for (name, trace_id, _) in FILES {
        let skeleton = web(&server, &format!("/api/v1/traces/{trace_id}/skeleton"));
        insta::assert_snapshot!(format!("zipkin_tree_{name}"), drawn(&skeleton));
    }
}

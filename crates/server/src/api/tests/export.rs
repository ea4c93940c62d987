//! What is exported can be read again by those who read the format, and says the same.

use backtrail_wire::{Transcoded, jaeger_json, zipkin};
use query::Budget;

use super::*;

const LIMITS: SpanLimits = SpanLimits {
    max_value_depth: 32,
    max_span_bytes: 1 << 20,
};

/// Each span in the form that equal spans share, sorted.
fn canonical(otlp: &[u8]) -> Vec<Vec<u8>> {
    let batch = SpanBatch::from_otlp(otlp).unwrap();
    let columns = batch.columns();
    let mut spans: Vec<_> = (0..columns.len())
        .map(|row| columns.canonical(row).unwrap())
        .collect();
    spans.sort();
    spans
}

fn read(format: &str, document: &[u8]) -> Transcoded {
    let read = match format {
        "otlp" => otlp_json::to_protobuf(document, &LIMITS),
        "jaeger" => jaeger_json::to_otlp(document, &LIMITS),
        _ => zipkin::json_v2_to_otlp(document, &LIMITS, 0),
    };
    let read = read.unwrap();
    assert_eq!(read.rejected.examples(), [""; 0]);
    read
}

/// The distinct spans that the shop has.
fn all_spans() -> Vec<Vec<u8>> {
    let request = otlp_json::to_protobuf(include_bytes!("shop.json"), &LIMITS).unwrap();
    canonical(&request.protobuf)
}

#[tokio::test]
async fn a_search_as_otlp_is_the_spans_that_came_in() {
    let client = Client::of_shop();
    let reply = client.get("/api/v1/export").await;
    assert_eq!(reply.status, StatusCode::OK);
    assert_eq!(canonical(&read("otlp", &reply.body).protobuf), all_spans());
    assert!(!reply.headers.contains_key("backtrail-next-cursor"));
    assert!(!reply.headers.contains_key("backtrail-truncated"));
}

#[tokio::test]
async fn every_format_holds_every_span_and_is_stable() {
    for format in ["otlp", "jaeger", "zipkin"] {
        let client = Client::of_shop();
        let first = client.get(&format!("/api/v1/export?format={format}")).await;
        let read_once = read(format, &first.body);
        assert_eq!(read_once.accepted, all_spans().len(), "{format}");
        // What these formats can't hold is lost once: what comes out of them goes in and out unchanged.
        let batch = SpanBatch::from_otlp(&read_once.protobuf).unwrap();
        let again = Client::of(Snapshot::new(vec![MemoryScan::new(batch).into_scan()]));
        let second = again.get(&format!("/api/v1/export?format={format}")).await;
        let read_twice = read(format, &second.body);
        assert_eq!(
            canonical(&read_twice.protobuf),
            canonical(&read_once.protobuf),
            "{format}"
        );
    }
}

#[tokio::test]
async fn pages_of_an_export_are_all_of_it_once() {
    let client = Client::of_shop();
    let mut spans = Vec::new();
    let mut address = "/api/v1/export?limit=1".to_owned();
    loop {
        let reply = client.get(&address).await;
        spans.extend(canonical(&read("otlp", &reply.body).protobuf));
        let Some(cursor) = reply.headers.get("backtrail-next-cursor") else {
            break;
        };
        address = format!("/api/v1/export?limit=1&cursor={}", cursor.to_str().unwrap());
    }
    spans.sort();
    assert_eq!(spans, all_spans());
}

#[tokio::test]
async fn a_trace_is_given_in_each_format_and_as_a_file() {
    let client = Client::of_shop();
    let here = query::trace(
        &shop(),
        model::TraceId::parse(CHECKOUT).unwrap(),
        &Budget::unlimited(),
    );
    let spans = here.unwrap().unwrap().batch.len();
    for format in ["otlp", "jaeger", "zipkin"] {
        let address = format!("/api/v1/traces/{CHECKOUT}?format={format}&download=1");
        let reply = client.get(&address).await;
        assert_eq!(read(format, &reply.body).accepted, spans);
        assert_eq!(
            reply.headers["content-disposition"],
            format!("attachment; filename=\"trace-{CHECKOUT}.{format}.json\"")
        );
    }
    let reply = client.get(&format!("/api/v1/traces/{CHECKOUT}")).await;
    assert!(!reply.headers.contains_key("content-disposition"));
}

#[tokio::test]
async fn nothing_found_is_an_empty_document_and_nonsense_is_refused() {
    let client = Client::of_shop();
    for (format, expected) in [
        ("otlp", r#"{"resourceSpans":[]}"#),
        (
            "jaeger",
            r#"{"data":[],"total":0,"limit":0,"offset":0,"errors":null}"#,
        ),
        ("zipkin", "[]"),
    ] {
        let reply = client
            .get(&format!("/api/v1/export?service=nobody&format={format}"))
            .await;
        assert_eq!(reply.body, expected.as_bytes());
    }
    for (address, expected) in [
        (
            "/api/v1/export?format=xml",
            "is not one of otlp, jaeger, zipkin",
        ),
        ("/api/v1/export?download=yes", "is not 0 or 1"),
        ("/api/v1/export?servce=a", "is not known here"),
        ("/api/v1/traces/1?formt=otlp", "is not known here"),
    ] {
        let reply = client.get(address).await;
        assert_eq!(reply.status, StatusCode::BAD_REQUEST);
        assert!(
            String::from_utf8_lossy(&reply.body).contains(expected),
            "{address}"
        );
    }
}

//! Exceptions that came as log records, with and without their spans.

use backtrail_wire::otlp::{AnyValue, put_key_value};
use backtrail_wire::protobuf::{put_bytes, put_fixed64, put_message};

use super::*;

/// The shop's traces, an exception of a span of the checkout, and one of a trace without spans.
fn with_exceptions() -> Client {
    let mut logs = Vec::new();
    let span_of_cart = 0x00f0_67aa_0ba9_02b9_u64;
    let checkout = u128::from_str_radix(CHECKOUT, 16).unwrap();
    for (trace, span, message) in [(checkout, span_of_cart, "card refused"), (0xe1, 5, "alone")] {
        put_message(&mut logs, 1, |resource_logs| {
            put_message(resource_logs, 1, |resource| {
                put_key_value(resource, 1, "service.name", AnyValue::String("payment"));
            });
            put_message(resource_logs, 2, |scope_logs| {
                put_message(scope_logs, 2, |record| {
                    put_fixed64(record, 1, 1_760_000_000_000_000_007);
                    put_key_value(record, 6, "exception.message", AnyValue::String(message));
                    put_bytes(record, 9, &trace.to_be_bytes());
                    put_bytes(record, 10, &span.to_be_bytes());
                });
            });
        });
    }
    let events = MemoryScan::new(SpanBatch::from_otlp_logs(&logs).unwrap()).into_scan();
    let scans = [&[events], shop().scans()].concat();
    Client(routes(api(Snapshot::new(scans))))
}

#[tokio::test]
async fn a_search_finds_a_span_by_its_exception_and_shows_it_there() {
    let client = with_exceptions();
    for condition in [
        "event.exception.message=card%20refused",
        "exception.message=card%20refused",
    ] {
        let found = client
            .json(&format!("/api/v1/search?attr={condition}"))
            .await;
        assert_eq!(found["traces"].as_array().unwrap().len(), 1, "{condition}");
        assert_eq!(found["traces"][0]["trace_id"], CHECKOUT);
        assert_eq!(found["traces"][0]["matched_spans"], 1);
    }
    let found = client
        .json("/api/v1/search?attr=span.exception.message=card%20refused")
        .await;
    assert_eq!(found["traces"], serde_json::json!([]));

    let tags = r#"{"exception.message":"card refused"}"#;
    let tags = tags
        .replace('{', "%7B")
        .replace('}', "%7D")
        .replace('"', "%22");
    let address = format!("/api/traces?service=cart&tags={}", tags.replace(' ', "%20"));
    let found = client.json(&address).await;
    assert_eq!(found["data"][0]["traceID"], CHECKOUT, "{found}");

    let address = format!("/api/v1/traces/{CHECKOUT}/spans/00f067aa0ba902b9");
    let span = client.json(&address).await;
    let events = span["spans"][0]["events"].as_array().unwrap();
    let messages = events
        .iter()
        .flat_map(|event| event["attributes"].as_array().unwrap());
    let is_it = |attribute: &Value| attribute["value"] == "card refused";
    assert_eq!(messages.filter(|attribute| is_it(attribute)).count(), 1);
    let address = format!("/api/v1/traces/{CHECKOUT}/events-without-span");
    let waiting = client.json(&address).await;
    assert_eq!(
        waiting,
        serde_json::json!({"events": [], "truncated": false})
    );
}

#[tokio::test]
async fn an_exception_without_its_span_can_be_read() {
    let client = with_exceptions();
    let expected = serde_json::json!({
        "events": [{
            "span_id": "0000000000000005",
            "service": "payment",
            "time_unix_nano": "1760000000000000007",
            "name": "exception",
            "attributes": [{"key": "exception.message", "type": "string", "value": "alone"}],
            "dropped_attributes_count": 0,
            "exception": {"type": "", "message": "alone", "stack": null},
        }],
        "truncated": false,
    });
    let found = client.json("/api/v1/traces/e1/events-without-span").await;
    assert_eq!(found, expected);
    let reply = client.get("/api/v1/traces/e1/skeleton").await;
    assert_eq!(reply.status, StatusCode::NOT_FOUND);
    let message = reply.json()["error"]["message"].to_string();
    assert!(
        message.contains("only exceptions from log records (1)"),
        "{message}"
    );
}

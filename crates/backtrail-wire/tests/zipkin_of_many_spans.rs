//! What a span costs does not depend on how many others share its scope.

use std::fmt::Write as _;
use std::time::{Duration, Instant};

use backtrail_wire::otlp::SpanLimits;
use backtrail_wire::{otlp_json, zipkin};

const LIMITS: SpanLimits = SpanLimits {
    max_value_depth: 32,
    max_span_bytes: 1 << 20,
};
const SPANS: usize = 40_000;

#[test]
fn a_scope_of_many_spans_is_written_in_linear_time() {
    let mut spans = String::new();
    for id in 1..=SPANS {
        let comma = if id == 1 { "" } else { "," };
        write!(
            spans,
            r#"{comma}{{"traceId":"463ac35c9f6413ad48485a3953bb6124","spanId":"{id:016x}","name":"a"}}"#
        )
        .unwrap();
    }
    let scope = r#"{"name":"library","version":"1","attributes":[{"key":"k","value":{"stringValue":"v"}}]}"#;
    let json = format!(
        r#"{{"resourceSpans":[{{"scopeSpans":[{{"scope":{scope},"spans":[{spans}]}}]}}]}}"#
    );
    let otlp = otlp_json::to_protobuf(json.as_bytes(), &LIMITS).unwrap();

    let began = Instant::now();
    let written = zipkin::from_otlp(&otlp.protobuf).unwrap();
    // A second or so; minutes when every span reads over all others.
    assert!(began.elapsed() < Duration::from_secs(10));

    let written = String::from_utf8(written).unwrap();
    assert_eq!(
        written.matches(r#""otel.scope.name":"library""#).count(),
        SPANS
    );
    assert_eq!(written.matches(r#""k":"v""#).count(), SPANS);
}

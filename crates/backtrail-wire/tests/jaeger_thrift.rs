//! Jaeger batches in both Thrift protocols become OTLP, shown as OTLP/JSON. The writers here are a test's own.

#![expect(clippy::unwrap_used, reason = "in a test a failure is a panic")]

mod thrift;

use backtrail_wire::jaeger_thrift::{Encoding, ThriftError, ThriftErrorKind, to_otlp};
use backtrail_wire::otlp::SpanLimits;
use backtrail_wire::otlp_json::from_protobuf;
use backtrail_wire::{RejectReason, Transcoded};
use thrift::Value::{self, Bool, Bytes, Double, I32, I64, List, Struct, Text};
use thrift::encode;

const LIMITS: SpanLimits = SpanLimits {
    max_value_depth: 32,
    max_span_bytes: 1 << 20,
};

/// Reads a batch in both protocols.
fn read(batch: &Value) -> Transcoded {
    let [first, second] = encode(batch).map(|(encoding, body)| {
        assert_eq!(Encoding::sniff(body[0]), encoding);
        to_otlp(&body, encoding, &LIMITS).unwrap()
    });
    assert_eq!(first, second);
    first
}

fn text_tag(key: &'static str, text: &'static str) -> Value {
    Struct(vec![(1, Text(key)), (2, I32(0)), (3, Text(text))])
}

fn bool_tag(key: &'static str, value: bool) -> Value {
    Struct(vec![(1, Text(key)), (2, I32(2)), (5, Bool(value))])
}

fn long_tag(key: &'static str, value: i64) -> Value {
    Struct(vec![(1, Text(key)), (2, I32(3)), (6, I64(value))])
}

const TRACE_LOW: i64 = 0x0102_0304_0506_0708;
const SPAN_ID: i64 = -2;

/// A span with some fields changed or added.
fn span(changes: Vec<(i16, Value)>) -> Value {
    let mut fields = vec![
        (1, I64(TRACE_LOW)),
        (2, I64(0)),
        (3, I64(SPAN_ID)),
        (4, I64(0)),
        (5, Text("op")),
        (7, I32(0)),
        (8, I64(10)),
        (9, I64(5)),
    ];
    for (id, value) in changes {
        match fields.iter_mut().find(|(known, _)| *known == id) {
            Some(field) => field.1 = value,
            None => fields.push((id, value)),
        }
    }
    Struct(fields)
}

fn batch(process_tags: Vec<Value>, spans: Vec<Value>) -> Value {
    let process = Struct(vec![(1, Text("shop")), (2, List(process_tags))]);
    Struct(vec![(1, process), (2, List(spans))])
}

fn json(transcoded: &Transcoded) -> String {
    String::from_utf8(from_protobuf(&transcoded.protobuf).unwrap()).unwrap()
}

/// The members of the only span of a batch, after its times.
fn span_json(changes: Vec<(i16, Value)>) -> String {
    let transcoded = read(&batch(vec![], vec![span(changes)]));
    assert_eq!(transcoded.rejected.examples(), [""; 0]);
    let json = json(&transcoded);
    let (_, span) = json
        .split_once(r#""traceId":"00000000000000000102030405060708","spanId":"fffffffffffffffe","#)
        .unwrap();
    span.strip_suffix("}]}]}]}").unwrap().to_owned()
}

/// The members that tags give a span.
fn with_tags(tags: Vec<Value>) -> String {
    let json = span_json(vec![(10, List(tags))]);
    json.replace(
        r#","startTimeUnixNano":"10000","endTimeUnixNano":"15000""#,
        "",
    )
}

fn fault(changes: Vec<(i16, Value)>) -> (RejectReason, String) {
    let transcoded = read(&batch(
        vec![],
        vec![span(vec![]), span(changes), span(vec![])],
    ));
    assert_eq!((transcoded.accepted, transcoded.rejected.count()), (2, 1));
    let (reason, _) = transcoded.rejected.by_reason().next().unwrap();
    let example = &transcoded.rejected.examples()[0];
    (
        reason,
        example.strip_prefix("spans[1]: ").unwrap().to_owned(),
    )
}

#[test]
fn the_process_is_the_resource() {
    let resource = |tags| {
        let json = json(&read(&batch(tags, vec![])));
        let (_, resource) = json
            .split_once(r#"{"key":"service.name","value":{"stringValue":"shop"}}"#)
            .unwrap();
        resource
            .strip_suffix(r#"]},"scopeSpans":[]}]}"#)
            .unwrap()
            .to_owned()
    };
    assert_eq!(resource(vec![]), "");
    assert_eq!(
        resource(vec![
            text_tag("hostname", "h"),
            text_tag("jaeger.version", "Go-2"),
            long_tag("ip", 1),
            long_tag("ip", 2)
        ]),
        concat!(
            r#",{"key":"host.name","value":{"stringValue":"h"}},{"key":"opencensus.exporterversion","value":{"stringValue":"Jaeger-Go-2"}},"#,
            r#"{"key":"ip","value":{"intValue":"1"}},{"key":"ip","value":{"intValue":"2"}}"#
        )
    );
    assert_eq!(
        resource(vec![text_tag("hostname", "h"), text_tag("host.name", "n")]),
        r#",{"key":"hostname","value":{"stringValue":"h"}},{"key":"host.name","value":{"stringValue":"n"}}"#
    );
}

#[test]
fn every_type_of_tag_is_kept_with_its_place_and_repeats() {
    // A client may fill all the values; the type says which one counts.
    let all = |v_type| {
        Struct(vec![
            (1, Text("k")),
            (2, I32(v_type)),
            (3, Text("t")),
            (4, Double(0.1)),
            (5, Bool(true)),
            (6, I64(i64::MIN)),
            (7, Bytes(vec![0, 255])),
        ])
    };
    let tags = (0..5).map(all).chain([all(0)]).collect();
    assert_eq!(
        with_tags(tags),
        concat!(
            r#""name":"op","kind":0,"attributes":[{"key":"k","value":{"stringValue":"t"}},{"key":"k","value":{"doubleValue":0.1}},"#,
            r#"{"key":"k","value":{"boolValue":true}},{"key":"k","value":{"intValue":"-9223372036854775808"}},"#,
            r#"{"key":"k","value":{"bytesValue":"AP8="}},{"key":"k","value":{"stringValue":"t"}}]"#
        )
    );
}

#[test]
fn times_are_microseconds_and_flags_have_eight_bits() {
    assert_eq!(
        span_json(vec![
            (7, I32(0x0103)),
            (8, I64(1_760_000_000_000_123)),
            (9, I64(1))
        ]),
        r#""flags":3,"name":"op","kind":0,"startTimeUnixNano":"1760000000000123000","endTimeUnixNano":"1760000000000124000""#
    );
}

#[test]
fn kinds_are_translated_and_unknown_ones_stay() {
    for (kind, number) in [
        ("internal", 1),
        ("server", 2),
        ("client", 3),
        ("producer", 4),
        ("consumer", 5),
    ] {
        assert_eq!(
            with_tags(vec![text_tag("span.kind", kind)]),
            format!(r#""name":"op","kind":{number}"#)
        );
    }
    assert_eq!(
        with_tags(vec![
            text_tag("span.kind", "SERVER"),
            long_tag("span.kind", 2)
        ]),
        r#""name":"op","kind":0,"attributes":[{"key":"span.kind","value":{"stringValue":"SERVER"}},{"key":"span.kind","value":{"intValue":"2"}}]"#
    );
    assert_eq!(
        with_tags(vec![
            text_tag("span.kind", "client"),
            text_tag("span.kind", "server")
        ]),
        r#""name":"op","kind":2,"attributes":[{"key":"span.kind","value":{"stringValue":"client"}}]"#,
        "the last one counts, and nothing is lost"
    );
}

#[test]
fn a_status_comes_from_the_tag_that_says_most() {
    let status = |tags| {
        with_tags(tags)
            .strip_prefix(r#""name":"op","#)
            .unwrap()
            .to_owned()
    };
    let code = |text| text_tag("otel.status_code", text);
    let description = text_tag("otel.status_description", "why");
    let http = |code| long_tag("http.status_code", code);
    let kind = |text| text_tag("span.kind", text);
    let kept_http = |code: u16| {
        format!(r#""attributes":[{{"key":"http.status_code","value":{{"intValue":"{code}"}}}}]"#)
    };
    let why = r#""attributes":[{"key":"otel.status_description","value":{"stringValue":"why"}}]"#;

    assert_eq!(status(vec![]), r#""kind":0"#);
    assert_eq!(
        status(vec![bool_tag("error", true)]),
        r#""kind":0,"status":{"code":2}"#
    );
    assert_eq!(
        status(vec![
            bool_tag("error", true),
            code("OK"),
            description.clone()
        ]),
        r#""kind":0,"status":{"message":"why","code":2}"#
    );
    assert_eq!(
        status(vec![
            bool_tag("error", false),
            code("ERROR"),
            description.clone()
        ]),
        r#""kind":0,"attributes":[{"key":"error","value":{"boolValue":false}}],"status":{"message":"why","code":2}"#
    );
    assert_eq!(status(vec![code("ok")]), r#""kind":0,"status":{"code":1}"#);
    assert_eq!(status(vec![code("UNSET")]), r#""kind":0,"status":{}"#);
    assert_eq!(
        status(vec![code("BROKEN")]),
        r#""kind":0,"attributes":[{"key":"otel.status_code","value":{"stringValue":"BROKEN"}}]"#
    );
    assert_eq!(status(vec![description]), format!(r#""kind":0,{why}"#));
    assert_eq!(
        status(vec![text_tag("error", "true")]),
        r#""kind":0,"attributes":[{"key":"error","value":{"stringValue":"true"}}]"#,
        "as the collector has it, only a bool is a status"
    );

    assert_eq!(
        status(vec![http(200)]),
        format!(r#""kind":0,{}"#, kept_http(200))
    );
    assert_eq!(
        status(vec![http(500)]),
        format!(r#""kind":0,{},"status":{{"code":2}}"#, kept_http(500))
    );
    assert_eq!(
        status(vec![http(404), kind("server")]),
        format!(r#""kind":2,{}"#, kept_http(404))
    );
    assert_eq!(
        status(vec![http(404), kind("client")]),
        format!(r#""kind":3,{},"status":{{"code":2}}"#, kept_http(404))
    );
    assert_eq!(
        status(vec![http(500), code("OK")]),
        format!(r#""kind":0,{},"status":{{"code":1}}"#, kept_http(500))
    );
    assert_eq!(
        status(vec![
            bool_tag("error", true),
            text_tag("http.status_message", "Gone")
        ]),
        r#""kind":0,"attributes":[{"key":"http.status_message","value":{"stringValue":"Gone"}}],"status":{"message":"Gone","code":2}"#
    );
}

#[test]
fn spans_of_one_scope_stand_together() {
    let of = |name: &'static str, scope: Vec<Value>| span(vec![(5, Text(name)), (10, List(scope))]);
    let lib = |version| {
        vec![
            text_tag("otel.library.name", "lib"),
            text_tag("otel.library.version", version),
        ]
    };
    let both = vec![
        text_tag("otel.scope.name", "lib"),
        text_tag("otel.library.name", "lib"),
        text_tag("otel.scope.version", "1"),
        text_tag("otel.library.version", "1"),
    ];
    let transcoded = read(&batch(
        vec![],
        vec![
            of("a", lib("1")),
            of("b", vec![]),
            of("c", lib("2")),
            of("d", both),
            of("e", vec![text_tag("otel.scope.version", "9")]),
        ],
    ));
    let json = json(&transcoded);
    let mut found = Vec::new();
    for group in json.split(r#""scope":"#).skip(1) {
        let (scope, spans) = group.split_once(r#","spans":["#).unwrap();
        let names: Vec<_> = spans
            .split(r#""name":""#)
            .skip(1)
            .map(|rest| &rest[..1])
            .collect();
        found.push(format!("{scope} {}", names.join("")));
    }
    assert_eq!(
        found,
        [
            r#"{"name":"lib","version":"1"} ad"#,
            "{} be",
            r#"{"name":"lib","version":"2"} c"#
        ]
    );
    let kept = r#""attributes":[{"key":"otel.scope.version","value":{"stringValue":"9"}}]"#;
    assert!(
        json.contains(kept),
        "a version without a name stays: {json}"
    );
    assert_eq!(
        json.matches("attributes").count(),
        2,
        "the resource's and the one above: {json}"
    );
}

#[test]
fn a_trace_state_is_one() {
    let json = span_json(vec![(10, List(vec![text_tag("w3c.tracestate", "a=b")]))]);
    assert!(
        json.starts_with(r#""traceState":"a=b","name":"op""#),
        "{json}"
    );
    assert!(!json.contains("attributes"));
}

fn reference(kind: i32, low: i64, span_id: i64) -> Value {
    Struct(vec![
        (1, I32(kind)),
        (2, I64(low)),
        (3, I64(0)),
        (4, I64(span_id)),
    ])
}

#[test]
fn the_parent_is_named_by_its_id_or_else_by_a_reference() {
    let parent_and_links = |parent: i64, references: Vec<Value>| {
        let json = span_json(vec![(4, I64(parent)), (6, List(references))]);
        let parent = json
            .split_once(r#""parentSpanId":""#)
            .map_or("none", |(_, rest)| &rest[14..16]);
        let links: Vec<_> = json
            .split(r#""opentracing.ref_type","value":{"stringValue":""#)
            .skip(1)
            .map(|rest| rest.split('"').next().unwrap())
            .collect();
        format!("{parent}: {}", links.join(" "))
    };
    let child_of = |span_id| reference(0, TRACE_LOW, span_id);
    let follows_from = |span_id| reference(1, TRACE_LOW, span_id);
    let elsewhere = |span_id| reference(0, 77, span_id);

    assert_eq!(parent_and_links(0, vec![]), "none: ");
    assert_eq!(parent_and_links(7, vec![]), "07: ");
    assert_eq!(parent_and_links(7, vec![child_of(7)]), "07: ");
    assert_eq!(
        parent_and_links(7, vec![child_of(8), follows_from(7)]),
        "07: child_of follows_from"
    );
    assert_eq!(
        parent_and_links(0, vec![follows_from(8), child_of(9), child_of(10)]),
        "09: follows_from child_of"
    );
    assert_eq!(
        parent_and_links(0, vec![follows_from(8), follows_from(9)]),
        "08: follows_from follows_from"
    );
    assert_eq!(parent_and_links(0, vec![elsewhere(8)]), "none: child_of");
    assert_eq!(
        parent_and_links(7, vec![elsewhere(7)]),
        "07: child_of",
        "an equal id in another trace is another span"
    );
}

#[test]
fn logs_are_events_named_by_their_field_event() {
    let log = |micros: i64, fields| Struct(vec![(1, I64(micros)), (2, List(fields))]);
    let logs = List(vec![
        log(
            1,
            vec![
                long_tag("n", 1),
                text_tag("event", "exception"),
                bool_tag("error", true),
            ],
        ),
        log(2, vec![long_tag("event", 5)]),
        log(3, vec![]),
    ]);
    let json = span_json(vec![(11, logs)]);
    let (_, events) = json.split_once(r#""events":"#).unwrap();
    assert_eq!(
        events,
        concat!(
            r#"[{"timeUnixNano":"1000","name":"exception","attributes":[{"key":"n","value":{"intValue":"1"}},{"key":"error","value":{"boolValue":true}}]},"#,
            r#"{"timeUnixNano":"2000","name":"","attributes":[{"key":"event","value":{"intValue":"5"}}]},{"timeUnixNano":"3000","name":""}]"#
        )
    );
}

#[test]
fn a_span_that_can_not_be_told_truly_is_rejected_alone() {
    let bad_tag = |fields| vec![(10, List(vec![Struct(fields)]))];
    let cases = [
        (
            vec![(1, I64(0))],
            RejectReason::InvalidTraceId,
            "trace id is all zero",
        ),
        (
            vec![(3, I64(0))],
            RejectReason::InvalidSpanId,
            "span id is all zero",
        ),
        (
            vec![(9, I64(-1))],
            RejectReason::TimeBackwards,
            "times run backwards: duration of -1 microseconds",
        ),
        (
            vec![(8, I64(-1))],
            RejectReason::TimeOutOfRange,
            "start of -1 microseconds is not within the nanoseconds since 1970 that OTLP has",
        ),
        (
            vec![(8, I64(i64::MAX))],
            RejectReason::TimeOutOfRange,
            "start of 9223372036854775807 microseconds is not within the nanoseconds since 1970 that OTLP has",
        ),
        (
            vec![(8, I64(18_446_744_073_709_551)), (9, I64(1))],
            RejectReason::TimeOutOfRange,
            "duration of 1 microseconds is not within the nanoseconds since 1970 that OTLP has",
        ),
        (
            vec![(
                11,
                List(vec![Struct(vec![(1, I64(-5)), (2, List(vec![]))])]),
            )],
            RejectReason::TimeOutOfRange,
            "time of a log of -5 microseconds is not within the nanoseconds since 1970 that OTLP has",
        ),
        (
            vec![(5, Bytes(vec![0xff]))],
            RejectReason::InvalidUtf8,
            "the operation's name is not valid UTF-8",
        ),
        (
            bad_tag(vec![(1, Bytes(vec![0xff])), (2, I32(0))]),
            RejectReason::InvalidUtf8,
            "a tag's key is not valid UTF-8",
        ),
        (
            bad_tag(vec![(1, Text("k")), (2, I32(0)), (3, Bytes(vec![0xff]))]),
            RejectReason::InvalidUtf8,
            "a tag's value is not valid UTF-8",
        ),
        (
            bad_tag(vec![(1, Text("k")), (2, I32(7))]),
            RejectReason::Malformed,
            r#"tag "k" has type 7, which Jaeger does not define"#,
        ),
        (
            bad_tag(vec![(1, Text("k"))]),
            RejectReason::Malformed,
            "a tag lacks its key or its type",
        ),
        (
            vec![(6, List(vec![Struct(vec![(1, I32(1))])]))],
            RejectReason::Malformed,
            "a reference lacks its trace id or span id",
        ),
        (
            vec![(5, Bytes(vec![b'x'; 1 << 20]))],
            RejectReason::TooLarge,
            "span of 1048626 bytes is over the limit of 1048576",
        ),
    ];
    for (changes, reason, detail) in cases {
        assert_eq!(fault(changes), (reason, detail.to_owned()));
    }
    let mut many = vec![long_tag("n", 1); 200_000];
    many.push(text_tag("last", ""));
    assert_eq!(fault(vec![(10, List(many))]).0, RejectReason::TooLarge);
}

#[test]
fn a_bad_process_takes_all_spans_along() {
    let tag = Struct(vec![(1, Text("k")), (2, I32(0)), (3, Bytes(vec![0xff]))]);
    let transcoded = read(&batch(vec![tag], vec![span(vec![]), span(vec![])]));
    assert_eq!((transcoded.accepted, transcoded.rejected.count()), (0, 2));
    assert_eq!(
        transcoded.rejected.examples(),
        ["process: a tag's value is not valid UTF-8"]
    );
    assert!(transcoded.protobuf.is_empty());
}

#[test]
fn unknown_fields_and_known_ones_of_another_type_are_passed_over() {
    let deep = (0..20).fold(I32(1), |value, _| List(vec![value]));
    let unknown = vec![
        (12, Bool(true)),
        (13, Bool(false)),
        (100, deep),
        (
            101,
            Struct(vec![
                (1, Double(1.0)),
                (2, Text("x")),
                (40, List(vec![Bool(true), Bool(false)])),
            ]),
        ),
        (102, I32(3)),
    ];
    let json = span_json(unknown);
    assert_eq!(
        json,
        r#""name":"op","kind":0,"startTimeUnixNano":"10000","endTimeUnixNano":"15000""#
    );
    assert!(
        span_json(vec![(7, Text("flags")), (10, List(vec![I32(1)]))]).starts_with(r#""name":"op""#)
    );
}

#[test]
fn more_than_fourteen_elements_are_read() {
    let transcoded = read(&batch(vec![], vec![span(vec![]); 300]));
    assert_eq!(transcoded.accepted, 300);
}

#[test]
fn a_batch_cut_at_any_byte_is_refused() {
    let all = batch(
        vec![text_tag("k", "v")],
        vec![span(vec![(10, List(vec![text_tag("k", "v")]))])],
    );
    for (encoding, body) in encode(&all) {
        for len in 0..body.len() {
            let error = to_otlp(&body[..len], encoding, &LIMITS).unwrap_err();
            assert!(
                matches!(error.kind, ThriftErrorKind::Truncated { .. }),
                "{encoding:?} cut at {len}: {error}"
            );
            assert!(error.offset <= len);
        }
        let tail = to_otlp(&[&body[..], b"tail"].concat(), encoding, &LIMITS).unwrap_err();
        assert_eq!(
            tail,
            ThriftError {
                offset: body.len(),
                kind: ThriftErrorKind::Trailing { len_bytes: 4 }
            }
        );
    }
}

#[test]
fn what_is_no_batch_is_refused_with_its_place() {
    let no_process = Struct(vec![(2, List(vec![]))]);
    let no_spans = Struct(vec![(1, Struct(vec![]))]);
    let odd_spans = Struct(vec![(1, Struct(vec![])), (2, List(vec![I32(1)]))]);
    let too_deep = Struct(vec![(
        9,
        (0..40).fold(I32(1), |value, _| List(vec![value])),
    )]);
    for (value, message) in [
        (no_process, "not a jaeger.thrift Batch: it has no process"),
        (no_spans, "not a jaeger.thrift Batch: it has no spans"),
        (odd_spans, "not a jaeger.thrift Batch: it has no spans"),
        (too_deep, "unknown field is nested deeper than 32 levels"),
    ] {
        for (encoding, body) in encode(&value) {
            let error = to_otlp(&body, encoding, &LIMITS).unwrap_err();
            assert_eq!(error.kind.to_string(), message);
        }
    }
    for (encoding, body, message) in [
        (
            Encoding::Binary,
            &b"{"[..],
            "at byte 1: type 123 is not defined",
        ),
        (
            Encoding::Binary,
            b"\x0b\0\x01\xff\xff\xff\xff",
            "at byte 7: length -1 is negative",
        ),
        (
            Encoding::Binary,
            b"\x0b\0\x01\x7f\xff\xff\xff",
            "at byte 7: truncated: 2147483647 more bytes were expected",
        ),
        (
            Encoding::Binary,
            b"\x0f\0\x09\x0c\x7f\xff\xff\xff\0",
            "at byte 8: truncated: 2147483646 more bytes were expected",
        ),
        (
            Encoding::Compact,
            b"\x1f",
            "at byte 1: type 15 is not defined",
        ),
        (
            Encoding::Compact,
            b"\x18\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01",
            "at byte 11: varint is too long",
        ),
        (
            Encoding::Compact,
            b"\x99\xfc\xff\xff\xff\x7f",
            "at byte 6: truncated: 268435455 more bytes were expected",
        ),
    ] {
        let error = to_otlp(body, encoding, &LIMITS).unwrap_err();
        assert_eq!(error.to_string(), message);
    }
}

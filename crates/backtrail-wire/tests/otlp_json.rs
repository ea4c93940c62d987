//! OTLP/JSON is read in all its forms, and written in one.

#![expect(clippy::unwrap_used, reason = "in a test a failure is a panic")]

use backtrail_wire::otlp::SpanLimits;
use backtrail_wire::otlp_json::{JsonError, from_protobuf, to_protobuf};
use backtrail_wire::{RejectReason, Transcoded};

const LIMITS: SpanLimits = SpanLimits {
    max_value_depth: 32,
    max_span_bytes: 1 << 20,
};

const IDS: &str = r#""traceId":"5b8efff798038103d269b633813fc60c","spanId":"eee19b7ec3c1b174""#;

fn read(json: &str) -> Transcoded {
    to_protobuf(json.as_bytes(), &LIMITS).unwrap()
}

fn request(spans: &str) -> String {
    format!(r#"{{"resourceSpans":[{{"scopeSpans":[{{"spans":[{spans}]}}]}}]}}"#)
}

/// The members of a span as they are written after they were read.
fn span_again(members: &str) -> String {
    let transcoded = read(&request(&format!("{{{IDS},{members}}}")));
    assert_eq!(transcoded.rejected.to_string(), "0 spans rejected ()");
    let json = String::from_utf8(from_protobuf(&transcoded.protobuf).unwrap()).unwrap();
    let start = json.find(r#""name""#).unwrap();
    json[start..json.len() - "}]}]}]}".len()].to_owned()
}

/// A value as it is written after it was read.
fn value_again(value: &str) -> String {
    let span = span_again(&format!(r#""attributes":[{{"key":"k","value":{value}}}]"#));
    let (_, value) = span
        .split_once(r#""attributes":[{"key":"k","value":"#)
        .unwrap();
    value.strip_suffix("}]").unwrap().to_owned()
}

/// Why a span is rejected.
fn fault(members: &str) -> (RejectReason, String) {
    let good = format!("{{{IDS}}}");
    let transcoded = read(&request(&format!("{good},{{{members}}},{good}")));
    assert_eq!(
        (transcoded.accepted, transcoded.rejected.count()),
        (2, 1),
        "{members:.100}"
    );
    let (reason, _) = transcoded.rejected.by_reason().next().unwrap();
    let example = &transcoded.rejected.examples()[0];
    let path = "resourceSpans[0].scopeSpans[0].spans[1]: ";
    (reason, example.strip_prefix(path).unwrap().to_owned())
}

#[test]
fn everything_that_a_request_can_say_is_kept() {
    let json = concat!(
        r#"{"resourceSpans":[{"resource":{"attributes":[{"key":"service.name","value":{"stringValue":"shop"}},"#,
        r#"{"key":"service.name","value":{"stringValue":"again"}}],"droppedAttributesCount":1,"entityRefs":["#,
        r#"{"schemaUrl":"https://a","type":"service","idKeys":["service.name"],"descriptionKeys":["x","y"]}]},"#,
        r#""scopeSpans":[{"scope":{"name":"lib","version":"1","attributes":[{"key":"a","value":{"boolValue":true}}],"droppedAttributesCount":2},"#,
        r#""spans":[{"traceId":"5b8efff798038103d269b633813fc60c","spanId":"eee19b7ec3c1b174","traceState":"a=b","parentSpanId":"eee19b7ec3c1b173","#,
        r#""flags":769,"name":"I'm \"a\" \\ span\n\u0001","kind":2,"startTimeUnixNano":"1544712660000000000","endTimeUnixNano":"18446744073709551615","#,
        r#""attributes":[{"key":"my.span.attr","value":{"stringValue":"some value"}},{"key":"empty","value":{}}],"droppedAttributesCount":3,"#,
        r#""events":[{"timeUnixNano":"1","name":"exception","attributes":[{"key":"n","value":{"intValue":"-9223372036854775808"}}],"droppedAttributesCount":4},"#,
        r#"{"timeUnixNano":"0","name":""}],"droppedEventsCount":5,"#,
        r#""links":[{"traceId":"5b8efff798038103d269b633813fc60d","spanId":"eee19b7ec3c1b175","traceState":"c=d","#,
        r#""attributes":[{"key":"d","value":{"doubleValue":-0.0}}],"droppedAttributesCount":6,"flags":256}],"droppedLinksCount":7,"#,
        r#""status":{"message":"no","code":2}}],"schemaUrl":"https://b"}],"schemaUrl":"https://c"},"#,
        r#"{"resource":{},"scopeSpans":[{"scope":{},"spans":[{"traceId":"5b8efff798038103d269b633813fc60c","spanId":"eee19b7ec3c1b174","#,
        r#""name":"","kind":0,"startTimeUnixNano":"0","endTimeUnixNano":"0","status":{}}]}]}]}"#
    );
    let transcoded = read(json);
    assert_eq!(transcoded.accepted, 2);
    assert!(transcoded.rejected.is_empty());
    let again = from_protobuf(&transcoded.protobuf).unwrap();
    assert_eq!(String::from_utf8(again).unwrap(), json);
}

#[test]
fn names_of_the_proto_files_are_read_too() {
    let json = r#"{"resource_spans":[{"resource":{"dropped_attributes_count":1},"schema_url":"u","scope_spans":[{"scope":null,"schema_url":"v","spans":[{
        "trace_id":"5B8EFFF798038103D269B633813FC60C","span_id":"EEE19B7EC3C1B174","parent_span_id":"","trace_state":"s",
        "start_time_unix_nano":1,"end_time_unix_nano":2,"dropped_attributes_count":3,"dropped_events_count":4,"dropped_links_count":5,
        "attributes":[{"key":"k","value":{"kvlist_value":{"values":[{"key":"l","value":{"array_value":{"values":[
            {"string_value":"s"},{"bool_value":false},{"int_value":1},{"double_value":2},{"bytes_value":"/w=="}]}}}]}}}],
        "events":[{"time_unix_nano":6,"dropped_attributes_count":7}],
        "links":[{"trace_id":"5b8efff798038103d269b633813fc60c","span_id":"eee19b7ec3c1b174","trace_state":"t","dropped_attributes_count":8}]
    }]}]}]}"#;
    let transcoded = read(json);
    assert_eq!(transcoded.rejected.to_string(), "0 spans rejected ()");
    let again = String::from_utf8(from_protobuf(&transcoded.protobuf).unwrap()).unwrap();
    let expected = concat!(
        r#"{"resourceSpans":[{"resource":{"droppedAttributesCount":1},"scopeSpans":[{"spans":[{"traceId":"5b8efff798038103d269b633813fc60c","#,
        r#""spanId":"eee19b7ec3c1b174","traceState":"s","name":"","kind":0,"startTimeUnixNano":"1","endTimeUnixNano":"2","attributes":["#,
        r#"{"key":"k","value":{"kvlistValue":{"values":[{"key":"l","value":{"arrayValue":{"values":[{"stringValue":"s"},"#,
        r#"{"boolValue":false},{"intValue":"1"},{"doubleValue":2.0},{"bytesValue":"/w=="}]}}}]}}}],"droppedAttributesCount":3,"#,
        r#""events":[{"timeUnixNano":"6","name":"","droppedAttributesCount":7}],"droppedEventsCount":4,"#,
        r#""links":[{"traceId":"5b8efff798038103d269b633813fc60c","spanId":"eee19b7ec3c1b174","traceState":"t","droppedAttributesCount":8}],"#,
        r#""droppedLinksCount":5}],"schemaUrl":"v"}],"schemaUrl":"u"}]}"#
    );
    assert_eq!(again, expected);
}

#[test]
fn integers_come_in_many_forms() {
    for (given, kept) in [
        ("7", "7"),
        (r#""7""#, "7"),
        (r#""-9223372036854775808""#, "-9223372036854775808"),
        ("9223372036854775807", "9223372036854775807"),
        ("1e3", "1000"),
        ("-2.0", "-2"),
        (r#""1e3""#, "1000"),
        // What JavaScript prints for the least 64-bit integer.
        ("-9223372036854776000", "-9223372036854775808"),
    ] {
        let kept = format!(r#"{{"intValue":"{kept}"}}"#);
        assert_eq!(value_again(&format!(r#"{{"intValue":{given}}}"#)), kept);
    }
}

#[test]
fn a_number_beyond_64_bits_stays_what_it_was_in_javascript() {
    assert_eq!(
        value_again(r#"{"intValue":1e+21}"#),
        r#"{"doubleValue":1e21}"#
    );
    assert_eq!(
        value_again(r#"{"intValue":18446744073709551615}"#),
        r#"{"doubleValue":1.8446744073709552e19}"#
    );
}

#[test]
fn doubles_come_in_many_forms_and_keep_every_bit() {
    for (given, kept) in [
        ("1.5", "1.5"),
        ("3", "3.0"),
        ("-3", "-3.0"),
        (r#""1.5""#, "1.5"),
        (r#""NaN""#, r#""NaN""#),
        (r#""Infinity""#, r#""Infinity""#),
        (r#""-Infinity""#, r#""-Infinity""#),
        ("5e-324", "5e-324"),
        ("0.1", "0.1"),
        ("1.7976931348623157e308", "1.7976931348623157e308"),
        ("51.24817837550540", "51.2481783755054"),
    ] {
        let kept = format!(r#"{{"doubleValue":{kept}}}"#);
        assert_eq!(value_again(&format!(r#"{{"doubleValue":{given}}}"#)), kept);
    }
}

#[test]
fn bytes_come_in_either_alphabet_with_or_without_padding() {
    for given in ["+/8=", "+/8", "-_8=", "-_8"] {
        let given = format!(r#"{{"bytesValue":"{given}"}}"#);
        assert_eq!(value_again(&given), r#"{"bytesValue":"+/8="}"#);
    }
    assert_eq!(value_again(r#"{"bytesValue":""}"#), r#"{"bytesValue":""}"#);
}

#[test]
fn empty_values_differ_from_empty_texts_and_lists() {
    for value in [
        "{}",
        r#"{"stringValue":""}"#,
        r#"{"arrayValue":{"values":[]}}"#,
        r#"{"kvlistValue":{"values":[]}}"#,
        r#"{"arrayValue":{"values":[{},{"stringValue":""}]}}"#,
    ] {
        assert_eq!(value_again(value), value);
    }
    for absent in [
        "null",
        r#"{"stringValue":null}"#,
        r#"{"arrayValue":null}"#,
        r#"{"new":1}"#,
    ] {
        assert_eq!(value_again(absent), "{}");
    }
    assert_eq!(
        value_again(r#"{"arrayValue":{"values":[null]}}"#),
        r#"{"arrayValue":{"values":[{}]}}"#
    );
}

#[test]
fn enums_are_numbers_or_names() {
    let rest = r#","startTimeUnixNano":"0","endTimeUnixNano":"0","status":{"code":2}"#;
    for kind in ["4", r#""SPAN_KIND_PRODUCER""#] {
        let span = span_again(&format!(
            r#""kind":{kind},"status":{{"code":"STATUS_CODE_ERROR"}}"#
        ));
        assert_eq!(span, format!(r#""name":"","kind":4{rest}"#));
    }
    assert!(span_again(r#""kind":-3"#).contains(r#""kind":-3,"#));
    let (reason, detail) = fault(r#""kind":"SERVER""#);
    assert_eq!(reason, RejectReason::Malformed);
    assert!(
        detail.starts_with(
            r#"invalid value: string "SERVER", expected a number or one of SPAN_KIND_UNSPECIFIED, "#
        ),
        "{detail}"
    );
}

#[test]
fn null_is_a_field_that_is_not_there() {
    let span = span_again(
        r#""parentSpanId":null,"name":null,"kind":null,"flags":null,"startTimeUnixNano":null,"attributes":null,"events":null,
           "links":null,"status":null,"droppedLinksCount":null,"traceState":null"#,
    );
    assert_eq!(
        span,
        r#""name":"","kind":0,"startTimeUnixNano":"0","endTimeUnixNano":"0""#
    );
    for empty in [
        "{}",
        r#"{"resourceSpans":null}"#,
        r#"{"resourceSpans":[]}"#,
        r#"{"resourceSpans":[null]}"#,
        r#"{"resourceSpans":[{"scopeSpans":null}]}"#,
    ] {
        assert_eq!(read(empty).accepted, 0);
    }
}

#[test]
fn unknown_fields_are_ignored_however_deep() {
    let deep = "[".repeat(100_000) + &"]".repeat(100_000);
    let json = format!(
        r#"{{"new":{deep},"resourceSpans":[{{"new":{deep},"scopeSpans":[{{"spans":[{{{IDS},"new":{deep}}}]}}]}}]}}"#
    );
    assert_eq!(read(&json).accepted, 1);
}

#[test]
fn a_name_that_occurs_twice_is_read_as_protobuf_reads_it() {
    let span = span_again(
        r#""name":"a","name":"b","status":{"code":1},"status":{"message":"m"},"attributes":[{"key":"x"}],"attributes":[{"key":"x"}]"#,
    );
    let expected = concat!(
        r#""name":"b","kind":0,"startTimeUnixNano":"0","endTimeUnixNano":"0","attributes":[{"key":"x","value":{}},{"key":"x","value":{}}],"#,
        r#""status":{"message":"m","code":1}"#
    );
    assert_eq!(span, expected);
}

#[test]
fn values_nest_to_the_limit_and_no_deeper() {
    let arrays = |levels: usize| {
        r#"{"arrayValue":{"values":["#.repeat(levels)
            + r#"{"intValue":"1"}"#
            + &"]}}".repeat(levels)
    };
    let maps = |levels: usize| {
        r#"{"kvlistValue":{"values":[{"key":"k","value":"#.repeat(levels)
            + r#"{"intValue":"1"}"#
            + &"}]}}".repeat(levels)
    };
    for nested in [arrays(32), maps(32)] {
        assert_eq!(value_again(&nested), nested);
    }
    for nested in [arrays(33), maps(33), arrays(20_000), maps(20_000)] {
        let attributes = format!(r#"{IDS},"attributes":[{{"key":"k","value":{nested}}}]"#);
        let limit = "attribute value is nested deeper than 32 levels".to_owned();
        assert_eq!(fault(&attributes), (RejectReason::TooDeep, limit));
    }
}

#[test]
fn what_is_wrong_with_a_span_is_said() {
    let id = r#""spanId":"eee19b7ec3c1b174""#;
    let cases = [
        (
            r#""name":"x""#.to_owned(),
            RejectReason::InvalidTraceId,
            "trace id has 0 bytes instead of 16",
        ),
        (
            format!(r#""traceId":"5b8efff798038103d269b633813fc60",{id}"#),
            RejectReason::InvalidTraceId,
            "an id has 31 hexadecimal digits",
        ),
        (
            format!(r#""traceId":"5b8efff798038103d269b633813fc60x",{id}"#),
            RejectReason::InvalidTraceId,
            r#"id "5b8efff798038103d269b633813fc60x" is not hexadecimal"#,
        ),
        (
            format!(r#""traceId":"{}",{id}"#, "0".repeat(32)),
            RejectReason::InvalidTraceId,
            "trace id is all zero",
        ),
        (
            format!(r#"{IDS},"spanId":"0000000000000000""#),
            RejectReason::InvalidSpanId,
            "span id is all zero",
        ),
        (
            format!(r#"{IDS},"parentSpanId":"00""#),
            RejectReason::InvalidParentId,
            "parent span id has 1 bytes instead of 0 or 8",
        ),
        (
            format!(r#"{IDS},"links":[{{"traceId":"00"}}]"#),
            RejectReason::InvalidLink,
            "links[0]: trace id has 1 bytes instead of 16",
        ),
        (
            format!(r#"{IDS},"startTimeUnixNano":"2","endTimeUnixNano":"1""#),
            RejectReason::TimeBackwards,
            "times run backwards: starts at 2 and ends at 1 (nanoseconds since 1970)",
        ),
        (
            format!(r#"{IDS},"startTimeUnixNano":-1"#),
            RejectReason::TimeOutOfRange,
            "time -1 is not in nanoseconds since 1970",
        ),
        (
            format!(r#"{IDS},"startTimeUnixNano":18446744073709551616"#),
            RejectReason::TimeOutOfRange,
            "time 18446744073709552000 is not in nanoseconds since 1970",
        ),
        (
            format!(r#"{IDS},"name":"\ud800""#),
            RejectReason::Malformed,
            "unexpected end of hex escape",
        ),
        (
            format!(r#"{IDS},"name":"\ud800\u0041""#),
            RejectReason::Malformed,
            "lone leading surrogate in hex escape",
        ),
        (
            format!(r#"{IDS},"name":5"#),
            RejectReason::Malformed,
            "invalid type: integer `5`, expected a string",
        ),
        (
            format!(r#"{IDS},"flags":4294967296"#),
            RejectReason::Malformed,
            "4294967296 is not a 32-bit count",
        ),
        (
            format!(r#"{IDS},"droppedLinksCount":-1"#),
            RejectReason::Malformed,
            "-1 is not a 32-bit count",
        ),
        (
            format!(r#"{IDS},"status":7"#),
            RejectReason::Malformed,
            "invalid type: integer `7`, expected an object (Status)",
        ),
        (
            format!(r#"{IDS},"attributes":{{}}"#),
            RejectReason::Malformed,
            "invalid type: map, expected a list (KeyValue)",
        ),
        (
            format!(r#"{IDS},"attributes":[null]"#),
            RejectReason::Malformed,
            "null in a list of KeyValue",
        ),
        (
            format!(r#"{IDS},"attributes":[{{"value":{{"intValue":1.5}}}}]"#),
            RejectReason::Malformed,
            "1.5 is not a 64-bit integer",
        ),
        (
            format!(r#"{IDS},"attributes":[{{"value":{{"intValue":"9223372036854775808"}}}}]"#),
            RejectReason::Malformed,
            "9223372036854775808 is not a 64-bit integer",
        ),
        (
            format!(r#"{IDS},"attributes":[{{"value":{{"bytesValue":"*"}}}}]"#),
            RejectReason::Malformed,
            "bytes are not base64: Invalid symbol 42, offset 0.",
        ),
        (
            format!(r#"{IDS},"attributes":[{{"value":{{"boolValue":"true"}}}}]"#),
            RejectReason::Malformed,
            r#"invalid type: string "true", expected a boolean"#,
        ),
        (
            format!(r#"{IDS},"name":"{}""#, "x".repeat(1 << 20)),
            RejectReason::TooLarge,
            "span of 1048608 bytes is over the limit of 1048576",
        ),
    ];
    for (members, reason, detail) in cases {
        let found = fault(&members);
        assert_eq!(found.0, reason, "{members:.100}");
        assert_eq!(found.1, detail, "{members:.100}");
    }
}

#[test]
fn a_bad_resource_or_scope_takes_only_its_own_spans_along() {
    let span = format!("{{{IDS}}}");
    let json = format!(
        r#"{{"resourceSpans":[
            {{"resource":{{"attributes":[{{"key":7}}]}},"scopeSpans":[{{"spans":[{span},{span},{{}}]}}]}},
            {{"scopeSpans":[{{"spans":[{span}],"scope":"none"}},{{"schemaUrl":1,"spans":[{span}]}},{{"spans":[{span}]}}]}},
            {{"scopeSpans":[{{"spans":[{span}]}}],"schemaUrl":[]}}
        ]}}"#
    );
    let transcoded = read(&json);
    assert_eq!((transcoded.accepted, transcoded.rejected.count()), (1, 6));
    assert_eq!(
        transcoded.rejected.examples(),
        [
            "resourceSpans[0].scopeSpans[0].spans[2]: trace id has 0 bytes instead of 16",
            "resourceSpans[0]: invalid type: integer `7`, expected a string",
            r#"resourceSpans[1].scopeSpans[0]: invalid type: string "none", expected an object (InstrumentationScope)"#,
            "resourceSpans[1].scopeSpans[1]: invalid type: integer `1`, expected a string",
            "resourceSpans[2]: invalid type: sequence, expected a string",
        ]
    );
    let kept = String::from_utf8(from_protobuf(&transcoded.protobuf).unwrap()).unwrap();
    assert_eq!(kept.matches("traceId").count(), 1);
}

#[test]
fn what_is_no_request_is_an_error_with_its_place() {
    for (json, message) in [
        ("", "line 1, column 0: EOF while parsing a value"),
        (
            "[]",
            "line 1, column 2: invalid type: sequence, expected an object (TracesData)",
        ),
        ("{}x", "line 1, column 3: trailing characters"),
        (
            "{\"resourceSpans\":[\n{\"a\":tru}]}",
            "line 2, column 9: expected ident",
        ),
        (
            r#"{"resourceSpans":{}}"#,
            "line 1, column 19: invalid type: map, expected a list (ResourceSpans)",
        ),
        (
            r#"{"resourceSpans":[{"scopeSpans":[{"spans":[{"#,
            "line 1, column 44: EOF while parsing an object",
        ),
        (
            r#"{"resourceSpans":[7]}"#,
            "line 1, column 19: invalid type: integer `7`, expected an object (ResourceSpans)",
        ),
    ] {
        let error = to_protobuf(json.as_bytes(), &LIMITS).unwrap_err();
        assert_eq!(error.to_string(), message, "{json}");
    }
    let error = to_protobuf(b"{\"a\":\"\xff\"}", &LIMITS).unwrap_err();
    assert_eq!(error, JsonError::Utf8 { offset: 6 });
}

//! Batches that are written are those of Thrift's specification, and are read as what they say.

#![expect(clippy::unwrap_used, reason = "in a test a failure is a panic")]

mod thrift;

use backtrail_wire::jaeger_thrift::{Encoding, SpanHead, put_batch, to_otlp};
use backtrail_wire::otlp::SpanLimits;
use backtrail_wire::otlp_json::from_protobuf;
use thrift::Value::{self, Bool, Bytes, Double, I32, I64, List, Struct, Text};
use thrift::encode;

fn tag(key: &'static str, v_type: i32, id: i16, value: Value) -> Value {
    Struct(vec![(1, Text(key)), (2, I32(v_type)), (id, value)])
}

fn read_as_json(batch: &[u8]) -> String {
    let limits = SpanLimits {
        max_value_depth: 32,
        max_span_bytes: 1 << 20,
    };
    let transcoded = to_otlp(batch, Encoding::Binary, &limits).unwrap();
    assert_eq!(transcoded.rejected.examples(), [""; 0]);
    String::from_utf8(from_protobuf(&transcoded.protobuf).unwrap()).unwrap()
}

#[test]
fn a_small_span_has_the_bytes_that_thrift_specifies() {
    let mut out = vec![0xaa];
    let process_tags = |tags: &mut backtrail_wire::jaeger_thrift::Tags<'_>| tags.bool("b", true);
    put_batch(&mut out, "svc", process_tags, |spans| {
        let head = SpanHead {
            trace_id: [
                0x01, 0x02, 0x03, 0x04, 0x05, 0x06, 0x07, 0x08, 0x11, 0x12, 0x13, 0x14, 0x15, 0x16,
                0x17, 0x18,
            ],
            span_id: [0x21, 0x22, 0x23, 0x24, 0x25, 0x26, 0x27, 0x28],
            parent_span_id: [0; 8],
            operation_name: "op",
            flags: 1,
            start_micros: 0x0102,
            duration_micros: 3,
        };
        spans.put(&head, |span| {
            span.tags(|tags| {
                tags.string("k", "v");
                tags.long("n", -2);
            });
        });
    });
    // A field is its type (12 struct, 11 string, 15 list, 2 bool, 8 i32, 10 i64), its id in two bytes, and its value.
    let expected: &[&[u8]] = &[
        &[0xaa],
        &[12, 0, 1],
        &[11, 0, 1, 0, 0, 0, 3, b's', b'v', b'c'],
        &[15, 0, 2, 12, 0, 0, 0, 1],
        &[11, 0, 1, 0, 0, 0, 1, b'b'],
        &[8, 0, 2, 0, 0, 0, 2],
        &[2, 0, 5, 1],
        &[0],
        &[0],
        &[15, 0, 2, 12, 0, 0, 0, 1],
        &[10, 0, 1, 0x11, 0x12, 0x13, 0x14, 0x15, 0x16, 0x17, 0x18],
        &[10, 0, 2, 0x01, 0x02, 0x03, 0x04, 0x05, 0x06, 0x07, 0x08],
        &[10, 0, 3, 0x21, 0x22, 0x23, 0x24, 0x25, 0x26, 0x27, 0x28],
        &[10, 0, 4, 0, 0, 0, 0, 0, 0, 0, 0],
        &[11, 0, 5, 0, 0, 0, 2, b'o', b'p'],
        &[8, 0, 7, 0, 0, 0, 1],
        &[10, 0, 8, 0, 0, 0, 0, 0, 0, 1, 2],
        &[10, 0, 9, 0, 0, 0, 0, 0, 0, 0, 3],
        &[15, 0, 10, 12, 0, 0, 0, 2],
        &[11, 0, 1, 0, 0, 0, 1, b'k'],
        &[8, 0, 2, 0, 0, 0, 0],
        &[11, 0, 3, 0, 0, 0, 1, b'v'],
        &[0],
        &[11, 0, 1, 0, 0, 0, 1, b'n'],
        &[8, 0, 2, 0, 0, 0, 3],
        &[10, 0, 6, 255, 255, 255, 255, 255, 255, 255, 254],
        &[0],
        &[0],
        &[0],
    ];
    assert_eq!(out, expected.concat());
}

#[test]
fn every_part_is_written_as_an_encoder_of_the_tests_writes_it() {
    let mut out = Vec::new();
    put_batch(
        &mut out,
        "shop",
        |tags| tags.string("host.name", "till-3"),
        |spans| {
            let head = SpanHead {
                trace_id: [7; 16],
                span_id: [8; 8],
                parent_span_id: [9; 8],
                operation_name: "zahlen für alle",
                flags: 3,
                start_micros: 1_700_000_000_000_000,
                duration_micros: 1_500,
            };
            spans.put(&head, |span| {
                span.references(|references| {
                    references.child_of([7; 16], [9; 8]);
                    references.follows_from([1; 16], [2; 8]);
                });
                span.tags(|tags| {
                    tags.string("s", "ä");
                    tags.string("json", "[1,2]");
                    tags.double("d", -0.5);
                    tags.bool("b", false);
                    tags.long("l", i64::MIN);
                    tags.binary("x", &[0, 255]);
                });
                span.logs(|logs| {
                    logs.put(5, |fields| fields.string("event", "hit"));
                    logs.put(6, |_| {});
                });
            });
            spans.put(&SpanHead::default(), |span| {
                span.references(|_| {});
                span.tags(|_| {});
                span.logs(|_| {});
            });
        },
    );

    let halves = |byte: u8| I64(i64::from_be_bytes([byte; 8]));
    let reference = |ref_type, trace, span| {
        let (low, high) = (halves(trace), halves(trace));
        Struct(vec![
            (1, I32(ref_type)),
            (2, low),
            (3, high),
            (4, halves(span)),
        ])
    };
    let full = Struct(vec![
        (1, halves(7)),
        (2, halves(7)),
        (3, halves(8)),
        (4, halves(9)),
        (5, Text("zahlen für alle")),
        (7, I32(3)),
        (8, I64(1_700_000_000_000_000)),
        (9, I64(1_500)),
        (6, List(vec![reference(0, 7, 9), reference(1, 1, 2)])),
        (
            10,
            List(vec![
                tag("s", 0, 3, Text("ä")),
                tag("json", 0, 3, Text("[1,2]")),
                tag("d", 1, 4, Double(-0.5)),
                tag("b", 2, 5, Bool(false)),
                tag("l", 3, 6, I64(i64::MIN)),
                tag("x", 4, 7, Bytes(vec![0, 255])),
            ]),
        ),
        (
            11,
            List(vec![
                Struct(vec![
                    (1, I64(5)),
                    (2, List(vec![tag("event", 0, 3, Text("hit"))])),
                ]),
                Struct(vec![(1, I64(6)), (2, List(vec![]))]),
            ]),
        ),
    ]);
    let empty = Struct(vec![
        (1, I64(0)),
        (2, I64(0)),
        (3, I64(0)),
        (4, I64(0)),
        (5, Text("")),
        (7, I32(0)),
        (8, I64(0)),
        (9, I64(0)),
    ]);
    let process = Struct(vec![
        (1, Text("shop")),
        (2, List(vec![tag("host.name", 0, 3, Text("till-3"))])),
    ]);
    let batch = Struct(vec![(1, process), (2, List(vec![full, empty]))]);
    let [(Encoding::Binary, expected), _] = encode(&batch) else {
        panic!("the binary protocol comes first");
    };
    assert_eq!(out, expected);
}

#[test]
fn a_batch_without_spans_and_tags_is_a_batch() {
    let mut out = Vec::new();
    put_batch(&mut out, "", |_| {}, |_| {});
    assert_eq!(
        out,
        [
            12, 0, 1, 11, 0, 1, 0, 0, 0, 0, 0, 15, 0, 2, 12, 0, 0, 0, 0, 0
        ]
    );
    assert_eq!(
        read_as_json(&out),
        r#"{"resourceSpans":[{"resource":{},"scopeSpans":[]}]}"#
    );
}

#[test]
fn what_is_written_is_read_as_what_it_says() {
    let mut out = Vec::new();
    put_batch(
        &mut out,
        "shop",
        |_| {},
        |spans| {
            let head = SpanHead {
                trace_id: [1; 16],
                span_id: [2; 8],
                operation_name: "pay",
                flags: 1,
                start_micros: 10,
                duration_micros: 5,
                ..SpanHead::default()
            };
            spans.put(&head, |span| {
                span.tags(|tags| {
                    tags.long("items", 3);
                    tags.string("span.kind", "server");
                });
            });
        },
    );
    let json = read_as_json(&out);
    assert!(
        json.contains(
            r#""name":"pay","kind":2,"startTimeUnixNano":"10000","endTimeUnixNano":"15000","attributes":[{"key":"items","value":{"intValue":"3"}}]"#
        ),
        "{json}"
    );
}

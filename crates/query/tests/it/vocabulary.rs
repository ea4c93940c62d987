//! What a form proposes.

use backtrail_wire::otlp::{AnyValue, Attributes, SpanFields, put_key_value, put_span};
use backtrail_wire::protobuf::put_message;
use model::SpanBatch;
use query::{Budget, Condition, Vocabulary, attribute_keys, attribute_values};
use store::{MemoryScan, Snapshot};

/// Service, start and attributes.
type Span<'a> = (&'a str, u64, &'a [(&'a str, AnyValue<'a>)]);

/// Each span in a scan of its own.
fn snapshot(spans: &[Span<'_>]) -> Snapshot {
    let scans = spans
        .iter()
        .zip(1u8..)
        .map(|((service, start, attributes), id)| {
            let mut list = Vec::new();
            for (key, value) in *attributes {
                put_key_value(&mut list, 1, key, *value);
            }
            let mut request = Vec::new();
            put_message(&mut request, 1, |out| {
                put_message(out, 1, |out| {
                    put_key_value(out, 1, "service.name", AnyValue::String(service));
                });
                put_message(out, 2, |out| {
                    put_message(out, 2, |out| {
                        let fields = SpanFields {
                            trace_id: &[id; 16],
                            span_id: &[id; 8],
                            start_unix_nano: *start,
                            attributes: Attributes::new(&list),
                            ..SpanFields::default()
                        };
                        put_span(out, &fields, |_| Ok(())).unwrap();
                    });
                });
            });
            MemoryScan::new(SpanBatch::from_otlp(&request).unwrap()).into_scan()
        });
    Snapshot::new(scans.collect())
}

fn shop() -> Snapshot {
    use AnyValue::{Int, String};
    snapshot(&[
        (
            "web",
            10,
            &[("peer", String("cart")), ("host", String("a"))],
        ),
        ("web", 20, &[("host", String("db.local"))]),
        ("web", 30, &[("peer", Int(7)), ("only", Int(1))]),
        ("cart", 40, &[("peer", String("db"))]),
    ])
}

fn names(found: &Vocabulary) -> Vec<&str> {
    found.names.iter().map(String::as_str).collect()
}

#[test]
fn a_span_has_the_value_of_the_first_key_that_it_has() {
    let values = |conditions: &[Condition], starts, max_values| {
        let keys = ["peer", "host"];
        let budget = Budget::unlimited();
        attribute_values(&shop(), &keys, conditions, starts, max_values, &budget).unwrap()
    };
    let web = [Condition::Service("web".to_owned())];
    assert_eq!(names(&values(&web, 0..=u64::MAX, 9)), ["cart", "db.local"]);
    assert_eq!(
        names(&values(&[], 0..=u64::MAX, 9)),
        ["cart", "db", "db.local"]
    );
    assert_eq!(names(&values(&[], 15..=40, 9)), ["db", "db.local"]);
    let some = values(&[], 0..=u64::MAX, 2);
    assert_eq!(
        (names(&some), some.truncated),
        (vec!["db", "db.local"], true)
    );
    assert!(!values(&[], 0..=u64::MAX, 3).truncated);
}

#[test]
fn keys_are_those_that_most_spans_have() {
    let all = attribute_keys(&shop(), 9, &Budget::unlimited()).unwrap();
    assert_eq!(
        (names(&all), all.truncated),
        (vec!["host", "only", "peer"], false)
    );
    let some = attribute_keys(&shop(), 2, &Budget::unlimited()).unwrap();
    assert_eq!((names(&some), some.truncated), (vec!["host", "peer"], true));
}

#[test]
fn what_takes_too_long_is_cut_short_and_says_so() {
    let budget = Budget::until(&|| true);
    let values = attribute_values(&shop(), &["peer"], &[], 0..=u64::MAX, 9, &budget).unwrap();
    assert_eq!(
        values,
        Vocabulary {
            names: Vec::new(),
            truncated: true
        }
    );
    assert!(attribute_keys(&shop(), 9, &budget).unwrap().truncated);
}

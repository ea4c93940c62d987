//! W3C baggage.

use std::collections::HashMap;

use backtrail::propagation::Baggage;
use backtrail::sampling::Sampler;
use opentelemetry::Context;
use opentelemetry::baggage::{BaggageExt, KeyValueMetadata};
use opentelemetry::propagation::TextMapPropagator;
use opentelemetry_sdk::propagation::BaggagePropagator;

use crate::service::{Service, headers, value};

/// Name, value and properties, by name.
fn read(lists: &[&str]) -> Vec<(String, String, String)> {
    let pairs: Vec<_> = lists.iter().map(|list| ("baggage", *list)).collect();
    entries(&service().extract(&headers(&pairs)))
}

fn entries(cx: &Context) -> Vec<(String, String, String)> {
    let entry = |(key, (value, metadata)): (_, &(_, _))| {
        let key: &opentelemetry::Key = key;
        let value: &opentelemetry::StringValue = value;
        let metadata: &opentelemetry::baggage::BaggageMetadata = metadata;
        (key.to_string(), value.to_string(), metadata.to_string())
    };
    let mut entries: Vec<_> = cx.baggage().iter().map(entry).collect();
    entries.sort();
    entries
}

fn passed_on(lists: &[&str]) -> Option<String> {
    let pairs: Vec<_> = lists.iter().map(|list| ("baggage", *list)).collect();
    let outgoing = service().call(&headers(&pairs));
    value(&outgoing, "baggage").map(str::to_owned)
}

fn service() -> Service {
    Service::new("baggage", Sampler::AlwaysOff)
}

fn entry(key: &str, value: &str, metadata: &str) -> (String, String, String) {
    (key.to_owned(), value.to_owned(), metadata.to_owned())
}

#[test]
fn values_are_decoded_and_properties_kept() {
    assert_eq!(
        read(&["key1=value1;property1;property2, key2 = value2, key3=DF%2028; p = v%20w"]),
        [
            entry("key1", "value1", "property1;property2"),
            entry("key2", "value2", ""),
            entry("key3", "DF 28", "p=v%20w"),
        ]
    );
}

#[test]
fn several_headers_are_one_list_and_the_last_of_a_name_counts() {
    assert_eq!(
        read(&["a=1,b=2", "c=3,a=4"]),
        [
            entry("a", "4", ""),
            entry("b", "2", ""),
            entry("c", "3", "")
        ]
    );
}

#[test]
fn a_value_may_be_empty_or_have_equals_signs() {
    assert_eq!(
        read(&["a=,b=x==,c=1=2;p=3=4"]),
        [
            entry("a", "", ""),
            entry("b", "x==", ""),
            entry("c", "1=2", "p=3=4")
        ]
    );
}

#[test]
fn a_bad_member_is_skipped_alone() {
    for bad in [
        "",
        "b",
        "=1",
        "b c=1",
        "(b)=1",
        "b=1 2",
        "b=\"1\"",
        "b=\\",
        "b=%",
        "b=%2",
        "b=%zz",
        "b=100%",
        "b=1;p q",
        "b=1;=2",
        "b=1;p=\"x\"",
        "b@=1",
    ] {
        let list = format!("a=1,{bad},c=3");
        let expected = [entry("a", "1", ""), entry("c", "3", "")];
        assert_eq!(read(&[&list]), expected, "{bad:?}");
    }
}

#[test]
fn nothing_between_semicolons_is_no_property() {
    assert_eq!(read(&["a=1;;p; "]), [entry("a", "1", "p")]);
}

#[test]
fn bytes_that_are_no_utf_8_are_replaced() {
    assert_eq!(read(&["a=%FFx"]), [entry("a", "\u{fffd}x", "")]);
}

#[test]
fn what_others_misread_is_read_as_it_is_and_escaped_where_there_is_room() {
    assert_eq!(read(&["a=1+2=3"]), [entry("a", "1+2=3", "")]);
    assert_eq!(passed_on(&["a=1+2=3"]).as_deref(), Some("a=1%2B2%3D3"));
}

#[test]
fn what_came_in_goes_out_in_the_order_of_names() {
    let list = "b=x;p=1;q,a=Gr%C3%BC%C3%9Fe%25!#$&'()*-./:<>?@[]^_`{|}~";
    let [b, a] = [&list[..9], &list[10..]];
    assert_eq!(passed_on(&[list]), Some(format!("{a},{b}")));
}

#[test]
fn no_baggage_is_no_header() {
    assert_eq!(passed_on(&[]), None);
    assert_eq!(passed_on(&["", " , "]), None);
}

#[test]
fn sixty_four_members_are_passed_on() {
    let members: Vec<String> = (0..64).map(|n| format!("key{n:02}=value{n}")).collect();
    let list = members.join(",");
    assert_eq!(passed_on(&[&list]), Some(list));
}

#[test]
fn eight_kibibytes_are_passed_on_whole_and_a_byte_more_is_left_out() {
    for octet in ["x", "+", "=", "!"] {
        let list = format!("a={},b=2", octet.repeat(8192 - "a=,b=2".len()));
        assert_eq!(passed_on(&[&list]), Some(list.clone()));
        let more = format!("{list}3");
        let first = list.strip_suffix(",b=2").map(str::to_owned);
        assert_eq!(passed_on(&[&more]), first);
    }
}

#[test]
fn what_local_code_sets_cannot_add_headers_or_members() {
    let cx = Context::new().with_baggage([
        KeyValueMetadata::new("a", "1\r\nx: y,b=2;c", "p=1,b=2;ok;q\r\nz"),
        KeyValueMetadata::new("d", "é", ""),
    ]);
    let outgoing = service().inject(&cx);
    assert_eq!(
        value(&outgoing, "baggage"),
        Some("a=1%0D%0Ax:%20y%2Cb%3D2%3Bc;ok,d=%C3%A9")
    );
}

#[test]
fn baggage_is_added_to_what_the_context_holds() {
    let cx = Context::new().with_baggage([
        KeyValueMetadata::new("kept", "1", "p"),
        KeyValueMetadata::new("a", "old", ""),
    ]);
    let carrier = HashMap::from([("baggage".to_owned(), "a=new".to_owned())]);
    assert_eq!(
        entries(&Baggage.extract_with_context(&cx, &carrier)),
        [entry("a", "new", ""), entry("kept", "1", "p")]
    );
}

#[test]
fn opentelemetrys_own_propagator_reads_ours_and_ours_reads_its_header() {
    let cx = Context::new().with_baggage([
        KeyValueMetadata::new("user", "Grüße, \"x\"; 😊+=~", "p=1;q"),
        KeyValueMetadata::new("empty", "", ""),
    ]);
    let other = BaggagePropagator::new();
    for (writer, reader) in [
        (
            &Baggage as &dyn TextMapPropagator,
            &other as &dyn TextMapPropagator,
        ),
        (&other, &Baggage),
    ] {
        let mut carrier = HashMap::new();
        writer.inject_context(&cx, &mut carrier);
        let read = reader.extract_with_context(&Context::new(), &carrier);
        assert_eq!(entries(&read), entries(&cx));
    }
}

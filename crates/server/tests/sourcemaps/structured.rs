//! Honeycomb's arrays, one element for each frame.

use opentelemetry_proto::tonic::common::v1::any_value::Value as Any;
use opentelemetry_proto::tonic::common::v1::{AnyValue, ArrayValue, KeyValue};

use crate::running::Backtrail;
use crate::running::otlp::attribute;
use crate::service::{HASHED, PLACE, SHOP, assert_healed, build, get_json, stack, upload};

const URL: &str = "/var/task/main.efbcacc41ec5b6ccc1e4.js";

pub(crate) fn array(key: &str, values: Vec<Any>) -> KeyValue {
    let values = values
        .into_iter()
        .map(|value| AnyValue { value: Some(value) });
    KeyValue {
        key: key.to_owned(),
        value: Some(AnyValue {
            value: Some(Any::ArrayValue(ArrayValue {
                values: values.collect(),
            })),
        }),
        ..KeyValue::default()
    }
}

pub(crate) fn texts(key: &str, values: &[&str]) -> KeyValue {
    let values = values
        .iter()
        .map(|text| Any::StringValue((*text).to_owned()));
    array(key, values.collect())
}

fn numbers(key: &str, values: &[i64]) -> KeyValue {
    array(key, values.iter().copied().map(Any::IntValue).collect())
}

fn structured() -> Vec<KeyValue> {
    let key = |name: &str| format!("exception.structured_stacktrace.{name}");
    let loader = "node:internal/modules/cjs/loader";
    let functions = ["n", "n", "?", "", "Object.<anonymous>", "Module._compile"];
    vec![
        attribute("exception.type", "PaymentError"),
        attribute("exception.message", "limit exceeded: 120"),
        texts(&key("urls"), &[URL, URL, URL, URL, URL, loader]),
        numbers(&key("lines"), &[1, 1, 1, 1, 1, 1521]),
        numbers(&key("columns"), &[404, 209, 899, 920, 940, 14]),
        texts(&key("functions"), &functions),
    ]
}

#[test]
fn a_structured_stack_resolves_like_a_written_one() {
    let server = Backtrail::start();
    upload(&server, build("hashed").path(), &["--release", "1.0.0"]);
    SHOP.throws(&server, 1, structured());
    let found = stack(&server, 1);
    assert_eq!(found["raw"], HASHED);
    assert_healed(&found);
    let jaeger = get_json(&server, &format!("/api/traces/{:032x}", 1));
    assert!(jaeger.to_string().contains(PLACE), "{jaeger:#}");
}

#[test]
fn arrays_that_do_not_match_lose_no_frame_and_invent_none() {
    let server = Backtrail::start();
    upload(&server, build("hashed").path(), &["--release", "1.0.0"]);
    let mut short = structured();
    short[3] = numbers("exception.structured_stacktrace.lines", &[1]);
    short.pop();
    SHOP.throws(&server, 1, short);
    let found = stack(&server, 1);
    let raw = found["raw"].as_str().unwrap();
    assert_eq!(raw.lines().count(), 7, "{raw}");
    assert!(found["resolved_frames"].as_u64().unwrap() <= 1, "{found:#}");
}

//! The 41 rules of the public test suite of W3C Trace Context (`test/test.py` of w3c/trace-context, level 2, strict), each under the
//! name that it has there.

use std::collections::HashSet;

use backtrail::sampling::Sampler;
use http::HeaderMap;

use crate::service::{Service, headers, value};

const TRACE_ID: &str = "12345678901234567890123456789012";
const SPAN_ID: &str = "1234567890123456";
const CALLER: (&str, &str) = (
    "traceparent",
    "00-12345678901234567890123456789012-1234567890123456-00",
);

/// What the service sends, after all that any outgoing `traceparent` must be.
struct Sent {
    trace_id: String,
    span_id: String,
    flags: u8,
    trace_state: String,
}

impl Sent {
    fn new(outgoing: &HeaderMap) -> Self {
        let traceparent = value(outgoing, "traceparent").expect("every call has a traceparent");
        let fields: Vec<&str> = traceparent.split('-').collect();
        let [version, trace_id, span_id, flags] = fields[..] else {
            panic!("{traceparent}");
        };
        let lower_hex = |text: &str| {
            text.bytes()
                .all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'))
        };
        assert_eq!(version, "00");
        assert_eq!((trace_id.len(), span_id.len(), flags.len()), (32, 16, 2));
        assert!(fields.iter().all(|field| lower_hex(field)));
        assert_ne!(trace_id, "0".repeat(32));
        assert_ne!(span_id, "0".repeat(16));
        Self {
            trace_id: trace_id.to_owned(),
            span_id: span_id.to_owned(),
            flags: u8::from_str_radix(flags, 16).expect("two digits"),
            trace_state: value(outgoing, "tracestate").unwrap_or_default().to_owned(),
        }
    }

    fn continues(&self) -> bool {
        self.trace_id == TRACE_ID
    }
}

/// Under the default sampler, and under one that drops: what is sent must not differ in these rules.
fn services() -> [Service; 2] {
    [Sampler::default(), Sampler::AlwaysOff].map(|sampler| Service::new("tracecontext", sampler))
}

fn sent(pairs: &[(&str, &str)]) -> Vec<Sent> {
    let incoming = headers(pairs);
    let sent = |service: Service| Sent::new(&service.call(&incoming));
    services().map(sent).into()
}

fn continues(traceparent: &str) {
    for sent in sent(&[("traceparent", traceparent)]) {
        assert!(sent.continues(), "{traceparent:?}");
        assert_ne!(sent.span_id, SPAN_ID);
    }
}

fn starts_anew(traceparent: &str) {
    for sent in sent(&[("traceparent", traceparent), ("tracestate", "foo=1")]) {
        assert!(!sent.continues(), "{traceparent:?}");
        assert_eq!(sent.trace_state, "", "{traceparent:?}");
    }
}

/// The outgoing list for these headers.
fn trace_state(trace_states: &[&str]) -> String {
    let mut pairs = vec![CALLER];
    pairs.extend(trace_states.iter().map(|value| ("tracestate", *value)));
    let [a, b] = &sent(&pairs)[..] else {
        panic!("two services");
    };
    assert!(a.continues() && b.continues(), "{trace_states:?}");
    assert_eq!(a.trace_state, b.trace_state);
    a.trace_state.clone()
}

#[test]
fn test_both_traceparent_and_tracestate_missing() {
    for sent in sent(&[]) {
        assert_eq!(sent.trace_state, "");
    }
}

#[test]
fn test_traceparent_included_tracestate_missing() {
    continues("00-12345678901234567890123456789012-1234567890123456-01");
}

#[test]
fn test_traceparent_duplicated() {
    let first = "00-12345678901234567890123456789011-1234567890123456-01";
    let second = "00-12345678901234567890123456789012-1234567890123456-01";
    for sent in sent(&[("traceparent", first), ("traceparent", second)]) {
        assert!(!first.contains(&sent.trace_id) && !second.contains(&sent.trace_id));
    }
}

#[test]
fn test_traceparent_header_name() {
    for name in ["trace-parent", "trace.parent"] {
        for sent in sent(&[(name, CALLER.1)]) {
            assert!(!sent.continues());
        }
    }
}

#[test]
fn test_traceparent_header_name_valid_casing() {
    for name in ["TraceParent", "TrAcEpArEnT", "TRACEPARENT"] {
        for sent in sent(&[(name, CALLER.1)]) {
            assert!(sent.continues());
        }
    }
}

#[test]
fn test_traceparent_version_0x00() {
    starts_anew("00-12345678901234567890123456789012-1234567890123456-01.");
    starts_anew(
        "00-12345678901234567890123456789012-1234567890123456-01-what-the-future-will-be-like",
    );
}

#[test]
fn test_traceparent_version_0xcc() {
    continues("cc-12345678901234567890123456789012-1234567890123456-01");
    continues(
        "cc-12345678901234567890123456789012-1234567890123456-01-what-the-future-will-be-like",
    );
    starts_anew(
        "cc-12345678901234567890123456789012-1234567890123456-01.what-the-future-will-be-like",
    );
}

#[test]
fn test_traceparent_version_0xff() {
    starts_anew("ff-12345678901234567890123456789012-1234567890123456-01");
}

#[test]
fn test_traceparent_version_illegal_characters() {
    starts_anew(".0-12345678901234567890123456789012-1234567890123456-01");
    starts_anew("0.-12345678901234567890123456789012-1234567890123456-01");
}

#[test]
fn test_traceparent_version_too_long() {
    starts_anew("000-12345678901234567890123456789012-1234567890123456-01");
    starts_anew("0000-12345678901234567890123456789012-1234567890123456-01");
}

#[test]
fn test_traceparent_version_too_short() {
    starts_anew("0-12345678901234567890123456789012-1234567890123456-01");
}

#[test]
fn test_traceparent_trace_id_all_zero() {
    starts_anew("00-00000000000000000000000000000000-1234567890123456-01");
}

#[test]
fn test_traceparent_trace_id_illegal_characters() {
    starts_anew("00-.2345678901234567890123456789012-1234567890123456-01");
    starts_anew("00-1234567890123456789012345678901.-1234567890123456-01");
}

#[test]
fn test_traceparent_trace_id_too_long() {
    let too_long = "00-123456789012345678901234567890123-1234567890123456-01";
    starts_anew(too_long);
    for sent in sent(&[("traceparent", too_long)]) {
        assert_ne!(sent.trace_id, "23456789012345678901234567890123");
    }
}

#[test]
fn test_traceparent_trace_id_too_short() {
    starts_anew("00-1234567890123456789012345678901-1234567890123456-01");
}

#[test]
fn test_traceparent_parent_id_all_zero() {
    starts_anew("00-12345678901234567890123456789012-0000000000000000-01");
}

#[test]
fn test_traceparent_parent_id_illegal_characters() {
    starts_anew("00-12345678901234567890123456789012-.234567890123456-01");
    starts_anew("00-12345678901234567890123456789012-123456789012345.-01");
}

#[test]
fn test_traceparent_parent_id_too_long() {
    starts_anew("00-12345678901234567890123456789012-12345678901234567-01");
}

#[test]
fn test_traceparent_parent_id_too_short() {
    starts_anew("00-12345678901234567890123456789012-123456789012345-01");
}

#[test]
fn test_traceparent_trace_flags_illegal_characters() {
    starts_anew("00-12345678901234567890123456789012-1234567890123456-.0");
    starts_anew("00-12345678901234567890123456789012-1234567890123456-0.");
}

#[test]
fn test_traceparent_trace_flags_too_long() {
    starts_anew("00-12345678901234567890123456789012-1234567890123456-001");
}

#[test]
fn test_traceparent_trace_flags_too_short() {
    starts_anew("00-12345678901234567890123456789012-1234567890123456-1");
}

#[test]
fn test_traceparent_ows_handling() {
    for (before, after) in [(" ", ""), ("\t", ""), ("", " "), ("", "\t"), ("\t ", " \t")] {
        continues(&format!("{before}{}{after}", CALLER.1));
    }
}

#[test]
fn test_tracestate_included_traceparent_missing() {
    for list in ["foo=1", "foo=1,bar=2"] {
        for sent in sent(&[("tracestate", list)]) {
            assert_eq!(sent.trace_state, "");
        }
    }
}

#[test]
fn test_tracestate_included_traceparent_included() {
    assert_eq!(trace_state(&["foo=1,bar=2"]), "foo=1,bar=2");
}

#[test]
fn test_tracestate_header_name() {
    for name in ["trace-state", "trace.state"] {
        for sent in sent(&[CALLER, (name, "foo=1")]) {
            assert_eq!(sent.trace_state, "");
        }
    }
}

#[test]
fn test_tracestate_header_name_valid_casing() {
    for name in ["TraceState", "TrAcEsTaTe", "TRACESTATE"] {
        for sent in sent(&[CALLER, (name, "foo=1")]) {
            assert_eq!(sent.trace_state, "foo=1");
        }
    }
}

#[test]
fn test_tracestate_empty_header() {
    assert_eq!(trace_state(&[""]), "");
    assert_eq!(trace_state(&["foo=1", ""]), "foo=1");
    assert_eq!(trace_state(&["", "foo=1"]), "foo=1");
}

#[test]
fn test_tracestate_multiple_headers_different_keys() {
    assert_eq!(
        trace_state(&["foo=1,bar=2", "rojo=1,congo=2", "baz=3"]),
        "foo=1,bar=2,rojo=1,congo=2,baz=3"
    );
}

#[test]
fn test_tracestate_duplicated_keys() {
    for (list, sent) in [
        (&["foo=1,foo=1"][..], "foo=1,foo=1"),
        (&["foo=1,foo=2"], "foo=1,foo=2"),
        (&["foo=1", "foo=1"], "foo=1,foo=1"),
        (&["foo=1", "foo=2"], "foo=1,foo=2"),
    ] {
        assert_eq!(trace_state(list), sent);
    }
}

#[test]
fn test_tracestate_all_allowed_characters() {
    let printable = (' '..='~').filter(|character| !",=".contains(*character));
    let value: String = printable.collect();
    let key = "abcdefghijklmnopqrstuvwxyz0123456789_-*/";
    for key in [key, &format!("{key}@a-z0-9_-*/")] {
        let list = format!("{key}={value}");
        assert_eq!(trace_state(&[&list]), list);
    }
}

#[test]
fn test_tracestate_ows_handling() {
    for list in [
        "foo=1 \t , \t bar=2, \t baz=3",
        "foo=1\t \t,\t \tbar=2,\t \tbaz=3",
    ] {
        assert_eq!(trace_state(&[list]), "foo=1,bar=2,baz=3");
    }
    for list in [" foo=1", "\tfoo=1", "foo=1 ", "foo=1\t", "\t foo=1 \t"] {
        assert_eq!(trace_state(&[list]), "foo=1");
    }
}

#[test]
fn test_tracestate_key_illegal_characters() {
    for list in ["foo =1", "FOO=1", "foo.bar=1"] {
        assert_eq!(trace_state(&[list]), "");
    }
}

#[test]
fn test_tracestate_key_illegal_vendor_format() {
    assert_eq!(trace_state(&["@foo=1,bar=2"]), "");
    // Level 1 forbade these.
    for list in ["foo@=1,bar=2", "foo@@bar=1,bar=2", "foo@bar@baz=1,bar=2"] {
        assert_eq!(trace_state(&[list]), list);
    }
}

#[test]
fn test_tracestate_member_count_limit() {
    let members: Vec<String> = (1..=33).map(|n| format!("bar{n:02}={n:02}")).collect();
    let [a, b, c, d] = [0..10, 10..20, 20..30, 30..32].map(|part| members[part].join(","));
    assert_eq!(trace_state(&[&a, &b, &c, &d]), members[..32].join(","));
    let one_more = members[30..].join(",");
    assert_eq!(trace_state(&[&a, &b, &c, &one_more]), "");
}

#[test]
fn test_tracestate_key_length_limit() {
    for key in [
        "z".repeat(256),
        format!("{}@{}", "t".repeat(241), "v".repeat(14)),
        // Level 1 forbade these.
        format!("{}@v", "t".repeat(242)),
        format!("t@{}", "v".repeat(15)),
    ] {
        let member = format!("{key}=1");
        assert_eq!(trace_state(&["foo=1", &member]), format!("foo=1,{member}"));
    }
    assert_eq!(
        trace_state(&["foo=1", &format!("{}=1", "z".repeat(257))]),
        ""
    );
}

#[test]
fn test_tracestate_value_illegal_characters() {
    assert_eq!(trace_state(&["foo=bar=baz"]), "");
    assert_eq!(trace_state(&["foo=,bar=3"]), "");
}

#[test]
fn test_multiple_requests_with_valid_traceparent() {
    for (trace_ids, span_ids) in three_calls(&[CALLER]) {
        assert_eq!(trace_ids, HashSet::from([TRACE_ID.to_owned()]));
        assert_eq!(span_ids.len(), 3);
    }
}

#[test]
fn test_multiple_requests_without_traceparent() {
    for (_, span_ids) in three_calls(&[]) {
        assert_eq!(span_ids.len(), 3);
    }
}

#[test]
fn test_multiple_requests_with_illegal_traceparent() {
    let illegal = "00-00000000000000000000000000000000-1234567890123456-01";
    for (trace_ids, span_ids) in three_calls(&[("traceparent", illegal)]) {
        assert!(!trace_ids.contains(&"0".repeat(32)));
        assert_eq!(span_ids.len(), 3);
    }
}

fn three_calls(pairs: &[(&str, &str)]) -> [(HashSet<String>, HashSet<String>); 2] {
    let incoming = headers(pairs);
    services().map(|service| {
        let calls = service.calls(&incoming, 3);
        calls
            .iter()
            .map(Sent::new)
            .map(|sent| (sent.trace_id, sent.span_id))
            .unzip()
    })
}

#[test]
fn test_propagates_random_flag() {
    for (flags, random) in [("00", false), ("01", false), ("02", true), ("03", true)] {
        let traceparent = format!("00-{TRACE_ID}-{SPAN_ID}-{flags}");
        for sent in sent(&[("traceparent", &traceparent)]) {
            assert!(sent.continues());
            assert_eq!(sent.flags & 0x02 != 0, random, "{flags}");
        }
    }
}

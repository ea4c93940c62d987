//! The rules of the public test suite of W3C Trace Context (`test/test.py` of w3c/trace-context, level 2, strict), each under the name that it has
//! there: a service behind the server layer is asked over a socket to call back through the client layer, and the headers of its
//! calls are looked at.

use std::collections::HashSet;
use std::net::SocketAddr;

use axum::extract::State;
use axum::http::{HeaderMap, Request};
use axum::routing::post;
use axum::{Json, Router};
use backtrail::testing::Recorder;
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::sync::mpsc;
use tower::ServiceExt;

use crate::sockets::{TracedClient, client, serve};

const TRACE_ID: &str = "12345678901234567890123456789012";
const SPAN_ID: &str = "1234567890123456";
const CALLER: (&str, &str) = (
    "traceparent",
    "00-12345678901234567890123456789012-1234567890123456-00",
);

/// A service, and the harness that it calls back.
struct Suite {
    service: SocketAddr,
    harness: SocketAddr,
    calls: mpsc::UnboundedReceiver<HeaderMap>,
    _traces: Recorder,
}

impl Suite {
    async fn start() -> Self {
        let traces = Recorder::new();
        let app = Router::new()
            .route("/test", post(call_back))
            .with_state(client(&traces))
            .layer(traces.tracing().http_server());
        let (called, calls) = mpsc::unbounded_channel();
        let remember = async move |headers: HeaderMap| called.send(headers).unwrap();
        Self {
            service: serve(app).await,
            harness: serve(Router::new().fallback(remember)).await,
            calls,
            _traces: traces,
        }
    }

    /// Sends these headers as they are, and returns the calls that came back.
    async fn ask(&mut self, headers: &[(&str, &str)], count: usize) -> Vec<Call> {
        let url = format!("http://{}/callback", self.harness);
        let body = json!(vec![json!({"url": url, "arguments": []}); count]).to_string();
        let mut request = format!(
            "POST /test HTTP/1.1\r\nHost: {}\r\nConnection: close\r\nContent-Type: application/json\r\nContent-Length: {}\r\n",
            self.service,
            body.len()
        );
        for (name, value) in headers {
            for part in [name, ": ", value, "\r\n"] {
                request.push_str(part);
            }
        }
        request.push_str("\r\n");
        request.push_str(&body);
        let mut socket = TcpStream::connect(self.service).await.unwrap();
        socket.write_all(request.as_bytes()).await.unwrap();
        let mut response = String::new();
        socket.read_to_string(&mut response).await.unwrap();
        assert!(response.starts_with("HTTP/1.1 200"), "{response}");
        assert!(response.contains("\r\nx-trace-id: "), "{response}");
        let mut calls = Vec::new();
        for _ in 0..count {
            calls.push(Call::new(&self.calls.recv().await.unwrap()));
        }
        calls
    }

    async fn call(&mut self, headers: &[(&str, &str)]) -> Call {
        self.ask(headers, 1).await.remove(0)
    }

    /// The outgoing list for these.
    async fn trace_state(&mut self, lists: &[&str]) -> String {
        let mut headers = vec![CALLER];
        headers.extend(lists.iter().map(|list| ("tracestate", *list)));
        let call = self.call(&headers).await;
        assert!(call.continues(), "{lists:?}");
        call.trace_state
    }
}

async fn call_back(State(client): State<TracedClient>, Json(calls): Json<Vec<Value>>) {
    for call in calls {
        let request = Request::post(call["url"].as_str().unwrap());
        let request = request.body(call["arguments"].to_string()).unwrap();
        client.clone().oneshot(request).await.unwrap();
    }
}

/// What a call said, after all that any `traceparent` must be.
struct Call {
    trace_id: String,
    span_id: String,
    flags: u8,
    trace_state: String,
}

impl Call {
    fn new(headers: &HeaderMap) -> Self {
        let traceparents: Vec<_> = headers.get_all("traceparent").iter().collect();
        let [traceparent] = traceparents[..] else {
            panic!("one traceparent, and not {traceparents:?}");
        };
        let fields: Vec<&str> = traceparent.to_str().unwrap().split('-').collect();
        let ["00", trace_id, span_id, flags] = fields[..] else {
            panic!("{traceparent:?}");
        };
        let lower_hex = |byte: u8| matches!(byte, b'0'..=b'9' | b'a'..=b'f');
        assert!(fields.iter().all(|field| field.bytes().all(lower_hex)));
        assert_eq!((trace_id.len(), span_id.len(), flags.len()), (32, 16, 2));
        assert!(
            trace_id
                .bytes()
                .chain(span_id.bytes())
                .any(|byte| byte != b'0')
        );
        let lists = headers.get_all("tracestate").iter();
        let lists: Vec<&str> = lists.map(|list| list.to_str().unwrap()).collect();
        Self {
            trace_id: trace_id.to_owned(),
            span_id: span_id.to_owned(),
            flags: u8::from_str_radix(flags, 16).unwrap(),
            trace_state: lists.join(","),
        }
    }

    fn continues(&self) -> bool {
        self.trace_id == TRACE_ID && self.span_id != SPAN_ID
    }
}

async fn continues(traceparents: &[&str]) {
    let mut suite = Suite::start().await;
    for traceparent in traceparents {
        let call = suite.call(&[("traceparent", traceparent)]).await;
        assert!(call.continues(), "{traceparent:?}");
    }
}

async fn starts_anew(traceparents: &[&str]) {
    let mut suite = Suite::start().await;
    for traceparent in traceparents {
        let headers = [("traceparent", *traceparent), ("tracestate", "foo=1")];
        let call = suite.call(&headers).await;
        assert!(!traceparent.contains(&call.trace_id), "{traceparent:?}");
        assert_ne!(call.trace_id, TRACE_ID, "{traceparent:?}");
        assert_eq!(call.trace_state, "", "{traceparent:?}");
    }
}

async fn trace_states(expected: &[(&[&str], &str)]) {
    let mut suite = Suite::start().await;
    for (lists, outgoing) in expected {
        assert_eq!(suite.trace_state(lists).await, *outgoing, "{lists:?}");
    }
}

#[tokio::test]
async fn test_both_traceparent_and_tracestate_missing() {
    let call = Suite::start().await.call(&[]).await;
    assert_eq!(call.trace_state, "");
}

#[tokio::test]
async fn test_traceparent_included_tracestate_missing() {
    continues(&["00-12345678901234567890123456789012-1234567890123456-01"]).await;
}

#[tokio::test]
async fn test_traceparent_duplicated() {
    let first = "00-12345678901234567890123456789011-1234567890123456-01";
    let second = "00-12345678901234567890123456789012-1234567890123456-01";
    let headers = [("traceparent", first), ("traceparent", second)];
    let call = Suite::start().await.call(&headers).await;
    assert!(!first.contains(&call.trace_id) && !second.contains(&call.trace_id));
}

#[tokio::test]
async fn test_traceparent_header_name() {
    let mut suite = Suite::start().await;
    for name in ["trace-parent", "trace.parent"] {
        assert!(!suite.call(&[(name, CALLER.1)]).await.continues());
    }
}

#[tokio::test]
async fn test_traceparent_header_name_valid_casing() {
    let mut suite = Suite::start().await;
    for name in ["TraceParent", "TrAcEpArEnT", "TRACEPARENT"] {
        assert!(suite.call(&[(name, CALLER.1)]).await.continues());
    }
}

#[tokio::test]
async fn test_traceparent_version_0x00() {
    starts_anew(&[
        "00-12345678901234567890123456789012-1234567890123456-01.",
        "00-12345678901234567890123456789012-1234567890123456-01-what-the-future-will-be-like",
    ])
    .await;
}

#[tokio::test]
async fn test_traceparent_version_0xcc() {
    continues(&[
        "cc-12345678901234567890123456789012-1234567890123456-01",
        "cc-12345678901234567890123456789012-1234567890123456-01-what-the-future-will-be-like",
    ])
    .await;
    starts_anew(&[
        "cc-12345678901234567890123456789012-1234567890123456-01.what-the-future-will-be-like",
    ])
    .await;
}

#[tokio::test]
async fn test_traceparent_version_0xff() {
    starts_anew(&["ff-12345678901234567890123456789012-1234567890123456-01"]).await;
}

#[tokio::test]
async fn test_traceparent_version_illegal_characters() {
    starts_anew(&[
        ".0-12345678901234567890123456789012-1234567890123456-01",
        "0.-12345678901234567890123456789012-1234567890123456-01",
    ])
    .await;
}

#[tokio::test]
async fn test_traceparent_version_too_long() {
    starts_anew(&[
        "000-12345678901234567890123456789012-1234567890123456-01",
        "0000-12345678901234567890123456789012-1234567890123456-01",
    ])
    .await;
}

#[tokio::test]
async fn test_traceparent_version_too_short() {
    starts_anew(&["0-12345678901234567890123456789012-1234567890123456-01"]).await;
}

#[tokio::test]
async fn test_traceparent_trace_id_all_zero() {
    starts_anew(&["00-00000000000000000000000000000000-1234567890123456-01"]).await;
}

#[tokio::test]
async fn test_traceparent_trace_id_illegal_characters() {
    starts_anew(&[
        "00-.2345678901234567890123456789012-1234567890123456-01",
        "00-1234567890123456789012345678901.-1234567890123456-01",
    ])
    .await;
}

#[tokio::test]
async fn test_traceparent_trace_id_too_long() {
    starts_anew(&["00-123456789012345678901234567890123-1234567890123456-01"]).await;
}

#[tokio::test]
async fn test_traceparent_trace_id_too_short() {
    starts_anew(&["00-1234567890123456789012345678901-1234567890123456-01"]).await;
}

#[tokio::test]
async fn test_traceparent_parent_id_all_zero() {
    starts_anew(&["00-12345678901234567890123456789012-0000000000000000-01"]).await;
}

#[tokio::test]
async fn test_traceparent_parent_id_illegal_characters() {
    starts_anew(&[
        "00-12345678901234567890123456789012-.234567890123456-01",
        "00-12345678901234567890123456789012-123456789012345.-01",
    ])
    .await;
}

#[tokio::test]
async fn test_traceparent_parent_id_too_long() {
    starts_anew(&["00-12345678901234567890123456789012-12345678901234567-01"]).await;
}

#[tokio::test]
async fn test_traceparent_parent_id_too_short() {
    starts_anew(&["00-12345678901234567890123456789012-123456789012345-01"]).await;
}

#[tokio::test]
async fn test_traceparent_trace_flags_illegal_characters() {
    starts_anew(&[
        "00-12345678901234567890123456789012-1234567890123456-.0",
        "00-12345678901234567890123456789012-1234567890123456-0.",
    ])
    .await;
}

#[tokio::test]
async fn test_traceparent_trace_flags_too_long() {
    starts_anew(&["00-12345678901234567890123456789012-1234567890123456-001"]).await;
}

#[tokio::test]
async fn test_traceparent_trace_flags_too_short() {
    starts_anew(&["00-12345678901234567890123456789012-1234567890123456-1"]).await;
}

#[tokio::test]
async fn test_traceparent_ows_handling() {
    let padded = [(" ", ""), ("\t", ""), ("", " "), ("", "\t"), ("\t ", " \t")]
        .map(|(before, after)| format!("{before}{}{after}", CALLER.1));
    continues(&padded.each_ref().map(|value| &**value)).await;
}

#[tokio::test]
async fn test_tracestate_included_traceparent_missing() {
    let mut suite = Suite::start().await;
    for list in ["foo=1", "foo=1,bar=2"] {
        assert_eq!(suite.call(&[("tracestate", list)]).await.trace_state, "");
    }
}

#[tokio::test]
async fn test_tracestate_included_traceparent_included() {
    trace_states(&[(&["foo=1,bar=2"], "foo=1,bar=2")]).await;
}

#[tokio::test]
async fn test_tracestate_header_name() {
    let mut suite = Suite::start().await;
    for name in ["trace-state", "trace.state"] {
        assert_eq!(suite.call(&[CALLER, (name, "foo=1")]).await.trace_state, "");
    }
}

#[tokio::test]
async fn test_tracestate_header_name_valid_casing() {
    let mut suite = Suite::start().await;
    for name in ["TraceState", "TrAcEsTaTe", "TRACESTATE"] {
        let call = suite.call(&[CALLER, (name, "foo=1")]).await;
        assert_eq!(call.trace_state, "foo=1");
    }
}

#[tokio::test]
async fn test_tracestate_empty_header() {
    trace_states(&[
        (&[""], ""),
        (&["foo=1", ""], "foo=1"),
        (&["", "foo=1"], "foo=1"),
    ])
    .await;
}

#[tokio::test]
async fn test_tracestate_multiple_headers_different_keys() {
    trace_states(&[(
        &["foo=1,bar=2", "rojo=1,congo=2", "baz=3"],
        "foo=1,bar=2,rojo=1,congo=2,baz=3",
    )])
    .await;
}

/// Level 2 lets a service pass a key that stands there twice on as it came (section 3.5).
#[tokio::test]
async fn test_tracestate_duplicated_keys() {
    trace_states(&[
        (&["foo=1,foo=1"], "foo=1,foo=1"),
        (&["foo=1,foo=2"], "foo=1,foo=2"),
        (&["foo=1", "foo=1"], "foo=1,foo=1"),
        (&["foo=1", "foo=2"], "foo=1,foo=2"),
    ])
    .await;
}

#[tokio::test]
async fn test_tracestate_all_allowed_characters() {
    let printable = (' '..='~').filter(|character| !",=".contains(*character));
    let value: String = printable.collect();
    let key = "abcdefghijklmnopqrstuvwxyz0123456789_-*/";
    for key in [key, &format!("{key}@a-z0-9_-*/")] {
        let list = format!("{key}={value}");
        trace_states(&[(&[&list], &list)]).await;
    }
}

#[tokio::test]
async fn test_tracestate_ows_handling() {
    trace_states(&[
        (&["foo=1 \t , \t bar=2, \t baz=3"], "foo=1,bar=2,baz=3"),
        (&["foo=1\t \t,\t \tbar=2,\t \tbaz=3"], "foo=1,bar=2,baz=3"),
        (&[" foo=1"], "foo=1"),
        (&["\tfoo=1"], "foo=1"),
        (&["foo=1 "], "foo=1"),
        (&["foo=1\t"], "foo=1"),
        (&["\t foo=1 \t"], "foo=1"),
    ])
    .await;
}

#[tokio::test]
async fn test_tracestate_key_illegal_characters() {
    trace_states(&[(&["foo =1"], ""), (&["FOO=1"], ""), (&["foo.bar=1"], "")]).await;
}

/// Level 1 forbade what stands after the first; level 2 does not (section 3.3.1.3.1).
#[tokio::test]
async fn test_tracestate_key_illegal_vendor_format() {
    trace_states(&[
        (&["@foo=1,bar=2"], ""),
        (&["foo@=1,bar=2"], "foo@=1,bar=2"),
        (&["foo@@bar=1,bar=2"], "foo@@bar=1,bar=2"),
        (&["foo@bar@baz=1,bar=2"], "foo@bar@baz=1,bar=2"),
    ])
    .await;
}

#[tokio::test]
async fn test_tracestate_member_count_limit() {
    let members: Vec<String> = (1..=33).map(|n| format!("bar{n:02}={n:02}")).collect();
    let part = |range: std::ops::Range<usize>| members[range].join(",");
    let first = [part(0..10), part(10..20), part(20..30)];
    let with = |last: &str| [&*first[0], &first[1], &first[2], last].map(str::to_owned);
    let [full, one_more] = [with(&part(30..32)), with(&part(30..33))];
    trace_states(&[
        (&full.each_ref().map(|list| &**list), &part(0..32)),
        (&one_more.each_ref().map(|list| &**list), ""),
    ])
    .await;
}

/// Level 1 had limits for the parts of a key; level 2 has one for the whole.
#[tokio::test]
async fn test_tracestate_key_length_limit() {
    let mut suite = Suite::start().await;
    for key in [
        "z".repeat(256),
        format!("{}@{}", "t".repeat(241), "v".repeat(14)),
        format!("{}@v", "t".repeat(242)),
        format!("t@{}", "v".repeat(15)),
    ] {
        let member = format!("{key}=1");
        let outgoing = suite.trace_state(&["foo=1", &member]).await;
        assert_eq!(outgoing, format!("foo=1,{member}"));
    }
    let too_long = format!("{}=1", "z".repeat(257));
    assert_eq!(suite.trace_state(&["foo=1", &too_long]).await, "");
}

#[tokio::test]
async fn test_tracestate_value_illegal_characters() {
    trace_states(&[(&["foo=bar=baz"], ""), (&["foo=,bar=3"], "")]).await;
}

async fn three_calls(headers: &[(&str, &str)]) -> HashSet<String> {
    let calls = Suite::start().await.ask(headers, 3).await;
    let span_ids: HashSet<&str> = calls.iter().map(|call| &*call.span_id).collect();
    assert_eq!(span_ids.len(), 3);
    calls.into_iter().map(|call| call.trace_id).collect()
}

#[tokio::test]
async fn test_multiple_requests_with_valid_traceparent() {
    let trace_ids = three_calls(&[CALLER]).await;
    assert_eq!(trace_ids, HashSet::from([TRACE_ID.to_owned()]));
}

#[tokio::test]
async fn test_multiple_requests_without_traceparent() {
    assert_eq!(three_calls(&[]).await.len(), 1, "one request is one trace");
}

#[tokio::test]
async fn test_multiple_requests_with_illegal_traceparent() {
    let illegal = "00-00000000000000000000000000000000-1234567890123456-01";
    let trace_ids = three_calls(&[("traceparent", illegal)]).await;
    assert!(!trace_ids.contains(&"0".repeat(32)));
}

/// The flag is passed on as it came (level 2, section 3.2.2.5).
#[tokio::test]
async fn test_propagates_random_flag() {
    const RANDOM: u8 = 0x02;

    let mut suite = Suite::start().await;
    for (flags, is_random) in [("00", false), ("01", false), ("02", true), ("03", true)] {
        let caller = format!("00-{TRACE_ID}-{SPAN_ID}-{flags}");
        let call = suite.call(&[("traceparent", &caller)]).await;
        assert!(call.continues());
        assert_eq!(call.flags & RANDOM != 0, is_random, "{flags}");
    }
}

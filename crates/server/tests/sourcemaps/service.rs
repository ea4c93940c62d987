//! The small service of `fixtures/`, its crash and what is known of it.

use std::path::Path;
use std::process::Output;

use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use opentelemetry_proto::tonic::common::v1::KeyValue;
use opentelemetry_proto::tonic::trace::v1::Span;
use opentelemetry_proto::tonic::trace::v1::span::Event;
use prost::Message;
use serde_json::Value;
use tempfile::TempDir;

use crate::running::otlp::{self, START_UNIX_NANO, attribute};
use crate::running::{Backtrail, post, run_in};

/// As Node 20 writes it for the bundle of `hashed`.
pub(crate) const HASHED: &str = "PaymentError: limit exceeded: 120
    at n (/var/task/main.efbcacc41ec5b6ccc1e4.js:1:404)
    at n (/var/task/main.efbcacc41ec5b6ccc1e4.js:1:209)
    at /var/task/main.efbcacc41ec5b6ccc1e4.js:1:899
    at /var/task/main.efbcacc41ec5b6ccc1e4.js:1:920
    at Object.<anonymous> (/var/task/main.efbcacc41ec5b6ccc1e4.js:1:940)
    at Module._compile (node:internal/modules/cjs/loader:1521:14)";

/// The place of the throw in it.
pub(crate) const RAW_PLACE: &str = "/var/task/main.efbcacc41ec5b6ccc1e4.js:1:404";
/// The same in the sources.
pub(crate) const PLACE: &str = "at chargeCustomer (src/payment.js:12:11)";

/// The frames that the map covers, as the run of the sources says.
pub(crate) const TRUTH: [(&str, u64, u64); 4] = [
    ("src/payment.js", 12, 11),
    ("src/order.js", 9, 10),
    ("src/index.js", 5, 10),
    ("src/index.js", 9, 15),
];

/// The bundle of `plain` has the same text under another name.
pub(crate) fn plain() -> String {
    HASHED.replace("main.efbcacc41ec5b6ccc1e4.js", "main.js")
}

/// What it becomes: the two frames that are not of the sources stay as they came.
pub(crate) fn healed(stack: &str) -> String {
    let mut lines: Vec<&str> = stack.lines().collect();
    lines.splice(
        1..5,
        [
            "    at chargeCustomer (src/payment.js:12:11)",
            "    at placeOrder (src/order.js:9:10)",
            "    at handle (src/index.js:5:10)",
            "    at src/index.js:9:15",
        ],
    );
    lines.join("\n")
}

/// A copy of a build of `fixtures/`, to be changed.
pub(crate) fn build(name: &str) -> TempDir {
    let dir = TempDir::new().unwrap();
    copy(&fixture(name), dir.path());
    dir
}

pub(crate) fn fixture(name: &str) -> std::path::PathBuf {
    // Programs that are told of it run elsewhere.
    std::path::absolute(Path::new("tests/sourcemaps/fixtures").join(name)).unwrap()
}

fn copy(from: &Path, to: &Path) {
    for entry in std::fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let place = to.join(entry.file_name());
        if entry.path().is_dir() {
            std::fs::create_dir(&place).unwrap();
            copy(&entry.path(), &place);
        } else {
            std::fs::copy(entry.path(), place).unwrap();
        }
    }
}

/// Who threw.
pub(crate) struct Thrower<'a> {
    pub(crate) service: &'a str,
    pub(crate) version: Option<&'a str>,
}

/// `shop` without a version.
pub(crate) const SHOP: Thrower<'static> = Thrower {
    service: "shop",
    version: None,
};

impl Thrower<'_> {
    pub(crate) fn resource(&self) -> Vec<KeyValue> {
        let mut attributes = vec![attribute("service.name", self.service)];
        attributes.extend(self.version.map(|text| attribute("service.version", text)));
        attributes
    }

    /// Sends a trace of one span with an exception of these attributes.
    pub(crate) fn throws(&self, server: &Backtrail, trace: u128, attributes: Vec<KeyValue>) {
        send(server, &self.request(trace, attributes));
    }

    pub(crate) fn throws_stack(&self, server: &Backtrail, trace: u128, stack: &str) {
        self.throws(server, trace, of_stack(stack));
    }

    fn request(&self, trace: u128, attributes: Vec<KeyValue>) -> ExportTraceServiceRequest {
        let event = Event {
            time_unix_nano: START_UNIX_NANO + 500,
            name: "exception".to_owned(),
            attributes,
            ..Event::default()
        };
        let mut request = otlp::request(vec![Span {
            events: vec![event],
            ..otlp::span(trace, 1)
        }]);
        let resource = request.resource_spans[0].resource.as_mut().unwrap();
        resource.attributes = self.resource();
        request
    }
}

/// An exception with this stack, as the conventions have it.
pub(crate) fn of_stack(stack: &str) -> Vec<KeyValue> {
    vec![
        attribute("exception.type", "PaymentError"),
        attribute("exception.message", "limit exceeded: 120"),
        attribute("exception.stacktrace", stack),
    ]
}

pub(crate) fn send(server: &Backtrail, request: &ExportTraceServiceRequest) {
    let reply = post(
        &server.url("otlp-http", "/v1/traces"),
        &[("Content-Type", "application/x-protobuf")],
        &request.encode_to_vec(),
    );
    assert_eq!(reply.status, 200, "{}", reply.text());
}

/// `backtrail sourcemaps …` against a server.
pub(crate) fn sourcemaps(server: &Backtrail, dir: &Path, args: &[&str]) -> Output {
    let url = server.url("web", "");
    run_in(
        dir,
        &[&["sourcemaps"], args, &["--server", &url]].concat(),
        &[],
    )
}

/// Uploads what is in a folder, which must succeed.
pub(crate) fn upload(server: &Backtrail, dir: &Path, args: &[&str]) -> String {
    let output = sourcemaps(server, dir, &[&["upload", "."], args].concat());
    assert_eq!(output.status.code(), Some(0), "{output:?}");
    stdout(&output)
}

pub(crate) fn stdout(output: &Output) -> String {
    String::from_utf8(output.stdout.clone()).unwrap()
}

pub(crate) fn stderr(output: &Output) -> String {
    String::from_utf8(output.stderr.clone()).unwrap()
}

pub(crate) fn get_json(server: &Backtrail, path: &str) -> Value {
    let (status, body) = server.get(path);
    assert_eq!(status, 200, "{path}: {body}");
    serde_json::from_str(&body).unwrap()
}

/// The exceptions of a trace, in our own API.
pub(crate) fn exceptions(server: &Backtrail, trace: u128) -> Vec<Value> {
    let found = get_json(server, &format!("/api/v1/traces/{trace:032x}/exceptions"));
    found["exceptions"].as_array().unwrap().clone()
}

/// The stack of the only exception of a trace.
pub(crate) fn stack(server: &Backtrail, trace: u128) -> Value {
    let found = exceptions(server, trace);
    assert_eq!(found.len(), 1, "{found:?}");
    found[0]["stack"].clone()
}

/// The codes of the reasons why the only script of a stack has no map.
pub(crate) fn reasons(stack: &Value) -> Vec<&str> {
    let reasons = stack["scripts"][0]["reasons"].as_array().unwrap();
    let codes = reasons
        .iter()
        .map(|reason| reason["code"].as_str().unwrap());
    codes.collect()
}

/// No frame has a place in a source, and something says why.
pub(crate) fn assert_raw(stack: &Value, reason: &str) {
    assert_eq!(stack["resolved"], stack["raw"], "{stack:#}");
    assert_eq!(stack["resolved_frames"], 0, "{stack:#}");
    assert_eq!(stack["scripts"][0]["map"], Value::Null, "{stack:#}");
    assert!(reasons(stack).contains(&reason), "{stack:#}");
    let fix = stack["scripts"][0]["fix"].as_str().unwrap();
    assert!(!fix.is_empty());
}

/// Every frame that the map covers is where the sources say, with its lines; the others say why they stay.
pub(crate) fn assert_healed(stack: &Value) {
    let raw = stack["raw"].as_str().unwrap();
    assert_eq!(stack["resolved"], healed(raw), "{stack:#}");
    assert_eq!(stack["resolved_frames"], 4);
    let frames = stack["frames"].as_array().unwrap();
    assert_eq!(frames.len(), 6, "{stack:#}");
    for (frame, (file, line, column)) in frames.iter().zip(TRUTH) {
        let place = &frame["resolved"];
        assert_eq!(place["file"], file, "{frame:#}");
        assert_eq!(
            (&place["line"], &place["column"]),
            (&line.into(), &column.into())
        );
        assert_eq!(place["in_app"], true);
        assert_eq!(frame["kept"], Value::Null);
        assert_context(file, &place["context"]);
    }
    let functions = frames.iter().map(|frame| &frame["resolved"]["function"]);
    let functions: Vec<&Value> = functions.take(3).collect();
    assert_eq!(functions, ["chargeCustomer", "placeOrder", "handle"]);
    let kept = [&frames[4], &frames[5]].map(|frame| frame["kept"]["code"].as_str().unwrap());
    assert_eq!(kept, ["not_covered", "native"]);
}

/// The lines are those of the source, up to five on either side.
fn assert_context(file: &str, context: &Value) {
    let text = std::fs::read_to_string(fixture(file)).unwrap();
    let lines: Vec<&str> = text.split('\n').collect();
    let first = context["first_line"].as_u64().unwrap() as usize;
    let shown = context["lines"].as_array().unwrap();
    assert!(shown.len() >= 6 && shown.len() <= 11, "{context:#}");
    for (shown, line) in shown.iter().zip(&lines[first - 1..]) {
        assert_eq!(shown, line, "{file}");
    }
}

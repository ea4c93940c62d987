//! Files to a running server.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::process::{Output, Stdio};
use std::time::{Duration, Instant};

use prost::Message;
use serde_json::json;
use tempfile::TempDir;

use crate::running::{Backtrail, Start, command, otlp, post, run_in};

fn import(server: &Backtrail, dir: &TempDir, args: &[&str]) -> Output {
    let url = server.url("otlp-http", "");
    run_in(
        dir.path(),
        &[&["import", "--server", &url], args].concat(),
        &[],
    )
}

fn stdout(output: &Output) -> String {
    String::from_utf8(output.stdout.clone()).unwrap()
}

fn span_count(server: &Backtrail, trace: u128) -> u64 {
    let (status, body) = server.get(&format!("/api/v1/traces/{trace:032x}/skeleton"));
    if status == 404 {
        return 0;
    }
    let skeleton: serde_json::Value = serde_json::from_str(&body).unwrap();
    skeleton["span_count"].as_u64().unwrap()
}

#[test]
fn every_format_is_told_by_its_content_and_counted() {
    let server = Backtrail::start();
    let dir = TempDir::new().unwrap();
    let write = |name: &str, bytes: &[u8]| std::fs::write(dir.path().join(name), bytes).unwrap();
    // As the collector's file exporter writes: a request on each line.
    let lines = [otlp::trace_json(1, 3), otlp::trace_json(2, 4)].join(&b'\n');
    let mut packed = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    packed.write_all(&lines).unwrap();
    write("lines.json.gz", &packed.finish().unwrap());
    write("otlp.bin", &otlp::trace(3, 5).encode_to_vec());
    let jaeger = json!({ "data": [{
        "traceID": "4",
        "spans": [{ "traceID": "4", "spanID": "1", "operationName": "a", "startTime": 1, "duration": 1, "processID": "p1" }],
        "processes": { "p1": { "serviceName": "shop" } },
    }] });
    write("jaeger.json", jaeger.to_string().as_bytes());
    let zipkin = json!([[{ "traceId": "0000000000000005", "id": "0000000000000001", "name": "a", "timestamp": 1, "duration": 1,
        "localEndpoint": { "serviceName": "shop" } }]]);
    write("zipkin.json", zipkin.to_string().as_bytes());

    let output = import(
        &server,
        &dir,
        &["lines.json.gz", "otlp.bin", "jaeger.json", "zipkin.json"],
    );
    assert!(output.status.success(), "{output:?}");
    assert_eq!(
        stdout(&output),
        "lines.json.gz: OTLP JSON, 2 documents: 7 spans read, 7 accepted, 0 rejected\n\
         otlp.bin: OTLP protobuf, 1 document: 5 spans read, 5 accepted, 0 rejected\n\
         jaeger.json: Jaeger JSON, 1 document: 1 spans read, 1 accepted, 0 rejected\n\
         zipkin.json: Zipkin JSON, 1 document: 1 spans read, 1 accepted, 0 rejected\n"
    );
    assert_eq!(
        [1, 2, 3, 4, 5].map(|trace| span_count(&server, trace)),
        [3, 4, 5, 1, 1]
    );
}

#[test]
fn what_is_not_kept_is_counted_with_its_reason_and_fails_the_command() {
    let server = Backtrail::start();
    let dir = TempDir::new().unwrap();
    let mut request = otlp::trace(1, 3);
    request.resource_spans[0].scope_spans[0].spans[1].trace_id = vec![1];
    std::fs::write(dir.path().join("a.bin"), request.encode_to_vec()).unwrap();
    let bad_line = "{\"resourceSpans\":[{\"scopeSpans\":[{\"spans\":[{\"traceId\":\"00\"}]}]}]}";
    let text = [
        &otlp::trace_json(2, 2)[..],
        bad_line.as_bytes(),
        b"{\"resourceSp",
    ]
    .join(&b'\n');
    std::fs::write(dir.path().join("b.json"), text).unwrap();
    let output = import(&server, &dir, &["a.bin", "b.json", "missing"]);
    assert_eq!(output.status.code(), Some(1));
    let text = stdout(&output);
    for expected in [
        "a.bin: OTLP protobuf, 1 document: 3 spans read, 2 accepted, 1 rejected\n  1 span rejected (1 invalid_trace_id): resourceSpans[0].scopeSpans[0].spans[1]: trace id has 1 bytes instead of 16\n",
        "b.json: OTLP JSON, 2 documents: 3 spans read, 2 accepted, 1 rejected\n  1 invalid_trace_id\n  resourceSpans[0].scopeSpans[0].spans[0]: trace id has 1 bytes instead of 16\n  stopped: document 3: EOF",
        "missing: 0 documents: 0 spans read, 0 accepted, 0 rejected\n  stopped: can't be read: No such file",
    ] {
        assert!(text.contains(expected), "{expected}\nin\n{text}");
    }
    let error = String::from_utf8(output.stderr).unwrap();
    assert!(
        error.contains("not everything was kept, of 3 of 3 files"),
        "{error}"
    );
}

#[test]
fn a_large_file_goes_in_several_requests_and_standard_input_is_a_file() {
    let server = Start::new().arg("--limits-max-body-bytes=1MiB").start();
    let request = otlp::larger_than(5 << 20);
    let spans = request.resource_spans[0].scope_spans[0].spans.len();
    let mut child = command()
        .args(["import", "-", "--server", &server.url("otlp-http", "")])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    child
        .stdin
        .take()
        .unwrap()
        .write_all(&request.encode_to_vec())
        .unwrap();
    let output = child.wait_with_output().unwrap();
    assert!(output.status.success(), "{output:?}");
    // Two MiB are more than this server takes: it says so, and the requests become smaller.
    assert!(
        stdout(&output).contains(&format!("{spans} spans read, {spans} accepted")),
        "{output:?}"
    );
    assert_eq!(span_count(&server, 1), spans as u64);
}

#[test]
fn a_server_that_is_not_there_is_named() {
    let dir = TempDir::new().unwrap();
    std::fs::write(dir.path().join("a.json"), otlp::trace_json(1, 1)).unwrap();
    // A port that was free a moment ago.
    let port = TcpListener::bind("127.0.0.1:0")
        .unwrap()
        .local_addr()
        .unwrap();
    let output = run_in(
        dir.path(),
        &["import", "a.json", "--server", &format!("http://{port}")],
        &[],
    );
    assert_eq!(output.status.code(), Some(1));
    let text = stdout(&output);
    assert!(
        text.contains("does not answer; is a server running there?"),
        "{text}"
    );
    assert!(
        text.contains("1 spans that were read were not taken"),
        "{text}"
    );
}

/// What a proxy does with a request.
enum Turn {
    Pass,
    /// The server has it, and the client never hears of that.
    LoseReply,
    Refuse(&'static str),
}

/// Stands before a server and does these things in turn, then passes everything on. Where to send instead.
fn proxy(server: &Backtrail, turns: Vec<Turn>) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let server_url = server.url("otlp-http", "/v1/traces");
    // It ends with the test's process.
    std::thread::spawn(move || {
        let mut turns = turns.into_iter();
        for connection in listener.incoming() {
            let mut connection = connection.unwrap();
            let Some(body) = read_request(&mut connection) else {
                continue;
            };
            let turn = turns.next().unwrap_or(Turn::Pass);
            if let Turn::Refuse(head) = turn {
                write!(connection, "HTTP/1.1 {head}\r\nContent-Length: 0\r\n\r\n").unwrap();
                continue;
            }
            let kind = ("Content-Type", "application/x-protobuf");
            let reply = post(&server_url, &[kind], &body);
            if matches!(turn, Turn::Pass) {
                let (status, length) = (reply.status, reply.body.len());
                write!(
                    connection,
                    "HTTP/1.1 {status} As told\r\nContent-Length: {length}\r\nConnection: close\r\n\r\n"
                )
                .unwrap();
                connection.write_all(&reply.body).unwrap();
            }
        }
    });
    url
}

/// The body of the one request of a connection; `None` when the connection was not used.
fn read_request(connection: &mut TcpStream) -> Option<Vec<u8>> {
    let mut reader = BufReader::new(connection);
    let mut len = 0;
    loop {
        let mut line = String::new();
        if reader.read_line(&mut line).unwrap() == 0 {
            return None;
        }
        if line == "\r\n" {
            break;
        }
        if let Some(value) = line.to_ascii_lowercase().strip_prefix("content-length:") {
            len = value.trim().parse().unwrap();
        }
    }
    let mut body = vec![0; len];
    reader.read_exact(&mut body).unwrap();
    Some(body)
}

#[test]
fn a_server_that_says_later_is_asked_later_and_what_it_got_twice_is_there_once() {
    let server = Backtrail::start();
    let url = proxy(
        &server,
        vec![
            Turn::Pass,
            Turn::LoseReply,
            Turn::Refuse("429 Too Many Requests\r\nRetry-After: 1"),
            Turn::Refuse("503 Service Unavailable\r\nRetry-After: 1"),
        ],
    );
    let dir = TempDir::new().unwrap();
    let lines = [
        otlp::trace_json(1, 3),
        otlp::trace_json(2, 4),
        otlp::trace_json(3, 5),
    ]
    .join(&b'\n');
    std::fs::write(dir.path().join("lines.json"), lines).unwrap();

    let started = Instant::now();
    let output = run_in(dir.path(), &["import", "lines.json", "--server", &url], &[]);
    assert!(output.status.success(), "{output:?}");
    assert_eq!(
        stdout(&output),
        "lines.json: OTLP JSON, 3 documents: 12 spans read, 12 accepted, 0 rejected\n"
    );
    assert!(started.elapsed() >= Duration::from_secs(2));
    let received = r#"backtrail_spans_received_total{protocol="otlp_http_protobuf"}"#;
    assert_eq!(server.metric(received), 3 + 4 + 4 + 5);
    assert_eq!([1, 2, 3].map(|trace| span_count(&server, trace)), [3, 4, 5]);
}

#[test]
fn a_server_that_is_killed_and_restarted_in_the_middle_has_everything_once() {
    let data = TempDir::new().unwrap();
    let server = Start::new().data_dir(data.path()).start();
    let address = server.address("otlp-http");
    let mut child = command()
        .args(["import", "-", "--server", &server.url("otlp-http", "")])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut input = child.stdin.take().unwrap();
    let mut write = |traces: std::ops::RangeInclusive<u128>| {
        for trace in traces {
            input.write_all(&otlp::trace_json(trace, 10)).unwrap();
            input.write_all(b"\n").unwrap();
        }
        input.flush().unwrap();
    };
    write(1..=20);
    while server.stored_spans() < 50 {
        std::thread::sleep(Duration::from_millis(1));
    }
    server.kill();
    write(21..=40);
    // Meanwhile nobody answers.
    std::thread::sleep(Duration::from_millis(300));
    let server = Start::new()
        .data_dir(data.path())
        .arg(format!("--otlp-http={address}"))
        .start();
    write(41..=60);
    drop(input);

    let output = child.wait_with_output().unwrap();
    assert!(output.status.success(), "{output:?}");
    assert_eq!(
        stdout(&output),
        "-: OTLP JSON, 60 documents: 600 spans read, 600 accepted, 0 rejected\n"
    );
    for trace in 1..=60 {
        assert_eq!(span_count(&server, trace), 10, "trace {trace}");
    }
}

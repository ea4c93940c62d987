//! Deleting from a server that runs, over its API and by the command.

use std::process::Output;

use crate::running::otlp::trace_json;
use crate::running::{Backtrail, Start, agent, command, jaeger, post};

const END_OF_TIME: &str = "2200-01-01T00:00:00Z";

fn delete(server: &Backtrail, args: &[&str]) -> Output {
    let url = server.url("web", "");
    command()
        .arg("delete")
        .args(args)
        .args(["--server", &url])
        .output()
        .unwrap()
}

fn said(output: &Output) -> String {
    let text = [&output.stdout[..], &output.stderr].concat();
    String::from_utf8(text).unwrap()
}

fn send_trace(server: &Backtrail, trace: u128, spans: u64) {
    let url = server.url("otlp-http", "/v1/traces");
    let json = [("Content-Type", "application/json")];
    assert_eq!(post(&url, &json, &trace_json(trace, spans)).status, 200);
}

fn finds(server: &Backtrail, trace: u128) -> bool {
    let (status, _) = server.get(&format!("/api/v1/traces/{trace:x}"));
    status == 200
}

#[test]
fn the_command_deletes_traces_and_they_stay_deleted() {
    let dir = tempfile::TempDir::new().unwrap();
    let mut server = Start::new().data_dir(dir.path()).start();
    for trace in [0xa1, 0xa2, 0xa3] {
        send_trace(&server, trace, 4);
    }
    let output = delete(&server, &["trace", "A1", "00a2", "ff", "--yes"]);
    assert!(output.status.success(), "{}", said(&output));
    assert_eq!(
        said(&output),
        "trace 000000000000000000000000000000a1: 4 spans deleted\n\
         trace 000000000000000000000000000000a2: 4 spans deleted\n\
         trace 000000000000000000000000000000ff: 0 spans deleted\n"
    );
    assert_eq!(
        [0xa1, 0xa2, 0xa3].map(|trace| finds(&server, trace)),
        [false, false, true]
    );

    server.kill();
    server = Start::new().data_dir(dir.path()).start();
    assert_eq!(
        [0xa1, 0xa2, 0xa3].map(|trace| finds(&server, trace)),
        [false, false, true]
    );
    assert_eq!(server.stored_spans(), 4);
}

#[test]
fn the_command_deletes_a_services_spans() {
    let server = Backtrail::start();
    let url = server.url("jaeger-http", "/api/traces");
    let thrift = [("Content-Type", "application/x-thrift")];
    for (service, trace) in [("shop", 1), ("shop & co", 2)] {
        let reply = post(&url, &thrift, &jaeger::binary(service, trace, 20));
        assert_eq!(reply.status, 202);
    }
    let range = [
        "--start",
        "1970-01-01T00:00:00Z",
        "--end",
        END_OF_TIME,
        "--yes",
    ];
    let output = delete(
        &server,
        &[&["spans", "--service", "shop & co"][..], &range].concat(),
    );
    assert_eq!(said(&output), "service shop & co: 20 spans deleted\n");
    assert_eq!([1, 2].map(|trace| finds(&server, trace)), [true, false]);
    let (_, services) = server.get("/api/v1/services");
    assert_eq!(services, r#"{"services":["shop"]}"#);
}

#[test]
fn the_command_asks_first_and_says_what_is_wrong() {
    let server = Backtrail::start();
    send_trace(&server, 7, 2);
    for (args, message) in [
        (&["trace", "7"][..], "say it with --yes"),
        (&["trace", "7", "seven", "--yes"], "'seven'"),
        (
            &[
                "spans",
                "--service",
                "shop",
                "--start",
                "2",
                "--end",
                "1",
                "--yes",
            ],
            "parameter end: 1 is not after start 2",
        ),
        (
            &[
                "spans",
                "--service",
                "shop",
                "--start",
                "noon",
                "--end",
                "1",
                "--yes",
            ],
            "parameter start: \"noon\" is not an integer",
        ),
    ] {
        let output = delete(&server, args);
        assert!(!output.status.success());
        assert!(said(&output).contains(message), "{}", said(&output));
    }
    assert!(finds(&server, 7));
    let output = command()
        .args([
            "delete",
            "trace",
            "7",
            "--yes",
            "--server",
            "http://127.0.0.1:1",
        ])
        .output()
        .unwrap();
    assert!(
        said(&output).contains("is the server running?"),
        "{}",
        said(&output)
    );
}

#[test]
fn a_page_of_another_site_cannot_delete() {
    let server = Backtrail::start();
    send_trace(&server, 7, 2);
    let url = server.url("web", "/api/v1/traces/7");
    let foreign = agent()
        .delete(&url)
        .header("Origin", "https://evil.example");
    assert_eq!(foreign.call().unwrap().status(), 403);
    assert!(finds(&server, 7));
    let own = agent().delete(&url).header("Origin", server.url("web", ""));
    let own = own.header("Sec-Fetch-Site", "same-origin");
    assert_eq!(own.call().unwrap().status(), 200);
    assert!(!finds(&server, 7));
}

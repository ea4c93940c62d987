//! Start, stop, and what stands in the way of either.

use std::os::unix::process::ExitStatusExt;
use std::time::Duration;

use prost::Message;
use rustix::process::Signal;
use tempfile::TempDir;

use crate::running::{Backtrail, RawConnection, Start, otlp, post};

const PROTOBUF: (&str, &str) = ("Content-Type", "application/x-protobuf");

#[test]
fn one_line_names_the_listeners_and_the_directory() {
    let mut server = Backtrail::start();
    let (status, log) = server.stop();
    assert!(status.success(), "{log}");
    let line = log
        .lines()
        .find(|line| line.contains("listening on"))
        .unwrap();
    for (name, address) in server.ports() {
        assert!(line.contains(&format!("{name} {address}")), "{line}");
    }
    assert!(line.contains("backtrail-data"), "{line}");
}

#[test]
fn both_loopback_addresses_answer_on_the_same_port() {
    let server = Backtrail::start();
    let port = server.address("web").port();
    let mut hosts = vec!["127.0.0.1"];
    if !server.log().contains("this machine has no ::1") {
        hosts.push("[::1]");
    }
    for host in hosts {
        let reply = crate::running::agent()
            .get(format!("http://{host}:{port}/healthz"))
            .call()
            .unwrap();
        assert_eq!(reply.status(), 200);
    }
}

#[test]
fn a_listener_that_is_off_is_not_in_the_port_file() {
    let without = Start::new().arg("--jaeger-http=off").start();
    let mut all = Backtrail::start().ports().clone();
    assert!(all.remove("jaeger-http").is_some());
    assert!(
        without.ports().keys().eq(all.keys()),
        "{:?}",
        without.ports()
    );
}

#[test]
fn a_port_in_use_is_named_with_the_setting_that_moves_it() {
    let first = Backtrail::start();
    let port = first.address("otlp-http").port();
    let (status, log) = Start::new()
        .arg(format!("--jaeger-http={port}"))
        .try_start()
        .err()
        .unwrap();
    assert_eq!(status.code(), Some(1));
    assert!(
        log.contains(&format!(
            "port {port} is in use (127.0.0.1:{port}); move this listener with --jaeger-http, \
             BACKTRAIL_JAEGER_HTTP or jaeger_http in the file"
        )),
        "{log}"
    );
}

#[test]
fn a_second_process_is_told_which_directory_is_taken() {
    let first = Backtrail::start();
    let (status, log) = Start::new()
        .data_dir(first.data_dir())
        .try_start()
        .err()
        .unwrap();
    assert_eq!(status.code(), Some(1));
    let expected = format!(
        "data directory {} is in use by another backtrail process",
        first.data_dir().display()
    );
    assert!(log.contains(&expected), "{log}");
    assert_eq!(first.get("/readyz").0, 200);
}

/// A request whose second half is sent later.
fn half_sent(server: &Backtrail) -> (RawConnection, Vec<u8>) {
    let mut body = otlp::trace(1, 50).encode_to_vec();
    let rest = body.split_off(body.len() / 2);
    let mut connection = RawConnection::open(server.address("otlp-http"));
    connection.send(
        format!(
            "POST /v1/traces HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/x-protobuf\r\nContent-Length: {}\r\n\r\n",
            body.len() + rest.len()
        )
        .as_bytes(),
    );
    connection.send(&body);
    // It counts from its first bytes on.
    while server.metric("backtrail_in_flight_bytes") < body.len() as u64 {
        std::thread::sleep(Duration::from_millis(5));
    }
    (connection, rest)
}

#[test]
fn sigterm_lets_a_request_that_began_end_well() {
    let dir = TempDir::new().unwrap();
    let mut server = Start::new().data_dir(dir.path()).start();
    let idle = RawConnection::open(server.address("otlp-http"));
    let (mut connection, rest) = half_sent(&server);
    let address = server.address("otlp-http");

    server.signal(Signal::TERM);
    while std::net::TcpStream::connect(address).is_ok() {
        std::thread::sleep(Duration::from_millis(5));
    }
    connection.send(&rest);
    let reply = connection.read_to_end();
    assert!(reply.starts_with("HTTP/1.1 200 OK"), "{reply}");
    let (status, log) = server.wait();
    assert!(status.success(), "{log}");
    drop(idle);

    let again = Start::new().data_dir(dir.path()).start();
    assert_eq!(again.stored_spans(), 50);
}

#[test]
fn a_stop_that_can_not_finish_says_what_is_left_and_fails() {
    let mut server = Start::new().arg("--shutdown-timeout-ms=500").start();
    let (_connection, _rest) = half_sent(&server);
    let (status, log) = server.stop();
    assert_eq!(status.code(), Some(1), "{log}");
    assert!(
        log.contains("with work unfinished: 1 request; every acknowledged span is in the log"),
        "{log}"
    );
}

#[test]
fn a_second_ctrl_c_ends_the_process_at_once() {
    let mut server = Backtrail::start();
    let (_connection, _rest) = half_sent(&server);
    server.signal(Signal::INT);
    while !server.log().contains("Ctrl-C: finishing") {
        std::thread::sleep(Duration::from_millis(5));
    }
    server.signal(Signal::INT);
    let (status, log) = server.wait();
    assert_eq!(status.code(), Some(130), "{log}");
    assert_eq!(status.signal(), None);
}

#[test]
fn spans_outlive_a_stop() {
    let dir = TempDir::new().unwrap();
    for run in 1..=3_u128 {
        let mut server = Start::new().data_dir(dir.path()).start();
        assert_eq!(u128::from(server.stored_spans()), 10 * (run - 1));
        let body = otlp::trace(run, 10).encode_to_vec();
        let reply = post(&server.url("otlp-http", "/v1/traces"), &[PROTOBUF], &body);
        assert_eq!(reply.status, 200);
        let (status, log) = server.stop();
        assert!(status.success(), "{log}");
    }
}

#[test]
fn logs_can_be_json() {
    let mut server = Start::new().arg("--log-format=json").start();
    let (_, log) = server.stop();
    for line in log.lines() {
        let line: serde_json::Value = serde_json::from_str(line).unwrap();
        assert_eq!(line["level"], "INFO");
        assert!(line["message"].is_string());
    }
}

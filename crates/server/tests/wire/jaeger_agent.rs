//! Jaeger's agent: datagrams on the two UDP ports.

use std::net::{SocketAddr, UdpSocket};

use crate::running::{Backtrail, Start, jaeger};

const PORTS: [(&str, &str); 2] = [
    ("jaeger-agent-compact", "jaeger_agent_compact"),
    ("jaeger-agent-binary", "jaeger_agent_binary"),
];

fn send(to: SocketAddr, datagram: &[u8]) {
    let from = UdpSocket::bind(SocketAddr::new(to.ip(), 0)).unwrap();
    assert_eq!(from.send_to(datagram, to).unwrap(), datagram.len());
}

fn dropped(protocol: &str, reason: &str) -> String {
    format!(r#"backtrail_datagrams_dropped_total{{protocol="{protocol}",reason="{reason}"}}"#)
}

#[test]
fn each_port_takes_both_protocols_and_every_header() {
    let server = Backtrail::start();
    let (binary, compact) = (jaeger::binary, jaeger::compact);
    let mut spans = 0;
    for (port, protocol) in PORTS {
        let messages = [
            jaeger::compact_message(
                "emitBatch",
                jaeger::ONE_WAY,
                &compact("shop", 1 + spans, 20),
            ),
            jaeger::compact_message("emitBatch", jaeger::CALL, &compact("shop", 2 + spans, 20)),
            jaeger::strict_message("emitBatch", jaeger::ONE_WAY, &binary("shop", 3 + spans, 20)),
            jaeger::old_message("emitBatch", jaeger::ONE_WAY, &binary("shop", 4 + spans, 20)),
        ];
        for message in messages {
            send(server.address(port), &message);
            spans += 20;
            server.eventually("backtrail_memtable_spans", spans as u64);
        }
        let ok = format!(r#"backtrail_requests_total{{protocol="{protocol}",status="ok"}}"#);
        assert_eq!(server.metric(&ok), 4);
    }
}

#[test]
fn the_other_loopback_address_takes_datagrams_too() {
    let server = Backtrail::start();
    if server.log().contains("this machine has no ::1") {
        return;
    }
    let port = server.address("jaeger-agent-binary").port();
    let message =
        jaeger::strict_message("emitBatch", jaeger::ONE_WAY, &jaeger::binary("shop", 1, 3));
    send(
        SocketAddr::from((std::net::Ipv6Addr::LOCALHOST, port)),
        &message,
    );
    server.eventually("backtrail_memtable_spans", 3);
}

#[test]
fn the_largest_datagram_is_taken_whole() {
    let server = Backtrail::start();
    let max_bytes = 65_507;
    let message = |spans| {
        let batch = jaeger::binary("shop", 1, spans);
        jaeger::strict_message("emitBatch", jaeger::ONE_WAY, &batch)
    };
    let mut spans = 1;
    while message(spans + 1).len() <= max_bytes {
        spans += 1;
    }
    assert!(message(spans).len() > 65_000);
    send(server.address("jaeger-agent-binary"), &message(spans));
    server.eventually("backtrail_memtable_spans", spans);
}

#[test]
fn what_is_no_batch_is_dropped_counted_and_said_once() {
    let server = Backtrail::start();
    let batch = jaeger::binary("shop", 1, 3);
    let good = jaeger::strict_message("emitBatch", jaeger::ONE_WAY, &batch);
    let malformed = [
        Vec::new(),
        vec![0xff; 100],
        good[..good.len() - 10].to_vec(),
        jaeger::strict_message("emitBatch", 2, &batch),
        jaeger::compact_message("emitBatch", jaeger::ONE_WAY, &batch),
    ];
    let (port, protocol) = PORTS[1];
    for datagram in &malformed {
        send(server.address(port), datagram);
    }
    server.eventually(&dropped(protocol, "malformed"), malformed.len() as u64);
    assert_eq!(server.metric("backtrail_memtable_spans"), 0);
    let log = server.log();
    let lines: Vec<_> = log
        .lines()
        .filter(|line| line.contains("was dropped"))
        .collect();
    assert_eq!(lines.len(), 1, "{log}");
    assert!(
        lines[0].contains("jaeger_agent_binary: a datagram of "),
        "{log}"
    );
    assert!(
        lines[0].contains("not an emitBatch message in Thrift"),
        "{log}"
    );

    send(server.address(port), &good);
    server.eventually("backtrail_memtable_spans", 3);
}

#[test]
fn bad_spans_are_counted_and_the_others_of_the_datagram_kept() {
    let server = Backtrail::start();
    // Trace id 0 is none.
    let batch = jaeger::compact("shop", 0, 3);
    let message = jaeger::compact_message("emitBatch", jaeger::ONE_WAY, &batch);
    let (port, protocol) = PORTS[0];
    send(server.address(port), &message);
    let rejected = format!(
        r#"backtrail_spans_rejected_total{{protocol="{protocol}",reason="invalid_trace_id"}}"#
    );
    server.eventually(&rejected, 3);
    let partial = format!(r#"backtrail_requests_total{{protocol="{protocol}",status="partial"}}"#);
    server.eventually(&partial, 1);
    assert!(
        server
            .log()
            .contains("3 spans rejected (3 invalid_trace_id)"),
        "{}",
        server.log()
    );
}

#[test]
fn a_full_queue_drops_and_counts() {
    let server = Start::new().arg("--limits-udp-queue-bytes=8KiB").start();
    let (port, protocol) = PORTS[1];
    let too_large = jaeger::strict_message(
        "emitBatch",
        jaeger::ONE_WAY,
        &jaeger::binary("shop", 1, 200),
    );
    send(server.address(port), &too_large);
    server.eventually(&dropped(protocol, "queue"), 1);
    assert!(
        server
            .log()
            .contains("the queue is full (limits.udp_queue_bytes)"),
        "{}",
        server.log()
    );

    let small = jaeger::strict_message("emitBatch", jaeger::ONE_WAY, &jaeger::binary("shop", 1, 3));
    send(server.address(port), &small);
    server.eventually("backtrail_memtable_spans", 3);
}

#[test]
fn what_the_store_refuses_is_counted_as_dropped() {
    let server = Start::new().arg("--storage-min-free-bytes=1000TiB").start();
    let (port, protocol) = PORTS[0];
    let batch = jaeger::compact("shop", 1, 3);
    send(
        server.address(port),
        &jaeger::compact_message("emitBatch", jaeger::ONE_WAY, &batch),
    );
    server.eventually(&dropped(protocol, "unavailable"), 1);
    server.eventually_logs("the disk is almost full");
}

#[test]
fn a_burst_is_kept_whole_and_a_stop_finishes_it() {
    let dir = tempfile::TempDir::new().unwrap();
    let mut server = Start::new().data_dir(dir.path()).start();
    let to = server.address("jaeger-agent-compact");
    let from = UdpSocket::bind("127.0.0.1:0").unwrap();
    for trace in 1..=200 {
        let batch = jaeger::compact("shop", trace, 5);
        let message = jaeger::compact_message("emitBatch", jaeger::ONE_WAY, &batch);
        from.send_to(&message, to).unwrap();
    }
    let (status, log) = server.stop();
    assert!(status.success(), "{log}");
    let again = Start::new().data_dir(dir.path()).start();
    assert_eq!(again.stored_spans(), 1000);
}

#[test]
fn a_socket_in_use_and_a_small_buffer_are_named_with_what_to_do() {
    let first = Backtrail::start();
    let port = first.address("jaeger-agent-compact").port();
    let (status, log) = Start::new()
        .arg(format!("--jaeger-agent-binary={port}"))
        .try_start()
        .err()
        .unwrap();
    assert_eq!(status.code(), Some(1));
    let expected = format!(
        "port {port} is in use (127.0.0.1:{port}); move this listener with --jaeger-agent-binary"
    );
    assert!(log.contains(&expected), "{log}");

    let greedy = Start::new()
        .arg("--limits-udp-receive-buffer-bytes=1GiB")
        .start();
    let log = greedy.log();
    assert!(
        log.contains("where limits.udp_receive_buffer_bytes asks for 1073741824"),
        "{log}"
    );
    assert!(log.contains("sysctl net.core.rmem_max="), "{log}");
}

use std::io::Read as _;

use flate2::read::GzDecoder;

use crate::collector::{Collector, PATIENCE, Received, Reply};
use crate::{system, system_of, trace};

const NAMES: [&str; 4] = ["span-a", "span-b", "span-c", "span-d"];

/// Which of the spans are in a request, whatever its format.
fn names(request: &Received) -> Vec<&'static str> {
    let is_grpc = request.headers["content-type"] == "application/grpc";
    let body = &request.body[if is_grpc { 5 } else { 0 }..];
    let mut bytes = Vec::new();
    if body.starts_with(&[0x1f, 0x8b]) {
        GzDecoder::new(body).read_to_end(&mut bytes).unwrap();
    } else {
        bytes.extend_from_slice(body);
    }
    let is_there = |name: &&str| {
        bytes
            .windows(name.len())
            .any(|part| part == name.as_bytes())
    };
    NAMES.into_iter().filter(is_there).collect()
}

fn too_large() -> Reply {
    Reply::status(413).body("send smaller batches")
}

#[test]
fn a_batch_that_is_too_large_is_sent_in_halves_in_every_format() {
    let grpc = ("OTEL_EXPORTER_OTLP_PROTOCOL", "grpc");
    let gzip = ("OTEL_EXPORTER_OTLP_COMPRESSION", "gzip");
    let of_grpc = |code, message| {
        Reply::default()
            .trailer("grpc-status", code)
            .trailer("grpc-message", message)
    };
    let of_tonic = of_grpc(
        "11",
        "Error, decoded message length too large: found 9 bytes",
    );
    let of_go = of_grpc("8", "grpc: received message larger than max (9 vs. 4)");
    for (format, refusal) in [
        (&[][..], too_large()),
        (&[gzip], too_large()),
        (&[("OTEL_EXPORTER_OTLP_PROTOCOL", "http/json")], too_large()),
        (&[grpc], of_tonic),
        (&[grpc, gzip], of_go),
        (&[("OTEL_TRACES_EXPORTER", "jaeger")], too_large()),
        (&[("OTEL_TRACES_EXPORTER", "zipkin")], too_large()),
    ] {
        let collector = Collector::start();
        collector.reply(refusal);
        let url = collector.url();
        let endpoint = match format {
            [("OTEL_TRACES_EXPORTER", "jaeger")] => "OTEL_EXPORTER_JAEGER_ENDPOINT",
            [("OTEL_TRACES_EXPORTER", "zipkin")] => "OTEL_EXPORTER_ZIPKIN_ENDPOINT",
            _ => "OTEL_EXPORTER_OTLP_ENDPOINT",
        };
        let env = [format, &[(endpoint, url.as_str())]].concat();
        let tracing = system(&env);
        for name in NAMES {
            trace(&tracing, name);
        }
        assert_eq!(tracing.force_flush(PATIENCE), Ok(()), "{format:?}");
        assert_eq!(names(&collector.next()), NAMES, "{format:?}");
        assert_eq!(names(&collector.next()), NAMES[..2], "{format:?}");
        assert_eq!(names(&collector.next()), NAMES[2..], "{format:?}");
        assert!(collector.try_next().is_none());
        let stats = tracing.stats();
        assert_eq!((stats.exported, stats.lost()), (4, 0));
    }
}

#[test]
fn a_span_that_is_too_large_alone_is_lost_alone() {
    let collector = Collector::start();
    for _ in 0..3 {
        collector.reply(too_large());
    }
    let tracing = system_of(&collector, &[]);
    for name in NAMES {
        trace(&tracing, name);
    }
    let lost = tracing.force_flush(PATIENCE).unwrap_err().to_string();
    assert!(
        lost.contains("413") && lost.contains("send smaller batches"),
        "{lost}"
    );
    let requests: Vec<_> = std::iter::from_fn(|| collector.try_next()).collect();
    let requests: Vec<_> = requests
        .iter()
        .map(|request| names(request).join(" "))
        .collect();
    assert_eq!(
        requests,
        [
            "span-a span-b span-c span-d",
            "span-a span-b",
            "span-a",
            "span-b",
            "span-c span-d",
        ]
    );
    let stats = tracing.stats();
    assert_eq!((stats.exported, stats.rejected, stats.failed), (3, 1, 0));
}

#[test]
fn one_half_that_is_refused_for_another_reason_keeps_nothing_from_the_other() {
    let collector = Collector::start();
    collector.reply(too_large());
    collector.reply(Reply::status(400).body("no such tenant"));
    let tracing = system_of(&collector, &[]);
    for name in NAMES {
        trace(&tracing, name);
    }
    let lost = tracing.force_flush(PATIENCE).unwrap_err().to_string();
    assert!(lost.contains("no such tenant"), "{lost}");
    let stats = tracing.stats();
    assert_eq!((stats.exported, stats.rejected, stats.failed), (2, 2, 0));
}

#[test]
fn a_collector_that_finds_everything_too_large_is_not_stormed() {
    let collector = Collector::start();
    for _ in 0..2_000 {
        collector.reply(too_large());
    }
    let tracing = system_of(&collector, &[]);
    for _ in 0..500 {
        trace(&tracing, "span-a");
    }
    tracing.force_flush(PATIENCE).unwrap_err();
    let requests = std::iter::from_fn(|| collector.try_next()).count();
    assert!(requests <= 64 + 10, "{requests} requests");
    let stats = tracing.stats();
    assert_eq!((stats.exported, stats.failed), (0, 500));
}

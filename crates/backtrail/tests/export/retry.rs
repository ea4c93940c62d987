use std::net::TcpListener;
use std::thread;

use opentelemetry_proto::tonic::collector::trace::v1::{
    ExportTracePartialSuccess, ExportTraceServiceResponse,
};
use prost::Message as _;

use crate::collector::{Collector, PATIENCE, Reply};
use crate::{export, reason, system, system_of, trace};

const GRPC: (&str, &str) = ("OTEL_EXPORTER_OTLP_PROTOCOL", "grpc");
const JSON: (&str, &str) = ("OTEL_EXPORTER_OTLP_PROTOCOL", "http/json");

fn at_once(status: u16) -> Reply {
    Reply::status(status).header("retry-after", "0")
}

#[test]
fn a_collector_that_is_busy_is_asked_again_when_it_says() {
    for status in [503, 429, 502, 504] {
        let collector = Collector::start();
        collector.reply(at_once(status));
        let tracing = system_of(&collector, &[]);
        assert_eq!(export(&tracing), Ok(()));
        let first = collector.next();
        assert_eq!(collector.next().body, first.body);
        assert!(collector.try_next().is_none());
        assert_eq!(tracing.stats().exported, 1);
    }
}

#[test]
fn a_collector_that_says_at_once_again_and_again_is_not_stormed() {
    for (protocol, reply) in [
        (&[][..], at_once(503)),
        (
            &[],
            Reply::status(503).header("retry-after", "Sun, 06 Nov 1994 08:49:37 GMT"),
        ),
        (
            &[GRPC],
            Reply::default()
                .trailer("grpc-status", "14")
                .trailer("grpc-retry-pushback-ms", "0"),
        ),
    ] {
        let collector = Collector::start();
        for _ in 0..10_000 {
            collector.reply(reply.clone());
        }
        let env = [protocol, &[("OTEL_BSP_EXPORT_TIMEOUT", "1000")]].concat();
        reason(export(&system_of(&collector, &env)));
        let attempts = std::iter::from_fn(|| collector.try_next()).count();
        assert!(attempts <= 4, "{attempts} in a second");
    }
}

#[test]
fn a_collector_that_does_not_say_when_is_asked_again_soon() {
    let collector = Collector::start();
    collector.reply(Reply::status(503));
    assert_eq!(export(&system_of(&collector, &[])), Ok(()));
    assert_eq!(collector.next().body, collector.next().body);
}

#[test]
fn what_is_refused_for_good_is_not_sent_again_and_the_reason_is_told() {
    for status in [400, 401, 404, 413, 500, 307] {
        let collector = Collector::start();
        collector.reply(
            Reply::status(status)
                .body("no such tenant")
                .header("location", "/elsewhere"),
        );
        let tracing = system_of(&collector, &[]);
        let reason = reason(export(&tracing));
        assert!(reason.contains(&status.to_string()), "{reason}");
        assert!(reason.contains("no such tenant"), "{reason}");
        collector.next();
        assert!(collector.try_next().is_none());
        let stats = tracing.stats();
        assert_eq!((stats.failed, stats.exported), (1, 0));
    }
}

#[test]
fn a_time_to_come_back_that_is_too_late_is_a_failure_now() {
    for seconds in ["3600", "18446744073709551615"] {
        let collector = Collector::start();
        collector.reply(Reply::status(503).header("retry-after", seconds));
        let reason = reason(export(&system_of(&collector, &[])));
        assert!(reason.contains("503"), "{reason}");
    }
}

#[test]
fn a_collector_that_comes_up_late_gets_everything() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let endpoint = format!("http://{address}");
    let tracing = system(&[("OTEL_EXPORTER_OTLP_ENDPOINT", &endpoint)]);
    trace(&tracing, "checkout");
    thread::scope(|scope| {
        let flush = scope.spawn(|| tracing.force_flush(PATIENCE));
        // The first attempt is cut off, and those until the collector is there are refused.
        drop(listener.accept().unwrap());
        drop(listener);
        let collector = Collector::start_at(address);
        assert_eq!(collector.next().span_names(), ["checkout"]);
        assert_eq!(flush.join().unwrap(), Ok(()));
    });
}

#[test]
fn a_request_without_an_answer_is_sent_again_after_its_timeout() {
    let collector = Collector::start();
    collector.reply(Reply::silence());
    let tracing = system_of(&collector, &[("OTEL_EXPORTER_OTLP_TIMEOUT", "50")]);
    assert_eq!(export(&tracing), Ok(()));
    assert_eq!(collector.next().body, collector.next().body);
}

#[test]
fn what_was_accepted_is_not_sent_again_because_the_reply_cannot_be_read() {
    for reply in [
        Reply::default().body(vec![b'x'; 100_000]),
        Reply::default().body("x").endless(),
    ] {
        for env in [&[][..], &[JSON]] {
            let collector = Collector::start();
            collector.reply(reply.clone());
            let env = [env, &[("OTEL_EXPORTER_OTLP_TIMEOUT", "500")]].concat();
            let tracing = system_of(&collector, &env);
            assert_eq!(export(&tracing), Ok(()));
            collector.next();
            assert!(collector.try_next().is_none());
            assert_eq!(tracing.stats().exported, 1);
        }
    }
}

#[test]
fn a_grpc_connection_that_is_silent_is_left_for_a_new_one() {
    let collector = Collector::start();
    collector.reply(Reply::silence());
    let tracing = system_of(&collector, &[GRPC, ("OTEL_EXPORTER_OTLP_TIMEOUT", "500")]);
    assert_eq!(export(&tracing), Ok(()));
    assert_ne!(collector.next().peer, collector.next().peer);
}

#[test]
fn a_collector_that_never_answers_fails_the_batch_and_the_reason_is_told() {
    let collector = Collector::start();
    for _ in 0..100 {
        collector.reply(Reply::silence());
    }
    let tracing = system_of(
        &collector,
        &[
            ("OTEL_EXPORTER_OTLP_TIMEOUT", "20"),
            ("OTEL_BSP_EXPORT_TIMEOUT", "200"),
        ],
    );
    let reason = reason(export(&tracing));
    assert!(reason.ends_with("did not answer within 20 ms"), "{reason}");

    let tracing = system_of(&collector, &[("OTEL_BSP_EXPORT_TIMEOUT", "50")]);
    assert_eq!(crate::reason(export(&tracing)), "not done within 50 ms");
}

fn partial_success() -> Vec<u8> {
    ExportTraceServiceResponse {
        partial_success: Some(ExportTracePartialSuccess {
            rejected_spans: 1,
            error_message: "too old".to_owned(),
        }),
    }
    .encode_to_vec()
}

#[test]
fn spans_that_were_refused_of_a_batch_are_counted() {
    let mut framed = vec![0, 0, 0, 0, partial_success().len() as u8];
    framed.extend(partial_success());
    let json = br#"{"partialSuccess":{"rejectedSpans":"1","errorMessage":"too old"}}"#;
    let http: &[(&str, &str)] = &[];
    for (env, body) in [
        (http, partial_success()),
        (&[JSON], json.to_vec()),
        (&[GRPC], framed),
    ] {
        let collector = Collector::start();
        collector.reply(Reply::default().body(body));
        let tracing = system_of(&collector, env);
        trace(&tracing, "another");
        assert_eq!(reason(export(&tracing)), "too old", "{env:?}");
        let stats = tracing.stats();
        assert_eq!((stats.rejected, stats.exported, stats.failed), (1, 1, 0));
        assert_eq!(collector.next().headers.len().min(1), 1);
        assert!(collector.try_next().is_none(), "it is not sent again");
    }
}

#[test]
fn a_grpc_collector_that_is_busy_is_asked_again() {
    let collector = Collector::start();
    let unavailable = Reply::default()
        .trailer("grpc-status", "14")
        .trailer("grpc-retry-pushback-ms", "1");
    collector.reply(unavailable);
    // Without a body the status is among the headers.
    collector.reply(Reply::default().header("grpc-status", "8"));
    assert_eq!(export(&system_of(&collector, &[GRPC])), Ok(()));
    let first = collector.next().body;
    assert_eq!(collector.next().body, first);
    assert_eq!(collector.next().body, first);
}

#[test]
fn a_grpc_collector_that_refuses_is_not_asked_again() {
    let collector = Collector::start();
    let refusal = Reply::default()
        .trailer("grpc-status", "16")
        .trailer("grpc-message", "who are you");
    collector.reply(refusal);
    let reason = reason(export(&system_of(&collector, &[GRPC])));
    assert_eq!(reason, "gRPC status UNAUTHENTICATED: who are you");
    collector.next();
    assert!(collector.try_next().is_none());
}

#[test]
fn a_grpc_collector_that_says_in_its_details_when_to_come_back_is_heard() {
    let collector = Collector::start();
    // A `google.rpc.Status` with a `RetryInfo` of an hour.
    let details = "CA4aMQoodHlwZS5nb29nbGVhcGlzLmNvbS9nb29nbGUucnBjLlJldHJ5SW5mbxIFCgMIkBw";
    let unavailable = Reply::default()
        .trailer("grpc-status", "14")
        .trailer("grpc-status-details-bin", details);
    collector.reply(unavailable);
    let reason = reason(export(&system_of(&collector, &[GRPC])));
    assert_eq!(reason, "gRPC status UNAVAILABLE: ");
    collector.next();
    assert!(collector.try_next().is_none(), "an hour is too late");
}

#[test]
fn a_timeout_of_zero_is_no_limit() {
    let no_limits = [
        ("OTEL_EXPORTER_OTLP_TIMEOUT", "0"),
        ("OTEL_BSP_EXPORT_TIMEOUT", "0"),
    ];
    for protocol in [&[][..], &[GRPC]] {
        let collector = Collector::start();
        collector.reply(at_once(503));
        let tracing = system_of(&collector, &[protocol, &no_limits].concat());
        assert_eq!(tracing.warnings(), [""; 0]);
        assert_eq!(export(&tracing), Ok(()), "{protocol:?}");
        let request = collector.next();
        assert_eq!(collector.next().body, request.body);
        assert!(!request.headers.contains_key("grpc-timeout"));
    }
}

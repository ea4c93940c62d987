//! What is logged at the start. It is alone in its process: other tests that log at the same time make `tracing` forget who listens.

#![expect(clippy::unwrap_used, reason = "in a test a failure is a panic")]

use std::io::{self, Write};
use std::sync::{Arc, Mutex};

use backtrail::{Environment, TracingSystem};
use tracing::subscriber::with_default;

/// What was logged on this thread meanwhile.
fn logged(code: impl FnOnce()) -> String {
    #[derive(Clone, Default)]
    struct Lines(Arc<Mutex<Vec<u8>>>);
    impl Write for Lines {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0.lock().unwrap().write(bytes)
        }
        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }
    let lines = Lines::default();
    let writer = lines.clone();
    let subscriber = tracing_subscriber::fmt()
        .with_ansi(false)
        .with_writer(move || writer.clone())
        .finish();
    with_default(subscriber, code);
    let bytes = lines.0.lock().unwrap().clone();
    String::from_utf8(bytes).unwrap()
}

#[test]
fn the_service_is_told_where_its_spans_go_without_credentials() {
    for (env, expected) in [
        (
            vec![
                (
                    "OTEL_EXPORTER_OTLP_ENDPOINT",
                    "http://ann:secret@c:4318/x?key=secret",
                ),
                ("OTEL_EXPORTER_OTLP_HEADERS", "authorization=secret,secret"),
            ],
            "spans go to OTLP over HTTP to http://c:4318/x/v1/traces",
        ),
        (
            vec![("JAEGER_ENDPOINT", "http://ann:secret@j:14268/api/traces")],
            "spans go to Jaeger Thrift over HTTP to http://j:14268/api/traces",
        ),
        (
            vec![("OTEL_TRACES_EXPORTER", "console")],
            "spans go to the console",
        ),
        (
            vec![("OTEL_EXPORTER_OTLP_ENDPOINT", "ftp://ann:secret@c:4318")],
            "OTEL_EXPORTER_OTLP_ENDPOINT=ftp://REDACTED@c:4318 is ignored",
        ),
        (
            vec![("JAEGER_ENDPOINT", "ann:secret@j:14268")],
            "JAEGER_ENDPOINT=REDACTED@j:14268 is ignored",
        ),
        (
            vec![("OTEL_SDK_DISABLED", "true")],
            "spans go to nowhere: tracing is off",
        ),
    ] {
        let system = TracingSystem::new("shop")
            .environment(Environment::of(env))
            .local();
        let log = logged(|| drop(system.initialize().unwrap()));
        assert!(log.contains(expected), "{log}");
        assert!(!log.contains("secret"), "{log}");
    }
}

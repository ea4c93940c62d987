use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use backtrail::opentelemetry_sdk::error::{OTelSdkError, OTelSdkResult};
use backtrail::opentelemetry_sdk::trace::{SpanData, SpanExporter};
use backtrail::testing::Recorder;
use backtrail::{Environment, Exporter, TracingSystem, in_span_sync};
use tracing::level_filters::LevelFilter;
use tracing::{Level, debug, debug_span, info, info_span, warn};
use tracing_subscriber::layer::SubscriberExt as _;
use tracing_subscriber::util::SubscriberInitExt as _;

use crate::{bridged, check};

fn at_every_level() {
    info_span!("informative").in_scope(|| {
        debug_span!("detailed").in_scope(|| {
            info!("information");
            debug!("detail");
        });
    });
}

#[test]
fn details_stay_out_unless_they_are_asked_for() {
    let traces = Recorder::new();
    let bridge = bridged(&traces);
    traces.run_sync(at_every_level);
    check(
        &traces,
        &["level"],
        "
        |informative
        |  · information level=INFO
        ",
    );
    drop(bridge);

    let traces = Recorder::with(|system| system.bridge_level(Level::DEBUG));
    let _bridged = bridged(&traces);
    traces.run_sync(at_every_level);
    check(
        &traces,
        &["level"],
        "
        |informative
        |└ detailed
        |    · information level=INFO
        |    · detail level=DEBUG
        ",
    );
}

#[test]
fn crates_below_http_and_this_one_stay_out() {
    let traces = Recorder::with(|system| system.bridge_level(LevelFilter::TRACE));
    let _bridged = bridged(&traces);
    traces.run_sync(|| {
        in_span_sync("ours", (), |_| {
            info_span!(target: "hyper::proto::h1", "noise").in_scope(|| ());
            info_span!(target: "h2", "noise").in_scope(|| ());
            warn!(target: "opentelemetry_sdk", "noise");
            warn!(target: "rustls::client", "noise");
            warn!(target: "backtrail", "noise");
            info!(target: "hyperspace", "no noise");
        });
    });
    check(
        &traces,
        &["target"],
        "
        |ours
        |  · no noise target=hyperspace
        ",
    );
}

#[test]
fn a_system_that_is_off_bridges_nothing() {
    let traces = Recorder::with(|system| system.enabled(false));
    let _bridged = bridged(&traces);
    traces.run_sync(at_every_level);
    assert_eq!(traces.tree(), "");
}

/// Logs whatever it is asked, and refuses it.
#[derive(Debug)]
struct Complaining(Arc<AtomicUsize>);

impl SpanExporter for Complaining {
    async fn export(&self, spans: Vec<SpanData>) -> OTelSdkResult {
        self.0.fetch_add(spans.len(), Ordering::Relaxed);
        info_span!("an export").in_scope(|| {
            warn!("it fails");
            in_span_sync("ours in an export", (), |_| ());
        });
        Err(OTelSdkError::InternalFailure("no disk".to_owned()))
    }
}

/// The only test here with a subscriber for all threads: the exporter has one of its own.
#[test]
fn an_export_that_fails_and_is_logged_makes_no_spans() {
    const PATIENCE: Duration = Duration::from_mins(1);
    let exported = Arc::new(AtomicUsize::new(0));
    let tracing = TracingSystem::new("test")
        .environment(Environment::of([]))
        .exporter(Exporter::custom(Complaining(Arc::clone(&exported))))
        .schedule_delay(Duration::MAX)
        .local()
        .initialize()
        .unwrap();
    let log = Arc::new(Mutex::new(Vec::new()));
    let text = tracing_subscriber::fmt::layer()
        .with_ansi(false)
        .with_writer(Arc::clone(&log).writer());
    tracing_subscriber::registry()
        .with(tracing.bridge_layer())
        .with(text)
        .init();
    for _ in 0..3 {
        let _entered = tracing.context().attach();
        in_span_sync("ours", (), |_| ());
        tracing.force_flush(PATIENCE).unwrap_err();
    }
    tracing.shutdown_within(PATIENCE).unwrap();
    let stats = tracing.stats();
    assert_eq!((stats.created, stats.ended, stats.failed), (3, 3, 3));
    assert_eq!(exported.load(Ordering::Relaxed), 3);
    let log = String::from_utf8(log.lock().unwrap().clone()).unwrap();
    assert!(log.contains("spans could not be exported"), "{log}");
    assert!(log.contains("no disk"), "{log}");
}

trait Writer {
    fn writer(self) -> impl Fn() -> Lines + Send + Sync + 'static;
}

struct Lines(Arc<Mutex<Vec<u8>>>);

impl Writer for Arc<Mutex<Vec<u8>>> {
    fn writer(self) -> impl Fn() -> Lines + Send + Sync + 'static {
        move || Lines(Arc::clone(&self))
    }
}

impl std::io::Write for Lines {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap().write(bytes)
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

//! Spans on the wire, to a collector in the test's own process.

#![expect(clippy::unwrap_used, reason = "in a test a failure is a panic")]

#[path = "../collector/mod.rs"]
mod collector;
mod formats;
mod proxy;
mod retry;
mod several;
#[cfg(feature = "tls")]
mod tls;
mod too_large;

use std::time::Duration;

use backtrail::{Environment, FlushError, TracingSystem, TracingSystemBuilder, in_span_sync};

use crate::collector::{Collector, PATIENCE};

/// A system that exports when it is told, as these variables say.
fn described(env: &[(&str, &str)]) -> TracingSystemBuilder {
    TracingSystem::new("shop")
        .environment(Environment::of(env.iter().copied()))
        .schedule_delay(Duration::MAX)
        .local()
}

fn system(env: &[(&str, &str)]) -> TracingSystem {
    described(env).initialize().unwrap()
}

/// A system that exports OTLP to this collector, and otherwise as these variables say.
fn system_of(collector: &Collector, env: &[(&str, &str)]) -> TracingSystem {
    let url = collector.url();
    let mut all = vec![("OTEL_EXPORTER_OTLP_ENDPOINT", url.as_str())];
    all.extend(env);
    system(&all)
}

fn trace(tracing: &TracingSystem, name: &'static str) {
    let _entered = tracing.context().attach();
    in_span_sync(name, [("item", "tea")], |_| ());
}

/// Has one span end and flushes it.
fn export(tracing: &TracingSystem) -> Result<(), FlushError> {
    trace(tracing, "checkout");
    tracing.force_flush(PATIENCE)
}

/// Why the only span was lost.
fn reason(exported: Result<(), FlushError>) -> String {
    match exported {
        Err(FlushError::Lost { lost: 1, reason }) => reason,
        other => panic!("{other:?}"),
    }
}

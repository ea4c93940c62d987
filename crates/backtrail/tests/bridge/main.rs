//! Spans of the `tracing` crate and of this one in the same traces.

#![cfg(feature = "bridge")]
#![expect(clippy::unwrap_used, reason = "in a test a failure is a panic")]

mod events;
mod nesting;
mod quiet;

use backtrail::testing::Recorder;
use tracing::subscriber::{DefaultGuard, set_default};
use tracing_subscriber::layer::SubscriberExt as _;

/// Bridges what `tracing` is told on this thread until the guard is dropped.
fn bridged(traces: &Recorder) -> DefaultGuard {
    set_default(tracing_subscriber::registry().with(traces.tracing().bridge_layer()))
}

fn check(traces: &Recorder, keys: &[&str], expected: &str) {
    let lines: Vec<&str> = expected
        .trim()
        .lines()
        .map(|line| line.trim_start_matches(' ').trim_start_matches('|'))
        .collect();
    assert_eq!(traces.tree_of(keys), lines.join("\n") + "\n");
}

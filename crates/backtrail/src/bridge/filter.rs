//! What stays out of traces.

use tracing::level_filters::LevelFilter;
use tracing::subscriber::Interest;
use tracing::{Event, Metadata};
use tracing_subscriber::layer::{Context, Filter};

use crate::report::TARGET;

/// Crates whose spans and events stay out, and all modules below them: they are below HTTP and gRPC, whose requests have spans already,
/// and they are what the exporter itself runs on. Our own news are among them: a span about an export would be exported.
const NOISY: [&str; 10] = [
    TARGET,
    "hyper",
    "hyper_util",
    "h2",
    "tonic",
    "reqwest",
    "rustls",
    "opentelemetry",
    "opentelemetry_sdk",
    "opentelemetry-sdk",
];

/// Lets through what is important enough and not about the export itself.
pub(super) struct Quiet {
    level: LevelFilter,
    is_for_events: bool,
}

impl Quiet {
    /// For the layer that makes spans. It also has the events that name their span: only it knows which span that is in our world.
    pub(super) const fn spans(level: LevelFilter) -> Self {
        Self {
            level,
            is_for_events: false,
        }
    }

    /// For the layer of events that belong where they happen.
    pub(super) const fn events(level: LevelFilter) -> Self {
        Self {
            level,
            is_for_events: true,
        }
    }

    fn lets_through(&self, metadata: &Metadata<'_>) -> bool {
        let target = metadata.target();
        let root = target.split("::").next().unwrap_or(target);
        *metadata.level() <= self.level
            && (metadata.is_event() || !self.is_for_events)
            && !NOISY.contains(&root)
    }
}

impl<S> Filter<S> for Quiet {
    fn enabled(&self, metadata: &Metadata<'_>, _context: &Context<'_, S>) -> bool {
        self.lets_through(metadata)
    }

    fn callsite_enabled(&self, metadata: &'static Metadata<'static>) -> Interest {
        if !self.lets_through(metadata) {
            Interest::never()
        } else if metadata.is_event() {
            // `event_enabled` may be answered with no only after `enabled` was asked.
            Interest::sometimes()
        } else {
            Interest::always()
        }
    }

    fn event_enabled(&self, event: &Event<'_>, _context: &Context<'_, S>) -> bool {
        event.is_contextual() == self.is_for_events
    }

    fn max_level_hint(&self) -> Option<LevelFilter> {
        Some(self.level)
    }
}

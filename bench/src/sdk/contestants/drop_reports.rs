//! How many spans `opentelemetry_sdk` says it has dropped: it says so in an event of `tracing`
//! when it is shut down, and nowhere else.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use anyhow::Result;
use tracing::field::{Field, Visit};
use tracing::{Event, Subscriber};
use tracing_subscriber::Layer;
use tracing_subscriber::filter::LevelFilter;
use tracing_subscriber::layer::{Context, SubscriberExt as _};

/// Of the processor with a thread, and of the one with a runtime.
const FIELDS: [&str; 2] = ["dropped_span_count", "dropped_spans"];

/// A layer that listens for that event.
#[derive(Debug, Clone, Default)]
pub(super) struct DropReports(Arc<AtomicU64>);

impl DropReports {
    /// For those who do not set up a subscriber of their own.
    pub(super) fn listen(&self) -> Result<()> {
        let layer = self.clone().with_filter(LevelFilter::WARN);
        tracing::subscriber::set_global_default(tracing_subscriber::registry().with(layer))?;
        Ok(())
    }

    /// No event means that nothing was dropped.
    pub(super) fn total(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }
}

impl<S: Subscriber> Layer<S> for DropReports {
    fn on_event(&self, event: &Event<'_>, _context: Context<'_, S>) {
        let mut count = Count(0);
        event.record(&mut count);
        self.0.fetch_add(count.0, Ordering::Relaxed);
    }
}

struct Count(u64);

impl Visit for Count {
    fn record_u64(&mut self, field: &Field, value: u64) {
        if FIELDS.contains(&field.name()) {
            self.0 = value;
        }
    }

    fn record_debug(&mut self, field: &Field, value: &dyn std::fmt::Debug) {
        if FIELDS.contains(&field.name()) {
            self.0 = format!("{value:?}").parse().unwrap_or_default();
        }
    }
}

//! Spans of the `tracing` crate in the same traces.
//!
//! Both kinds nest in one trace, whichever is outside: a span of `tracing` that is entered is the current one for this crate, and the other way
//! round. `tracing-opentelemetry` makes the spans; here it is told what to leave out. Events are ours: they go to the innermost span, also when that is none of `tracing`.

mod events;
mod filter;

use std::io::IsTerminal as _;
use tracing::level_filters::LevelFilter;

use tracing_opentelemetry::OpenTelemetryLayer;
use tracing_subscriber::Layer;
use tracing_subscriber::filter::Targets;
use tracing_subscriber::layer::SubscriberExt as _;
use tracing_subscriber::registry::LookupSpan;
use tracing_subscriber::util::SubscriberInitExt as _;

use self::events::Events;
use self::filter::Quiet;
use crate::report::TARGET;
use crate::{Environment, TracingSystem};

impl TracingSystem {
    /// A layer that makes spans of the `tracing` crate join the traces of this system, for a subscriber that a service sets up itself.
    /// It makes nothing when tracing is off. What is below [`TracingSystemBuilder::bridge_level`](crate::TracingSystemBuilder::bridge_level) stays out, and so do spans and
    /// events of hyper, h2, tonic, reqwest, rustls, OpenTelemetry and of this crate, at every level.
    ///
    /// Events become events of the innermost span, whichever crate made it; one at the level ERROR marks that span as failed, unless its
    /// code says Ok later.
    ///
    /// ```no_run
    /// use tracing_subscriber::layer::SubscriberExt as _;
    /// use tracing_subscriber::util::SubscriberInitExt as _;
    ///
    /// # fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// let tracing = backtrail::TracingSystem::new("orders").initialize()?;
    /// tracing_subscriber::registry()
    ///     .with(tracing.bridge_layer())
    ///     .with(tracing_subscriber::fmt::layer())
    ///     .init();
    /// # Ok(()) }
    /// ```
    pub fn bridge_layer<S>(&self) -> impl Layer<S> + Send + Sync + 'static
    where
        S: tracing::Subscriber + for<'span> LookupSpan<'span> + Send + Sync,
    {
        let tracer = self.system().sdk_tracer();
        let level = self.system().bridge_level();
        tracer.map(|tracer| {
            let spans = OpenTelemetryLayer::new(tracer)
                .with_context_activation(true)
                .with_threads(false)
                .with_tracked_inactivity(false)
                .with_target(false);
            spans
                .with_filter(Quiet::spans(level))
                .and_then(Events.with_filter(Quiet::events(level)))
        })
    }

    /// Installs a subscriber with the bridge; leaves one that is there alone, and says so.
    pub(crate) fn install_bridge(&self, env: &Environment) {
        let wanted = env.get("RUST_LOG");
        let levels = wanted.as_deref().map(str::parse::<Targets>);
        let (levels, refusal) = match levels {
            Some(Ok(levels)) => (levels, None),
            Some(Err(error)) => (default_levels(), Some(error)),
            None => (default_levels(), None),
        };
        let text = tracing_subscriber::fmt::layer()
            .with_writer(std::io::stderr)
            .with_ansi(shows_colours())
            .with_filter(levels);
        let installed = tracing_subscriber::registry()
            .with(self.bridge_layer())
            .with(text)
            .try_init();
        if installed.is_err() {
            tracing::warn!(
                target: TARGET,
                "the process has a subscriber already, so spans of `tracing` are not bridged: add `bridge_layer()` to it"
            );
        }
        if let (Some(wanted), Some(error)) = (wanted, refusal) {
            tracing::warn!(target: TARGET, "RUST_LOG={wanted} is ignored: {error}; `info` holds");
        }
    }
}

fn default_levels() -> Targets {
    Targets::new().with_default(LevelFilter::INFO)
}

/// Colours are for people who look at a terminal, and have not said that they want none.
fn shows_colours() -> bool {
    let wants_none = std::env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty());
    !wants_none && std::io::stderr().is_terminal()
}

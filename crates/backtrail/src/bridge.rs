//! Spans of the `tracing` crate in the same traces.
//!
//! Both kinds nest in one trace, whichever is outside: a span of `tracing` that is entered is the current one for this crate, and the other way
//! round. `tracing-opentelemetry` does the work; here it is told what to leave out.

use tracing_opentelemetry::OpenTelemetryLayer;
use tracing_subscriber::Layer;
use tracing_subscriber::filter::{FilterFn, LevelFilter, Targets, filter_fn};
use tracing_subscriber::layer::SubscriberExt as _;
use tracing_subscriber::registry::LookupSpan;
use tracing_subscriber::util::SubscriberInitExt as _;

use crate::TracingSystem;
use crate::report::TARGET;
use crate::system::Scope;

/// Crates whose spans and events stay out, and all modules below them: they are below HTTP and gRPC, whose requests have spans already,
/// and they are what the exporter itself runs on.
const NOISY: [&str; 9] = [
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

impl TracingSystem {
    /// A layer that makes spans of the `tracing` crate join the traces of this system, for a subscriber that a service sets up itself.
    /// It makes nothing when tracing is off. Spans and events of hyper, h2, tonic, reqwest, rustls, OpenTelemetry and of this crate stay out.
    pub fn bridge_layer<S>(&self) -> impl Layer<S> + Send + Sync + 'static
    where
        S: tracing::Subscriber + for<'span> LookupSpan<'span> + Send + Sync,
    {
        let tracer = self.system().tracer(Scope::Service).cloned();
        tracer.map(|tracer| {
            OpenTelemetryLayer::new(tracer)
                .with_context_activation(true)
                .with_filter(quiet())
        })
    }

    /// Installs a subscriber with the bridge; leaves one that is there alone, and says so.
    pub(crate) fn install_bridge(&self) {
        let wanted = std::env::var("RUST_LOG").ok();
        let levels = wanted.and_then(|levels| levels.parse::<Targets>().ok());
        let levels = levels.unwrap_or_else(|| Targets::new().with_default(LevelFilter::INFO));
        let text = tracing_subscriber::fmt::layer()
            .with_writer(std::io::stderr)
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
    }
}

fn quiet() -> FilterFn {
    filter_fn(|metadata| {
        let target = metadata.target();
        let root = target.split("::").next().unwrap_or(target);
        root != TARGET && !NOISY.contains(&root)
    })
}

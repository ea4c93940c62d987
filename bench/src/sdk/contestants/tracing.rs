//! `tracing` with `tracing-opentelemetry`, on `opentelemetry_sdk`.

use std::time::{Duration, Instant};

use anyhow::Result;
use axum::Router;
use axum_tracing_opentelemetry::middleware::OtelAxumLayer;
use opentelemetry::trace::TracerProvider as _;
use opentelemetry_sdk::trace::SdkTracerProvider;
use tracing::field::Empty;
use tracing_subscriber::Layer as _;
use tracing_subscriber::filter::LevelFilter;
use tracing_subscriber::layer::SubscriberExt as _;

use super::drop_reports::DropReports;
use super::{Contestant, pipeline};
use crate::sdk::request::{METHOD, PROTOCOL_VERSION, ROUTE, Request, SCHEME};
use crate::sdk::task::{Mode, Task};

pub(in crate::sdk) struct Tracing {
    provider: Option<SdkTracerProvider>,
    drops: DropReports,
}

impl Contestant for Tracing {
    /// Without what the layer adds by default (place in the source, thread, busy and idle time):
    /// nobody else sends these.
    fn start(task: &Task) -> Result<Self> {
        let drops = DropReports::default();
        if task.mode == Mode::Disable {
            let provider = None;
            return Ok(Self { provider, drops });
        }
        let provider = pipeline::provider(task)?;
        let bridge = tracing_opentelemetry::layer()
            .with_tracer(provider.tracer("bench"))
            .with_location(false)
            .with_threads(false)
            .with_target(false)
            .with_tracked_inactivity(false);
        let subscriber = tracing_subscriber::registry()
            .with(LevelFilter::INFO)
            .with(bridge)
            .with(drops.clone().with_filter(LevelFilter::WARN));
        tracing::subscriber::set_global_default(subscriber)?;
        let provider = Some(provider);
        Ok(Self { provider, drops })
    }

    #[inline]
    fn span(&self, request: &Request) {
        // A name has to be a literal here; it is `NAME`.
        let span = tracing::info_span!(
            "GET /orders/{id}",
            otel.kind = "server",
            http.request.method = METHOD,
            url.path = request.path,
            url.scheme = SCHEME,
            http.route = ROUTE,
            server.address = request.host,
            server.port = request.port,
            user_agent.original = request.user_agent,
            network.protocol.version = PROTOCOL_VERSION,
            http.response.status_code = Empty,
        );
        span.record("http.response.status_code", request.status);
    }

    fn around(&self, router: Router) -> Option<Router> {
        Some(router.layer(OtelAxumLayer::default()))
    }

    fn flush(&self, _created: u64, until: Instant) {
        if let Some(provider) = &self.provider {
            pipeline::flush(provider, until);
        }
    }

    fn finish(self, timeout: Duration) -> Option<u64> {
        if let Some(provider) = &self.provider {
            pipeline::shut_down(provider, timeout);
        }
        Some(self.drops.total())
    }
}

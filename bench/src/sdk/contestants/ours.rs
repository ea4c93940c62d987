//! Ours: the crate `backtrail`.

use std::time::{Duration, Instant};

use anyhow::Result;
use axum::Router;
use backtrail::{KeyValue, SpanKind, TracingSystem};

use super::Contestant;
use crate::sdk::request::{METHOD, NAME, PROTOCOL_VERSION, ROUTE, Request, SCHEME};
use crate::sdk::task::Task;

pub(in crate::sdk) struct Ours(TracingSystem);

impl Contestant for Ours {
    /// All settings come from the environment.
    fn start(_task: &Task) -> Result<Self> {
        Ok(Self(TracingSystem::new("bench").initialize()?))
    }

    #[inline]
    fn span(&self, request: &Request) {
        let span = backtrail::span(NAME)
            .kind(SpanKind::Server)
            .attributes_with(|| {
                [
                    KeyValue::new("http.request.method", METHOD),
                    KeyValue::new("url.path", request.path.clone()),
                    KeyValue::new("url.scheme", SCHEME),
                    KeyValue::new("http.route", ROUTE),
                    KeyValue::new("server.address", request.host.clone()),
                    KeyValue::new("server.port", request.port),
                    KeyValue::new("user_agent.original", request.user_agent.clone()),
                    KeyValue::new("network.protocol.version", PROTOCOL_VERSION),
                ]
            })
            .start();
        span.set("http.response.status_code", request.status);
        span.end();
    }

    fn around(&self, router: Router) -> Option<Router> {
        Some(router.layer(self.0.http_server()))
    }

    fn flush(&self, _created: u64, until: Instant) {
        // What was lost, the sink tells.
        if let Err(error) = self
            .0
            .force_flush(until.saturating_duration_since(Instant::now()))
        {
            eprintln!("the SDK did not flush in order: {error}");
        }
    }

    fn finish(self, timeout: Duration) -> Option<u64> {
        if let Err(error) = self.0.shutdown_within(timeout) {
            eprintln!("the SDK did not shut down in order: {error}");
        }
        Some(self.0.stats().lost())
    }
}

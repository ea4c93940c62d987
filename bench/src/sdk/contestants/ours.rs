//! Ours: the crate `backtrail`.

use std::time::{Duration, Instant};

use anyhow::Result;
use axum::Router;
use backtrail::{SpanKind, TracingSystem};

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
            .attribute("http.request.method", METHOD)
            .attribute("url.path", &request.path)
            .attribute("url.scheme", SCHEME)
            .attribute("http.route", ROUTE)
            .attribute("server.address", &request.host)
            .attribute("server.port", request.port)
            .attribute("user_agent.original", &request.user_agent)
            .attribute("network.protocol.version", PROTOCOL_VERSION)
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

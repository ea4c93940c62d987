//! What the HTTP layer adds to a handler: a request goes through a router in this process, so that
//! no socket hides the difference.

use std::hint::black_box;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result};
use axum::Router;
use axum::body::{Body, to_bytes};
use axum::extract::Request;
use axum::routing::get;
use tower::ServiceExt as _;

use super::FLUSH_TIMEOUT;
use crate::latency::Latencies;
use crate::sdk::contestants::Contestant;
use crate::sdk::request::{self, ROUTE};
use crate::sdk::task::{Figures, Percentiles};

/// Both routers take turns, so that whatever disturbs one disturbs the other too.
const TURN: usize = 500;
const BODY_MAX_BYTES: usize = 1 << 10;

pub(in crate::sdk) fn handle<C: Contestant>(contestant: &C, requests: usize) -> Result<Figures> {
    let layered = contestant.around(router());
    let layered = layered.context("it has no layer for HTTP servers")?;
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    let bare = router();
    let mut bare_times = Vec::with_capacity(requests);
    let mut layered_times = Vec::with_capacity(requests);
    runtime.block_on(async {
        // The first turn is not counted.
        for turn in 0..=requests.div_ceil(TURN) {
            let bare_turn = time_turn(&bare).await?;
            let layered_turn = time_turn(&layered).await?;
            if turn > 0 {
                bare_times.extend(bare_turn);
                layered_times.extend(layered_turn);
            }
        }
        Ok::<_, anyhow::Error>(())
    })?;
    let spans = layered_times.len() + TURN;
    contestant.flush(spans as u64, Instant::now() + FLUSH_TIMEOUT);
    Ok(Figures::Handled {
        spans: spans as u64,
        bare: percentiles(bare_times),
        layered: percentiles(layered_times),
    })
}

fn router() -> Router {
    Router::new().route(ROUTE, get(async || "{\"id\":1}"))
}

async fn time_turn(router: &Router) -> Result<Vec<Duration>> {
    let template = request::Request::new();
    let mut times = Vec::with_capacity(TURN);
    for _ in 0..TURN {
        let request = Request::builder()
            .uri(&template.path)
            .header("host", &template.host)
            .header("user-agent", &template.user_agent)
            .body(Body::empty())?;
        let router = router.clone();
        let started = Instant::now();
        let response = router.oneshot(request).await?;
        black_box(to_bytes(response.into_body(), BODY_MAX_BYTES).await?);
        times.push(started.elapsed());
    }
    Ok(times)
}

fn percentiles(times: Vec<Duration>) -> Percentiles {
    let latencies = Latencies::new(times);
    Percentiles {
        p50_ns: latencies.percentile_ms(50) * 1e6,
        p99_ns: latencies.percentile_ms(99) * 1e6,
    }
}

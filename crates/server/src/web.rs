//! The web listener's router: read APIs, page, metrics and health.

use std::time::Duration;

use artifacts::Page;
use axum::Router;
use axum::extract::{MatchedPath, Request, State};
use axum::middleware::{Next, from_fn_with_state};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use host::TasksExt;
use http::{StatusCode, header};

use crate::api::Api;
use crate::metrics::{CONTENT_TYPE, Readings, SourceMapReadings};
use crate::process;
use crate::state::AppState;
use crate::uploads::Uploads;
use crate::{api, page, uploads};
use tonic_health::server::HealthReporter;

/// Everything that port 16686 serves.
pub(crate) fn web_router(state: AppState, api: Api, uploads: Uploads) -> Router {
    let apis = api::router(api).route_layer(from_fn_with_state(state.clone(), observe_latency));
    Router::new()
        .route("/metrics", get(metrics))
        .route("/healthz", get(healthy))
        .route("/readyz", get(ready))
        .with_state(state)
        .merge(apis)
        .merge(uploads::router(uploads))
        .merge(page::router())
}

/// What port 16685 serves.
pub(crate) fn jaeger_grpc_router(
    state: AppState,
    api: Api,
    health: &HealthReporter,
) -> Result<Router, tonic_reflection::server::Error> {
    let services = api::jaeger_grpc_router(api, health)?;
    Ok(services.route_layer(from_fn_with_state(state, observe_latency)))
}

/// What is read at Zipkin's port.
pub(crate) fn zipkin_router(state: AppState, api: Api) -> Router {
    api::zipkin_router(api).route_layer(from_fn_with_state(state, observe_latency))
}

/// Measures by route, so that ids in paths make no series of their own.
async fn observe_latency(
    State(state): State<AppState>,
    route: MatchedPath,
    request: Request,
    next: Next,
) -> Response {
    let _open = OpenQuery {
        started: state.host.clock.monotonic(),
        state,
        route,
    };
    next.run(request).await
}

/// A question between its head and its reply. One whose client left took as long as it was waited for.
struct OpenQuery {
    started: Duration,
    state: AppState,
    route: MatchedPath,
}

impl Drop for OpenQuery {
    fn drop(&mut self) {
        let took = self
            .state
            .host
            .clock
            .monotonic()
            .saturating_sub(self.started);
        self.state.metrics.observe_query(self.route.as_str(), took);
    }
}

async fn metrics(State(state): State<AppState>) -> Response {
    state
        .udp_sockets
        .count_kernel_drops(state.host.files.as_ref(), &state.metrics);
    let store = state.store.stats();
    let readings = Readings {
        in_flight_bytes: state.in_flight.bytes() as u64,
        in_flight_requests: state.in_flight.requests() as u64,
        memtable_spans: store.memtable_spans,
        log_bytes: store.log_bytes,
        log_pending_bytes: store.log_pending_bytes,
        blocks: store.blocks,
        block_bytes: store.block_bytes,
        block_spans: store.block_spans,
        flush_pending: store.flush_pending,
        compaction_pending: store.compaction_pending,
        deletions_pending: store.deletions_pending,
        repeats: store.repeats,
        sourcemaps: source_map_readings(&state).await,
        resident_memory_bytes: process::resident_memory_bytes(state.host.files.as_ref())
            .unwrap_or_default(),
        cpu_seconds: process::cpu_seconds(),
    };
    match state.metrics.encode(&readings) {
        Ok(text) => ([(header::CONTENT_TYPE, CONTENT_TYPE)], text).into_response(),
        Err(error) => {
            let message = format!("metrics can't be written: {error}\n");
            (StatusCode::INTERNAL_SERVER_ERROR, message).into_response()
        }
    }
}

/// Organisations are few: their number is bounded.
async fn source_map_readings(state: &AppState) -> SourceMapReadings {
    let artifacts = state.artifacts.clone();
    let listed = state
        .host
        .tasks
        .run_blocking(move || artifacts.organisations(&Page::first(Page::MAX)))
        .await;
    match listed {
        Ok(Ok(organisations)) => {
            organisations
                .items
                .iter()
                .fold(SourceMapReadings::default(), |sum, one| SourceMapReadings {
                    bundles: sum.bundles + one.bundles,
                    bytes: sum.bytes + one.bytes,
                    chunk_bytes: sum.chunk_bytes + one.chunk_bytes,
                })
        }
        Ok(Err(error)) => {
            tracing::warn!(%error, "what is kept of source maps can't be counted");
            SourceMapReadings::default()
        }
        Err(lost) => {
            tracing::warn!(%lost, "what is kept of source maps can't be counted");
            SourceMapReadings::default()
        }
    }
}

/// The process runs. Whoever restarts what is not healthy must not restart us because a disk is full.
async fn healthy() -> &'static str {
    "ok\n"
}

/// Spans are accepted: the store runs and the disk has room.
async fn ready(State(state): State<AppState>) -> Response {
    match state.store.check_ready() {
        Ok(()) => "ready\n".into_response(),
        Err(error) => {
            let message = format!("the store takes no spans: {error}\n");
            (StatusCode::SERVICE_UNAVAILABLE, message).into_response()
        }
    }
}

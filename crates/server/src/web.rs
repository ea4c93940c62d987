//! The web listener's router: read APIs, page, metrics and health.

use std::time::Duration;

use artifacts::Page;
use axum::Router;
use axum::extract::{MatchedPath, Request, State};
use axum::middleware::{Next, from_fn_with_state};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use host::TasksExt;
use http::{Method, StatusCode, header};

use crate::api::Api;
use crate::auth::{Guard, Scope};
use crate::metrics::{CONTENT_TYPE, Readings, SourceMapReadings};
use crate::process;
use crate::state::AppState;
use crate::uploads::Uploads;
use crate::{api, page, uploads};
use tonic_health::server::HealthReporter;

/// Everything that port 16686 serves.
pub(crate) fn web_router(state: AppState, api: Api, uploads: Uploads, guard: Guard) -> Router {
    let apis = api::router(api).route_layer(from_fn_with_state(state.clone(), observe_latency));
    let metrics = Router::new()
        .route("/metrics", get(metrics))
        .with_state(state.clone());
    Router::new()
        .route("/healthz", get(healthy))
        .route("/readyz", get(ready))
        .with_state(state)
        .merge(only_authorized(metrics.merge(apis), guard))
        // It asks the guard itself: its refusals have a form of their own.
        .merge(uploads::router(uploads))
        // The page's files are no secret: it needs them to ask for a token.
        .merge(page::router())
}

/// What port 16685 serves.
pub(crate) fn jaeger_grpc_router(
    state: AppState,
    api: Api,
    guard: Guard,
    health: &HealthReporter,
) -> Result<Router, tonic_reflection::server::Error> {
    let services = api::jaeger_grpc_router(api, guard, health)?;
    Ok(services.route_layer(from_fn_with_state(state, observe_latency)))
}

/// What is read at Zipkin's port.
pub(crate) fn zipkin_router(state: AppState, api: Api, guard: Guard) -> Router {
    let routes = api::zipkin_router(api).route_layer(from_fn_with_state(state, observe_latency));
    only_authorized(routes, guard)
}

/// Asks of the requests of all these routes who sends them. An API that is added to them is closed like the others, unless [`scope_of`] says otherwise.
fn only_authorized(router: Router, guard: Guard) -> Router {
    router.route_layer(from_fn_with_state(guard, authorize))
}

async fn authorize(State(guard): State<Guard>, mut request: Request, next: Next) -> Response {
    let path = request.uri().path();
    if let Some(scope) = scope_of(request.method(), path) {
        match guard.authorize(scope, request.headers()) {
            Ok(principal) => drop(request.extensions_mut().insert(principal)),
            Err(denied) => return api::denied(path, denied),
        }
    }
    request.extensions_mut().insert(guard);
    next.run(request).await
}

/// What a request needs. A query may be long and come with POST; what changes something comes with the other methods. `None` is open, or asks the [`Guard`] of the request itself.
fn scope_of(method: &Method, path: &str) -> Option<Scope> {
    let is_open = matches!(path, "/health" | "/zipkin/health" | "/api/v1/session");
    if is_open || path.starts_with("/api/0/") {
        return None;
    }
    Some(match *method {
        Method::DELETE | Method::PUT | Method::PATCH => Scope::Admin,
        _ => Scope::Read,
    })
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_that_is_not_known_to_be_open_needs_a_scope() {
        for (method, path, scope) in [
            (Method::GET, "/metrics", Some(Scope::Read)),
            (Method::GET, "/api/v1/search", Some(Scope::Read)),
            (Method::POST, "/api/v1/anything-new", Some(Scope::Read)),
            (Method::OPTIONS, "/api/v1/search", Some(Scope::Read)),
            (Method::DELETE, "/api/v1/spans", Some(Scope::Admin)),
            (Method::PUT, "/api/v1/anything-new", Some(Scope::Admin)),
            (Method::GET, "/api/traces", Some(Scope::Read)),
            (Method::GET, "/zipkin/api/v2/traces", Some(Scope::Read)),
            (Method::GET, "/api/v1/session/", Some(Scope::Read)),
            (Method::GET, "/api/0", Some(Scope::Read)),
            (Method::GET, "/zipkin/health", None),
            (Method::DELETE, "/api/v1/session", None),
            (Method::POST, "/api/0/organizations/a/chunk-upload/", None),
        ] {
            assert_eq!(scope_of(&method, path), scope, "{method} {path}");
        }
    }
}

//! The read APIs: our own under `/api/v1`, and Jaeger's over HTTP (v1, v3) and gRPC.
//!
//! They differ in how they read a question and how they print an answer. In between each is the same: the question runs on the
//! pool for blocking work, over one snapshot, with a [`query::Budget`], behind one [`gate::Gate`] for all.

mod duration;
mod failure;
mod gate;
mod instant;
mod jaeger;
mod names;
mod parameters;
mod v1;

#[cfg(test)]
mod tests;

use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::response::{IntoResponse, Response};
use host::Clock;
use http::header::{CACHE_CONTROL, CONTENT_TYPE};
use http::{HeaderMap, HeaderName, HeaderValue};
use model::TenantId;
use query::Budget;
use serde::Serialize;
use store::Snapshot;
use tower_http::CompressionLevel;
use tower_http::compression::CompressionLayer;

use crate::state::{AppState, BoundListener};
use failure::Failure;
use gate::Gate;

/// How long a search may take before it answers with what it has.
const SEARCH_TIMEOUT: Duration = Duration::from_secs(10);
/// How long anything else may take before it is an error.
const READ_TIMEOUT: Duration = Duration::from_secs(30);

/// Says that an answer is not whole, where its form has no place to say so. Over gRPC it is in the metadata behind the answer.
const TRUNCATED: HeaderName = HeaderName::from_static("backtrail-truncated");

/// Takes a view of what is kept now.
type TakeSnapshot = Arc<dyn Fn() -> Snapshot + Send + Sync>;

/// What the handlers of all read APIs share. Cheap to clone.
#[derive(Clone)]
struct Api {
    take_snapshot: TakeSnapshot,
    clock: Arc<dyn Clock>,
    listeners: Arc<[BoundListener]>,
    gate: Gate,
}

/// One question under way.
struct Question<'a> {
    snapshot: &'a Snapshot,
    budget: Budget<'a>,
    clock: &'a dyn Clock,
}

/// The routes of all read APIs. Latency by route is measured around it by [`crate::web`].
pub(crate) fn router(state: AppState) -> Router {
    let (store, tenant) = (state.store, TenantId::default_tenant());
    routes(Api {
        take_snapshot: Arc::new(move || store.snapshot(&tenant)),
        clock: state.host.clock,
        listeners: state.listeners,
        gate: Gate::for_this_machine(),
    })
}

fn routes(api: Api) -> Router {
    let router = Router::new()
        .merge(v1::routes())
        .merge(jaeger::routes())
        .with_state(api);
    // The fastest level makes a large answer a fifth of its size; the next ones cost twice as much for a tenth less.
    router.layer(CompressionLayer::new().quality(CompressionLevel::Fastest))
}

impl Api {
    /// Answers a question on the pool for blocking work. When nobody waits for the answer any more, the question ends early.
    async fn ask<T: Send + 'static>(
        &self,
        timeout: Duration,
        answer: impl FnOnce(&Question<'_>) -> Result<T, Failure> + Send + 'static,
    ) -> Result<T, Failure> {
        let clock = Arc::clone(&self.clock);
        let take_snapshot = Arc::clone(&self.take_snapshot);
        let work = move |is_abandoned: &dyn Fn() -> bool| {
            let deadline = clock.monotonic() + timeout;
            let is_over = || is_abandoned() || clock.monotonic() >= deadline;
            let snapshot = take_snapshot();
            answer(&Question {
                snapshot: &snapshot,
                budget: Budget::until(&is_over),
                clock: &*clock,
            })
        };
        self.gate.run(work).await?
    }

    /// The same for an answer in JSON, which is written there too.
    async fn ask_for_json<T: Serialize>(
        &self,
        timeout: Duration,
        answer: impl FnOnce(&Question<'_>) -> Result<T, Failure> + Send + 'static,
    ) -> Result<Json, Failure> {
        self.ask(timeout, |question| Json::write(&answer(question)?))
            .await
    }
}

/// [`TRUNCATED`], or nothing.
fn truncated_header(is_truncated: bool) -> HeaderMap {
    let mut headers = HeaderMap::new();
    if is_truncated {
        headers.insert(TRUNCATED, HeaderValue::from_static("true"));
    }
    headers
}

/// An answer that is written already.
struct Json(Vec<u8>);

impl Json {
    fn write(value: &impl Serialize) -> Result<Self, Failure> {
        serde_json::to_vec(value)
            .map(Self)
            .map_err(Failure::internal)
    }
}

impl IntoResponse for Json {
    fn into_response(self) -> Response {
        // What is kept may change at any time.
        let headers = [
            (CONTENT_TYPE, "application/json"),
            (CACHE_CONTROL, "no-cache"),
        ];
        (headers, self.0).into_response()
    }
}

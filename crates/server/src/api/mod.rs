//! The APIs for reading, and for deleting: our own under `/api/v1`, Jaeger's over HTTP (v1, v3) and gRPC, and Zipkin's.
//!
//! They differ in how they read a question and how they print an answer. In between each is the same: the question runs on the
//! pool for blocking work, over one snapshot, with a [`query::Budget`], behind one [`gate::Gate`] for all. Only our own deletes, and not for a page of another site. Who may ask is decided before, by [`crate::web`].

mod denied;
mod duration;
mod failure;
mod gate;
mod instant;
mod jaeger;
mod names;
mod parameters;
mod same_site;
mod stacks;
mod v1;
mod zipkin;

#[cfg(test)]
mod tests;

use std::sync::Arc;
use std::time::Duration;

use artifacts::Artifacts;
use axum::Router;
use axum::response::{IntoResponse, Response};
use host::{BoxFuture, Clock};
use http::header::{CACHE_CONTROL, CONTENT_TYPE};
use http::{HeaderMap, HeaderName, HeaderValue};
use model::TenantId;
use query::Budget;
use serde::Serialize;
use store::{Deleted, Deletion, Snapshot, StoreError};
use tonic_health::server::HealthReporter;
use tower_http::CompressionLevel;
use tower_http::compression::CompressionLayer;

use crate::auth::Guard;
use crate::state::{AppState, BoundListener};
pub(crate) use v1::{ExportFormat, stack_json};

pub(crate) use denied::denied;
use failure::Failure;
use gate::Gate;
use stacks::Stacks;

pub(crate) use jaeger::GRPC_SERVICES as JAEGER_GRPC_SERVICES;

/// How long a search may take before it answers with what it has.
const SEARCH_TIMEOUT: Duration = Duration::from_secs(10);
/// How long anything else may take before it is an error.
const READ_TIMEOUT: Duration = Duration::from_secs(30);

/// Says that an answer is not whole, where its form has no place to say so. Over gRPC it is in the metadata behind the answer.
const TRUNCATED_KEY: &str = "backtrail-truncated";

/// Takes a view of what is kept now.
type TakeSnapshot = Arc<dyn Fn() -> Snapshot + Send + Sync>;

/// Deletes what is kept.
type Delete =
    Arc<dyn Fn(Deletion) -> BoxFuture<'static, Result<Deleted, StoreError>> + Send + Sync>;

/// What the handlers of all APIs share. Cheap to clone.
#[derive(Clone)]
pub(crate) struct Api {
    take_snapshot: TakeSnapshot,
    delete: Delete,
    clock: Arc<dyn Clock>,
    listeners: Arc<[BoundListener]>,
    artifacts: Artifacts,
    gate: Gate,
    stacks: Stacks,
    /// Whether Jaeger's APIs show stack traces resolved.
    resolves_for_jaeger: bool,
}

/// One question under way.
struct Question<'a> {
    snapshot: &'a Snapshot,
    budget: Budget<'a>,
    clock: &'a dyn Clock,
    stacks: &'a Stacks,
    /// The same for Jaeger's APIs; none where they show stack traces as they came.
    stacks_for_jaeger: Option<&'a Stacks>,
}

/// The routes of the read APIs of the web listener. Latency by route is measured around them by [`crate::web`].
pub(crate) fn router(api: Api) -> Router {
    routes(api)
}

/// Jaeger's query services over gRPC.
pub(crate) fn jaeger_grpc_router(
    api: Api,
    guard: Guard,
    health: &HealthReporter,
) -> Result<Router, tonic_reflection::server::Error> {
    jaeger::grpc_router(api, guard, health)
}

/// Zipkin's read API as Zipkin's own port has it.
pub(crate) fn zipkin_router(api: Api) -> Router {
    compressed(zipkin::routes().with_state(api.clone())).nest("/zipkin", zipkin_on_web(api))
}

/// The same below the web listener's `/zipkin`.
fn zipkin_on_web(api: Api) -> Router {
    compressed(zipkin::routes().with_state(api))
}

fn routes(api: Api) -> Router {
    let router = Router::new()
        .merge(v1::routes())
        .merge(jaeger::routes())
        .with_state(api.clone());
    compressed(router).nest("/zipkin", zipkin_on_web(api))
}

fn compressed(router: Router) -> Router {
    // The fastest level makes a large answer a fifth of its size; the next ones cost twice as much for a tenth less.
    router.layer(CompressionLayer::new().quality(CompressionLevel::Fastest))
}

impl Api {
    /// What all listeners that answer questions share: one, so that one gate bounds them together.
    pub(crate) fn of(state: &AppState) -> Self {
        let (store, tenant) = (state.store.clone(), TenantId::default_tenant());
        let (deleting, owner) = (store.clone(), tenant.clone());
        Self {
            delete: Arc::new(move |deletion| {
                let (store, tenant) = (deleting.clone(), owner.clone());
                Box::pin(async move { store.delete(&tenant, deletion).await })
            }),
            take_snapshot: Arc::new(move || store.snapshot(&tenant)),
            clock: Arc::clone(&state.host.clock),
            listeners: Arc::clone(&state.listeners),
            artifacts: state.artifacts.clone(),
            stacks: Stacks::of(Arc::clone(&state.resolver)),
            resolves_for_jaeger: state.resolves_for_jaeger,
            gate: Gate::for_this_machine(),
        }
    }

    /// Answers a question on the pool for blocking work. When nobody waits for the answer any more, the question ends early.
    async fn ask<T: Send + 'static>(
        &self,
        timeout: Duration,
        answer: impl FnOnce(&Question<'_>) -> Result<T, Failure> + Send + 'static,
    ) -> Result<T, Failure> {
        let take_snapshot = Arc::clone(&self.take_snapshot);
        self.ask_of(move || take_snapshot(), timeout, answer).await
    }

    /// The same of a view that was taken before.
    async fn ask_about<T: Send + 'static>(
        &self,
        snapshot: Snapshot,
        timeout: Duration,
        answer: impl FnOnce(&Question<'_>) -> Result<T, Failure> + Send + 'static,
    ) -> Result<T, Failure> {
        self.ask_of(move || snapshot, timeout, answer).await
    }

    async fn ask_of<T: Send + 'static>(
        &self,
        take_snapshot: impl FnOnce() -> Snapshot + Send + 'static,
        timeout: Duration,
        answer: impl FnOnce(&Question<'_>) -> Result<T, Failure> + Send + 'static,
    ) -> Result<T, Failure> {
        let clock = Arc::clone(&self.clock);
        let stacks = self.stacks.clone();
        let resolves_for_jaeger = self.resolves_for_jaeger;
        let work = move |is_abandoned: &dyn Fn() -> bool| {
            let deadline = clock.monotonic() + timeout;
            let is_over = || is_abandoned() || clock.monotonic() >= deadline;
            let snapshot = take_snapshot();
            answer(&Question {
                snapshot: &snapshot,
                budget: Budget::until(&is_over),
                clock: &*clock,
                stacks: &stacks,
                stacks_for_jaeger: resolves_for_jaeger.then_some(&stacks),
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

/// [`TRUNCATED_KEY`], or nothing.
fn truncated_header(is_truncated: bool) -> HeaderMap {
    let mut headers = HeaderMap::new();
    if is_truncated {
        let name = HeaderName::from_static(TRUNCATED_KEY);
        headers.insert(name, HeaderValue::from_static("true"));
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

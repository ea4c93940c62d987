//! The API under `/api/0` by which Sentry's command lines and plugins upload source maps, so that all of them do so unmodified.
//!
//! The protocol is theirs, from recordings of what they send and need: paths end with a slash, answers are JSON, errors are
//! `{"detail": "…"}`. What is uploaded is kept by [`artifacts`]; people and the page read it under `/api/v1/sourcemaps`.
//!
//! Old clients name a project in the path (`/projects/{organisation}/{project}/…`) where newer ones name only the organisation.

mod account;
mod answer;
mod assemble;
mod authorize;
mod body;
mod chunks;
mod deploys;
mod files;
mod multipart;
mod refusal;
mod releases;
mod rfc3339;
mod turn;

use std::sync::Arc;
use std::time::Duration;

use artifacts::Artifacts;
use axum::Router;
use axum::extract::{Request, State};
use axum::middleware::{Next, from_fn_with_state};
use axum::response::Response;
use axum::routing::{MethodRouter, any, delete, get, post};
use host::Clock;
use http::Uri;

use crate::auth::Guard;
use crate::config::{Config, PublicUrl};
use crate::metrics::Metrics;
use crate::state::AppState;

use answer::Json;
pub(crate) use refusal::Refusal;
use turn::Turns;

/// Uploads of chunks or files that are read at one time. Each holds a part of 8 MiB, and the same inflated.
const UPLOADS_AT_ONCE: usize = 8;
/// More that wait unread.
const UPLOADS_WAITING: usize = 64;
/// How long one waits: clients come again after a 503, and a connection that is silent for longer may be cut by a proxy.
const UPLOAD_PATIENCE: Duration = Duration::from_secs(20);
/// How long a body may take in all, however steadily it trickles.
const MAX_BODY_TIME: Duration = Duration::from_mins(10);
/// Bundles that are read and stored at one time, and more that wait.
const ASSEMBLIES_AT_ONCE: usize = 2;
const ASSEMBLIES_WAITING: usize = 64;
/// Assembling takes longer than a chunk.
const ASSEMBLY_PATIENCE: Duration = Duration::from_mins(1);

/// What the handlers share. Cheap to clone.
#[derive(Clone)]
pub(crate) struct Uploads {
    guard: Guard,
    artifacts: Artifacts,
    clock: Arc<dyn Clock>,
    public_url: Option<PublicUrl>,
    metrics: Arc<Metrics>,
    /// How long a client may send nothing.
    idle: Duration,
    uploads: Turns,
    assemblies: Turns,
}

impl Uploads {
    /// The API over what the server keeps, as the settings have it.
    pub(crate) fn of(state: &AppState, config: &Config, guard: Guard) -> Self {
        Self {
            guard,
            artifacts: state.artifacts.clone(),
            clock: Arc::clone(&state.host.clock),
            public_url: config.public_url.clone(),
            metrics: Arc::clone(&state.metrics),
            idle: config.limits.request_timeout.0,
            uploads: Turns::new(UPLOADS_AT_ONCE, UPLOADS_WAITING, UPLOAD_PATIENCE),
            assemblies: Turns::new(ASSEMBLIES_AT_ONCE, ASSEMBLIES_WAITING, ASSEMBLY_PATIENCE),
        }
    }

    fn now_ms(&self) -> u64 {
        self.clock.now_unix_nano() / 1_000_000
    }

    /// Waits for a turn and reads a body in it, within the time that a body may take.
    async fn read<T>(&self, body: impl Future<Output = Result<T, Refusal>>) -> Result<T, Refusal> {
        let _turn = self.uploads.wait().await?;
        tokio::time::timeout(MAX_BODY_TIME, body)
            .await
            .map_err(|_| Refusal::TooSlow(self.idle.as_secs()))?
    }

    /// Runs what reads or writes files on the pool for that.
    async fn run<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Artifacts) -> artifacts::Result<T> + Send + 'static,
    ) -> Result<T, Refusal> {
        let artifacts = self.artifacts.clone();
        let done = tokio::task::spawn_blocking(move || work(&artifacts)).await;
        Ok(done.map_err(Refusal::internal)??)
    }
}

type Answer = Result<Json, Refusal>;

/// The routes below `/api/0`.
pub(crate) fn router(uploads: Uploads) -> Router {
    let routes = Router::new();
    let routes = [
        ("", get(account::auth)),
        ("/organizations/{org}", get(account::organization)),
        ("/organizations/{org}/repos", get(account::repositories)),
        (
            "/organizations/{org}/chunk-upload",
            get(chunks::options).post(chunks::upload),
        ),
        (
            "/organizations/{org}/artifactbundle/assemble",
            post(assemble::bundle),
        ),
        (
            "/organizations/{org}/releases",
            get(releases::list).post(releases::create),
        ),
        (
            "/organizations/{org}/releases/{version}",
            get(releases::get)
                .put(releases::update)
                .delete(releases::delete),
        ),
        (
            "/organizations/{org}/releases/{version}/previous-with-commits",
            get(releases::previous_with_commits),
        ),
        (
            "/organizations/{org}/releases/{version}/assemble",
            post(assemble::release_bundle),
        ),
        (
            "/organizations/{org}/releases/{version}/deploys",
            get(deploys::list).post(deploys::create),
        ),
        (
            "/projects/{org}/{project}/releases",
            get(releases::list).post(releases::create),
        ),
        (
            "/projects/{org}/{project}/releases/{version}",
            get(releases::get)
                .put(releases::update)
                .delete(releases::delete),
        ),
        (
            "/projects/{org}/{project}/releases/{version}/files",
            get(files::list).post(files::upload),
        ),
        (
            "/projects/{org}/{project}/files/source-maps",
            delete(files::delete_of_release),
        ),
    ]
    .into_iter()
    .fold(routes, with_and_without_slash);
    routes
        .method_not_allowed_fallback(async || Refusal::MethodNotAllowed)
        .route("/api/0/{*rest}", any(no_such_address))
        .layer(from_fn_with_state(uploads.clone(), admit))
        .with_state(uploads)
}

fn with_and_without_slash(
    router: Router<Uploads>,
    (path, methods): (&str, MethodRouter<Uploads>),
) -> Router<Uploads> {
    router
        .route(&format!("/api/0{path}"), methods.clone())
        .route(&format!("/api/0{path}/"), methods)
}

async fn no_such_address(uri: Uri) -> Refusal {
    Refusal::NotFound(format!("nothing is served at {}", uri.path()))
}

/// What holds for each request: who asks is known, and a refusal is counted.
async fn admit(State(uploads): State<Uploads>, request: Request, next: Next) -> Response {
    use axum::response::IntoResponse;

    let response = match uploads.authorize(&request) {
        Ok(()) => next.run(request).await,
        Err(refusal) => refusal.into_response(),
    };
    if let Some(refusal) = response.extensions().get::<Refusal>() {
        uploads.metrics.uploads().count_refusal(refusal);
    }
    response
}

//! The read APIs: our own under `/api/v1`, and Jaeger's HTTP API v1.

use axum::Router;

use crate::state::AppState;

/// The routes of all read APIs. Latency by route is measured around it by [`crate::web`].
pub(crate) fn router(_state: AppState) -> Router {
    Router::new()
}

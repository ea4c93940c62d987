//! The web listener's router: read APIs, page, metrics and health.

use axum::Router;

use crate::state::AppState;
use crate::{api, page};

/// Everything that port 16686 serves.
pub(crate) fn web_router(state: AppState) -> Router {
    Router::new()
        .merge(api::router(state))
        .merge(page::router())
}

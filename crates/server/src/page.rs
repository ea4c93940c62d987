//! The page's files, from inside the binary.

use axum::Router;

/// The page at `/` and its assets.
pub(crate) fn router() -> Router {
    Router::new()
}

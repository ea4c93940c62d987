//! Routes that belong to sending and bring no spans: what they say goes to senders alone.

use axum::Router;
use axum::extract::{Request, State};
use axum::middleware::{Next, from_fn_with_state};
use axum::response::{IntoResponse, Response};

use crate::auth::{Guard, Scope};
use crate::ingest::Refusal;

/// Asks of the requests of all routes what sending asks of them. They answer in a line of text.
pub(crate) fn guarded(router: Router, guard: Guard) -> Router {
    router.route_layer(from_fn_with_state(guard, check))
}

async fn check(State(guard): State<Guard>, request: Request, next: Next) -> Response {
    match guard.authorize(Scope::Ingest, request.headers()) {
        Ok(_) => next.run(request).await,
        Err(denied) => {
            let refusal = Refusal::Denied(denied);
            let text = format!("{refusal}\n");
            (refusal.http_status(), refusal.http_headers(), text).into_response()
        }
    }
}

//! The route that a request matched, where the layer could not see it.

use std::sync::{Mutex, PoisonError};

use opentelemetry::Context;

/// Where code within the service tells the route to the layer around it. It lies in the context of the request.
#[derive(Debug, Default)]
pub(super) struct RouteSlot(Mutex<Option<String>>);

impl RouteSlot {
    fn set(&self, route: &str) {
        let mut slot = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        *slot = Some(route.to_owned());
    }

    pub(super) fn take(&self) -> Option<String> {
        let mut slot = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        slot.take()
    }
}

/// Tells the server span of this request which route was matched: `http.route`, and the span's name becomes `{method} {route}`. For services
/// with a router of their own, such as those on bare hyper; call it before the response is returned. The last call counts. Where no
/// request is served, nothing happens.
///
/// The route is a pattern, such as `/orders/{id}`, and never the path: names of spans are of few kinds.
///
/// ```
/// fn show(id: u64) {
///     backtrail::http::set_route("/orders/{id}");
/// #   drop(id);
/// }
/// ```
pub fn set_route(route: &str) {
    Context::map_current(|context| {
        if let Some(slot) = context.get::<RouteSlot>() {
            slot.set(route);
        }
    });
}

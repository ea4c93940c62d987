//! What tells the route to a layer around the router.

use std::task::{Context as TaskContext, Poll};

use ::http::Request;
use tower_layer::Layer;
use tower_service::Service;

/// Tells the route that axum matched to a [`HttpServerLayer`](super::HttpServerLayer) that stands around the whole router, and so began before axum had
/// matched anything. For `Router::route_layer` or `Router::layer`. Needs the feature `axum`; without it, it does nothing.
///
/// ```
/// use axum::{Router, routing::get};
/// use backtrail::http::server::RouteLayer;
/// use tower::Layer;
///
/// # let traces = backtrail::testing::Recorder::new();
/// # let tracing = traces.tracing();
/// let router: Router = Router::new().route("/orders/{id}", get(|| async {})).route_layer(RouteLayer);
/// let service = tracing.http_server().layer(router);
/// # drop(service);
/// ```
#[derive(Clone, Copy, Debug, Default)]
pub struct RouteLayer;

/// A service with a [`RouteLayer`] around it.
#[derive(Clone, Debug)]
pub struct RouteService<S> {
    service: S,
}

impl<S> Layer<S> for RouteLayer {
    type Service = RouteService<S>;

    fn layer(&self, service: S) -> RouteService<S> {
        RouteService { service }
    }
}

impl<S: Service<Request<B>>, B> Service<Request<B>> for RouteService<S> {
    type Response = S::Response;
    type Error = S::Error;
    type Future = S::Future;

    fn poll_ready(&mut self, cx: &mut TaskContext<'_>) -> Poll<Result<(), S::Error>> {
        self.service.poll_ready(cx)
    }

    fn call(&mut self, request: Request<B>) -> S::Future {
        #[cfg(feature = "axum")]
        if let Some(path) = request.extensions().get::<axum::extract::MatchedPath>() {
            crate::http::set_route(path.as_str());
        }
        self.service.call(request)
    }
}

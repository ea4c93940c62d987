//! A service with the layer around it.

use std::fmt::{self, Display};
use std::task::{Context as TaskContext, Poll};

use ::http::{Request, Response};
use http_body::Body;
use tower_service::Service;

use super::layer::HttpServerLayer;
use super::watch::ServerWatch;
use crate::http::capture::Direction;
use crate::http::future::call;
use crate::http::request_body::{AsIs, RequestBody};
use crate::http::{ResponseBody, ResponseFuture};

/// A service whose requests are traced: [`HttpServerLayer`] makes one.
#[derive(Clone)]
pub struct HttpServer<S, C = AsIs> {
    pub(super) service: S,
    pub(super) layer: HttpServerLayer<C>,
}

impl<S: fmt::Debug, C> fmt::Debug for HttpServer<S, C> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("HttpServer")
            .field("service", &self.service)
            .finish_non_exhaustive()
    }
}

impl<S, C, B, R> Service<Request<B>> for HttpServer<S, C>
where
    C: RequestBody<B>,
    S: Service<Request<C::Body>, Response = Response<R>>,
    S::Error: Display + 'static,
    R: Body,
    R::Error: Display + 'static,
{
    type Response = Response<ResponseBody<R>>;
    type Error = S::Error;
    type Future = ResponseFuture<S::Future, ServerWatch>;

    fn poll_ready(&mut self, cx: &mut TaskContext<'_>) -> Poll<Result<(), S::Error>> {
        self.service.poll_ready(cx)
    }

    fn call(&mut self, request: Request<B>) -> Self::Future {
        let (mut head, body) = request.into_parts();
        let watch = ServerWatch::start(&self.layer.system, &self.layer.settings, &mut head);
        let body = C::wrap(body, || watch.record_body(Direction::Request));
        let request = Request::from_parts(head, body);
        call(watch, || self.service.call(request))
    }
}

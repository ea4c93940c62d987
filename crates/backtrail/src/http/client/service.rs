//! A client with the layer around it.

use std::fmt::{self, Display};
use std::task::{Context as TaskContext, Poll};

use ::http::{Request, Response};
use http_body::Body;
use tower_service::Service;

use super::layer::HttpClientLayer;
use super::watch::ClientWatch;
use crate::http::capture::Direction;
use crate::http::future::call;
use crate::http::request_body::{AsIs, RequestBody};
use crate::http::{ResponseBody, ResponseFuture};

/// A client whose requests are traced: [`HttpClientLayer`] makes one.
#[derive(Clone)]
pub struct HttpClient<S, C = AsIs> {
    pub(super) service: S,
    pub(super) layer: HttpClientLayer<C>,
}

impl<S: fmt::Debug, C> fmt::Debug for HttpClient<S, C> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("HttpClient")
            .field("service", &self.service)
            .finish_non_exhaustive()
    }
}

impl<S, C, B, R> Service<Request<B>> for HttpClient<S, C>
where
    C: RequestBody<B>,
    S: Service<Request<C::Body>, Response = Response<R>>,
    S::Error: Display + 'static,
    R: Body,
    R::Error: Display + 'static,
{
    type Response = Response<ResponseBody<R>>;
    type Error = S::Error;
    type Future = ResponseFuture<S::Future, ClientWatch>;

    fn poll_ready(&mut self, cx: &mut TaskContext<'_>) -> Poll<Result<(), S::Error>> {
        self.service.poll_ready(cx)
    }

    fn call(&mut self, request: Request<B>) -> Self::Future {
        let (mut head, body) = request.into_parts();
        let watch = ClientWatch::start(&self.layer.system, &self.layer.settings, &mut head);
        let body = C::wrap(body, || watch.record_body(Direction::Request));
        let request = Request::from_parts(head, body);
        call(watch, || self.service.call(request))
    }
}

//! Requests without a network.

use std::convert::Infallible;

use axum::body::Body;
use axum::http::{Request, Response};
use http_body_util::BodyExt;
use tower::{Service, ServiceExt};

pub(crate) fn get(path: &str) -> Request<Body> {
    Request::get(path)
        .header("host", "shop.example:8080")
        .body(Body::empty())
        .unwrap()
}

/// The response, with its body read to its end.
pub(crate) async fn send<S, B>(service: S, request: Request<Body>) -> Response<String>
where
    S: Service<Request<Body>, Response = Response<B>, Error = Infallible>,
    B: http_body::Body<Data: Send, Error: std::fmt::Debug>,
{
    let response = service.oneshot(request).await.unwrap();
    let (head, body) = response.into_parts();
    let bytes = body.collect().await.unwrap().to_bytes();
    Response::from_parts(head, String::from_utf8(bytes.to_vec()).unwrap())
}

//! Code of the service that panics where tracing calls it: the request goes on, and so does the span.

use std::convert::Infallible;

use axum::Router;
use axum::body::Body;
use axum::http::{Request, Response, StatusCode};
use axum::routing::post;
use backtrail::http::client::{CapturedBody, HttpClientSettings};
use backtrail::testing::Recorder;
use http_body_util::BodyExt;
use tower::{Layer, ServiceExt, service_fn};

use crate::exchange::send;

/// What the hooks of a service do here.
fn broken<T>() -> T {
    panic!("a hook is broken")
}

/// The value of a panic that panics when it is dropped.
struct Bomb;

impl Drop for Bomb {
    fn drop(&mut self) {
        assert!(std::thread::panicking(), "and again");
    }
}

fn upload() -> Request<Body> {
    let request = Request::post("http://shop.example/orders");
    request.body(Body::from("an order")).unwrap()
}

const KEYS: [&str; 3] = [
    "http.response.status_code",
    "http.request.body",
    "http.response.body",
];

#[tokio::test]
async fn no_hook_of_a_server_panics_into_the_service() {
    let traces = Recorder::new();
    let layer = traces
        .tracing()
        .http_server()
        .ignore(|_| broken())
        .request_hook(|_, _| broken())
        .response_hook(|_, _| std::panic::panic_any(Bomb))
        .error_status(|_| broken())
        .capture_request_body(100, |_| broken())
        .capture_response_body(100, |_| broken());
    let echo = async |body: String| (StatusCode::INTERNAL_SERVER_ERROR, body);
    let app = Router::new().route("/orders", post(echo)).layer(layer);
    for _ in 0..2 {
        let response = send(app.clone(), upload()).await;
        assert_eq!(response.body(), "an order");
        assert!(response.headers().contains_key("x-trace-id"));
    }
    assert_eq!(
        traces.tree_of(&KEYS),
        "POST /orders [server] error http.response.status_code=500\n".repeat(2)
    );
}

fn broken_client() -> HttpClientSettings {
    HttpClientSettings::new()
        .ignore(|_| broken())
        .url_template(|_| broken())
        .request_hook(|_, _| broken())
        .response_hook(|_, _| broken())
        .capture_request_body(100, |_| broken())
        .capture_response_body(100, |_| broken())
}

#[tokio::test]
async fn no_hook_of_a_client_panics_into_the_service() {
    let traces = Recorder::new();
    let echo = service_fn(async |request: Request<CapturedBody<Body>>| {
        let bytes = request.into_body().collect().await.unwrap().to_bytes();
        Ok::<_, Infallible>(Response::new(Body::from(bytes)))
    });
    let layer = traces.tracing().http_client().settings(broken_client());
    let client = layer.capture_request_body(100, |_| broken()).layer(echo);
    let response = send(client, upload()).await;
    assert_eq!(response.body(), "an order");
    assert_eq!(
        traces.tree_of(&KEYS),
        "POST [client] http.response.status_code=200\n"
    );
}

#[cfg(feature = "reqwest")]
#[tokio::test]
async fn no_hook_of_reqwest_panics_into_the_service() {
    use backtrail::http::client::TracedRequest;

    let traces = Recorder::with(|system| system.http_client_settings(broken_client()));
    let app = Router::new().route("/orders", post(async |body: String| body));
    let address = crate::sockets::serve(app).await;
    let request = reqwest::Client::new().post(format!("http://{address}/orders"));
    let request = request.body("an order");
    let body = traces
        .run(async { request.traced().await.unwrap().text().await })
        .await;
    assert_eq!(body.unwrap(), "an order");
    assert_eq!(
        traces.tree_of(&KEYS),
        "POST [client] http.response.status_code=200\n"
    );
}

#[cfg(feature = "actix")]
#[test]
fn no_hook_of_actix_panics_into_the_service() {
    use actix_web::dev::Service;
    use actix_web::test::{TestRequest, init_service};
    use actix_web::{App, HttpResponse, web};

    let traces = Recorder::new();
    actix_web::rt::System::new().block_on(async {
        let tracing = traces
            .tracing()
            .actix()
            .ignore(|_| broken())
            .request_hook(|_, _| broken())
            .response_hook(|_, _| broken())
            .error_status(|_| broken())
            .capture_request_body(100, |_| broken())
            .capture_response_body(100, |_| broken());
        let echo = async |body: String| HttpResponse::InternalServerError().body(body);
        let app = App::new()
            .wrap(tracing)
            .route("/orders", web::post().to(echo));
        let app = init_service(app).await;
        let request = TestRequest::post().uri("/orders").set_payload("an order");
        let response = app.call(request.to_request()).await.unwrap();
        let body = actix_web::body::to_bytes(response.into_body()).await;
        assert_eq!(body.ok().unwrap(), "an order");
    });
    assert_eq!(
        traces.tree_of(&KEYS),
        "POST /orders [server] error http.response.status_code=500\n"
    );
}

/// An error that can't say what it is.
#[derive(Debug)]
struct Unspeakable;

impl std::fmt::Display for Unspeakable {
    fn fmt(&self, _: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        broken()
    }
}

#[tokio::test]
async fn the_text_of_an_error_does_not_panic_into_the_service() {
    let traces = Recorder::new();
    let service = service_fn(async |_: Request<Body>| Err::<Response<Body>, _>(Unspeakable));
    let server = traces.tracing().http_server().layer(service);
    assert!(server.oneshot(upload()).await.is_err());
    assert_eq!(
        traces.tree_of(&["error.type"]),
        "POST [server] error error.type=http::hooks::Unspeakable\n  · exception\n"
    );
}

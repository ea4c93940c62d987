//! Where the route comes from.

use axum::Router;
use axum::routing::get;
use backtrail::http::server::RouteLayer;
use backtrail::testing::Recorder;
use tower::{Layer, ServiceExt, service_fn};

use crate::exchange::{get as request, send};

fn orders() -> Router {
    Router::new().route("/orders/{id}", get(async || "an order"))
}

#[tokio::test]
async fn a_nested_router_tells_the_whole_route() {
    let traces = Recorder::new();
    let app = Router::new()
        .nest("/v1", orders())
        .layer(traces.tracing().http_server());
    send(app, request("/v1/orders/7")).await;
    assert_eq!(
        traces.tree_of(&["http.route"]),
        "GET /v1/orders/{id} [server] http.route=/v1/orders/{id}\n"
    );
}

#[tokio::test]
async fn a_layer_around_the_router_is_told_the_route_from_inside() {
    let traces = Recorder::new();
    let app = traces
        .tracing()
        .http_server()
        .layer(orders().route_layer(RouteLayer));
    send(app.clone(), request("/orders/7")).await;
    send(app, request("/nowhere")).await;
    assert_eq!(
        traces.tree_of(&["http.route"]),
        "GET /orders/{id} [server] http.route=/orders/{id}\nGET [server]\n"
    );
}

#[tokio::test]
async fn without_a_route_the_path_names_no_span() {
    let traces = Recorder::new();
    let app = traces.tracing().http_server().layer(orders());
    send(app, request("/orders/7")).await;
    assert_eq!(traces.tree_of(&["http.route"]), "GET [server]\n");
}

#[tokio::test]
async fn a_handler_of_any_service_tells_its_route() {
    let traces = Recorder::new();
    let service = service_fn(async |_request: http::Request<axum::body::Body>| {
        backtrail::in_span("inside", (), async |_| {
            backtrail::http::set_route("/first");
            backtrail::http::set_route("/orders/{id}");
        })
        .await;
        Ok::<_, std::convert::Infallible>(http::Response::new(axum::body::Body::empty()))
    });
    let service = traces.tracing().http_server().layer(service);
    send(service, request("/orders/7")).await;
    assert_eq!(
        traces.tree_of(&["http.route"]),
        "GET /orders/{id} [server] http.route=/orders/{id}\n└ inside\n"
    );
}

#[tokio::test]
async fn a_route_that_nobody_waits_for_is_no_matter() {
    backtrail::http::set_route("/nobody");
    let traces = Recorder::new();
    let disabled = Recorder::with(|system| system.enabled(false));
    let app = orders()
        .layer(RouteLayer)
        .layer(disabled.tracing().http_server());
    let response = app.oneshot(request("/orders/7")).await.unwrap();
    assert_eq!(response.status(), 200);
    assert_eq!(traces.tree(), "");
}

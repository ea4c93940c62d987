//! Services on real sockets.

use std::net::SocketAddr;

use axum::extract::{ConnectInfo, State};
use axum::routing::get;
use axum::{Router, http};
use backtrail::http::client::HttpClient;
use backtrail::testing::Recorder;
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;
use tokio::net::TcpListener;
use tower::{Layer, ServiceExt};

pub(crate) type TracedClient = HttpClient<Client<HttpConnector, String>>;

pub(crate) fn client(traces: &Recorder) -> TracedClient {
    let client = Client::builder(TokioExecutor::new()).build_http();
    traces.tracing().http_client().layer(client)
}

/// Serves until the test's runtime ends.
pub(crate) async fn serve(app: Router) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let app = app.into_make_service_with_connect_info::<SocketAddr>();
    tokio::spawn(async move { axum::serve(listener, app).await });
    address
}

#[tokio::test]
async fn two_services_are_one_trace() {
    let orders = Recorder::new();
    let app = Router::new()
        .route("/orders/{id}", get(async || "an order"))
        .layer(orders.tracing().http_server());
    let address = serve(app).await;

    let shop = Recorder::new();
    let show = async |State((client, address)): State<(TracedClient, SocketAddr)>| {
        let request = http::Request::get(format!("http://{address}/orders/7"));
        let request = request.body(String::new()).unwrap();
        let response = client.oneshot(request).await.unwrap();
        let body = axum::body::Body::new(response.into_body());
        axum::body::to_bytes(body, 100).await.unwrap()
    };
    let app = Router::new()
        .route("/", get(show))
        .with_state((client(&shop), address))
        .layer(shop.tracing().http_server());
    let shop_address = serve(app).await;

    let caller = Recorder::new();
    let request = http::Request::get(format!("http://{shop_address}/"));
    let request = request.body(String::new()).unwrap();
    let response = client(&caller).oneshot(request).await.unwrap();
    let trace_id = response.headers()["x-trace-id"]
        .to_str()
        .unwrap()
        .to_owned();
    let body = axum::body::Body::new(response.into_body());
    assert_eq!(axum::body::to_bytes(body, 100).await.unwrap(), "an order");

    let spans = [&caller, &shop, &orders].map(Recorder::spans).concat();
    let names: Vec<&str> = spans.iter().map(|span| &*span.name).collect();
    assert_eq!(names, ["GET", "GET", "GET /", "GET /orders/{id}"]);
    for span in &spans {
        assert_eq!(span.span_context.trace_id().to_string(), trace_id);
    }
    let [call, inner_call, shop, order] = &spans[..] else {
        panic!("four spans");
    };
    assert_eq!(shop.parent_span_id, call.span_context.span_id());
    assert_eq!(inner_call.parent_span_id, shop.span_context.span_id());
    assert_eq!(order.parent_span_id, inner_call.span_context.span_id());
}

#[tokio::test]
async fn a_connection_tells_who_called() {
    let traces = Recorder::new();
    let port = async |ConnectInfo(peer): ConnectInfo<SocketAddr>| peer.port().to_string();
    let app = Router::new()
        .route("/port", get(port))
        .layer(traces.tracing().http_server());
    let address = serve(app).await;
    let request = http::Request::get(format!("http://{address}/port"));
    let caller = Recorder::new();
    let response = client(&caller).oneshot(request.body(String::new()).unwrap());
    let body = axum::body::Body::new(response.await.unwrap().into_body());
    let port = axum::body::to_bytes(body, 100).await.unwrap();
    let port = std::str::from_utf8(&port).unwrap();
    assert_eq!(
        traces.tree_of(&[
            "client.address",
            "network.peer.address",
            "network.peer.port",
            "network.protocol.version"
        ]),
        format!(
            "GET /port [server] (parent elsewhere) client.address=127.0.0.1 network.peer.address=127.0.0.1 network.peer.port={port} network.protocol.version=1.1\n"
        )
    );
}

//! The service that the public test suite of W3C Trace Context drives.
//!
//! `cargo run -p backtrail --example w3c_service -- 127.0.0.1:5000`
//!
//! `POST /test` takes `[{"url": …, "arguments": […]}, …]`, and posts each `arguments` to its `url`. The suite looks at the headers that arrive there.
//! Requests come in through the server layer and go out through the client layer, and nothing else is done about tracing.

use std::error::Error;

use axum::extract::State;
use axum::http::{Request, StatusCode, header};
use axum::routing::post;
use axum::{Json, Router};
use backtrail::http::client::HttpClient;
use backtrail::{Exporter, TracingSystem};
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;
use serde_json::Value;
use tower::{Layer, ServiceExt};

type TracedClient = HttpClient<Client<HttpConnector, String>>;

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let address = std::env::args().nth(1);
    let address = address.unwrap_or_else(|| "127.0.0.1:5000".to_owned());

    let mut tracing = TracingSystem::new("w3c-service");
    // Somebody who wants to see the spans names an exporter.
    if std::env::var_os("OTEL_TRACES_EXPORTER").is_none() {
        tracing = tracing.exporter(Exporter::none());
    }
    let tracing = tracing.initialize()?;

    let client = Client::builder(TokioExecutor::new()).build_http();
    let app = Router::new()
        .route("/test", post(call_back))
        .with_state(tracing.http_client().layer(client))
        .layer(tracing.http_server());
    let listener = tokio::net::TcpListener::bind(&address).await?;
    println!("http://{}/test", listener.local_addr()?);
    axum::serve(listener, app).await?;
    Ok(())
}

async fn call_back(
    State(client): State<TracedClient>,
    Json(calls): Json<Vec<Value>>,
) -> Result<StatusCode, (StatusCode, String)> {
    for call in calls {
        let url = call["url"].as_str().unwrap_or_default();
        let request = Request::post(url)
            .header(header::CONTENT_TYPE, "application/json")
            .body(call["arguments"].to_string())
            .map_err(|error| (StatusCode::BAD_REQUEST, error.to_string()))?;
        let called = client.clone().oneshot(request).await;
        called.map_err(|error| (StatusCode::BAD_GATEWAY, error.to_string()))?;
    }
    Ok(StatusCode::OK)
}

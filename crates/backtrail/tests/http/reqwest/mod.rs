//! Requests of reqwest.

mod bodies;
mod errors;
mod settings;

use std::net::SocketAddr;

use axum::Router;
use axum::http::{HeaderMap, StatusCode};
use axum::routing::{any, get};
use backtrail::http::client::TracedRequest;
use backtrail::in_span;
use backtrail::testing::Recorder;
use tokio::net::TcpListener;

use crate::sockets::serve;

async fn orders() -> SocketAddr {
    let trace = async |headers: HeaderMap| {
        let values = headers.get_all("traceparent").iter();
        let values: Vec<_> = values
            .map(|value| value.to_str().unwrap().to_owned())
            .collect();
        values.join(", ")
    };
    let app = Router::new()
        .route("/orders", any(trace))
        .route("/bad", get(async || StatusCode::BAD_REQUEST));
    serve(app).await
}

#[tokio::test]
async fn a_request_is_a_span_that_the_server_is_told_of() {
    let traces = Recorder::new();
    let address = orders().await;
    let url = format!("http://ada:pass-word@{address}/orders?sig=pass-word");
    let client = reqwest::Client::new();
    let traceparent = traces
        .run(async {
            in_span("page", (), async |_| {
                let request = client.get(url).header("traceparent", "00-stale");
                request.traced().await.unwrap().text().await.unwrap()
            })
            .await
        })
        .await;
    let spans = traces.spans();
    let call = &spans[0].span_context;
    let expected = format!("00-{}-{}-03", call.trace_id(), call.span_id());
    assert_eq!(traceparent, expected);
    assert_eq!(
        traces.tree(),
        format!(
            "page\n└ GET [client] http.request.method=GET url.full=http://{address}/orders?sig=REDACTED \
             server.address=127.0.0.1 server.port={} http.response.status_code=200 network.protocol.version=1.1\n",
            address.port()
        )
    );
}

#[tokio::test]
async fn failures_are_errors_and_tell_no_secret() {
    let traces = Recorder::new();
    let address = orders().await;
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let nowhere = listener.local_addr().unwrap();
    drop(listener);
    let client = reqwest::Client::new();
    traces
        .run(async {
            let bad = client.get(format!("http://{address}/bad")).traced().await;
            assert_eq!(bad.unwrap().status(), 400);
            let lost = client.get(format!("http://ada:pass-word@{nowhere}/?sig=pass-word"));
            lost.traced().await.unwrap_err();
            client.get("no url").traced().await.unwrap_err();
        })
        .await;
    let tree = traces.tree_of(&["error.type"]);
    assert!(
        tree.starts_with("GET [client] error error.type=400\nGET [client] error `can't connect: "),
        "{tree}"
    );
    assert!(
        tree.contains("error.type=reqwest::Error\n  · exception\n"),
        "{tree}"
    );
    assert!(!format!("{:?}", traces.spans()).contains("pass-word"));
}

#[tokio::test]
async fn a_request_that_is_given_up_is_cancelled() {
    let traces = Recorder::new();
    let client = reqwest::Client::new();
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    traces
        .run(async {
            tokio::select! {
                biased;
                response = client.get(format!("http://{address}/")).traced() => panic!("{response:?}"),
                () = async {} => {}
            }
        })
        .await;
    assert_eq!(
        traces.tree_of(&["cancelled"]),
        "GET [client] cancelled=true\n  · cancelled\n"
    );
}

#[tokio::test]
async fn without_spans_the_current_trace_goes_on() {
    let traces = Recorder::with(|system| system.disable("http-client"));
    let address = orders().await;
    let client = reqwest::Client::new();
    let traceparent = traces
        .run(async {
            in_span("page", (), async |_| {
                let request = client.get(format!("http://{address}/orders"));
                request.traced().await.unwrap().text().await.unwrap()
            })
            .await
        })
        .await;
    let page = &traces.spans()[0].span_context;
    assert!(traceparent.contains(&page.span_id().to_string()));
    assert_eq!(traces.tree_of(&[]), "page\n");
}

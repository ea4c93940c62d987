//! What must be in no span.

use axum::Router;
use axum::body::Body;
use axum::http::{Request, Response};
use axum::routing::post;
use backtrail::testing::Recorder;
use tower::{Layer, ServiceExt, service_fn};

use crate::exchange::send;

/// Each stands for one place where a service must keep its secrets.
const SECRETS: [&str; 12] = [
    "header-secret",
    "bearer-secret",
    "cookie-secret",
    "set-cookie-secret",
    "body-secret",
    "answer-secret",
    "signature-secret",
    "token-secret",
    "escaped-secret",
    "user-secret",
    "password-secret",
    "proxy-secret",
];

fn leaking(uri: &str) -> Request<Body> {
    let query =
        "X-Amz-Signature=signature-secret&access_token=token-secret&s%69g=escaped-secret&page=2";
    Request::post(format!("{uri}?{query}"))
        .header("x-anything", "header-secret")
        .header("authorization", "Bearer bearer-secret")
        .header("proxy-authorization", "Basic proxy-secret")
        .header("cookie", "session=cookie-secret")
        .body(Body::from("body-secret"))
        .unwrap()
}

async fn answer(body: Body) -> Response<Body> {
    axum::body::to_bytes(body, 1024).await.unwrap();
    Response::builder()
        .header("set-cookie", "set-cookie-secret")
        .header("x-anything", "header-secret")
        .body(Body::from("answer-secret"))
        .unwrap()
}

fn assert_no_secret(traces: &Recorder) {
    let spans = traces.spans();
    assert_eq!(spans.len(), 1);
    let everything = format!("{spans:?}");
    assert!(everything.contains("page=2"), "the rest of the query stays");
    for secret in SECRETS {
        assert!(!everything.contains(secret), "{secret} is in {everything}");
    }
}

#[tokio::test]
async fn a_server_span_holds_no_secret() {
    let traces = Recorder::with(|system| {
        system.environment(backtrail::Environment::of([(
            "OTEL_SEMCONV_STABILITY_OPT_IN",
            "http/dup",
        )]))
    });
    // Even those that somebody asks for by mistake.
    let layer = traces
        .tracing()
        .http_server()
        .capture_request_headers(["authorization", "cookie", "proxy-authorization"])
        .capture_response_headers(["set-cookie"]);
    let app = Router::new().route("/", post(answer)).layer(layer);
    send(
        app,
        leaking("http://user-secret:password-secret@shop.example/"),
    )
    .await;
    assert_no_secret(&traces);
}

#[tokio::test]
async fn a_client_span_holds_no_secret() {
    let traces = Recorder::with(|system| {
        system.environment(backtrail::Environment::of([(
            "OTEL_SEMCONV_STABILITY_OPT_IN",
            "http/dup",
        )]))
    });
    let service = service_fn(async |request: Request<Body>| {
        Ok::<_, std::convert::Infallible>(answer(request.into_body()).await)
    });
    let layer = traces
        .tracing()
        .http_client()
        .capture_request_headers(["authorization", "cookie", "proxy-authorization"])
        .capture_response_headers(["set-cookie"]);
    let request = leaking("http://user-secret:password-secret@shop.example:8080/");
    layer.layer(service).oneshot(request).await.unwrap();
    assert_no_secret(&traces);
    assert_eq!(
        traces.tree_of(&["url.full"]),
        "POST [client] url.full=http://REDACTED:REDACTED@shop.example:8080/?X-Amz-Signature=REDACTED\
         &access_token=REDACTED&s%69g=REDACTED&page=2\n"
    );
}

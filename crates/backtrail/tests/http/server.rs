//! Spans of a server, and what they say.

use axum::Router;
use axum::body::Body;
use axum::http::{Method, Request, StatusCode};
use axum::routing::{any, get};
use backtrail::in_span;
use backtrail::testing::Recorder;

use crate::exchange::{get as request, send};

fn shop() -> Router {
    Router::new()
        .route("/", any(async || "welcome"))
        .route("/orders/{id}", get(async || "an order"))
        .route("/bad", get(async || StatusCode::BAD_REQUEST))
        .route("/broken", get(async || StatusCode::INTERNAL_SERVER_ERROR))
}

#[tokio::test]
async fn a_request_is_a_span_that_tells_what_was_asked() {
    let traces = Recorder::new();
    let app = shop().layer(traces.tracing().http_server());
    let mut asked = request("/orders/7?page=2");
    let agent = "Mozilla/5.0".parse().unwrap();
    asked.headers_mut().insert("user-agent", agent);
    let response = send(app, asked).await;
    assert_eq!(response.body(), "an order");
    assert_eq!(
        traces.tree(),
        "GET /orders/{id} [server] http.request.method=GET url.path=/orders/7 url.scheme=http url.query=page=2 \
         user_agent.original=Mozilla/5.0 http.route=/orders/{id} server.address=shop.example server.port=8080 \
         network.protocol.version=1.1 http.response.status_code=200\n"
    );
}

#[tokio::test]
async fn spans_of_handlers_are_below() {
    let traces = Recorder::new();
    let handler = async || {
        in_span("load", (), async |_| tokio::task::yield_now().await).await;
        backtrail::current_trace_id().unwrap().to_string()
    };
    let app = Router::new()
        .route("/", get(handler))
        .layer(traces.tracing().http_server());
    let response = send(app, request("/")).await;
    assert_eq!(response.headers()["x-trace-id"], response.body().as_str());
    assert_eq!(traces.tree_of(&[]), "GET / [server]\n└ load\n");
}

#[tokio::test]
async fn only_failures_of_the_server_are_errors() {
    let traces = Recorder::new();
    let app = shop().layer(traces.tracing().http_server());
    for path in ["/bad", "/nowhere", "/broken"] {
        let response = send(app.clone(), request(path)).await;
        assert!(response.headers().contains_key("x-trace-id"), "{path}");
    }
    assert_eq!(
        traces.tree_of(&["http.response.status_code", "error.type"]),
        "GET /bad [server] http.response.status_code=400\n\
         GET [server] http.response.status_code=404\n\
         GET /broken [server] error http.response.status_code=500 error.type=500\n"
    );
}

#[tokio::test]
async fn a_service_says_which_codes_are_errors() {
    let traces = Recorder::new();
    let layer = traces.tracing().http_server();
    let app = shop().layer(layer.error_status(|status| status.as_u16() >= 400));
    send(app.clone(), request("/bad")).await;
    send(app, request("/")).await;
    assert_eq!(
        traces.tree_of(&["error.type"]),
        "GET /bad [server] error error.type=400\nGET / [server]\n"
    );
}

#[tokio::test]
async fn a_method_that_anybody_can_invent_names_no_span() {
    let traces = Recorder::new();
    let app = shop().layer(traces.tracing().http_server());
    for method in ["BREW", "get", "QUERY"] {
        let mut asked = request("/");
        *asked.method_mut() = Method::from_bytes(method.as_bytes()).unwrap();
        send(app.clone(), asked).await;
    }
    assert_eq!(
        traces.tree_of(&["http.request.method", "http.request.method_original"]),
        "HTTP / [server] http.request.method=_OTHER http.request.method_original=BREW\n\
         HTTP / [server] http.request.method=_OTHER http.request.method_original=get\n\
         QUERY / [server] http.request.method=QUERY\n"
    );
}

#[tokio::test]
async fn a_service_may_know_other_methods() {
    let traces = Recorder::new();
    let layer = traces.tracing().http_server();
    let app = shop().layer(layer.known_methods(&["BREW"]));
    for method in ["BREW", "GET"] {
        let mut asked = request("/");
        *asked.method_mut() = Method::from_bytes(method.as_bytes()).unwrap();
        send(app.clone(), asked).await;
    }
    assert_eq!(
        traces.tree_of(&["http.request.method"]),
        "BREW / [server] http.request.method=BREW\nHTTP / [server] http.request.method=_OTHER\n"
    );
}

#[tokio::test]
async fn ignored_requests_are_left_alone() {
    let traces = Recorder::new();
    let layer = traces.tracing().http_server();
    let app = shop().layer(layer.ignore(|request| request.uri.path() == "/"));
    let response = send(app.clone(), request("/")).await;
    assert!(!response.headers().contains_key("x-trace-id"));
    send(app, request("/orders/7")).await;
    assert_eq!(traces.tree_of(&[]), "GET /orders/{id} [server]\n");
}

#[tokio::test]
async fn hooks_see_the_request_and_the_response() {
    let traces = Recorder::new();
    let layer = traces
        .tracing()
        .http_server()
        .request_hook(|span, request| span.set("user.id", request.headers["x-user"].to_str().ok()))
        .response_hook(|span, response| {
            span.set("told", response.headers.contains_key("x-trace-id"));
            span.set_name("renamed");
        });
    let mut asked = request("/");
    asked.headers_mut().insert("x-user", "7".parse().unwrap());
    send(shop().layer(layer), asked).await;
    assert_eq!(
        traces.tree_of(&["user.id", "told"]),
        "renamed [server] user.id=7 told=true\n"
    );
}

#[tokio::test]
async fn the_header_with_the_trace_can_be_renamed_and_left_out() {
    let traces = Recorder::new();
    let layer = traces.tracing().http_server();
    let name = http::HeaderName::from_static("request-id");
    let renamed = shop().layer(layer.clone().trace_id_header(name));
    let response = send(renamed, request("/")).await;
    assert!(response.headers().contains_key("request-id"));
    assert!(!response.headers().contains_key("x-trace-id"));
    let response = send(shop().layer(layer.trace_id_header(None)), request("/")).await;
    assert!(!response.headers().contains_key("x-trace-id"));
}

#[tokio::test]
async fn a_trace_that_is_not_sampled_has_an_id_too() {
    let traces = Recorder::with(|system| system.sampler(backtrail::sampling::Sampler::AlwaysOff));
    let app = shop().layer(traces.tracing().http_server());
    let response = send(app, request("/broken")).await;
    assert_eq!(response.headers()["x-trace-id"].len(), 32);
    assert_eq!(traces.tree(), "");
}

#[tokio::test]
async fn a_proxy_is_believed_only_if_the_service_says_so() {
    let traces = Recorder::new();
    let layer = traces.tracing().http_server();
    for layer in [layer.clone(), layer.trust_forwarded(true)] {
        let asked = Request::get("/")
            .header("host", "10.0.0.7:3000")
            .header("x-forwarded-for", "192.0.2.60, 10.0.0.1")
            .header("x-forwarded-proto", "https")
            .header("x-forwarded-host", "shop.example");
        send(shop().layer(layer), asked.body(Body::empty()).unwrap()).await;
    }
    assert_eq!(
        traces.tree_of(&[
            "url.scheme",
            "server.address",
            "server.port",
            "client.address"
        ]),
        "GET / [server] url.scheme=http server.address=10.0.0.7 server.port=3000\n\
         GET / [server] url.scheme=https server.address=shop.example server.port=443 client.address=192.0.2.60\n"
    );
}

#[tokio::test]
async fn samplers_see_what_was_asked() {
    use backtrail::opentelemetry::trace::{Link, TraceState};
    use backtrail::opentelemetry_sdk::trace::{SamplingDecision, SamplingResult, ShouldSample};
    use backtrail::{Context, KeyValue, SpanKind, TraceId};

    #[derive(Clone, Debug)]
    struct NoHealth;

    impl ShouldSample for NoHealth {
        fn should_sample(
            &self,
            _parent: Option<&Context>,
            _trace_id: TraceId,
            _name: &str,
            _kind: &SpanKind,
            attributes: &[KeyValue],
            _links: &[Link],
        ) -> SamplingResult {
            let is_health = attributes.contains(&KeyValue::new("url.path", "/health"));
            SamplingResult {
                decision: if is_health {
                    SamplingDecision::Drop
                } else {
                    SamplingDecision::RecordAndSample
                },
                attributes: Vec::new(),
                trace_state: TraceState::NONE,
            }
        }
    }

    let traces = Recorder::with(|system| system.sampler(NoHealth));
    let app = shop().layer(traces.tracing().http_server());
    send(app.clone(), request("/health")).await;
    send(app, request("/")).await;
    assert_eq!(traces.tree_of(&[]), "GET / [server]\n");
}

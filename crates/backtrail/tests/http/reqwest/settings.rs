//! What can be set for requests of reqwest.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use backtrail::http::client::{HttpClientSettings, TracedRequest};
use backtrail::in_span;
use backtrail::testing::Recorder;

use super::orders;

fn settings() -> HttpClientSettings {
    HttpClientSettings::new()
        .ignore(|request| request.uri.path() == "/bad")
        .request_hook(|span, request| span.set("asked", request.uri.path()))
        .response_hook(|span, response| span.set("got", response.status.as_u16()))
        .capture_request_headers(["x-tenant", "authorization"])
        .capture_response_headers(["content-type"])
        .redact_query_keys(["voucher"])
        .url_template(|_| Some("/{list}".to_owned()))
}

const KEYS: [&str; 6] = [
    "asked",
    "got",
    "http.request.header.x-tenant",
    "http.request.header.authorization",
    "http.response.header.content-type",
    "url.template",
];

const TREE: &str = "GET /{list} [client] url.template=/{list} http.request.header.x-tenant=[\"a\"] \
                    http.request.header.authorization=[\"REDACTED\"] asked=/orders \
                    http.response.header.content-type=[\"text/plain; charset=utf-8\"] got=200\n";

#[tokio::test]
async fn what_the_system_says_holds_for_all_requests() {
    let traces = Recorder::with(|system| system.http_client_settings(settings()));
    let address = orders().await;
    let client = reqwest::Client::new();
    traces
        .run(async {
            for path in ["orders?voucher=secret&page=2", "bad"] {
                let request = client.get(format!("http://ada:secret@{address}/{path}"));
                let request = request.header("x-tenant", "a");
                request.traced().await.unwrap().bytes().await.unwrap();
            }
        })
        .await;
    assert_eq!(traces.tree_of(&KEYS), TREE);
    let spans = format!("{:?}", traces.spans());
    assert!(spans.contains("?voucher=REDACTED&page=2"), "{spans}");
    assert!(!spans.contains("secret"), "{spans}");
}

#[tokio::test]
async fn a_layer_of_tower_begins_with_what_the_system_says() {
    use axum::body::Body;
    use axum::http::{Request, Response};
    use tower::{Layer, ServiceExt, service_fn};

    let traces = Recorder::with(|system| system.http_client_settings(settings()));
    let service = service_fn(async |_: Request<Body>| {
        Ok::<_, std::convert::Infallible>(Response::new(Body::empty()))
    });
    let request = || crate::exchange::get("http://shop.example/orders");
    let layer = traces.tracing().http_client();
    let client = layer.clone().layer(service);
    client.oneshot(request()).await.unwrap();
    let client = layer.settings(HttpClientSettings::new()).layer(service);
    client.oneshot(request()).await.unwrap();
    assert_eq!(
        traces.tree_of(&["asked", "got"]),
        "GET /{list} [client] asked=/orders got=200\nGET [client]\n"
    );
}

#[tokio::test]
async fn one_request_may_have_settings_of_its_own() {
    let traces = Recorder::with(|system| {
        system.http_client_settings(HttpClientSettings::new().ignore(|_| true))
    });
    let address = orders().await;
    let client = reqwest::Client::new();
    traces
        .run(async {
            for own in [false, true] {
                let request = client.get(format!("http://ada:secret@{address}/orders"));
                let request = request.header("x-tenant", "a");
                let response = if own {
                    request.traced_with(&settings()).await
                } else {
                    request.traced().await
                };
                response.unwrap().bytes().await.unwrap();
            }
        })
        .await;
    assert_eq!(traces.tree_of(&KEYS), TREE);
}

#[tokio::test]
async fn without_a_parent_none_may_be_wanted_and_the_request_is_sent() {
    let traces = Recorder::with(|system| {
        system.http_client_settings(HttpClientSettings::new().require_parent(true))
    });
    let url = format!("http://{}/orders", orders().await);
    let client = reqwest::Client::new();
    let ask = async || {
        client
            .get(&url)
            .traced()
            .await
            .unwrap()
            .text()
            .await
            .unwrap()
    };
    let told = traces
        .run(async {
            [
                ask().await,
                in_span("page", (), async |_| ask().await).await,
            ]
        })
        .await;
    assert_eq!(told[0], "", "there was no trace to tell of");
    assert!(told[1].starts_with("00-"));
    assert_eq!(traces.tree_of(&[]), "page\n└ GET [client]\n");
}

#[tokio::test]
async fn an_ignored_request_hands_the_current_trace_on() {
    let ignored = Arc::new(AtomicUsize::new(0));
    let count = ignored.clone();
    let settings = HttpClientSettings::new().ignore(move |_| {
        count.fetch_add(1, Ordering::Relaxed);
        true
    });
    let traces = Recorder::with(|system| system.http_client_settings(settings));
    let url = format!("http://{}/orders", orders().await);
    let request = reqwest::Client::new().get(url);
    let told = traces
        .run(async {
            in_span("page", (), async |_| {
                request.traced().await.unwrap().text().await.unwrap()
            })
            .await
        })
        .await;
    let page = traces.spans()[0].span_context.span_id();
    assert!(told.contains(&page.to_string()), "{told}");
    assert_eq!(ignored.load(Ordering::Relaxed), 1);
}

//! What must be in no span, on all sides of HTTP.

use std::convert::Infallible;
use std::fmt;

use axum::Router;
use axum::body::Body;
use axum::http::{Request, Response, StatusCode};
use axum::routing::post;
use backtrail::http::client::HttpClientSettings;
use backtrail::testing::Recorder;
use http_body_util::BodyExt;
use tower::{Layer, Service, ServiceExt, service_fn};

use crate::exchange::send;

/// Each stands for one place where a service must keep its secrets.
const SECRETS: [&str; 15] = [
    "header-secret",
    "bearer-secret",
    "cookie-secret",
    "set-cookie-secret",
    "body-secret",
    "answer-secret",
    "signature-secret",
    "token-secret",
    "escaped-secret",
    "voucher-secret",
    "user-secret",
    "password-secret",
    "proxy-secret",
    "referer-secret",
    "location-secret",
];

const QUERY: &str = "X-Amz-Signature=signature-secret&access_token=token-secret&s%69g=escaped-secret\
                     &voucher=voucher-secret&page=2";

const HEADERS: [(&str, &str); 5] = [
    ("x-anything", "header-secret"),
    ("authorization", "Bearer bearer-secret"),
    ("proxy-authorization", "Basic proxy-secret"),
    ("cookie", "session=cookie-secret"),
    ("referer", "http://shop.example/?token=referer-secret"),
];

const ANSWER_HEADERS: [(&str, &str); 3] = [
    ("set-cookie", "set-cookie-secret"),
    ("x-anything", "header-secret"),
    ("location", "/done?voucher=location-secret"),
];

/// Headers that somebody asks for by mistake, and those with URLs in them.
const CAPTURED: [&str; 4] = ["authorization", "cookie", "proxy-authorization", "referer"];
const CAPTURED_OF_ANSWERS: [&str; 2] = ["set-cookie", "location"];

/// Sides with everything that can be asked for; the service's redaction tells how long a body is.
macro_rules! all_that_can_be_asked_for {
    ($side:expr) => {
        $side
            .capture_request_headers(CAPTURED)
            .capture_response_headers(CAPTURED_OF_ANSWERS)
            .record_body_sizes(true)
            .redact_query_keys(["voucher"])
            .capture_response_body(100, length)
            .capture_request_body(100, length)
    };
}

#[expect(
    clippy::unnecessary_wraps,
    reason = "a redaction may keep all of a body out"
)]
fn length(bytes: &[u8]) -> Option<String> {
    Some(format!("{} bytes", bytes.len()))
}

/// With the names of before, too: they are places of their own.
fn recorder(settings: HttpClientSettings) -> Recorder {
    Recorder::with(|system| {
        system
            .http_client_settings(settings)
            .environment(backtrail::Environment::of([(
                "OTEL_SEMCONV_STABILITY_OPT_IN",
                "http/dup",
            )]))
    })
}

fn leaking() -> Request<Body> {
    let uri = format!("http://user-secret:password-secret@shop.example:8080/?{QUERY}");
    let request = HEADERS
        .into_iter()
        .fold(Request::post(uri), |request, (name, value)| {
            request.header(name, value)
        });
    request.body(Body::from("body-secret")).unwrap()
}

async fn answer<B: http_body::Body<Error: fmt::Debug>>(
    request: Request<B>,
) -> Result<Response<Body>, Infallible> {
    request.into_body().collect().await.unwrap();
    let response = ANSWER_HEADERS
        .into_iter()
        .fold(Response::builder(), |response, (name, value)| {
            response.header(name, value)
        });
    Ok(response.body(Body::from("answer-secret")).unwrap())
}

#[track_caller]
fn assert_no_secret(traces: &Recorder) {
    let spans = traces.spans();
    assert_eq!(spans.len(), 1);
    let everything = format!("{spans:?}");
    assert!(everything.contains("page=2"), "the rest of the query stays");
    for secret in SECRETS {
        assert!(!everything.contains(secret), "{secret} is in {everything}");
    }
}

/// What was asked for is there, without the secrets.
#[track_caller]
fn assert_is_told_without_secrets(traces: &Recorder) {
    assert_no_secret(traces);
    let told = traces.tree_of(&[
        "http.request.header.referer",
        "http.response.header.location",
        "http.response.header.set-cookie",
        "http.request.body",
        "http.response.body",
    ]);
    for part in [
        "referer=[\"http://shop.example/?token=REDACTED\"]",
        "location=[\"/done?voucher=REDACTED\"]",
        "set-cookie=[\"REDACTED\"]",
        "request.body=11 bytes",
        "response.body=13 bytes",
    ] {
        assert!(told.contains(part), "{part} is not in {told}");
    }
}

#[tokio::test]
async fn a_server_span_holds_no_secret() {
    for asks in [false, true] {
        let traces = recorder(HttpClientSettings::new());
        let plain = traces
            .tracing()
            .http_server()
            .redact_query_keys(["voucher"]);
        let app = Router::new().route("/", post(answer::<Body>));
        if asks {
            let layer = all_that_can_be_asked_for!(plain);
            send(app.layer(layer), leaking()).await;
            assert_is_told_without_secrets(&traces);
        } else {
            send(app.layer(plain), leaking()).await;
            assert_no_secret(&traces);
        }
    }
}

#[tokio::test]
async fn a_client_span_holds_no_secret() {
    for asks in [false, true] {
        let traces = recorder(HttpClientSettings::new());
        let plain = traces
            .tracing()
            .http_client()
            .redact_query_keys(["voucher"]);
        if asks {
            let layer = all_that_can_be_asked_for!(plain);
            send(layer.layer(service_fn(answer)), leaking()).await;
            assert_is_told_without_secrets(&traces);
        } else {
            send(plain.layer(service_fn(answer::<Body>)), leaking()).await;
            assert_no_secret(&traces);
        }
        assert_eq!(
            traces.tree_of(&["url.full"]),
            "POST [client] url.full=http://REDACTED:REDACTED@shop.example:8080/?X-Amz-Signature=REDACTED\
             &access_token=REDACTED&s%69g=REDACTED&voucher=REDACTED&page=2\n"
        );
    }
}

#[cfg(feature = "reqwest")]
#[tokio::test]
async fn a_span_of_reqwest_holds_no_secret() {
    use backtrail::http::client::TracedRequest;

    let app = Router::new().route("/", post(answer::<Body>));
    let address = crate::sockets::serve(app).await;
    for asks in [false, true] {
        let plain = HttpClientSettings::new().redact_query_keys(["voucher"]);
        let settings = if asks {
            all_that_can_be_asked_for!(plain)
        } else {
            plain
        };
        let traces = recorder(settings);
        let url = format!("http://user-secret:password-secret@{address}/?{QUERY}");
        let mut request = reqwest::Client::new().post(url).body("body-secret");
        for (name, value) in HEADERS {
            request = request.header(name, value);
        }
        traces
            .run(async { request.traced().await.unwrap().bytes().await })
            .await
            .unwrap();
        if asks {
            assert_is_told_without_secrets(&traces);
        } else {
            assert_no_secret(&traces);
        }
    }
}

#[cfg(feature = "actix")]
#[test]
fn a_span_of_actix_holds_no_secret() {
    use actix_web::dev::Service;
    use actix_web::test::{TestRequest, init_service};
    use actix_web::{App, HttpResponse, web};

    let answer = async |_body: String| {
        let mut response = HttpResponse::Ok();
        for header in ANSWER_HEADERS {
            response.append_header(header);
        }
        response.body("answer-secret")
    };
    for asks in [false, true] {
        let traces = recorder(HttpClientSettings::new());
        actix_web::rt::System::new().block_on(async {
            let plain = traces.tracing().actix().redact_query_keys(["voucher"]);
            let tracing = if asks {
                all_that_can_be_asked_for!(plain)
            } else {
                plain
            };
            let app = App::new().wrap(tracing).route("/", web::post().to(answer));
            let app = init_service(app).await;
            let mut request = TestRequest::post().uri(&format!("/?{QUERY}"));
            for header in HEADERS {
                request = request.append_header(header);
            }
            let request = request.set_payload("body-secret").to_request();
            let response = app.call(request).await.unwrap();
            let body = actix_web::body::to_bytes(response.into_body()).await;
            assert_eq!(body.ok().unwrap(), "answer-secret");
        });
        if asks {
            assert_is_told_without_secrets(&traces);
        } else {
            assert_no_secret(&traces);
        }
    }
}

/// An error that names the URL, as clients do.
#[derive(Debug, thiserror::Error)]
#[error("no answer from http://user-secret:password-secret@shop.example/?{QUERY}")]
struct NoAnswer;

#[tokio::test]
async fn the_text_of_an_error_holds_no_secret() {
    async fn fail<S>(service: S)
    where
        S: Service<Request<Body>, Error = NoAnswer, Response: fmt::Debug>,
    {
        service.oneshot(leaking()).await.unwrap_err();
    }
    let service = service_fn(async |_: Request<Body>| Err::<Response<Body>, _>(NoAnswer));
    let traces = recorder(HttpClientSettings::new());
    let server = traces.tracing().http_server();
    fail(server.redact_query_keys(["voucher"]).layer(service)).await;
    assert_no_secret(&traces);

    let traces = recorder(HttpClientSettings::new().redact_query_keys(["voucher"]));
    fail(traces.tracing().http_client().layer(service)).await;
    assert_no_secret(&traces);
}

#[tokio::test]
async fn the_text_of_a_body_s_error_holds_no_secret() {
    let traces = recorder(HttpClientSettings::new().redact_query_keys(["voucher"]));
    let service = service_fn(async |_: Request<Body>| {
        let pieces = [Err::<http_body::Frame<bytes::Bytes>, _>(NoAnswer)];
        let body = http_body_util::StreamBody::new(futures_util::stream::iter(pieces));
        let response = Response::builder().status(StatusCode::OK);
        Ok::<_, Infallible>(response.body(body).unwrap())
    });
    let client = traces.tracing().http_client().layer(service);
    let response = client.oneshot(leaking()).await.unwrap();
    assert!(response.into_body().collect().await.is_err());
    assert_no_secret(&traces);
}

//! Bodies that are recorded because somebody asked for them.

use actix_web::body::to_bytes;
use actix_web::dev::Service;
use actix_web::test::{TestRequest, init_service};
use actix_web::{App, HttpResponse, web};
use backtrail::http::actix::ActixTracing;
use backtrail::testing::Recorder;
use bytes::Bytes;

use super::run;

#[expect(
    clippy::unnecessary_wraps,
    reason = "a redaction may keep all of a body out"
)]
fn text(bytes: &[u8]) -> Option<String> {
    Some(String::from_utf8_lossy(bytes).replace("4711", "****"))
}

/// What a service answers that sends back what it gets, piece by piece, and another that looks at nothing.
async fn answer(tracing: ActixTracing, request: TestRequest) -> Bytes {
    let echo = async |payload: web::Payload| HttpResponse::Ok().streaming(payload);
    let app = App::new()
        .wrap(tracing)
        .route("/echo", web::post().to(echo))
        .route("/whole", web::post().to(async |body: String| body))
        .route("/nothing", web::post().to(async || "nothing"));
    let app = init_service(app).await;
    let response = app.call(request.to_request()).await.unwrap();
    to_bytes(response.into_body()).await.ok().unwrap()
}

const KEYS: [&str; 6] = [
    "http.request.body",
    "http.request.body.size",
    "http.request.body.truncated",
    "http.response.body",
    "http.response.body.size",
    "http.response.body.truncated",
];

#[test]
fn bodies_are_recorded_after_redaction_and_go_through_whole() {
    for path in ["/echo", "/whole"] {
        let traces = Recorder::new();
        run(async {
            let tracing = traces.tracing().actix();
            let tracing = tracing
                .capture_request_body(8, text)
                .capture_response_body(100, text);
            let request = TestRequest::post().uri(path);
            let request = request.set_payload("pin=4711&name=Ada");
            assert_eq!(answer(tracing, request).await, "pin=4711&name=Ada");
        });
        assert_eq!(
            traces.tree_of(&KEYS),
            format!(
                "POST {path} [server] http.request.body=pin=**** http.request.body.truncated=true \
                 http.response.body=pin=****&name=Ada\n"
            )
        );
    }
}

#[test]
fn no_body_is_recorded_that_nobody_asked_for_or_reads() {
    let traces = Recorder::new();
    run(async {
        let plain = traces.tracing().actix();
        let capturing = plain.clone().capture_request_body(100, text);
        for (tracing, path) in [(plain, "/whole"), (capturing, "/nothing")] {
            let request = TestRequest::post().uri(path).set_payload("unread");
            answer(tracing, request).await;
        }
    });
    assert_eq!(
        traces.tree_of(&KEYS),
        "POST /whole [server]\nPOST /nothing [server]\n"
    );
}

#[test]
fn sizes_are_recorded_without_the_bodies() {
    let traces = Recorder::new();
    run(async {
        let tracing = traces.tracing().actix().record_body_sizes(true);
        let request = TestRequest::post().uri("/echo").set_payload("größe");
        let request = request.insert_header(("content-length", "7"));
        answer(tracing, request).await;
    });
    assert_eq!(
        traces.tree_of(&KEYS),
        "POST /echo [server] http.request.body.size=7 http.response.body.size=7\n"
    );
}

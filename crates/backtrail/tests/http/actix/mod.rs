//! The middleware for actix-web.

mod bodies;
mod errors;

use actix_web::body::to_bytes;
use actix_web::dev::{Service, ServiceResponse};
use actix_web::test::{TestRequest, init_service};
use actix_web::{App, HttpResponse, web};
use backtrail::testing::Recorder;

fn run<F: Future>(future: F) -> F::Output {
    actix_web::rt::System::new().block_on(future)
}

async fn show(path: web::Path<u64>) -> HttpResponse {
    backtrail::in_span("load", (), async |_| ()).await;
    match *path {
        7 => HttpResponse::Ok().body("an order"),
        8 => HttpResponse::InternalServerError().finish(),
        _ => panic!("no such order"),
    }
}

async fn call(
    traces: &Recorder,
    request: TestRequest,
) -> ServiceResponse<impl actix_web::body::MessageBody> {
    let tracing = traces
        .tracing()
        .actix()
        .ignore(|request| request.path() == "/health")
        .capture_request_headers(["x-tenant", "cookie"])
        .request_hook(|span, request| span.set("asked", request.path()))
        .response_hook(|span, head| span.set("got", head.status.as_u16()));
    let app = App::new()
        .wrap(tracing)
        .route("/orders/{id}", web::get().to(show))
        .route("/health", web::get().to(async || "fine"));
    let app = init_service(app).await;
    app.call(request.to_request()).await.unwrap()
}

#[test]
fn a_request_is_a_span_with_its_route() {
    let traces = Recorder::new();
    run(async {
        let request = TestRequest::get()
            .uri("/orders/7?sig=secret")
            .insert_header(("host", "shop.example"))
            .append_header(("x-tenant", "a"))
            .append_header(("x-tenant", "b"))
            .insert_header(("cookie", "secret"))
            .insert_header((
                "traceparent",
                "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
            ));
        let response = call(&traces, request).await;
        assert_eq!(
            response.headers().get("x-trace-id").unwrap(),
            "0af7651916cd43dd8448eb211c80319c"
        );
        assert!(
            !traces.tree_of(&[]).contains("orders"),
            "the body is not read yet"
        );
        let body = to_bytes(response.into_body()).await.ok().unwrap();
        assert_eq!(body, "an order");
    });
    assert_eq!(
        traces.tree(),
        "GET /orders/{id} [server] (parent elsewhere) http.request.method=GET url.path=/orders/7 url.scheme=http \
         url.query=sig=REDACTED server.address=shop.example server.port=80 network.protocol.version=1.1 \
         http.request.header.x-tenant=[\"a\",\"b\"] http.request.header.cookie=[\"REDACTED\"] asked=/orders/7 \
         http.route=/orders/{id} http.response.status_code=200 got=200\n└ load\n"
    );
}

#[test]
fn two_callers_at_once_are_none() {
    let traces = Recorder::new();
    run(async {
        let parent = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
        let request = TestRequest::get()
            .uri("/orders/7")
            .append_header(("traceparent", parent))
            .append_header(("traceparent", parent));
        let response = call(&traces, request).await;
        let trace_id = response.headers().get("x-trace-id").unwrap();
        assert_ne!(trace_id, "0af7651916cd43dd8448eb211c80319c");
    });
}

#[test]
fn failures_and_unknown_paths_are_told_apart() {
    let traces = Recorder::new();
    run(async {
        for path in ["/orders/8", "/nowhere", "/health"] {
            let response = call(&traces, TestRequest::get().uri(path)).await;
            let is_traced = response.headers().contains_key("x-trace-id");
            assert_eq!(is_traced, path != "/health");
            drop(to_bytes(response.into_body()).await);
        }
    });
    assert_eq!(
        traces.tree_of(&["http.response.status_code", "error.type"]),
        "GET /orders/{id} [server] error http.response.status_code=500 error.type=500\n└ load\n\
         GET [server] http.response.status_code=404\n"
    );
}

#[test]
fn a_panic_is_recorded_and_goes_on() {
    let traces = Recorder::new();
    let panicked = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
        run(async { drop(call(&traces, TestRequest::get().uri("/orders/9")).await) });
    }));
    assert!(panicked.is_err());
    let tree = traces.tree_of(&["error.type"]);
    assert!(
        tree.starts_with("GET [server] error `no such order` error.type=panic\n"),
        "{tree}"
    );
}

#[test]
fn a_request_that_is_given_up_is_cancelled() {
    let traces = Recorder::new();
    run(async {
        let wait = async || std::future::pending::<&'static str>().await;
        let app = App::new()
            .wrap(traces.tracing().actix())
            .route("/", web::get().to(wait));
        let app = init_service(app).await;
        let call = app.call(TestRequest::get().uri("/").to_request());
        tokio::select! {
            biased;
            _ = call => {}
            () = async {} => {}
        }
    });
    assert_eq!(
        traces.tree_of(&["cancelled"]),
        "GET [server] cancelled=true\n  · cancelled\n"
    );
}

#[test]
fn the_scheme_is_that_of_the_service() {
    let traces = Recorder::new();
    run(async {
        let app = App::new()
            .wrap(traces.tracing().actix().scheme("https"))
            .route("/", web::get().to(async || "fine"));
        let app = init_service(app).await;
        let request = TestRequest::get().insert_header(("host", "shop.example"));
        let response = app.call(request.to_request()).await.unwrap();
        drop(to_bytes(response.into_body()).await);
    });
    assert_eq!(
        traces.tree_of(&["url.scheme", "server.port"]),
        "GET / [server] url.scheme=https server.port=443\n"
    );
}

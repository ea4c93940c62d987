//! Errors that a middleware returns instead of a response.

use std::net::SocketAddr;

use actix_web::body::MessageBody;
use actix_web::dev::{ServerHandle, Service, ServiceRequest, ServiceResponse};
use actix_web::error::ErrorServiceUnavailable;
use actix_web::http::header::{HeaderName, HeaderValue};
use actix_web::middleware::{Next, from_fn};
use actix_web::test::{TestRequest, init_service};
use actix_web::{App, Error, HttpResponse, HttpServer};
use backtrail::testing::Recorder;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use super::run;

async fn refuse(
    _request: ServiceRequest,
    _next: Next<impl MessageBody>,
) -> Result<ServiceResponse<String>, Error> {
    backtrail::http::set_route("/{anything}");
    Err(ErrorServiceUnavailable("not now"))
}

/// What a response of a request that was refused has in the header with the trace's id.
async fn trace_id_of(traces: &Recorder, request: TestRequest) -> Option<HeaderValue> {
    let tracing = traces.tracing().actix();
    let tracing = tracing.ignore(|request| request.path() == "/health");
    let app = App::new().wrap(from_fn(refuse)).wrap(tracing);
    let app = init_service(app).await;
    let error = app.call(request.to_request()).await.err().unwrap();
    let response = error.error_response();
    assert_eq!(response.status(), 503);
    response.headers().get("x-trace-id").cloned()
}

#[test]
fn an_error_of_another_middleware_has_the_trace_s_id_and_a_status() {
    let traces = Recorder::new();
    run(async {
        let parent = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
        let request = TestRequest::get().insert_header(("traceparent", parent));
        let told = trace_id_of(&traces, request).await.unwrap();
        assert_eq!(told, "0af7651916cd43dd8448eb211c80319c");
    });
    assert_eq!(
        traces.tree_of(&["error.type", "http.response.status_code"]),
        "GET /{anything} [server] (parent elsewhere) error http.response.status_code=503 error.type=503\n"
    );
}

#[test]
fn an_error_of_an_ignored_request_has_no_header() {
    let traces = Recorder::new();
    run(async {
        let request = TestRequest::get().uri("/health");
        assert_eq!(trace_id_of(&traces, request).await, None);
    });
    assert_eq!(traces.tree(), "");
}

#[test]
fn an_error_that_a_middleware_outside_answers_has_the_header_too() {
    let traces = Recorder::new();
    run(async {
        let answer = async |request: ServiceRequest, next: Next<_>| {
            let (parts, payload) = request.into_parts();
            let request = ServiceRequest::from_parts(parts.clone(), payload);
            match next.call(request).await {
                Ok(response) => Ok(response.map_into_boxed_body()),
                Err(error) => Ok::<_, Error>(ServiceResponse::new(parts, error.error_response())),
            }
        };
        let name = HeaderName::from_static("x-request");
        let app = App::new()
            .wrap(from_fn(refuse))
            .wrap(traces.tracing().actix().trace_id_header(name))
            .wrap(from_fn(answer));
        let app = init_service(app).await;
        let request = TestRequest::get().to_request();
        let response = app.call(request).await.unwrap();
        assert_eq!(response.status(), 503);
        let trace_id = response.headers().get("x-request").unwrap().clone();
        let span = &traces.spans()[0].span_context;
        assert_eq!(trace_id, span.trace_id().to_string().as_str());
    });
}

fn serve(traces: &Recorder) -> (SocketAddr, ServerHandle) {
    let tracing = traces.tracing().clone();
    let server = HttpServer::new(move || {
        App::new()
            .wrap(from_fn(refuse))
            .wrap(tracing.actix())
            .default_service(actix_web::web::to(HttpResponse::Ok))
    });
    let server = server.workers(1).disable_signals();
    let server = server.bind("127.0.0.1:0").unwrap();
    let address = server.addrs()[0];
    let server = server.run();
    let handle = server.handle();
    actix_web::rt::spawn(server);
    (address, handle)
}

#[test]
fn the_caller_gets_the_header_of_an_error_over_a_socket() {
    let traces = Recorder::new();
    run(async {
        let (address, server) = serve(&traces);
        let mut connection = TcpStream::connect(address).await.unwrap();
        let request = b"GET / HTTP/1.1\r\nhost: shop.example\r\nconnection: close\r\n\r\n";
        connection.write_all(request).await.unwrap();
        let mut response = String::new();
        connection.read_to_string(&mut response).await.unwrap();
        assert!(
            response.starts_with("HTTP/1.1 503 Service Unavailable\r\n"),
            "{response}"
        );
        let trace_id = traces.spans()[0].span_context.trace_id();
        assert!(
            response.contains(&format!("\r\nx-trace-id: {trace_id}\r\n")),
            "{response}"
        );
        server.stop(false).await;
    });
}

//! HTTP: a span for each request that a service answers, and for each that it makes.
//!
//! [`server`] is a tower layer for axum, hyper and tonic; [`client`] is one for clients, and has the requests of reqwest. All hand the trace on in the
//! request's headers. The names of spans and attributes are those of the OpenTelemetry semantic conventions 1.42;
//! `OTEL_SEMCONV_STABILITY_OPT_IN=http/dup` adds the names of before.
//!
//! ```no_run
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! # async fn show() -> &'static str { "an order" }
//! use axum::{Router, routing::get};
//! use backtrail::TracingSystem;
//!
//! let tracing = TracingSystem::new("orders").initialize()?;
//! let app: Router = Router::new()
//!     .route("/orders/{id}", get(show))
//!     .layer(tracing.http_server().ignore(|request| request.uri.path() == "/health"));
//! # drop(app); Ok(()) }
//! ```
//!
//! **What is not recorded.** No header, and no body, unless it is asked for by name. Values of query keys that are known to hold signatures and
//! secrets, user and password in a URL, and the headers `Authorization`, `Proxy-Authorization`, `Cookie` and `Set-Cookie` are `REDACTED`, whatever
//! is asked for; so are secrets of URLs in other headers and in the texts of errors.
//!
//! **What can be asked for** is the same on all sides: `capture_request_headers` and `capture_response_headers` by name, `capture_request_body` and
//! `capture_response_body` with a limit and a redaction, `record_body_sizes`, further keys with `redact_query_keys`, and hooks that see the heads of
//! requests and responses.
//!
//! **Code of the service that tracing calls**, hooks and redactions and rules, may panic: the request goes on as if the code had said nothing. The first
//! panic of each hook is logged as an error, with the target `backtrail`.
//!
//! **When a span ends.** With the body of the response: a span of a download is as long as the download. It ends with the head where no
//! body follows (`HEAD`, 1xx, 204, 304, upgrades).
//!
//! **gRPC.** A request whose content type is `application/grpc…` is a call: its span is named `package.Service/Method`, and its status is that of
//! gRPC, from the trailers. A server's span is named `grpc` if the answer is not of gRPC, or says that there is no such method.

#[cfg(feature = "actix")]
pub mod actix;
mod body;
mod capture;
pub mod client;
mod error;
mod exchange;
mod future;
mod grpc;
mod headers;
mod hook;
mod host;
mod method;
mod redact;
mod request_body;
mod route;
pub mod server;
mod settings;

pub use body::ResponseBody;
pub use future::ResponseFuture;
pub use route::set_route;

use ::http::{Method, StatusCode, Version};

/// `network.protocol.version`.
fn protocol_version(version: Version) -> Option<&'static str> {
    match version {
        Version::HTTP_09 => Some("0.9"),
        Version::HTTP_10 => Some("1.0"),
        Version::HTTP_11 => Some("1.1"),
        Version::HTTP_2 => Some("2"),
        Version::HTTP_3 => Some("3"),
        _ => None,
    }
}

/// Whether a response ends with its head: its body, if it has one, is never asked for.
fn ends_with_head(method: &Method, status: StatusCode) -> bool {
    let is_tunnel = method == Method::CONNECT && status.is_success();
    let has_no_body = matches!(
        status,
        StatusCode::NO_CONTENT | StatusCode::RESET_CONTENT | StatusCode::NOT_MODIFIED
    );
    method == Method::HEAD || status.is_informational() || has_no_body || is_tunnel
}

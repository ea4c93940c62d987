//! Our own API. `docs/api.md` says what it promises, `openapi.json` says it to programs.

mod attributes;
mod catalogue;
mod deletion;
mod events;
mod exception;
mod exceptions;
mod export;
mod needs;
mod resolve;
mod search;
mod session;
mod skeleton;
mod source_lines;
mod sourcemaps;
mod span;
mod trace;

use axum::Router;
use axum::response::{IntoResponse, Response};
use axum::routing::{any, delete, get, post};
use http::Uri;
use http::header::CONTENT_TYPE;
use model::{SpanId, TraceId};
use serde::Serialize;

pub(crate) use exception::stack_json;
pub(crate) use export::ExportFormat;

use super::failure::Failure;
use super::{Api, Json};

const OPENAPI: &str = include_str!("openapi.json");

pub(super) fn routes() -> Router<Api> {
    Router::new()
        .route("/api/v1/services", get(catalogue::services))
        .route("/api/v1/operations", get(catalogue::operations))
        .route("/api/v1/status", get(catalogue::status))
        .route("/api/v1/search", get(search::search))
        .route("/api/v1/export", get(export::export))
        .route(
            "/api/v1/traces/{trace_id}",
            get(trace::trace).delete(deletion::trace),
        )
        .route(
            "/api/v1/traces/{trace_id}/skeleton",
            get(skeleton::skeleton),
        )
        .route("/api/v1/traces/{trace_id}/spans/{span_id}", get(span::span))
        .route(
            "/api/v1/traces/{trace_id}/events-without-span",
            get(events::without_span),
        )
        .route(
            "/api/v1/traces/{trace_id}/exceptions",
            get(exceptions::exceptions),
        )
        .route("/api/v1/sourcemaps/resolve", post(resolve::resolve))
        .route("/api/v1/sourcemaps/needs", get(needs::needs))
        .route("/api/v1/spans", delete(deletion::spans))
        .route(
            "/api/v1/session",
            get(session::show).post(session::begin).delete(session::end),
        )
        .route("/api/v1/openapi.json", get(openapi))
        .merge(sourcemaps::routes())
        .method_not_allowed_fallback(async || Error(Failure::MethodNotAllowed))
        .route("/api/v1/{*rest}", any(no_such_address))
}

/// A failure in the form of this API.
struct Error(Failure);

impl From<Failure> for Error {
    fn from(failure: Failure) -> Self {
        Self(failure)
    }
}

impl IntoResponse for Error {
    fn into_response(self) -> Response {
        #[derive(Serialize)]
        struct Body<'a> {
            error: Content<'a>,
        }
        #[derive(Serialize)]
        struct Content<'a> {
            code: &'a str,
            message: &'a str,
        }
        let Self(failure) = self;
        let content = Content {
            code: failure.code(),
            message: failure.message(),
        };
        match Json::write(&Body { error: content }) {
            Ok(body) => failure.with_body(body),
            Err(unwritable) => unwritable.status().into_response(),
        }
    }
}

/// A failure in this API's form, for who did not come as far as a handler.
pub(super) fn failed(failure: Failure) -> Response {
    Error(failure).into_response()
}

type Answer = Result<Json, Error>;

async fn openapi() -> Response {
    ([(CONTENT_TYPE, "application/json")], OPENAPI).into_response()
}

async fn no_such_address(uri: Uri) -> Error {
    let message = format!(
        "nothing is served at {}; see /api/v1/openapi.json",
        uri.path()
    );
    Error(Failure::NotFound(message))
}

fn trace_id(text: &str) -> Result<TraceId, Failure> {
    TraceId::parse(text).map_err(|error| Failure::Invalid(format!("trace_id: {error}")))
}

fn span_id(text: &str) -> Result<SpanId, Failure> {
    SpanId::parse(text).map_err(|error| Failure::Invalid(format!("span_id: {error}")))
}

/// The trace that a request is about.
fn find_trace(question: &super::Question<'_>, trace_id: TraceId) -> Result<query::Trace, Failure> {
    let (snapshot, budget) = (question.snapshot, &question.budget);
    if let Some(trace) = query::trace(snapshot, trace_id, budget)? {
        return Ok(trace);
    }
    let waiting = query::events_without_span(snapshot, trace_id, budget)?;
    let message = if waiting.is_empty() {
        format!("trace {trace_id} is not here")
    } else {
        let events = waiting.event_columns().len();
        format!(
            "no span of trace {trace_id} is here, only exceptions from log records ({events}): see /api/v1/traces/{trace_id}/events-without-span"
        )
    };
    Err(Failure::NotFound(message))
}

/// An instant as this API writes it: JavaScript's numbers lose digits there.
#[derive(Clone, Copy)]
struct UnixNano(u64);

impl Serialize for UnixNano {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(&self.0)
    }
}

/// An id in hexadecimal digits.
struct Hex<T>(T);

impl<T: std::fmt::Display> Serialize for Hex<T> {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(&self.0)
    }
}

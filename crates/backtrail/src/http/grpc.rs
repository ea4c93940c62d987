//! Calls of gRPC (semantic conventions 1.42, RPC; gRPC over HTTP/2).

use std::borrow::Cow;

use ::http::{HeaderMap, HeaderValue};
use opentelemetry::KeyValue;
use opentelemetry::trace::Status;

use crate::Span;

const STATUS: &str = "grpc-status";

/// Names of the status codes, in their order.
const CODES: [&str; 17] = [
    "OK",
    "CANCELLED",
    "UNKNOWN",
    "INVALID_ARGUMENT",
    "DEADLINE_EXCEEDED",
    "NOT_FOUND",
    "ALREADY_EXISTS",
    "PERMISSION_DENIED",
    "RESOURCE_EXHAUSTED",
    "FAILED_PRECONDITION",
    "ABORTED",
    "OUT_OF_RANGE",
    "UNIMPLEMENTED",
    "INTERNAL",
    "UNAVAILABLE",
    "DATA_LOSS",
    "UNAUTHENTICATED",
];

/// Codes that are a server's own failure; of the others the caller is to blame.
const SERVER_ERRORS: [&str; 6] = [
    "UNKNOWN",
    "DEADLINE_EXCEEDED",
    "UNIMPLEMENTED",
    "INTERNAL",
    "UNAVAILABLE",
    "DATA_LOSS",
];

/// Who looks at a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Side {
    Server,
    Client,
}

/// `package.Service/Method` of a request that is a call of gRPC.
pub(super) fn method_of<'a>(headers: &HeaderMap, path: &'a str) -> Option<&'a str> {
    if !is_of_grpc(headers) {
        return None;
    }
    let full = path.strip_prefix('/')?;
    let (service, method) = full.split_once('/')?;
    let is_call = !service.is_empty() && !method.is_empty() && !method.contains('/');
    is_call.then_some(full)
}

fn is_of_grpc(headers: &HeaderMap) -> bool {
    let content_type = headers.get(::http::header::CONTENT_TYPE);
    let rest = content_type.and_then(|value| value.as_bytes().strip_prefix(b"application/grpc"));
    // `application/grpc-web` is a protocol of its own.
    matches!(rest, Some([] | [b'+' | b';', ..]))
}

/// Takes back the method of a call that the server does not know: anybody can call any path, and names of spans are of few kinds.
pub(super) fn forget_unknown_method(span: &Span, method: &str, answer: &HeaderMap) {
    let status = answer.get(STATUS).map(name_of);
    if is_of_grpc(answer) && status.as_deref() != Some("UNIMPLEMENTED") {
        return;
    }
    span.set_name("grpc");
    span.put(KeyValue::new("rpc.method", "_OTHER"));
    span.put(KeyValue::new("rpc.method_original", method.to_owned()));
}

pub(super) fn append_to(attributes: &mut Vec<KeyValue>, method: &str, with_old_names: bool) {
    attributes.push(KeyValue::new("rpc.system.name", "grpc"));
    attributes.push(KeyValue::new("rpc.method", method.to_owned()));
    if with_old_names {
        attributes.push(KeyValue::new("rpc.system", "grpc"));
        let service = method.split('/').next().unwrap_or_default();
        attributes.push(KeyValue::new("rpc.service", service.to_owned()));
    }
}

/// Records the status that is in these headers or trailers, if one is.
pub(super) fn record_status(span: &Span, side: Side, headers: &HeaderMap, with_old_names: bool) {
    let Some(value) = headers.get(STATUS) else {
        return;
    };
    let code = name_of(value);
    if with_old_names && let Some(number) = number_of(value) {
        span.put(KeyValue::new("rpc.grpc.status_code", number));
    }
    let is_error = match side {
        Side::Client => code != "OK",
        Side::Server => SERVER_ERRORS.contains(&&*code),
    };
    if is_error {
        span.put(KeyValue::new("error.type", code.clone()));
        span.set_status(Status::error(""));
    }
    span.put(KeyValue::new("rpc.response.status_code", code));
}

fn name_of(value: &HeaderValue) -> Cow<'static, str> {
    let number = number_of(value);
    let known = number.and_then(|number| CODES.get(usize::try_from(number).ok()?));
    match (known, number) {
        (Some(&name), _) => Cow::Borrowed(name),
        // Clients take a code that they do not know as this one.
        (None, _) => Cow::Borrowed("UNKNOWN"),
    }
}

fn number_of(value: &HeaderValue) -> Option<i64> {
    value.to_str().ok()?.parse().ok()
}

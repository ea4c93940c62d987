//! Jaeger's collector endpoint: `POST /api/traces`, a `jaeger.thrift` `Batch` as binary or compact Thrift.

use std::sync::Arc;

use axum::Router;
use axum::extract::{Query, Request, State};
use axum::response::{IntoResponse, Response};
use axum::routing::post;
use codec::Encoding;
use http::{HeaderMap, HeaderValue, Method, StatusCode, Uri, header};
use serde::Deserialize;

use super::ReceiverLimits;
use super::collector::{BodyType, Collector};
use super::guarded::guarded;
use super::headers::media_type;
use super::jaeger_sampling::collector_route;
use crate::auth::Guard;
use crate::ingest::{Admission, Protocol, Refusal};
use crate::sampling::CurrentStrategies;

const SUPPORTED_TYPES: &str = "application/x-thrift, application/vnd.apache.thrift.binary or application/vnd.apache.thrift.compact";

/// The listener's routes.
pub(crate) fn router(
    admission: Arc<Admission>,
    limits: ReceiverLimits,
    guard: Guard,
    strategies: CurrentStrategies,
) -> Router {
    Router::new()
        .route("/api/traces", post(collect).fallback(not_post))
        .fallback(not_found)
        .with_state(Collector::new(
            Protocol::JaegerHttp,
            admission,
            limits,
            guard.clone(),
        ))
        .merge(guarded(collector_route(strategies), guard))
}

/// What may stand behind the path. Clients of old send `format=jaeger.thrift`, newer ones nothing.
#[derive(Debug, Deserialize)]
struct Parameters {
    format: Option<String>,
}

impl Parameters {
    fn check(&self) -> Result<(), Refusal> {
        match self.format.as_deref() {
            None | Some("jaeger.thrift") => Ok(()),
            Some(format) => Err(Refusal::Malformed(format!(
                "format {format:?} is not supported; leave it out or send jaeger.thrift"
            ))),
        }
    }
}

async fn collect(
    State(collector): State<Collector>,
    Query(parameters): Query<Parameters>,
    request: Request,
) -> Response {
    let thrift = parameters
        .check()
        .and_then(|()| Thrift::of(request.headers()));
    collector.collect(thrift, request).await
}

/// What the content type says of the protocol inside.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Thrift {
    Binary,
    Compact,
    /// Jaeger's clients mean binary by `application/x-thrift`; others are recognised.
    Either,
}

impl Thrift {
    fn of(headers: &HeaderMap) -> Result<Self, Refusal> {
        let found = media_type(headers);
        match found.as_str() {
            "application/vnd.apache.thrift.binary" => Ok(Self::Binary),
            "application/vnd.apache.thrift.compact" => Ok(Self::Compact),
            "application/x-thrift" | "application/thrift" | "" => Ok(Self::Either),
            _ => Err(Refusal::UnsupportedType {
                found,
                supported: SUPPORTED_TYPES,
            }),
        }
    }
}

impl BodyType for Thrift {
    fn encoding(self, first: Option<u8>) -> Encoding {
        match (self, first) {
            (Self::Compact, _) => Encoding::JaegerThriftCompact,
            // A field begins with its type, 16 at most, in the binary protocol; in the compact
            // one with the distance of its number, 1 at least, in the upper half.
            (Self::Either, Some(first)) if first > 0x10 => Encoding::JaegerThriftCompact,
            (Self::Binary | Self::Either, _) => Encoding::JaegerThriftBinary,
        }
    }
}

async fn not_post(method: Method) -> Response {
    let message = format!(
        "{method} is not what /api/traces is for on this port; spans are sent with POST, and found on the web port (16686 by default)\n"
    );
    let mut response = (StatusCode::METHOD_NOT_ALLOWED, message).into_response();
    response
        .headers_mut()
        .insert(header::ALLOW, HeaderValue::from_static("POST"));
    response
}

async fn not_found(method: Method, uri: Uri) -> Response {
    let message = format!(
        "there is no {method} {} here; Jaeger Thrift is sent with POST to /api/traces\n",
        uri.path()
    );
    (StatusCode::NOT_FOUND, message).into_response()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_x_thrift_means_is_seen_in_the_first_byte() {
        // Field 1 (process) is a struct, field 2 (spans) a list; either may come first.
        for first in [0x0c, 0x0f, 0x00] {
            assert_eq!(
                Thrift::Either.encoding(Some(first)),
                Encoding::JaegerThriftBinary
            );
        }
        for first in [0x1c, 0x29] {
            assert_eq!(
                Thrift::Either.encoding(Some(first)),
                Encoding::JaegerThriftCompact
            );
        }
        assert_eq!(Thrift::Either.encoding(None), Encoding::JaegerThriftBinary);
        assert_eq!(
            Thrift::Binary.encoding(Some(0x1c)),
            Encoding::JaegerThriftBinary
        );
    }
}

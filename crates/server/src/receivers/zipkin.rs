//! Zipkin's collector: `POST /api/v2/spans` and `/api/v1/spans`.
//!
//! The protocol has no partial success: the reply is 202 when anything was kept, and its body, empty otherwise, says how much was not. A
//! request of which nothing could be kept is a bad request.

use std::sync::Arc;

use axum::Router;
use axum::extract::{Request, State};
use axum::response::{IntoResponse, Response};
use axum::routing::post;
use codec::Encoding;
use http::{HeaderMap, Method, StatusCode, Uri, header};
use model::TenantId;

use super::ReceiverLimits;
use super::cors::cors;
use super::headers::{content_encoding, media_type};
use crate::config::Origins;
use crate::ingest::{Accepted, Admission, Protocol, RawPayload, Refusal, receive};

#[derive(Clone)]
struct Receiver {
    admission: Arc<Admission>,
    limits: ReceiverLimits,
}

/// The listener's routes: those of the collector, and the read API's.
pub(crate) fn router(
    admission: Arc<Admission>,
    limits: ReceiverLimits,
    origins: &Origins,
    read_api: Router,
) -> Router {
    let collector = Router::new()
        .route("/api/v2/spans", post(collect_v2))
        .route("/api/v1/spans", post(collect_v1))
        .with_state(Receiver { admission, limits });
    let routes = read_api
        .merge(collector)
        .method_not_allowed_fallback(not_allowed)
        .fallback(not_found);
    match cors(origins) {
        Some(cors) => routes.layer(cors),
        None => routes,
    }
}

async fn collect_v2(State(receiver): State<Receiver>, request: Request) -> Response {
    receiver.collect(encoding_of_v2, request).await
}

async fn collect_v1(State(receiver): State<Receiver>, request: Request) -> Response {
    receiver.collect(encoding_of_v1, request).await
}

/// What the media type says that a list of spans of version 2 is written in. As in Zipkin, it is JSON when nothing is said.
fn encoding_of_v2(headers: &HeaderMap) -> Result<Encoding, Refusal> {
    let found = media_type(headers);
    match found.as_str() {
        "application/json" | "" => Ok(Encoding::ZipkinJsonV2),
        "application/x-protobuf" | "application/protobuf" => Ok(Encoding::ZipkinProtobuf),
        _ => Err(Refusal::UnsupportedType {
            found,
            supported: "application/json or application/x-protobuf",
        }),
    }
}

/// The same for version 1.
fn encoding_of_v1(headers: &HeaderMap) -> Result<Encoding, Refusal> {
    let found = media_type(headers);
    match found.as_str() {
        "application/json" | "" => Ok(Encoding::ZipkinJsonV1),
        "application/x-thrift" | "application/vnd.apache.thrift.binary" => {
            Ok(Encoding::ZipkinThrift)
        }
        _ => Err(Refusal::UnsupportedType {
            found,
            supported: "application/json or application/x-thrift",
        }),
    }
}

impl Receiver {
    async fn collect(
        &self,
        encoding: fn(&HeaderMap) -> Result<Encoding, Refusal>,
        request: Request,
    ) -> Response {
        let result = self.take(encoding, request).await;
        self.admission
            .metrics()
            .count_request(Protocol::ZipkinHttp, &result);
        match result {
            Ok(accepted) => reply(&accepted),
            Err(refusal) => refuse(&refusal),
        }
    }

    async fn take(
        &self,
        encoding: fn(&HeaderMap) -> Result<Encoding, Refusal>,
        request: Request,
    ) -> Result<Accepted, Refusal> {
        let encoding = encoding(request.headers())?;
        let content_encoding = content_encoding(request.headers(), header::CONTENT_ENCODING)?;
        let (body, reservation) = receive(
            request.into_body(),
            self.limits.http(),
            self.admission.in_flight(),
            |_| Ok(()),
        )
        .await?;
        let payload = RawPayload {
            protocol: Protocol::ZipkinHttp,
            encoding,
            content_encoding,
            tenant: TenantId::default_tenant(),
            body,
            reservation,
        };
        self.admission.admit(payload).await
    }
}

fn reply(accepted: &Accepted) -> Response {
    let rejected = &accepted.rejected;
    if rejected.is_empty() {
        return StatusCode::ACCEPTED.into_response();
    }
    let code = if rejected.count() < accepted.received {
        StatusCode::ACCEPTED
    } else {
        StatusCode::BAD_REQUEST
    };
    (code, format!("{rejected}\n")).into_response()
}

fn refuse(refusal: &Refusal) -> Response {
    let mut response = (refusal.http_status(), format!("{refusal}\n")).into_response();
    if let Some(delay) = refusal.retry_after() {
        let seconds = delay.as_secs_f64().ceil() as u64;
        response
            .headers_mut()
            .insert(header::RETRY_AFTER, seconds.into());
    }
    response
}

async fn not_allowed(method: Method, uri: Uri) -> Response {
    let message = format!("{method} is not what {} is for\n", uri.path());
    (StatusCode::METHOD_NOT_ALLOWED, message).into_response()
}

async fn not_found(method: Method, uri: Uri) -> Response {
    let message = format!(
        "there is no {method} {} here; Zipkin spans are sent with POST to /api/v2/spans or /api/v1/spans\n",
        uri.path()
    );
    (StatusCode::NOT_FOUND, message).into_response()
}

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
use super::cors::{cors, may_send};
use super::headers::{content_encoding, media_type};
use crate::config::Origins;
use crate::ingest::{Accepted, Admission, Protocol, RawPayload, Refusal, receive};

#[derive(Clone)]
struct Receiver {
    admission: Arc<Admission>,
    limits: ReceiverLimits,
    origins: Arc<Origins>,
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
        .with_state(Receiver {
            admission,
            limits,
            origins: Arc::new(origins.clone()),
        });
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
    receiver.collect(&V2, request).await
}

async fn collect_v1(State(receiver): State<Receiver>, request: Request) -> Response {
    receiver.collect(&V1, request).await
}

/// What spans of one version of the API are written in.
struct Version {
    json: Encoding,
    /// What else there is, with its media types.
    other: (Encoding, [&'static str; 2]),
    supported: &'static str,
}

const V1: Version = Version {
    json: Encoding::ZipkinJsonV1,
    other: (
        Encoding::ZipkinThrift,
        [
            "application/x-thrift",
            "application/vnd.apache.thrift.binary",
        ],
    ),
    supported: "application/json or application/x-thrift",
};

const V2: Version = Version {
    json: Encoding::ZipkinJsonV2,
    other: (
        Encoding::ZipkinProtobuf,
        ["application/x-protobuf", "application/protobuf"],
    ),
    supported: "application/json or application/x-protobuf",
};

impl Version {
    /// As in Zipkin, a list of spans is JSON unless the media type says otherwise: clients without a library say nothing, `text/plain` or what curl
    /// says by itself. Pages may say these without asking first, so from pages that may not send here they are refused.
    fn encoding(&self, headers: &HeaderMap, origins: &Origins) -> Result<Encoding, Refusal> {
        let found = media_type(headers);
        let (other, other_types) = self.other;
        if other_types.contains(&found.as_str()) {
            Ok(other)
        } else if found == "application/json" || may_send(origins, headers) {
            Ok(self.json)
        } else {
            let supported = self.supported;
            Err(Refusal::UnsupportedType { found, supported })
        }
    }
}

impl Receiver {
    async fn collect(&self, version: &Version, request: Request) -> Response {
        let result = self.take(version, request).await;
        self.admission
            .metrics()
            .count_request(Protocol::ZipkinHttp, &result);
        match result {
            Ok(accepted) => reply(&accepted),
            Err(refusal) => refuse(&refusal),
        }
    }

    async fn take(&self, version: &Version, request: Request) -> Result<Accepted, Refusal> {
        let encoding = version.encoding(request.headers(), &self.origins)?;
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

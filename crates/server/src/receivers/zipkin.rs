//! Zipkin's collector: `POST /api/v2/spans` and `/api/v1/spans`.

use std::sync::Arc;

use axum::Router;
use axum::extract::{Request, State};
use axum::response::{IntoResponse, Response};
use axum::routing::post;
use codec::Encoding;
use http::{HeaderMap, Method, StatusCode, Uri};

use super::ReceiverLimits;
use super::collector::Collector;
use super::cors::{cors, may_send};
use super::headers::media_type;
use crate::auth::Guard;
use crate::config::Origins;
use crate::ingest::{Admission, Protocol, Refusal};

#[derive(Clone)]
struct Receiver {
    collector: Collector,
    origins: Arc<Origins>,
}

/// The listener's routes: those of the collector, and the read API's.
pub(crate) fn router(
    admission: Arc<Admission>,
    limits: ReceiverLimits,
    guard: Guard,
    origins: &Origins,
    read_api: Router,
) -> Router {
    let collector = Router::new()
        .route("/api/v2/spans", post(collect_v2))
        .route("/api/v1/spans", post(collect_v1))
        .with_state(Receiver {
            collector: Collector::new(Protocol::ZipkinHttp, admission, limits, guard),
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

impl Receiver {
    async fn collect(&self, version: &Version, request: Request) -> Response {
        let encoding = version.encoding(request.headers(), &self.origins);
        self.collector.collect(encoding, request).await
    }
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

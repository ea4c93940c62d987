//! OTLP over HTTP: `POST /v1/traces`, `/v1/logs` and `/v1/metrics`, as protobuf or JSON.

use std::sync::Arc;

use axum::Router;
use axum::body::Body;
use axum::extract::{Request, State};
use axum::response::{IntoResponse, Response};
use axum::routing::post;
use codec::OtlpEncoding;
use http::{HeaderValue, Method, StatusCode, Uri, header};
use model::TenantId;
use prost::Message;
use tonic::Code;

use super::ReceiverLimits;
use super::cors::cors;
use super::headers::{content_encoding, media_type};
use super::rpc_status::RpcStatus;
use crate::auth::{Guard, Scope};
use crate::config::Origins;
use crate::ingest::{Accepted, Admission, OtlpSignal, Protocol, RawPayload, Refusal, receive};

const PROTOBUF: &str = "application/x-protobuf";
const JSON: &str = "application/json";

#[derive(Clone)]
struct Receiver {
    admission: Arc<Admission>,
    limits: ReceiverLimits,
    guard: Guard,
}

/// The listener's routes.
pub(crate) fn router(
    admission: Arc<Admission>,
    limits: ReceiverLimits,
    guard: Guard,
    origins: &Origins,
) -> Router {
    let routes = OtlpSignal::ALL
        .into_iter()
        .fold(Router::new(), |routes, signal| {
            let export = move |receiver, request| export(signal, receiver, request);
            routes.route(path(signal), post(export).fallback(not_post))
        });
    let routes = routes.fallback(not_found).with_state(Receiver {
        admission,
        limits,
        guard,
    });
    match cors(origins) {
        Some(cors) => routes.layer(cors),
        None => routes,
    }
}

fn path(signal: OtlpSignal) -> &'static str {
    match signal {
        OtlpSignal::Traces => "/v1/traces",
        OtlpSignal::Logs => "/v1/logs",
        OtlpSignal::Metrics => "/v1/metrics",
    }
}

/// The two ways to write a request and its reply.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Format {
    Protobuf,
    Json,
}

impl Format {
    fn of(request: &Request) -> Result<Self, Refusal> {
        let found = media_type(request.headers());
        match found.as_str() {
            PROTOBUF | "application/protobuf" => Ok(Self::Protobuf),
            JSON => Ok(Self::Json),
            _ => Err(Refusal::UnsupportedType {
                found,
                supported: "application/x-protobuf or application/json",
            }),
        }
    }

    fn protocol(self) -> Protocol {
        match self {
            Self::Protobuf => Protocol::OtlpHttpProtobuf,
            Self::Json => Protocol::OtlpHttpJson,
        }
    }

    fn encoding(self) -> OtlpEncoding {
        match self {
            Self::Protobuf => OtlpEncoding::Protobuf,
            Self::Json => OtlpEncoding::Json,
        }
    }
}

async fn export(
    signal: OtlpSignal,
    State(receiver): State<Receiver>,
    request: Request,
) -> Response {
    let (format, refusal) = match Format::of(&request) {
        Ok(format) => (format, None),
        // Of what can't be told apart we speak the format that a person can read.
        Err(refusal) => (Format::Json, Some(refusal)),
    };
    let authorized = receiver.guard.authorize(Scope::Ingest, request.headers());
    let refusal = authorized.err().map(Refusal::Denied).or(refusal);
    let metrics = receiver.admission.metrics();
    let open = metrics.begin_request(signal, format.protocol());
    let result = match refusal {
        None => receiver.take(signal, format, request).await,
        Some(refusal) => Err(refusal),
    };
    open.end(&result);
    match result {
        Ok(accepted) => reply(signal, format, &accepted),
        Err(refusal) => refuse(format, &refusal),
    }
}

impl Receiver {
    async fn take(
        &self,
        signal: OtlpSignal,
        format: Format,
        request: Request,
    ) -> Result<Accepted, Refusal> {
        let content_encoding = content_encoding(request.headers(), header::CONTENT_ENCODING)?;
        let (body, reservation) = receive(
            request.into_body(),
            self.limits.http(),
            self.admission.in_flight(),
            |_| Ok(()),
        )
        .await?;
        let payload = RawPayload {
            protocol: format.protocol(),
            encoding: format.encoding(),
            content_encoding,
            tenant: TenantId::default_tenant(),
            body,
            reservation,
        };
        self.admission.admit_otlp(signal, payload).await
    }
}

/// `ExportTraceServiceResponse`, the same over HTTP and gRPC, and its like of the other signals: they differ in names alone. Empty unless something
/// had to be refused, for exporters report every partial success as an error.
#[derive(Clone, PartialEq, Message)]
pub(super) struct ExportResponse {
    #[prost(message, optional, tag = "1")]
    partial_success: Option<PartialSuccess>,
}

#[derive(Clone, PartialEq, Message)]
struct PartialSuccess {
    #[prost(int64, tag = "1")]
    rejected: i64,
    #[prost(string, tag = "2")]
    error_message: String,
}

impl From<&Accepted> for ExportResponse {
    fn from(accepted: &Accepted) -> Self {
        let rejected = &accepted.rejected;
        Self {
            partial_success: (!rejected.is_empty()).then(|| PartialSuccess {
                rejected: rejected.count() as i64,
                error_message: rejected.to_string(),
            }),
        }
    }
}

impl ExportResponse {
    fn to_json(&self, signal: OtlpSignal) -> String {
        let Some(partial) = &self.partial_success else {
            return "{}".to_owned();
        };
        let rejected = match signal {
            OtlpSignal::Traces => "rejectedSpans",
            OtlpSignal::Logs => "rejectedLogRecords",
            OtlpSignal::Metrics => "rejectedDataPoints",
        };
        // 64-bit numbers are strings in protobuf's JSON.
        serde_json::json!({ "partialSuccess": {
            rejected: partial.rejected.to_string(),
            "errorMessage": partial.error_message,
        }})
        .to_string()
    }
}

fn reply(signal: OtlpSignal, format: Format, accepted: &Accepted) -> Response {
    let response = ExportResponse::from(accepted);
    match format {
        Format::Protobuf => body(StatusCode::OK, PROTOBUF, response.encode_to_vec()),
        Format::Json => body(StatusCode::OK, JSON, response.to_json(signal)),
    }
}

fn refuse(format: Format, refusal: &Refusal) -> Response {
    let status = RpcStatus::from(refusal);
    let mut response = say(format, refusal.http_status(), &status);
    response.headers_mut().extend(refusal.http_headers());
    response
}

fn say(format: Format, code: StatusCode, status: &RpcStatus) -> Response {
    match format {
        Format::Protobuf => body(code, PROTOBUF, status.encode_to_vec()),
        Format::Json => body(code, JSON, status.to_json()),
    }
}

fn body(code: StatusCode, content_type: &'static str, bytes: impl Into<Body>) -> Response {
    (code, [(header::CONTENT_TYPE, content_type)], bytes.into()).into_response()
}

async fn not_post(method: Method, uri: Uri) -> Response {
    let path = uri.path();
    let message = format!("{method} is not what {path} is for; OTLP is sent with POST");
    let mut response = say(
        Format::Json,
        StatusCode::METHOD_NOT_ALLOWED,
        &RpcStatus::new(Code::Unimplemented, message),
    );
    response
        .headers_mut()
        .insert(header::ALLOW, HeaderValue::from_static("POST"));
    response
}

async fn not_found(method: Method, uri: Uri, request: Request) -> Response {
    let path = uri.path();
    if media_type(request.headers()).starts_with("application/grpc") {
        let message = "this port speaks OTLP over HTTP; OTLP over gRPC has a port of its own (4317 by default)";
        return tonic::Status::unimplemented(message).into_http();
    }
    let message = format!(
        "there is no {method} {path} here; OTLP is sent with POST to /v1/traces, /v1/logs or /v1/metrics"
    );
    let format = Format::of(&request).unwrap_or(Format::Json);
    say(
        format,
        StatusCode::NOT_FOUND,
        &RpcStatus::new(Code::Unimplemented, message),
    )
}

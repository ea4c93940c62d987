//! A unary gRPC call without a generated service: the message stays bytes.
//!
//! tonic would hold the whole message before anything could refuse it, and inflate it on the
//! thread that serves the connection. Here it goes through the same bounds as an HTTP body.

use std::convert::Infallible;

use axum::body::Body;
use bytes::{BufMut, Bytes, BytesMut};
use codec::ContentEncoding;
use http::{HeaderMap, HeaderName, HeaderValue, Response, header};
use http_body_util::{BodyExt, Full};
use prost::Message;
use tonic::Status;

use super::headers::content_encoding;
use super::rpc_status::RpcStatus;
use crate::ingest::{BodyLimits, InFlight, Refusal, Reservation, receive};

/// Flag and length before each message.
const PREFIX_BYTES: usize = 5;
const COMPRESSED: u8 = 1;
const ENCODING_HEADER: HeaderName = HeaderName::from_static("grpc-encoding");

/// The one message of a request.
pub(super) struct RequestMessage {
    /// As it came.
    pub(super) bytes: Bytes,
    /// How it is compressed.
    pub(super) content_encoding: ContentEncoding,
    /// Its place in the bounded queue.
    pub(super) reservation: Reservation,
}

/// The encodings that we take, for a client that offered another.
const ACCEPTED_ENCODINGS: &str = "gzip,zstd,deflate,identity";

/// Receives the message of a call.
pub(super) async fn receive_message(
    headers: &HeaderMap,
    body: Body,
    limits: BodyLimits,
    in_flight: &InFlight,
) -> Result<RequestMessage, Refusal> {
    let named = content_encoding(headers, ENCODING_HEADER)?;
    let framed = BodyLimits {
        max_bytes: limits.max_bytes.saturating_add(PREFIX_BYTES),
        ..limits
    };
    let fits = |arrived: &[u8]| match length(arrived) {
        Some(length) if length > limits.max_bytes => Err(limits.too_large()),
        _ => Ok(()),
    };
    let (mut bytes, reservation) =
        receive(body, framed, in_flight, fits)
            .await
            .map_err(|refusal| match refusal {
                // In terms of the message, not of the frame around it.
                Refusal::TooLarge { .. } => limits.too_large(),
                other => other,
            })?;

    let Some(length) = length(&bytes) else {
        let found = bytes.len();
        return Err(Refusal::Malformed(format!(
            "the call has no message: {found} bytes where a message begins with {PREFIX_BYTES}"
        )));
    };
    let prefix = bytes.split_to(PREFIX_BYTES);
    if bytes.len() != length {
        return Err(Refusal::Malformed(format!(
            "the message says that it has {length} bytes, and {} bytes came",
            bytes.len()
        )));
    }
    let content_encoding = match prefix[0] {
        0 => ContentEncoding::Identity,
        COMPRESSED if named == ContentEncoding::Identity => {
            return Err(Refusal::Malformed(
                "the message is marked as compressed, and there is no grpc-encoding".to_owned(),
            ));
        }
        COMPRESSED => named,
        flag => {
            return Err(Refusal::Malformed(format!(
                "the message begins with flag {flag}; 0 and 1 are known"
            )));
        }
    };
    Ok(RequestMessage {
        bytes,
        content_encoding,
        reservation,
    })
}

/// The length that the prefix announces, once it is there.
fn length(bytes: &[u8]) -> Option<usize> {
    let (prefix, _) = bytes.split_first_chunk::<PREFIX_BYTES>()?;
    let [_, length @ ..] = *prefix;
    usize::try_from(u32::from_be_bytes(length)).ok()
}

/// The reply to a call that succeeded.
pub(super) fn reply(message: &impl Message) -> Response<Body> {
    let length = message.encoded_len();
    let mut bytes = BytesMut::with_capacity(PREFIX_BYTES + length);
    bytes.put_u8(0);
    bytes.put_u32(length as u32);
    bytes.extend_from_slice(&message.encode_to_vec());

    let mut trailers = HeaderMap::new();
    trailers.insert(Status::GRPC_STATUS, HeaderValue::from_static("0"));
    let body =
        Full::new(bytes.freeze()).with_trailers(async move { Some(Ok::<_, Infallible>(trailers)) });
    let mut response = Response::new(Body::new(body));
    response.headers_mut().insert(
        header::CONTENT_TYPE,
        HeaderValue::from_static("application/grpc"),
    );
    response
}

/// The reply to a call that was refused.
pub(super) fn refuse(refusal: &Refusal) -> Response<Body> {
    let mut response = RpcStatus::from(refusal).to_grpc().into_http::<Body>();
    if matches!(refusal, Refusal::Denied(_)) {
        response.headers_mut().extend(refusal.http_headers());
    }
    if matches!(refusal, Refusal::UnsupportedEncoding { .. }) {
        response.headers_mut().insert(
            "grpc-accept-encoding",
            HeaderValue::from_static(ACCEPTED_ENCODINGS),
        );
    }
    response
}

//! What collectors over HTTP have in common whose protocol has no form for a reply.
//!
//! The reply is 202 when anything was kept, and its body, empty otherwise, says how much was not. A request of which nothing
//! could be kept is a bad request.

use std::sync::Arc;

use axum::extract::Request;
use axum::response::{IntoResponse, Response};
use codec::{ContentEncoding, Encoding};
use http::{StatusCode, header};
use model::TenantId;

use super::ReceiverLimits;
use super::headers::content_encoding;
use crate::auth::{Guard, Scope};
use crate::ingest::{Accepted, Admission, OtlpSignal, Protocol, RawPayload, Refusal, receive};

/// Takes the requests of one protocol.
#[derive(Clone)]
pub(super) struct Collector {
    protocol: Protocol,
    admission: Arc<Admission>,
    limits: ReceiverLimits,
    guard: Guard,
}

/// What a request's head says of the encoding of its body.
pub(super) trait BodyType {
    /// The encoding of a body that begins with `first`, which is `None` where that can't be seen: it is empty or compressed.
    fn encoding(self, first: Option<u8>) -> Encoding;
}

impl BodyType for Encoding {
    fn encoding(self, _first: Option<u8>) -> Encoding {
        self
    }
}

impl Collector {
    pub(super) fn new(
        protocol: Protocol,
        admission: Arc<Admission>,
        limits: ReceiverLimits,
        guard: Guard,
    ) -> Self {
        Self {
            protocol,
            admission,
            limits,
            guard,
        }
    }

    /// Takes the spans of a request, or refuses it for the reason that its head has given already.
    pub(super) async fn collect(
        &self,
        body_type: Result<impl BodyType, Refusal>,
        request: Request,
    ) -> Response {
        let metrics = self.admission.metrics();
        let open = metrics.begin_request(OtlpSignal::Traces, self.protocol);
        let result = self.take(body_type, request).await;
        open.end(&result);
        match result {
            Ok(accepted) => reply(&accepted),
            Err(refusal) => refuse(&refusal),
        }
    }

    async fn take(
        &self,
        body_type: Result<impl BodyType, Refusal>,
        request: Request,
    ) -> Result<Accepted, Refusal> {
        self.guard.authorize(Scope::Ingest, request.headers())?;
        let body_type = body_type?;
        let content_encoding = content_encoding(request.headers(), header::CONTENT_ENCODING)?;
        let (body, reservation) = receive(
            request.into_body(),
            self.limits.http(),
            self.admission.in_flight(),
            |_| Ok(()),
        )
        .await?;
        let first = body
            .first()
            .copied()
            .filter(|_| content_encoding == ContentEncoding::Identity);
        let payload = RawPayload {
            protocol: self.protocol,
            encoding: body_type.encoding(first),
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
    let text = format!("{refusal}\n");
    (refusal.http_status(), refusal.http_headers(), text).into_response()
}

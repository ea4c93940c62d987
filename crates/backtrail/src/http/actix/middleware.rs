//! The middleware.

use std::fmt;
use std::future::{Ready, ready};
use std::sync::Arc;

use actix_web::Error;
use actix_web::body::MessageBody;
use actix_web::dev::{ResponseHead, Service, ServiceRequest, ServiceResponse, Transform};
use actix_web::http::StatusCode;
use actix_web::http::header::HeaderName;

use super::body::ActixBody;
use super::service::ActixService;
use crate::TracingSystem;
use crate::http::capture::BodyCapture;
use crate::http::server::{AnsweringHeads, ServerSettings, server_settings};
use crate::http::settings::{Heads, Settings, request_body_setting, shared_settings};
use crate::system::System;

impl TracingSystem {
    /// A middleware for actix-web that makes a span for each request: see [`http::actix`](crate::http::actix).
    pub fn actix(&self) -> ActixTracing {
        ActixTracing {
            system: self.system().clone(),
            settings: Arc::default(),
        }
    }
}

/// Makes a span for each request that a service of actix-web answers, below the span of its caller. [`TracingSystem::actix`] makes one. It does what
/// [`HttpServerLayer`](crate::http::server::HttpServerLayer) does for tower, but for gRPC.
///
/// The route is known after routing, so samplers do not see it. An error that a middleware inside returns instead of a response becomes a response
/// further out: it gets the header with the trace's id, and the span has its status, but the hook for responses is not called, and headers and body of
/// that response are not recorded. What a middleware further out answers itself, without asking this one, is not seen: wrap this one last, so that it
/// is the outermost.
#[derive(Clone)]
pub struct ActixTracing {
    pub(super) system: System,
    pub(super) settings: Arc<ServerSettings<ActixHeads>>,
}

/// The heads of actix-web, whose types are those of the crate `http` before 1.0.
#[derive(Clone, Debug, Default)]
pub(super) struct ActixHeads;

impl Heads for ActixHeads {
    type Request = ServiceRequest;
    type Response = ResponseHead;
}

impl AnsweringHeads for ActixHeads {
    type HeaderName = HeaderName;

    fn trace_id_header() -> HeaderName {
        HeaderName::from_static("x-trace-id")
    }
}

impl ActixTracing {
    shared_settings!(
        ServiceRequest,
        ResponseHead,
        ignore: "Makes no span for requests of which this is true, and no header in their responses; what they call is still in the caller's trace."
    );

    request_body_setting!(
        Self,
        "The service gets the payload as a stream; extractors take it as any other."
    );

    server_settings!(
        StatusCode,
        HeaderName,
        error_status_example: "`|status| status.as_u16() >= 400` is the rule of the Node middleware that this follows."
    );

    fn set(mut self, change: impl FnOnce(&mut ServerSettings<ActixHeads>)) -> Self {
        change(Arc::make_mut(&mut self.settings));
        self
    }

    fn shared(self, change: impl FnOnce(&mut Settings<ActixHeads>)) -> Self {
        self.set(|settings| change(&mut settings.shared))
    }

    fn captured(self, capture: BodyCapture) -> Self {
        self.shared(|settings| settings.request_body = Some(capture))
    }
}

impl fmt::Debug for ActixTracing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ActixTracing").finish_non_exhaustive()
    }
}

impl<S, B> Transform<S, ServiceRequest> for ActixTracing
where
    S: Service<ServiceRequest, Response = ServiceResponse<B>, Error = Error>,
    S::Future: 'static,
    B: MessageBody + 'static,
{
    type Response = ServiceResponse<ActixBody<B>>;
    type Error = Error;
    type Transform = ActixService<S>;
    type InitError = ();
    type Future = Ready<Result<Self::Transform, ()>>;

    fn new_transform(&self, service: S) -> Self::Future {
        ready(Ok(ActixService {
            service,
            tracing: self.clone(),
        }))
    }
}

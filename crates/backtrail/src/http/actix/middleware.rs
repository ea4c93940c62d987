//! The middleware and its settings.

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
use crate::http::headers::HeaderCapture;
use crate::http::method::Methods;
use crate::http::redact::Redaction;
use crate::system::System;
use crate::{Span, TracingSystem};

impl TracingSystem {
    /// A middleware for actix-web that makes a span for each request: see [`http::actix`](crate::http::actix).
    pub fn actix(&self) -> ActixTracing {
        ActixTracing {
            system: self.system().clone(),
            settings: Arc::new(Settings::default()),
        }
    }
}

/// Makes a span for each request that a service of actix-web answers, below the span of its caller. [`TracingSystem::actix`] makes one. It does what
/// [`HttpServerLayer`](crate::http::server::HttpServerLayer) does for tower, but for gRPC and bodies.
///
/// The route is known after routing, so samplers do not see it. An error that another middleware returns instead of a response has no header with
/// the trace's id.
#[derive(Clone)]
pub struct ActixTracing {
    pub(super) system: System,
    pub(super) settings: Arc<Settings>,
}

type Ignore = Arc<dyn Fn(&ServiceRequest) -> bool + Send + Sync>;
type RequestHook = Arc<dyn Fn(&Span, &ServiceRequest) + Send + Sync>;
type ResponseHook = Arc<dyn Fn(&Span, &ResponseHead) + Send + Sync>;
type IsError = Arc<dyn Fn(StatusCode) -> bool + Send + Sync>;

#[derive(Clone)]
pub(super) struct Settings {
    pub(super) ignore: Option<Ignore>,
    pub(super) request_hook: Option<RequestHook>,
    pub(super) response_hook: Option<ResponseHook>,
    pub(super) request_headers: HeaderCapture,
    pub(super) response_headers: HeaderCapture,
    pub(super) is_error: Option<IsError>,
    pub(super) trace_id_header: Option<HeaderName>,
    pub(super) trusts_forwarded: bool,
    pub(super) redaction: Redaction,
    pub(super) methods: Methods,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            ignore: None,
            request_hook: None,
            response_hook: None,
            request_headers: HeaderCapture::default(),
            response_headers: HeaderCapture::default(),
            is_error: None,
            trace_id_header: Some(HeaderName::from_static("x-trace-id")),
            trusts_forwarded: false,
            redaction: Redaction::default(),
            methods: Methods::default(),
        }
    }
}

impl ActixTracing {
    fn set(mut self, change: impl FnOnce(&mut Settings)) -> Self {
        change(Arc::make_mut(&mut self.settings));
        self
    }

    /// Makes no span for requests of which this is true, and no header in their responses; what they call is still in the caller's trace.
    pub fn ignore(
        self,
        is_ignored: impl Fn(&ServiceRequest) -> bool + Send + Sync + 'static,
    ) -> Self {
        self.set(|settings| settings.ignore = Some(Arc::new(is_ignored)))
    }

    /// Called with each span when it has started. Not called for spans that do not record.
    pub fn request_hook(
        self,
        hook: impl Fn(&Span, &ServiceRequest) + Send + Sync + 'static,
    ) -> Self {
        self.set(|settings| settings.request_hook = Some(Arc::new(hook)))
    }

    /// Called with each span when the head of the response is there, after its own attributes were set. Not called for spans that do not record.
    pub fn response_hook(
        self,
        hook: impl Fn(&Span, &ResponseHead) + Send + Sync + 'static,
    ) -> Self {
        self.set(|settings| settings.response_hook = Some(Arc::new(hook)))
    }

    /// Records these headers of requests, as lists of text: `http.request.header.{name}`. Headers that hold credentials are `REDACTED`.
    pub fn capture_request_headers<N: AsRef<str>>(
        self,
        names: impl IntoIterator<Item = N>,
    ) -> Self {
        self.set(|settings| settings.request_headers.add("http.request.header", names))
    }

    /// Records these headers of responses, as lists of text: `http.response.header.{name}`. `Set-Cookie` is `REDACTED`.
    pub fn capture_response_headers<N: AsRef<str>>(
        self,
        names: impl IntoIterator<Item = N>,
    ) -> Self {
        self.set(|settings| settings.response_headers.add("http.response.header", names))
    }

    /// Which status codes are errors. Without it 500 and above.
    pub fn error_status(
        self,
        is_error: impl Fn(StatusCode) -> bool + Send + Sync + 'static,
    ) -> Self {
        self.set(|settings| settings.is_error = Some(Arc::new(is_error)))
    }

    /// The header of responses that tells the trace's id; `None` for no header. `x-trace-id` without it.
    pub fn trace_id_header(self, name: impl Into<Option<HeaderName>>) -> Self {
        let name = name.into();
        self.set(|settings| settings.trace_id_header = name)
    }

    /// Takes scheme, host and the client's address from `Forwarded`, or else from `X-Forwarded-Proto`, `-Host` and `-For`. Only for services
    /// behind a proxy that sets these: everybody else can write into them what they like.
    pub fn trust_forwarded(self, is_trusted: bool) -> Self {
        self.set(|settings| settings.trusts_forwarded = is_trusted)
    }

    /// The methods that are known, instead of those of RFC 9110, `PATCH` and `QUERY`. All others are `_OTHER`, and their spans are named `HTTP`: anybody
    /// can invent a method.
    pub fn known_methods(self, names: &'static [&'static str]) -> Self {
        self.set(|settings| settings.methods = Methods::only(names))
    }

    /// Redacts the values of these query keys, besides those that are known to be secret.
    pub fn redact_query_keys<K: Into<String>>(self, keys: impl IntoIterator<Item = K>) -> Self {
        self.set(|settings| settings.redaction.add_keys(keys))
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

//! The layer and its settings.

use std::fmt;
use std::sync::Arc;

use ::http::request;
use ::http::{HeaderName, StatusCode, response};
use tower_layer::Layer;

use super::request_body::{AsIs, Captured};
use super::service::HttpServer;
use crate::http::capture::BodyCapture;
use crate::http::headers::HeaderCapture;
use crate::http::method::Methods;
use crate::http::redact::Redaction;
use crate::system::System;
use crate::{Span, TracingSystem};

impl TracingSystem {
    /// A layer that makes a span for each request that a service answers: see [`http::server`](crate::http::server).
    pub fn http_server(&self) -> HttpServerLayer {
        HttpServerLayer {
            system: self.system().clone(),
            settings: Arc::new(Settings::default()),
            bodies: AsIs,
        }
    }
}

/// Makes a span for each request that a service answers, below the span of its caller. [`TracingSystem::http_server`] makes one.
///
/// The span is of the kind server, and named `{method} {route}`, or `{method}` where no route is known. Code of the service runs in it. A
/// response of 500 and above, an error of the service, and a panic are errors; a request that is given up by the client is `cancelled`. Each
/// response, of a failure too and where the trace is not sampled, tells the trace's id in the header `x-trace-id`.
///
/// With the instrumentation `http-server` switched off, and with tracing off, no span is made; the caller's trace is still handed on to
/// what the service calls.
///
/// The type parameter says whether the inner service gets the request's body as it is, or one that is recorded
/// ([`HttpServerLayer::capture_request_body`]).
#[derive(Clone)]
pub struct HttpServerLayer<C = AsIs> {
    pub(super) system: System,
    pub(super) settings: Arc<Settings>,
    pub(super) bodies: C,
}

type Ignore = Arc<dyn Fn(&request::Parts) -> bool + Send + Sync>;
type RequestHook = Arc<dyn Fn(&Span, &request::Parts) + Send + Sync>;
type ResponseHook = Arc<dyn Fn(&Span, &response::Parts) + Send + Sync>;
type IsError = Arc<dyn Fn(StatusCode) -> bool + Send + Sync>;

#[derive(Clone)]
pub(super) struct Settings {
    pub(super) ignore: Option<Ignore>,
    pub(super) request_hook: Option<RequestHook>,
    pub(super) response_hook: Option<ResponseHook>,
    pub(super) request_headers: HeaderCapture,
    pub(super) response_headers: HeaderCapture,
    pub(super) response_body: Option<BodyCapture>,
    pub(super) is_error: Option<IsError>,
    pub(super) trace_id_header: Option<HeaderName>,
    pub(super) trusts_forwarded: bool,
    pub(super) scheme: &'static str,
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
            response_body: None,
            is_error: None,
            trace_id_header: Some(HeaderName::from_static("x-trace-id")),
            trusts_forwarded: false,
            scheme: "http",
            redaction: Redaction::default(),
            methods: Methods::default(),
        }
    }
}

impl<C> HttpServerLayer<C> {
    fn set(mut self, change: impl FnOnce(&mut Settings)) -> Self {
        change(Arc::make_mut(&mut self.settings));
        self
    }

    /// Makes no span for requests of which this is true, and no header in their responses; what they call is still in the caller's trace.
    pub fn ignore(
        self,
        is_ignored: impl Fn(&request::Parts) -> bool + Send + Sync + 'static,
    ) -> Self {
        self.set(|settings| settings.ignore = Some(Arc::new(is_ignored)))
    }

    /// Called with each span when it has started. Not called for spans that do not record.
    pub fn request_hook(
        self,
        hook: impl Fn(&Span, &request::Parts) + Send + Sync + 'static,
    ) -> Self {
        self.set(|settings| settings.request_hook = Some(Arc::new(hook)))
    }

    /// Called with each span when the head of the response is there, after its own attributes were set. Not called for spans that do not record.
    pub fn response_hook(
        self,
        hook: impl Fn(&Span, &response::Parts) + Send + Sync + 'static,
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

    /// Records the body of responses, or its first `max_len_bytes`, as `http.response.body`. `redact` gets these bytes, and returns what may
    /// be recorded of them, if anything; if it panics, nothing is. A body that was longer has `http.response.body.truncated` as well. The body is
    /// not held back.
    pub fn capture_response_body(
        self,
        max_len_bytes: usize,
        redact: impl Fn(&[u8]) -> Option<String> + Send + Sync + 'static,
    ) -> Self {
        self.set(|settings| settings.response_body = Some(BodyCapture::new(max_len_bytes, redact)))
    }

    /// Records the body of requests, or as much as the service reads of its first `max_len_bytes`, as `http.request.body`. `redact` gets these
    /// bytes, and returns what may be recorded of them, if anything; if it panics, nothing is. A body that was longer has
    /// `http.request.body.truncated` as well. The body is not held back.
    ///
    /// The inner service gets a body of another type, [`CapturedBody`](super::CapturedBody); axum and tonic take any.
    pub fn capture_request_body(
        self,
        max_len_bytes: usize,
        redact: impl Fn(&[u8]) -> Option<String> + Send + Sync + 'static,
    ) -> HttpServerLayer<Captured> {
        HttpServerLayer {
            system: self.system,
            settings: self.settings,
            bodies: Captured(BodyCapture::new(max_len_bytes, redact)),
        }
    }

    /// Which status codes are errors. Without it 500 and above: of the others the client is to blame (semantic conventions, HTTP spans,
    /// status).
    ///
    /// ```
    /// # let traces = backtrail::testing::Recorder::new();
    /// # let tracing = traces.tracing();
    /// // As the Node middleware has it that this follows:
    /// let layer = tracing.http_server().error_status(|status| status.as_u16() >= 400);
    /// # drop(layer);
    /// ```
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

    /// `url.scheme` of requests that do not name theirs, as those of HTTP/1 do not: `https` for a service that has TLS itself. `http` without it.
    pub fn scheme(self, scheme: &'static str) -> Self {
        self.set(|settings| settings.scheme = scheme)
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

impl<C> fmt::Debug for HttpServerLayer<C> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("HttpServerLayer").finish_non_exhaustive()
    }
}

impl<S, C: Clone> Layer<S> for HttpServerLayer<C> {
    type Service = HttpServer<S, C>;

    fn layer(&self, service: S) -> Self::Service {
        HttpServer {
            service,
            layer: self.clone(),
        }
    }
}

//! The layer and its settings.

use std::fmt;
use std::sync::Arc;

use ::http::{request, response};
use tower_layer::Layer;

use super::service::HttpClient;
use crate::http::headers::HeaderCapture;
use crate::http::method::Methods;
use crate::http::redact::Redaction;
use crate::system::System;
use crate::{Span, TracingSystem};

impl TracingSystem {
    /// A layer that makes a span for each request that a client makes: see [`http::client`](crate::http::client).
    pub fn http_client(&self) -> HttpClientLayer {
        HttpClientLayer {
            system: self.system().clone(),
            settings: Arc::new(Settings::default()),
        }
    }
}

/// Makes a span for each request that a client makes, below the current one, and tells the server of it in the request's headers.
/// [`TracingSystem::http_client`] makes one.
///
/// The span is of the kind client, and named `{method}`, or `{method} {template}` with [`HttpClientLayer::url_template`]. Responses of 400 and above,
/// and requests without a response, are errors; a request that is given up is `cancelled`. Who leaves the rest of a response alone makes no
/// error.
///
/// Headers of a trace that the request has already are replaced. With the instrumentation `http-client` switched off, and with tracing off, no span
/// is made, and the current trace is handed on as it is.
#[derive(Clone)]
pub struct HttpClientLayer {
    pub(super) system: System,
    pub(super) settings: Arc<Settings>,
}

type Ignore = Arc<dyn Fn(&request::Parts) -> bool + Send + Sync>;
type RequestHook = Arc<dyn Fn(&Span, &request::Parts) + Send + Sync>;
type ResponseHook = Arc<dyn Fn(&Span, &response::Parts) + Send + Sync>;
type UrlTemplate = Arc<dyn Fn(&request::Parts) -> Option<String> + Send + Sync>;

#[derive(Clone, Default)]
pub(super) struct Settings {
    pub(super) requires_parent: bool,
    pub(super) ignore: Option<Ignore>,
    pub(super) request_hook: Option<RequestHook>,
    pub(super) response_hook: Option<ResponseHook>,
    pub(super) request_headers: HeaderCapture,
    pub(super) response_headers: HeaderCapture,
    pub(super) url_template: Option<UrlTemplate>,
    pub(super) redaction: Redaction,
    pub(super) methods: Methods,
}

impl HttpClientLayer {
    fn set(mut self, change: impl FnOnce(&mut Settings)) -> Self {
        change(Arc::make_mut(&mut self.settings));
        self
    }

    /// Makes spans only within a trace, and begins none. Off without it.
    pub fn require_parent(self, is_required: bool) -> Self {
        self.set(|settings| settings.requires_parent = is_required)
    }

    /// Makes no span for requests of which this is true; the current trace is handed on.
    pub fn ignore(
        self,
        is_ignored: impl Fn(&request::Parts) -> bool + Send + Sync + 'static,
    ) -> Self {
        self.set(|settings| settings.ignore = Some(Arc::new(is_ignored)))
    }

    /// Called with each span when it has started, before the trace's headers are written. Not called for spans that do not record.
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

    /// The pattern of a request's path, such as `/orders/{id}`, for the span's name and `url.template`. There are to be few of them.
    pub fn url_template(
        self,
        template: impl Fn(&request::Parts) -> Option<String> + Send + Sync + 'static,
    ) -> Self {
        self.set(|settings| settings.url_template = Some(Arc::new(template)))
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

impl fmt::Debug for HttpClientLayer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("HttpClientLayer").finish_non_exhaustive()
    }
}

impl<S> Layer<S> for HttpClientLayer {
    type Service = HttpClient<S>;

    fn layer(&self, service: S) -> HttpClient<S> {
        HttpClient {
            service,
            layer: self.clone(),
        }
    }
}

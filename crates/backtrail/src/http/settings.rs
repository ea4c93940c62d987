//! What can be set on all sides of HTTP, once: the layers for tower, the middleware for actix-web, and the clients.

use std::fmt;
use std::sync::Arc;

use ::http::HeaderMap;
use opentelemetry::KeyValue;

use super::capture::{BodyCapture, BodyRecording, Direction};
use super::exchange::Exchange;
use super::headers::HeaderCapture;
use super::hook::Hook;
use super::method::Methods;
use super::redact::Redaction;
use crate::Span;

/// The types in which a framework has the heads of requests and responses: hooks get these.
pub(super) trait Heads {
    type Request: ?Sized;
    type Response: ?Sized;
}

/// Those of the crate `http`.
#[derive(Clone, Debug, Default)]
pub(super) struct HttpHeads;

impl Heads for HttpHeads {
    type Request = ::http::request::Parts;
    type Response = ::http::response::Parts;
}

type Ignore<Q> = dyn Fn(&Q) -> bool + Send + Sync;
type OnHead<H> = dyn Fn(&Span, &H) + Send + Sync;

/// What all sides have.
pub(super) struct Settings<H: Heads> {
    pub(super) ignore: Option<Hook<Ignore<H::Request>>>,
    pub(super) request_hook: Option<Hook<OnHead<H::Request>>>,
    pub(super) response_hook: Option<Hook<OnHead<H::Response>>>,
    pub(super) request_headers: HeaderCapture,
    pub(super) response_headers: HeaderCapture,
    pub(super) request_body: Option<BodyCapture>,
    pub(super) response_body: Option<BodyCapture>,
    pub(super) records_body_sizes: bool,
    pub(super) redaction: Redaction,
    pub(super) methods: Methods,
}

impl<H: Heads> Settings<H> {
    /// Whether a request is to have no span. It has one if the rule panics.
    pub(super) fn ignores(&self, request: &H::Request) -> bool {
        let ignore = self.ignore.as_ref();
        ignore
            .and_then(|ignore| ignore.call(|ignore| ignore(request)))
            .unwrap_or(false)
    }

    /// Calls the hook for requests, if there is one and it could record something.
    pub(super) fn hook_request(&self, span: &Span, request: &H::Request) {
        if let Some(hook) = self.request_hook.as_ref().filter(|_| span.is_recording()) {
            hook.call(|hook| hook(span, request));
        }
    }

    /// Calls the hook for responses, if there is one and it could record something.
    pub(super) fn hook_response(&self, span: &Span, response: &H::Response) {
        if let Some(hook) = self.response_hook.as_ref().filter(|_| span.is_recording()) {
            hook.call(|hook| hook(span, response));
        }
    }

    pub(super) fn request_headers_of(&self, headers: &HeaderMap) -> impl Iterator<Item = KeyValue> {
        self.request_headers.of(headers, &self.redaction)
    }

    pub(super) fn response_headers_of(
        &self,
        headers: &HeaderMap,
    ) -> impl Iterator<Item = KeyValue> {
        self.response_headers.of(headers, &self.redaction)
    }

    /// What watches a body go by; nothing if nobody asked for it.
    pub(super) fn record_body(
        &self,
        exchange: &Exchange,
        direction: Direction,
    ) -> Option<BodyRecording> {
        let capture = match direction {
            Direction::Request => &self.request_body,
            Direction::Response => &self.response_body,
        };
        BodyRecording::start(
            exchange,
            direction,
            capture.as_ref(),
            self.records_body_sizes,
        )
    }

    /// `http.request.body.size` as the request's head announces it in `Content-Length`, if it is wanted.
    pub(super) fn announced_size(
        &self,
        content_length: Option<&[u8]>,
        with_old_names: bool,
    ) -> impl Iterator<Item = KeyValue> {
        let announced = content_length.filter(|_| self.records_body_sizes);
        let len_bytes = announced.and_then(|text| str::from_utf8(text).ok()?.parse().ok());
        len_bytes
            .into_iter()
            .flat_map(move |len_bytes| Direction::Request.sizes(len_bytes, with_old_names))
    }
}

// Derived ones would ask it of the heads, too.
impl<H: Heads> Clone for Settings<H> {
    fn clone(&self) -> Self {
        Self {
            ignore: self.ignore.clone(),
            request_hook: self.request_hook.clone(),
            response_hook: self.response_hook.clone(),
            request_headers: self.request_headers.clone(),
            response_headers: self.response_headers.clone(),
            request_body: self.request_body.clone(),
            response_body: self.response_body.clone(),
            records_body_sizes: self.records_body_sizes,
            redaction: self.redaction.clone(),
            methods: self.methods,
        }
    }
}

impl<H: Heads> Default for Settings<H> {
    fn default() -> Self {
        Self {
            ignore: None,
            request_hook: None,
            response_hook: None,
            request_headers: HeaderCapture::default(),
            response_headers: HeaderCapture::default(),
            request_body: None,
            response_body: None,
            records_body_sizes: false,
            redaction: Redaction::default(),
            methods: Methods::default(),
        }
    }
}

impl<H: Heads> fmt::Debug for Settings<H> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Settings").finish_non_exhaustive()
    }
}

/// What the methods of a builder do to the settings. The methods themselves are made by [`shared_settings`], for the types of each framework.
impl<H: Heads> Settings<H> {
    pub(super) fn set_ignore(&mut self, ignore: Arc<Ignore<H::Request>>) {
        self.ignore = Some(Hook::new("ignore", ignore));
    }

    pub(super) fn set_request_hook(&mut self, hook: Arc<OnHead<H::Request>>) {
        self.request_hook = Some(Hook::new("request_hook", hook));
    }

    pub(super) fn set_response_hook(&mut self, hook: Arc<OnHead<H::Response>>) {
        self.response_hook = Some(Hook::new("response_hook", hook));
    }
}

/// Methods of a builder for what all sides have. The type needs `shared(self, change: impl FnOnce(&mut Settings<…>)) -> Self`.
macro_rules! shared_settings {
    ($request:ty, $response:ty, ignore: $ignore:literal) => {
        #[doc = $ignore]
        ///
        /// A request of which the rule panics is not ignored.
        pub fn ignore(
            self,
            is_ignored: impl Fn(&$request) -> bool + Send + Sync + 'static,
        ) -> Self {
            self.shared(|settings| settings.set_ignore(std::sync::Arc::new(is_ignored)))
        }

        /// Called with each span when it has started. Not called for spans that do not record. A panic of the hook is logged once, and goes no further.
        pub fn request_hook(
            self,
            hook: impl Fn(&$crate::Span, &$request) + Send + Sync + 'static,
        ) -> Self {
            self.shared(|settings| settings.set_request_hook(std::sync::Arc::new(hook)))
        }

        /// Called with each span when the head of the response is there, after its own attributes were set. Not called for spans that do not
        /// record. A panic of the hook is logged once, and goes no further.
        pub fn response_hook(
            self,
            hook: impl Fn(&$crate::Span, &$response) + Send + Sync + 'static,
        ) -> Self {
            self.shared(|settings| settings.set_response_hook(std::sync::Arc::new(hook)))
        }

        /// Records these headers of requests, as lists of text: `http.request.header.{name}`. Headers that hold credentials are `REDACTED`, and of
        /// URLs what is redacted in `url.query` and `url.full`.
        pub fn capture_request_headers<N: AsRef<str>>(
            self,
            names: impl IntoIterator<Item = N>,
        ) -> Self {
            self.shared(|settings| settings.request_headers.add("http.request.header", names))
        }

        /// Records these headers of responses, as lists of text: `http.response.header.{name}`. `Set-Cookie` is `REDACTED`, and of URLs what is
        /// redacted in `url.query` and `url.full`.
        pub fn capture_response_headers<N: AsRef<str>>(
            self,
            names: impl IntoIterator<Item = N>,
        ) -> Self {
            self.shared(|settings| settings.response_headers.add("http.response.header", names))
        }

        /// Records the body of responses, or as much as is read of its first `max_len_bytes`, as `http.response.body`. `redact` gets these bytes, and
        /// returns what may be recorded of them, if anything; if it panics, nothing is. A body that was longer has
        /// `http.response.body.truncated` as well. The body is not held back.
        pub fn capture_response_body(
            self,
            max_len_bytes: usize,
            redact: impl Fn(&[u8]) -> Option<String> + Send + Sync + 'static,
        ) -> Self {
            self.shared(|settings| {
                let name = "capture_response_body";
                let capture = $crate::http::capture::BodyCapture::new(
                    name,
                    max_len_bytes,
                    std::sync::Arc::new(redact),
                );
                settings.response_body = Some(capture);
            })
        }

        /// Records the sizes of bodies, in bytes: `http.response.body.size`, as much as went by, and `http.request.body.size`, as the request's
        /// head announces it, or as much as was read of a body that is recorded. A client that unpacks bodies has the sizes of what it unpacked. Off
        /// without it (semantic conventions 1.42, HTTP spans, opt-in).
        pub fn record_body_sizes(self, is_on: bool) -> Self {
            self.shared(|settings| settings.records_body_sizes = is_on)
        }

        /// The methods that are known, instead of those of RFC 9110, `PATCH` and `QUERY`. All others are `_OTHER`, and their spans are named `HTTP`:
        /// anybody can invent a method.
        pub fn known_methods(self, names: &'static [&'static str]) -> Self {
            self.shared(|settings| settings.methods = $crate::http::method::Methods::only(names))
        }

        /// Redacts the values of these query keys, besides those that are known to be secret.
        pub fn redact_query_keys<K: Into<String>>(self, keys: impl IntoIterator<Item = K>) -> Self {
            self.shared(|settings| settings.redaction.add_keys(keys))
        }
    };
}

/// `capture_request_body` of a builder; `$captured` is its type afterwards, made by `captured(self, capture: BodyCapture) -> $captured`.
macro_rules! request_body_setting {
    ($captured:ty, $contract:literal) => {
        /// Records the body of requests, or as much as is read of its first `max_len_bytes`, as `http.request.body`. `redact` gets these bytes, and
        /// returns what may be recorded of them, if anything; if it panics, nothing is. A body that was longer has
        /// `http.request.body.truncated` as well. The body is not held back.
        ///
        #[doc = $contract]
        pub fn capture_request_body(
            self,
            max_len_bytes: usize,
            redact: impl Fn(&[u8]) -> Option<String> + Send + Sync + 'static,
        ) -> $captured {
            let name = "capture_request_body";
            self.captured($crate::http::capture::BodyCapture::new(
                name,
                max_len_bytes,
                std::sync::Arc::new(redact),
            ))
        }
    };
}

pub(super) use {request_body_setting, shared_settings};

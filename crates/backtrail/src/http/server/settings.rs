//! What can be set where requests are answered: the layer for tower, and the middleware for actix-web.

use std::sync::Arc;

use crate::http::hook::Hook;
use crate::http::settings::{Heads, HttpHeads, Settings};

use super::forwarded::Forwarded;

/// A framework's type for names of headers.
pub(in crate::http) trait AnsweringHeads: Heads {
    type HeaderName: Clone;

    /// `x-trace-id`.
    fn trace_id_header() -> Self::HeaderName;
}

impl AnsweringHeads for HttpHeads {
    type HeaderName = ::http::HeaderName;

    fn trace_id_header() -> ::http::HeaderName {
        ::http::HeaderName::from_static("x-trace-id")
    }
}

type IsError = dyn Fn(u16) -> bool + Send + Sync;

/// What both have.
#[derive(Clone, Debug)]
pub(in crate::http) struct ServerSettings<H: AnsweringHeads> {
    pub(in crate::http) shared: Settings<H>,
    pub(in crate::http) is_error: Option<Hook<IsError>>,
    pub(in crate::http) trace_id_header: Option<H::HeaderName>,
    pub(in crate::http) trusts_forwarded: bool,
    pub(in crate::http) scheme: &'static str,
}

impl<H: AnsweringHeads> Default for ServerSettings<H> {
    fn default() -> Self {
        Self {
            shared: Settings::default(),
            is_error: None,
            trace_id_header: Some(H::trace_id_header()),
            trusts_forwarded: false,
            scheme: "http",
        }
    }
}

impl<H: AnsweringHeads> ServerSettings<H> {
    pub(in crate::http) fn set_is_error(&mut self, is_error: Arc<IsError>) {
        self.is_error = Some(Hook::new("error_status", is_error));
    }

    /// Whether a status code is an error: by the service's rule, or else, and if that panics, 500 and above.
    pub(in crate::http) fn is_error(&self, status: u16) -> bool {
        let rule = self.is_error.as_ref();
        let said = rule.and_then(|rule| rule.call(|rule| rule(status)));
        said.unwrap_or(status >= 500)
    }

    /// What a proxy says, if it is believed.
    pub(in crate::http) fn forwarded<'a>(
        &self,
        header: impl Fn(&str) -> Option<&'a str>,
    ) -> Forwarded<'a> {
        if self.trusts_forwarded {
            Forwarded::read(header)
        } else {
            Forwarded::default()
        }
    }
}

/// Methods of a builder for what servers have besides [`shared_settings`](crate::http::settings::shared_settings). The type needs
/// `set(self, change: impl FnOnce(&mut ServerSettings<…>)) -> Self`.
macro_rules! server_settings {
    ($status:ty, $header_name:ty, error_status_example: $example:literal) => {
        /// Which status codes are errors. Without it, and if the rule panics, 500 and above: of the others the client is to blame (semantic conventions
        /// 1.42, HTTP spans, status).
        ///
        #[doc = $example]
        pub fn error_status(
            self,
            is_error: impl Fn($status) -> bool + Send + Sync + 'static,
        ) -> Self {
            let is_error =
                move |status: u16| <$status>::from_u16(status).is_ok_and(|status| is_error(status));
            self.set(|settings| settings.set_is_error(std::sync::Arc::new(is_error)))
        }

        /// The header of responses that tells the trace's id; `None` for no header. `x-trace-id` without it.
        pub fn trace_id_header(self, name: impl Into<Option<$header_name>>) -> Self {
            let name = name.into();
            self.set(|settings| settings.trace_id_header = name)
        }

        /// Takes scheme, host and the client's address from `Forwarded`, or else from `X-Forwarded-Proto`, `-Host` and `-For`. Only for services
        /// behind a proxy that sets these: everybody else can write into them what they like.
        pub fn trust_forwarded(self, is_trusted: bool) -> Self {
            self.set(|settings| settings.trusts_forwarded = is_trusted)
        }

        /// `url.scheme` of requests that do not name theirs, as those of HTTP/1 do not: `https` for a service that has TLS itself, or whose proxy has.
        /// `http` without it.
        pub fn scheme(self, scheme: &'static str) -> Self {
            self.set(|settings| settings.scheme = scheme)
        }
    };
}

pub(in crate::http) use server_settings;

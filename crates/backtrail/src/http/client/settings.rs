//! What can be set for the requests that a service makes.

use std::fmt;
use std::sync::Arc;

use ::http::{request, response};

use crate::http::capture::BodyCapture;
use crate::http::hook::Hook;
use crate::http::settings::{HttpHeads, Settings, request_body_setting, shared_settings};

/// What becomes of the requests that a service makes, of whatever client: given to [`TracingSystemBuilder::http_client_settings`], it holds for the
/// whole system; a layer of tower, and each request of reqwest, may have their own.
///
/// ```
/// use backtrail::TracingSystem;
/// use backtrail::http::client::HttpClientSettings;
///
/// let settings = HttpClientSettings::new()
///     .require_parent(true)
///     .ignore(|request| request.uri.path() == "/health")
///     .redact_query_keys(["voucher"]);
/// let system = TracingSystem::builder("orders").http_client_settings(settings);
/// # drop(system);
/// ```
///
/// Clones are cheap.
///
/// [`TracingSystemBuilder::http_client_settings`]: crate::TracingSystemBuilder::http_client_settings
#[derive(Clone, Default)]
pub struct HttpClientSettings(Arc<Inner>);

#[derive(Clone, Default)]
struct Inner {
    shared: Settings<HttpHeads>,
    requires_parent: bool,
    url_template: Option<Hook<UrlTemplate>>,
}

/// Methods of a builder for what clients have besides [`shared_settings`]. The type needs
/// `client(self, change: impl FnOnce(HttpClientSettings) -> HttpClientSettings) -> Self`.
macro_rules! client_settings {
    () => {
        /// Makes spans only within a trace, and begins none. Off without it.
        pub fn require_parent(self, is_required: bool) -> Self {
            self.client(|settings| settings.set_requires_parent(is_required))
        }

        /// The pattern of a request's path, such as `/orders/{id}`, for the span's name and `url.template`. There are to be few of them. A request for
        /// which the function panics has none.
        pub fn url_template(
            self,
            template: impl Fn(&::http::request::Parts) -> Option<String> + Send + Sync + 'static,
        ) -> Self {
            self.client(|settings| settings.set_url_template(std::sync::Arc::new(template)))
        }
    };
}

pub(super) use client_settings;

type UrlTemplate = dyn Fn(&request::Parts) -> Option<String> + Send + Sync;

impl HttpClientSettings {
    /// Each request has a span, and nothing is recorded that is not asked for.
    pub fn new() -> Self {
        Self::default()
    }

    shared_settings!(
        request::Parts,
        response::Parts,
        ignore: "Makes no span for requests of which this is true; the current trace is handed on."
    );

    request_body_setting!(
        Self,
        "Of reqwest, a body that is not a stream is recorded as it is given to it. A layer for tower heeds this only if it is set at the layer \
         itself ([`HttpClientLayer::capture_request_body`](super::HttpClientLayer::capture_request_body)): it changes the type of the body."
    );

    client_settings!();

    /// Changes what all sides have.
    pub(super) fn shared(self, change: impl FnOnce(&mut Settings<HttpHeads>)) -> Self {
        self.set(|settings| change(&mut settings.shared))
    }

    fn captured(self, capture: BodyCapture) -> Self {
        self.shared(|settings| settings.request_body = Some(capture))
    }

    fn client(self, change: impl FnOnce(Self) -> Self) -> Self {
        change(self)
    }

    fn set(mut self, change: impl FnOnce(&mut Inner)) -> Self {
        change(Arc::make_mut(&mut self.0));
        self
    }

    pub(super) fn set_requires_parent(self, is_required: bool) -> Self {
        self.set(|settings| settings.requires_parent = is_required)
    }

    pub(super) fn set_url_template(self, template: Arc<UrlTemplate>) -> Self {
        let template = Hook::new("url_template", template);
        self.set(|settings| settings.url_template = Some(template))
    }

    /// What all sides have.
    pub(super) fn common(&self) -> &Settings<HttpHeads> {
        &self.0.shared
    }

    pub(super) fn requires_parent(&self) -> bool {
        self.0.requires_parent
    }

    /// The pattern of a request's path; none if the service's code panics.
    pub(super) fn template_of(&self, request: &request::Parts) -> Option<String> {
        let template = self.0.url_template.as_ref()?;
        template.call(|template| template(request))?
    }
}

impl fmt::Debug for HttpClientSettings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("HttpClientSettings").finish_non_exhaustive()
    }
}

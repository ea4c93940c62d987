//! The layer.

use std::fmt;
use std::marker::PhantomData;

use ::http::{request, response};
use tower_layer::Layer;

use super::service::HttpClient;
use super::settings::{HttpClientSettings, client_settings};
use crate::TracingSystem;
use crate::http::capture::BodyCapture;
use crate::http::request_body::{AsIs, Captured};
use crate::http::settings::{HttpHeads, Settings, request_body_setting, shared_settings};
use crate::system::System;

impl TracingSystem {
    /// A layer that makes a span for each request that a client makes: see [`http::client`](crate::http::client). It begins with the settings of the
    /// system ([`TracingSystemBuilder::http_client_settings`](crate::TracingSystemBuilder::http_client_settings)).
    pub fn http_client(&self) -> HttpClientLayer {
        HttpClientLayer {
            system: self.system().clone(),
            settings: self.system().http_client_settings().clone(),
            bodies: PhantomData,
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
///
/// The type parameter says whether the inner client gets the request's body as it is, or one that is recorded
/// ([`HttpClientLayer::capture_request_body`]).
#[derive(Clone)]
pub struct HttpClientLayer<C = AsIs> {
    pub(super) system: System,
    pub(super) settings: HttpClientSettings,
    bodies: PhantomData<C>,
}

impl<C> HttpClientLayer<C> {
    /// Goes by these settings, instead of all that was set before.
    pub fn settings(mut self, settings: HttpClientSettings) -> Self {
        self.settings = settings;
        self
    }

    shared_settings!(
        request::Parts,
        response::Parts,
        ignore: "Makes no span for requests of which this is true; the current trace is handed on."
    );

    request_body_setting!(
        HttpClientLayer<Captured>,
        "The inner client gets a body of another type, [`CapturedBody`](super::CapturedBody)."
    );

    client_settings!();

    fn client(mut self, change: impl FnOnce(HttpClientSettings) -> HttpClientSettings) -> Self {
        self.settings = change(self.settings);
        self
    }

    fn shared(self, change: impl FnOnce(&mut Settings<HttpHeads>)) -> Self {
        self.client(|settings| settings.shared(change))
    }

    fn captured(self, capture: BodyCapture) -> HttpClientLayer<Captured> {
        let layer = self.shared(|settings| settings.request_body = Some(capture));
        HttpClientLayer {
            system: layer.system,
            settings: layer.settings,
            bodies: PhantomData,
        }
    }
}

impl<C> fmt::Debug for HttpClientLayer<C> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("HttpClientLayer").finish_non_exhaustive()
    }
}

impl<S, C: Clone> Layer<S> for HttpClientLayer<C> {
    type Service = HttpClient<S, C>;

    fn layer(&self, service: S) -> HttpClient<S, C> {
        HttpClient {
            service,
            layer: self.clone(),
        }
    }
}

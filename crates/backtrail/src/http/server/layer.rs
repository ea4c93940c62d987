//! The layer.

use std::fmt;
use std::marker::PhantomData;
use std::sync::Arc;

use ::http::{HeaderName, StatusCode, request, response};
use tower_layer::Layer;

use super::service::HttpServer;
use super::settings::{ServerSettings, server_settings};
use crate::TracingSystem;
use crate::http::capture::BodyCapture;
use crate::http::request_body::{AsIs, Captured};
use crate::http::settings::{HttpHeads, Settings, request_body_setting, shared_settings};
use crate::system::System;

impl TracingSystem {
    /// A layer that makes a span for each request that a service answers: see [`http::server`](crate::http::server).
    pub fn http_server(&self) -> HttpServerLayer {
        HttpServerLayer {
            system: self.system().clone(),
            settings: Arc::default(),
            bodies: PhantomData,
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
    pub(super) settings: Arc<ServerSettings<HttpHeads>>,
    bodies: PhantomData<C>,
}

impl<C> HttpServerLayer<C> {
    shared_settings!(
        request::Parts,
        response::Parts,
        ignore: "Makes no span for requests of which this is true, and no header in their responses; what they call is still in the caller's trace."
    );

    request_body_setting!(
        HttpServerLayer<Captured>,
        "The inner service gets a body of another type, [`CapturedBody`](super::CapturedBody); axum and tonic take any."
    );

    server_settings!(
        StatusCode,
        HeaderName,
        error_status_example: "```\n\
            # let traces = backtrail::testing::Recorder::new();\n\
            # let tracing = traces.tracing();\n\
            // As the Node middleware has it that this follows:\n\
            let layer = tracing.http_server().error_status(|status| status.as_u16() >= 400);\n\
            # drop(layer);\n\
            ```"
    );

    fn set(mut self, change: impl FnOnce(&mut ServerSettings<HttpHeads>)) -> Self {
        change(Arc::make_mut(&mut self.settings));
        self
    }

    fn shared(self, change: impl FnOnce(&mut Settings<HttpHeads>)) -> Self {
        self.set(|settings| change(&mut settings.shared))
    }

    fn captured(self, capture: BodyCapture) -> HttpServerLayer<Captured> {
        let layer = self.shared(|settings| settings.request_body = Some(capture));
        HttpServerLayer {
            system: layer.system,
            settings: layer.settings,
            bodies: PhantomData,
        }
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

//! A service of actix-web with the middleware around it.

use std::fmt;
use std::future::{Future, poll_fn};
use std::panic::resume_unwind;
use std::pin::{Pin, pin};
use std::task::{Context as TaskContext, Poll};

use actix_web::Error;
use actix_web::body::{BodySize, MessageBody};
use actix_web::dev::{Payload, Service, ServiceRequest, ServiceResponse};
use actix_web::http::header::{CONTENT_LENGTH, HOST, HeaderName, HeaderValue, USER_AGENT};
use actix_web::http::uri::Authority;
use actix_web::http::{Method, StatusCode, Version};
use opentelemetry::Context;
use opentelemetry::trace::{SpanKind, TraceContextExt};

use super::body::ActixBody;
use super::headers::ActixExtractor;
use super::middleware::{ActixHeads, ActixTracing};
use super::payload::RecordedPayload;
use crate::http::body::BodyWatch;
use crate::http::capture::Direction;
use crate::http::exchange::{Exchange, record_status, run_in};
use crate::http::grpc::Side;
use crate::http::headers::text;
use crate::http::route::RouteSlot;
use crate::http::server::{Incoming, ServerSettings, record_late_route};
use crate::system::Scope;
use crate::{Instrumentation, Span};

/// A service whose requests are traced: [`ActixTracing`] makes one.
pub struct ActixService<S> {
    pub(super) service: S,
    pub(super) tracing: ActixTracing,
}

impl<S> fmt::Debug for ActixService<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ActixService").finish_non_exhaustive()
    }
}

type LocalFuture<T> = Pin<Box<dyn Future<Output = T>>>;

impl<S, B> Service<ServiceRequest> for ActixService<S>
where
    S: Service<ServiceRequest, Response = ServiceResponse<B>, Error = Error>,
    S::Future: 'static,
    B: MessageBody + 'static,
{
    type Response = ServiceResponse<ActixBody<B>>;
    type Error = Error;
    type Future = LocalFuture<Result<Self::Response, Error>>;

    fn poll_ready(&self, cx: &mut TaskContext<'_>) -> Poll<Result<(), Error>> {
        self.service.poll_ready(cx)
    }

    fn call(&self, mut request: ServiceRequest) -> Self::Future {
        let watch = ActixWatch::start(&self.tracing, &request);
        watch.record_request_body(&mut request);
        let called = run_in(&watch.context, || self.service.call(request));
        Box::pin(async move {
            let future = match called {
                Ok(future) => future,
                Err(payload) => watch.panicked(payload),
            };
            let mut future = pin!(future);
            let polled = poll_fn(
                |cx| match run_in(&watch.context, || future.as_mut().poll(cx)) {
                    Ok(polled) => polled.map(Ok),
                    Err(payload) => Poll::Ready(Err(payload)),
                },
            );
            match polled.await {
                Ok(Ok(response)) => Ok(watch.response(response)),
                Ok(Err(error)) => Err(watch.failed(error)),
                Err(payload) => watch.panicked(payload),
            }
        })
    }
}

/// A request whose response is waited for.
struct ActixWatch {
    context: Context,
    tracing: ActixTracing,
    /// Nothing if there is no span.
    exchange: Option<Exchange>,
    method: Method,
    is_ignored: bool,
}

impl ActixWatch {
    fn start(tracing: &ActixTracing, request: &ServiceRequest) -> Self {
        let system = &tracing.system;
        let current = Context::map_current(|current| system.within(current));
        let caller = ActixExtractor(request.headers());
        let mut watch = Self {
            context: system.propagator().extract(&current, &caller),
            tracing: tracing.clone(),
            exchange: None,
            method: request.method().clone(),
            is_ignored: tracing.settings.shared.ignores(request),
        };
        if !watch.is_ignored && system.makes_spans_of(Instrumentation::HttpServer) {
            watch.start_span(request);
        }
        watch
    }

    fn start_span(&mut self, request: &ServiceRequest) {
        let settings = &self.tracing.settings.shared;
        let with_old_names = self.tracing.system.duplicates_http_names();
        let incoming = incoming(&self.tracing.settings, request);
        let mut attributes = Vec::with_capacity(16);
        incoming.append_http(&mut attributes, &settings.redaction, with_old_names);
        incoming.append_network(&mut attributes, with_old_names);
        let headers = request.headers();
        let values = |name: &str| headers.get_all(name).map(|v| text(v.as_bytes())).collect();
        attributes.extend(
            settings
                .request_headers
                .attributes(&settings.redaction, values),
        );
        let content_length = headers.get(CONTENT_LENGTH).map(HeaderValue::as_bytes);
        attributes.extend(settings.announced_size(content_length, with_old_names));
        let span = crate::span(incoming.span_name())
            .scope(Scope::Http)
            .kind(SpanKind::Server)
            .attributes(attributes)
            .parent(&self.context.with_value(RouteSlot::default()))
            .start_active();
        settings.hook_request(&span, request);
        self.context = span.context();
        let redaction = &settings.redaction;
        self.exchange = Some(Exchange::new(span, Side::Server, with_old_names, redaction));
    }

    fn record_request_body(&self, request: &mut ServiceRequest) {
        let Some(exchange) = &self.exchange else {
            return;
        };
        let settings = &self.tracing.settings.shared;
        let (_, payload) = request.parts_mut();
        // The size alone is in the head, and no reason for another payload.
        if settings.request_body.is_some()
            && !matches!(payload, Payload::None)
            && let Some(recording) = settings.record_body(exchange, Direction::Request)
        {
            let recorded = RecordedPayload::new(payload.take(), recording);
            *payload = Payload::Stream {
                payload: Box::pin(recorded),
            };
        }
    }

    fn response<B: MessageBody>(
        mut self,
        mut response: ServiceResponse<B>,
    ) -> ServiceResponse<ActixBody<B>> {
        if let Some((name, value)) = self.trace_id() {
            response.headers_mut().insert(name, value);
        }
        let mut exchange = self.exchange.take();
        if let Some(exchange) = &exchange {
            self.record_head(exchange, &response);
        }
        let status = response.status();
        if self.method == Method::HEAD || status.is_informational() || status.as_u16() == 304 {
            exchange.take().into_iter().for_each(Exchange::finish);
        }
        let settings = &self.tracing.settings.shared;
        response.map_body(|_, body| {
            let Some(exchange) = exchange else {
                return ActixBody::new(body, BodyWatch::default());
            };
            let recording = settings.record_body(&exchange, Direction::Response);
            let len_bytes = match body.size() {
                BodySize::None => Some(0),
                BodySize::Sized(len_bytes) => Some(len_bytes),
                BodySize::Stream => None,
            };
            ActixBody::new(body, BodyWatch::of_len(exchange, recording, len_bytes))
        })
    }

    fn record_head<B>(&self, exchange: &Exchange, response: &ServiceResponse<B>) {
        let settings = &self.tracing.settings.shared;
        let span = exchange.span();
        if !span.is_recording() {
            return;
        }
        self.record_route(span, || response.request().match_pattern());
        self.record_status(exchange, response.status());
        let headers = response.headers();
        let values = |name: &str| headers.get_all(name).map(|v| text(v.as_bytes())).collect();
        for attribute in settings
            .response_headers
            .attributes(&settings.redaction, values)
        {
            span.put(attribute);
        }
        settings.hook_response(span, response.response().head());
    }

    /// The route that code within told, or else the one that the router found.
    fn record_route(&self, span: &Span, matched: impl FnOnce() -> Option<String>) {
        let told = self.context.get::<RouteSlot>().and_then(RouteSlot::take);
        if let Some(route) = told.or_else(matched) {
            let methods = &self.tracing.settings.shared.methods;
            let method = methods.find(self.method.as_str());
            record_late_route(span, method.in_span_name(), route);
        }
    }

    fn record_status(&self, exchange: &Exchange, status: StatusCode) {
        let is_error = self.tracing.settings.is_error(status.as_u16());
        let with_old_names = self.tracing.system.duplicates_http_names();
        record_status(exchange.span(), status.as_u16(), is_error, with_old_names);
    }

    /// The header that tells the trace's id.
    fn trace_id(&self) -> Option<(HeaderName, HeaderValue)> {
        let span = self.context.span();
        let span_context = span.span_context();
        let name = self.tracing.settings.trace_id_header.as_ref();
        let name = name.filter(|_| !self.is_ignored && span_context.is_valid())?;
        let value = HeaderValue::try_from(span_context.trace_id().to_string()).ok()?;
        Some((name.clone(), value))
    }

    /// An error becomes a response outside of the middleware: it takes the header along. Its status is known here.
    fn failed(mut self, mut error: Error) -> Error {
        if let Some((name, value)) = self.trace_id() {
            error.add_response_mapper(move |mut response| {
                let headers = response.headers_mut();
                headers.insert(name.clone(), value.clone());
                response
            });
        }
        if let Some(exchange) = self.exchange.take() {
            self.record_route(exchange.span(), || None);
            self.record_status(&exchange, error.as_response_error().status_code());
            exchange.finish();
        }
        error
    }

    fn panicked(mut self, payload: Box<dyn std::any::Any + Send>) -> ! {
        if let Some(exchange) = self.exchange.take() {
            exchange.panicked(&*payload);
        }
        resume_unwind(payload)
    }
}

fn incoming<'a>(
    settings: &ServerSettings<ActixHeads>,
    request: &'a ServiceRequest,
) -> Incoming<'a> {
    let header = |name: &str| {
        request
            .headers()
            .get(name)
            .and_then(|value| value.to_str().ok())
    };
    let forwarded = settings.forwarded(header);
    let authority = || request.uri().authority().map(Authority::as_str);
    let scheme = if request.app_config().secure() {
        "https"
    } else {
        settings.scheme
    };
    let query = Some(request.query_string()).filter(|query| !query.is_empty());
    Incoming {
        method: settings.shared.methods.find(request.method().as_str()),
        scheme: forwarded.scheme.unwrap_or(scheme),
        host: forwarded
            .host
            .or_else(authority)
            .or_else(|| header(HOST.as_str())),
        path: request.path(),
        query,
        user_agent: header(USER_AGENT.as_str()),
        protocol_version: protocol_version(request.version()),
        forwarded_client: forwarded.client,
        peer: request.peer_addr(),
        route: None,
    }
}

fn protocol_version(version: Version) -> Option<&'static str> {
    match version {
        Version::HTTP_10 => Some("1.0"),
        Version::HTTP_11 => Some("1.1"),
        Version::HTTP_2 => Some("2"),
        _ => None,
    }
}

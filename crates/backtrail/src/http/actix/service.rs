//! A service of actix-web with the middleware around it.

use std::fmt;
use std::future::{Future, poll_fn};
use std::panic::resume_unwind;
use std::pin::{Pin, pin};
use std::task::{Context as TaskContext, Poll};

use actix_web::Error;
use actix_web::body::MessageBody;
use actix_web::dev::{Service, ServiceRequest, ServiceResponse};
use actix_web::http::header::{HOST, HeaderValue, USER_AGENT};
use actix_web::http::uri::Authority;
use actix_web::http::{Method, Version};
use opentelemetry::Context;
use opentelemetry::trace::{SpanKind, TraceContextExt};

use super::body::ActixBody;
use super::headers::ActixExtractor;
use super::middleware::{ActixTracing, Settings};
use crate::Instrumentation;
use crate::http::exchange::{Exchange, record_status, run_in};
use crate::http::grpc::Side;
use crate::http::headers::text;
use crate::http::route::RouteSlot;
use crate::http::server::{Forwarded, Incoming, record_late_route};
use crate::system::Scope;

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

    fn call(&self, request: ServiceRequest) -> Self::Future {
        let watch = ActixWatch::start(&self.tracing, &request);
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
                Ok(Err(error)) => {
                    watch.failed(&error);
                    Err(error)
                }
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
        let ignore = tracing.settings.ignore.as_ref();
        let mut watch = Self {
            context: system.propagator().extract(&current, &caller),
            tracing: tracing.clone(),
            exchange: None,
            method: request.method().clone(),
            is_ignored: ignore.is_some_and(|ignore| ignore(request)),
        };
        if !watch.is_ignored && system.makes_spans_of(Instrumentation::HttpServer) {
            watch.start_span(request);
        }
        watch
    }

    fn start_span(&mut self, request: &ServiceRequest) {
        let settings = &*self.tracing.settings;
        let with_old_names = self.tracing.system.duplicates_http_names();
        let incoming = incoming(settings, request);
        let mut attributes = Vec::with_capacity(16);
        incoming.append_http(&mut attributes, &settings.redaction, with_old_names);
        incoming.append_network(&mut attributes, with_old_names);
        let headers = request.headers();
        let values = |name: &str| headers.get_all(name).map(|v| text(v.as_bytes())).collect();
        attributes.extend(settings.request_headers.attributes(values));
        let span = crate::span(incoming.span_name())
            .scope(Scope::Http)
            .kind(SpanKind::Server)
            .attributes(attributes)
            .parent(&self.context.with_value(RouteSlot::default()))
            .start_active();
        if let Some(hook) = &settings.request_hook
            && span.is_recording()
        {
            hook(&span, request);
        }
        self.context = span.context();
        self.exchange = Some(Exchange::new(span, Side::Server, false, with_old_names));
    }

    fn response<B: MessageBody>(
        mut self,
        mut response: ServiceResponse<B>,
    ) -> ServiceResponse<ActixBody<B>> {
        self.tell_trace_id(&mut response);
        let mut exchange = self.exchange.take();
        if let Some(exchange) = &exchange {
            self.record_head(exchange, &response);
        }
        let status = response.status();
        if self.method == Method::HEAD || status.is_informational() || status.as_u16() == 304 {
            exchange.take().into_iter().for_each(Exchange::finish);
        }
        response.map_body(|_, body| ActixBody::new(body, exchange))
    }

    fn record_head<B>(&self, exchange: &Exchange, response: &ServiceResponse<B>) {
        let settings = &*self.tracing.settings;
        let span = exchange.span();
        if !span.is_recording() {
            return;
        }
        let told = self.context.get::<RouteSlot>().and_then(RouteSlot::take);
        if let Some(route) = told.or_else(|| response.request().match_pattern()) {
            let method = settings.methods.find(self.method.as_str());
            record_late_route(span, method.in_span_name(), route);
        }
        self.record_status(exchange, response.status());
        let headers = response.headers();
        let values = |name: &str| headers.get_all(name).map(|v| text(v.as_bytes())).collect();
        for attribute in settings.response_headers.attributes(values) {
            span.put(attribute);
        }
        if let Some(hook) = &settings.response_hook {
            hook(span, response.response().head());
        }
    }

    fn record_status(&self, exchange: &Exchange, status: actix_web::http::StatusCode) {
        let is_error = match &self.tracing.settings.is_error {
            Some(is_error) => is_error(status),
            None => status.is_server_error(),
        };
        let with_old_names = self.tracing.system.duplicates_http_names();
        record_status(exchange.span(), status.as_u16(), is_error, with_old_names);
    }

    fn tell_trace_id<B>(&self, response: &mut ServiceResponse<B>) {
        let span = self.context.span();
        let span_context = span.span_context();
        let name = self.tracing.settings.trace_id_header.as_ref();
        let Some(name) = name.filter(|_| !self.is_ignored && span_context.is_valid()) else {
            return;
        };
        if let Ok(value) = HeaderValue::try_from(span_context.trace_id().to_string()) {
            response.headers_mut().insert(name.clone(), value);
        }
    }

    /// An error becomes a response outside of the middleware; its status is known here.
    fn failed(mut self, error: &Error) {
        let Some(exchange) = self.exchange.take() else {
            return;
        };
        self.record_status(&exchange, error.as_response_error().status_code());
        exchange.finish();
    }

    fn panicked(mut self, payload: Box<dyn std::any::Any + Send>) -> ! {
        if let Some(exchange) = self.exchange.take() {
            exchange.panicked(&*payload);
        }
        resume_unwind(payload)
    }
}

fn incoming<'a>(settings: &Settings, request: &'a ServiceRequest) -> Incoming<'a> {
    let header = |name: &str| {
        request
            .headers()
            .get(name)
            .and_then(|value| value.to_str().ok())
    };
    let forwarded = if settings.trusts_forwarded {
        Forwarded::read(header)
    } else {
        Forwarded::default()
    };
    let authority = || request.uri().authority().map(Authority::as_str);
    let scheme = if request.app_config().secure() {
        "https"
    } else {
        "http"
    };
    let query = Some(request.query_string()).filter(|query| !query.is_empty());
    Incoming {
        method: settings.methods.find(request.method().as_str()),
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

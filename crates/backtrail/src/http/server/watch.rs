//! One request at a server, from its head to the head of its response.

use std::any::Any;
use std::fmt::{self, Display};
use std::net::SocketAddr;
use std::sync::Arc;

use ::http::header::{CONTENT_LENGTH, HOST, USER_AGENT};
use ::http::{HeaderMap, HeaderName, HeaderValue, Method, request, response};
use opentelemetry::Context;
use opentelemetry::trace::{SpanKind, TraceContextExt};

use super::ClientAddress;
use super::attributes::{Incoming, record_late_route};
use super::settings::ServerSettings;
use crate::Instrumentation;
use crate::http::body::BodyWatch;
use crate::http::capture::{BodyRecording, Direction};
use crate::http::exchange::Exchange;
use crate::http::future::Watch;
use crate::http::grpc::{self, Side};
use crate::http::route::RouteSlot;
use crate::http::settings::HttpHeads;
use crate::http::{ends_with_head, protocol_version};
use crate::propagation::HeaderExtractor;
use crate::system::{Scope, System};

/// A request whose response is waited for.
pub struct ServerWatch {
    context: Context,
    settings: Arc<ServerSettings<HttpHeads>>,
    /// Nothing if there is no span.
    exchange: Option<Exchange>,
    method: Method,
    /// Of a call of gRPC, whose method may turn out to be none.
    rpc_method: Option<String>,
    trace_id_header: Option<HeaderName>,
}

impl ServerWatch {
    pub(super) fn start(
        system: &System,
        settings: &Arc<ServerSettings<HttpHeads>>,
        head: &mut request::Parts,
    ) -> Self {
        let context = context_of(system, head);
        let rpc_method = grpc::method_of(&head.headers, head.uri.path());
        let is_ignored = settings.shared.ignores(head);
        let is_on = system.makes_spans_of(Instrumentation::HttpServer)
            && (rpc_method.is_none() || system.makes_spans_of(Instrumentation::Grpc));
        let mut watch = Self {
            context,
            settings: settings.clone(),
            exchange: None,
            method: head.method.clone(),
            rpc_method: None,
            trace_id_header: settings.trace_id_header.clone().filter(|_| !is_ignored),
        };
        if is_on && !is_ignored {
            watch.start_span(system, head, rpc_method);
        }
        watch
    }

    fn start_span(&mut self, system: &System, head: &request::Parts, rpc_method: Option<&str>) {
        let shared = &self.settings.shared;
        let with_old_names = system.duplicates_http_names();
        let incoming = incoming(&self.settings, head);
        let mut attributes = Vec::with_capacity(16);
        let name = match rpc_method {
            Some(method) => {
                grpc::append_to(&mut attributes, method, with_old_names);
                method.to_owned()
            }
            None => {
                incoming.append_http(&mut attributes, &shared.redaction, with_old_names);
                incoming.span_name()
            }
        };
        incoming.append_network(&mut attributes, with_old_names);
        attributes.extend(shared.request_headers_of(&head.headers));
        let content_length = head.headers.get(CONTENT_LENGTH).map(HeaderValue::as_bytes);
        attributes.extend(shared.announced_size(content_length, with_old_names));
        let parent = self.context.with_value(RouteSlot::default());
        let span = crate::span(name)
            .scope(Scope::Http)
            .kind(SpanKind::Server)
            .attributes(attributes)
            .parent(&parent)
            .start_active();
        shared.hook_request(&span, head);
        self.context = span.context();
        let exchange = Exchange::new(span, Side::Server, with_old_names, &shared.redaction);
        self.exchange = Some(exchange.of_grpc(rpc_method.is_some()));
        self.rpc_method = rpc_method.map(str::to_owned);
    }

    /// What watches a body go by; nothing if nobody asked for it, or there is no span.
    pub(super) fn record_body(&self, direction: Direction) -> Option<BodyRecording> {
        let exchange = self.exchange.as_ref()?;
        self.settings.shared.record_body(exchange, direction)
    }

    fn record_head(&self, exchange: &mut Exchange, head: &response::Parts) {
        let shared = &self.settings.shared;
        let span = exchange.span().clone();
        let route = self.context.get::<RouteSlot>().and_then(RouteSlot::take);
        if let Some(route) = route.filter(|_| !exchange.is_grpc()) {
            let method = shared.methods.find(self.method.as_str());
            record_late_route(&span, method.in_span_name(), route);
        }
        if let Some(method) = &self.rpc_method {
            grpc::forget_unknown_method(&span, method, &head.headers);
        }
        let is_error = self.settings.is_error(head.status.as_u16());
        exchange.head(head.status, &head.headers, is_error);
        for attribute in shared.response_headers_of(&head.headers) {
            span.put(attribute);
        }
        shared.hook_response(&span, head);
    }
}

impl Watch for ServerWatch {
    fn context(&self) -> &Context {
        &self.context
    }

    fn head(mut self, head: &mut response::Parts) -> BodyWatch {
        if let Some(name) = self.trace_id_header.take() {
            tell_trace_id(&self.context, name, &mut head.headers);
        }
        let Some(mut exchange) = self.exchange.take() else {
            return BodyWatch::default();
        };
        if exchange.span().is_recording() {
            self.record_head(&mut exchange, head);
        }
        if ends_with_head(&self.method, head.status) {
            exchange.finish();
            return BodyWatch::default();
        }
        let settings = &self.settings.shared;
        let recording = settings.record_body(&exchange, Direction::Response);
        BodyWatch::new(exchange, recording, &head.headers)
    }

    fn failed<E: Display + 'static>(mut self, error: &E) {
        if let Some(exchange) = self.exchange.take() {
            exchange.fail(error);
        }
    }

    fn panicked(mut self, payload: &(dyn Any + Send)) {
        if let Some(exchange) = self.exchange.take() {
            exchange.panicked(payload);
        }
    }
}

impl fmt::Debug for ServerWatch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ServerWatch")
            .field("exchange", &self.exchange)
            .finish_non_exhaustive()
    }
}

/// In the extensions of a request whose caller is already the parent of what is current.
#[derive(Clone, Copy, Debug)]
struct Continued;

/// The caller's trace; that of the layer around this one, if it has been there before.
fn context_of(system: &System, head: &mut request::Parts) -> Context {
    let current = Context::map_current(|current| system.within(current));
    let was_here = head.extensions.insert(Continued).is_some();
    if was_here && current.has_active_span() {
        return current;
    }
    let caller = HeaderExtractor(&head.headers);
    system.propagator().extract(&current, &caller)
}

fn incoming<'a>(settings: &ServerSettings<HttpHeads>, head: &'a request::Parts) -> Incoming<'a> {
    let header = |name: &str| head.headers.get(name).and_then(|value| value.to_str().ok());
    let forwarded = settings.forwarded(header);
    let authority = || head.uri.authority().map(::http::uri::Authority::as_str);
    let host = || head.headers.get(HOST).and_then(|host| host.to_str().ok());
    let user_agent = head.headers.get(USER_AGENT);
    Incoming {
        method: settings.shared.methods.find(head.method.as_str()),
        scheme: forwarded
            .scheme
            .or(head.uri.scheme_str())
            .unwrap_or(settings.scheme),
        host: forwarded.host.or_else(authority).or_else(host),
        path: head.uri.path(),
        query: head.uri.query(),
        user_agent: user_agent.and_then(|value| value.to_str().ok()),
        protocol_version: protocol_version(head.version),
        forwarded_client: forwarded.client,
        peer: peer(head),
        route: matched_route(head),
    }
}

fn tell_trace_id(context: &Context, name: HeaderName, headers: &mut HeaderMap) {
    let span = context.span();
    let span_context = span.span_context();
    if !span_context.is_valid() {
        return;
    }
    if let Ok(value) = HeaderValue::try_from(span_context.trace_id().to_string()) {
        // A full map is the response's own trouble: tracing must not make it fail.
        let _full = headers.try_insert(name, value);
    }
}

#[cfg(feature = "axum")]
fn matched_route(head: &request::Parts) -> Option<&str> {
    use axum::extract::MatchedPath;

    head.extensions
        .get::<MatchedPath>()
        .map(MatchedPath::as_str)
}

#[cfg(not(feature = "axum"))]
fn matched_route(_head: &request::Parts) -> Option<&str> {
    None
}

fn peer(head: &request::Parts) -> Option<SocketAddr> {
    let told = head.extensions.get::<ClientAddress>();
    #[cfg(feature = "axum")]
    let of_axum = || {
        let connection = head
            .extensions
            .get::<axum::extract::ConnectInfo<SocketAddr>>();
        connection.map(|connection| connection.0)
    };
    #[cfg(not(feature = "axum"))]
    let of_axum = || None;
    told.map(|address| address.0).or_else(of_axum)
}

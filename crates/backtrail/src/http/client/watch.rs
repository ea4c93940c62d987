//! One request of a client, from its head to the head of its response.

use std::any::Any;
use std::fmt::{self, Display};

use ::http::header::{CONTENT_LENGTH, HOST};
use ::http::{HeaderMap, HeaderValue, Method, request, response};
use opentelemetry::trace::{SpanKind, TraceContextExt};
use opentelemetry::{Context, KeyValue};

use super::attributes::Outgoing;
use super::settings::HttpClientSettings;
use crate::Instrumentation;
use crate::http::body::BodyWatch;
use crate::http::capture::{BodyRecording, Direction};
use crate::http::exchange::Exchange;
use crate::http::future::Watch;
use crate::http::grpc::{self, Side};
use crate::http::settings::{HttpHeads, Settings};
use crate::http::{ends_with_head, host, protocol_version};
use crate::propagation::HeaderInjector;
use crate::system::{Scope, System};

/// A request whose response is waited for.
pub struct ClientWatch {
    context: Context,
    settings: HttpClientSettings,
    /// Nothing if there is no span.
    exchange: Option<Exchange>,
    method: Method,
}

impl ClientWatch {
    pub(super) fn start(
        system: &System,
        settings: &HttpClientSettings,
        head: &mut request::Parts,
    ) -> Self {
        let mut watch = Self {
            context: Context::map_current(|current| system.within(current)),
            settings: settings.clone(),
            exchange: None,
            method: head.method.clone(),
        };
        let rpc_method = grpc::method_of(&head.headers, head.uri.path());
        if watch.makes_span(system, head, rpc_method.is_some()) {
            watch.start_span(system, head, rpc_method);
        }
        inject(system, &watch.context, &mut head.headers);
        watch
    }

    fn makes_span(&self, system: &System, head: &request::Parts, is_grpc: bool) -> bool {
        let has_parent = || self.context.span().span_context().is_valid();
        let is_ignored = || self.settings.common().ignores(head);
        system.makes_spans_of(Instrumentation::HttpClient)
            && (!is_grpc || system.makes_spans_of(Instrumentation::Grpc))
            && (!self.settings.requires_parent() || has_parent())
            && !is_ignored()
    }

    fn start_span(&mut self, system: &System, head: &request::Parts, rpc_method: Option<&str>) {
        let settings = self.settings.common();
        let with_old_names = system.duplicates_http_names();
        let template = self.settings.template_of(head);
        let outgoing = outgoing(settings, head, template.as_deref());
        let mut attributes = Vec::with_capacity(12);
        let name = match rpc_method {
            Some(method) => {
                grpc::append_to(&mut attributes, method, with_old_names);
                method.to_owned()
            }
            None => {
                outgoing.append_http(&mut attributes, &settings.redaction, with_old_names);
                outgoing.span_name()
            }
        };
        outgoing.append_network(&mut attributes, with_old_names);
        attributes.extend(settings.request_headers_of(&head.headers));
        let content_length = head.headers.get(CONTENT_LENGTH).map(HeaderValue::as_bytes);
        attributes.extend(settings.announced_size(content_length, with_old_names));
        let span = crate::span(name)
            .scope(Scope::Http)
            .kind(SpanKind::Client)
            .attributes(attributes)
            .parent(&self.context)
            .start_active();
        settings.hook_request(&span, head);
        self.context = span.context();
        let exchange = Exchange::new(span, Side::Client, with_old_names, &settings.redaction);
        self.exchange = Some(exchange.of_grpc(rpc_method.is_some()));
    }

    /// Whether there is no span to watch.
    #[cfg(feature = "reqwest")]
    pub(super) fn is_idle(&self) -> bool {
        self.exchange.is_none()
    }

    /// The context that the server is told of.
    #[cfg(feature = "reqwest")]
    pub(super) fn handed_on(&self) -> &Context {
        &self.context
    }

    /// What watches a body go by; nothing if nobody asked for it, or there is no span.
    pub(super) fn record_body(&self, direction: Direction) -> Option<BodyRecording> {
        let exchange = self.exchange.as_ref()?;
        self.settings.common().record_body(exchange, direction)
    }

    fn record_head(&self, exchange: &mut Exchange, head: &response::Parts) {
        let status = head.status;
        let is_error = status.is_client_error() || status.is_server_error();
        exchange.head(status, &head.headers, is_error);
        let span = exchange.span();
        if let Some(version) = protocol_version(head.version) {
            span.put(KeyValue::new("network.protocol.version", version));
            if exchange.has_old_names() {
                span.put(KeyValue::new("http.flavor", version));
            }
        }
        let settings = self.settings.common();
        for attribute in settings.response_headers_of(&head.headers) {
            span.put(attribute);
        }
        settings.hook_response(span, head);
    }
}

impl Watch for ClientWatch {
    fn context(&self) -> &Context {
        &self.context
    }

    fn head(mut self, head: &mut response::Parts) -> BodyWatch {
        let Some(mut exchange) = self.exchange.take() else {
            return BodyWatch::default();
        };
        self.record_head(&mut exchange, head);
        if ends_with_head(&self.method, head.status) {
            exchange.finish();
            return BodyWatch::default();
        }
        let settings = self.settings.common();
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

impl fmt::Debug for ClientWatch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ClientWatch")
            .field("exchange", &self.exchange)
            .finish_non_exhaustive()
    }
}

/// Writes the headers of a context, and leaves none of another trace beside them. Baggage that the caller wrote by hand is the caller's.
fn inject(system: &System, context: &Context, headers: &mut HeaderMap) {
    let propagator = system.propagator();
    if context.span().span_context().is_valid() {
        for field in propagator.fields().filter(|&field| field != "baggage") {
            headers.remove(field);
        }
    }
    propagator.inject(context, &mut HeaderInjector(headers));
}

fn outgoing<'a>(
    settings: &Settings<HttpHeads>,
    head: &'a request::Parts,
    template: Option<&'a str>,
) -> Outgoing<'a> {
    let authority = head.uri.authority().map(::http::uri::Authority::as_str);
    let host_header = || head.headers.get(HOST).and_then(|host| host.to_str().ok());
    let (host, port) = authority.or_else(host_header).map(host::split).unzip();
    Outgoing {
        method: settings.methods.find(head.method.as_str()),
        scheme: head.uri.scheme_str().unwrap_or("http"),
        has_credentials: authority.is_some_and(|authority| authority.contains('@')),
        host,
        port: port.flatten(),
        path: head.uri.path(),
        query: head.uri.query(),
        template,
    }
}

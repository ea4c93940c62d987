//! One request of a client, from its head to the head of its response.

use std::any::Any;
use std::fmt::{self, Display};
use std::sync::Arc;

use ::http::header::HOST;
use ::http::{HeaderMap, Method, request, response};
use opentelemetry::trace::{SpanKind, TraceContextExt};
use opentelemetry::{Context, KeyValue};

use super::attributes::Outgoing;
use super::layer::Settings;
use crate::http::body::BodyWatch;
use crate::http::exchange::Exchange;
use crate::http::future::Watch;
use crate::http::grpc::{self, Side};
use crate::http::{ends_with_head, host, protocol_version};
use crate::propagation::HeaderInjector;
use crate::system::{Scope, System};
use crate::{Instrumentation, Span};

/// A request whose response is waited for.
pub struct ClientWatch {
    context: Context,
    settings: Arc<Settings>,
    /// Nothing if there is no span.
    exchange: Option<Exchange>,
    method: Method,
}

impl ClientWatch {
    pub(super) fn start(
        system: &System,
        settings: &Arc<Settings>,
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
        let is_ignored = || self.settings.ignore.as_ref().is_some_and(|is| is(head));
        system.makes_spans_of(Instrumentation::HttpClient)
            && (!is_grpc || system.makes_spans_of(Instrumentation::Grpc))
            && (!self.settings.requires_parent || has_parent())
            && !is_ignored()
    }

    fn start_span(&mut self, system: &System, head: &request::Parts, rpc_method: Option<&str>) {
        let settings = &*self.settings;
        let with_old_names = system.duplicates_http_names();
        let template = settings.url_template.as_ref();
        let template = template.and_then(|template| template(head));
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
        attributes.extend(settings.request_headers.of(&head.headers));
        let span = start(name, attributes, &self.context);
        if let Some(hook) = &settings.request_hook
            && span.is_recording()
        {
            hook(&span, head);
        }
        self.context = span.context();
        let is_grpc = rpc_method.is_some();
        self.exchange = Some(Exchange::new(span, Side::Client, is_grpc, with_old_names));
    }

    fn record_head(&self, exchange: &mut Exchange, head: &response::Parts) {
        let status = head.status;
        let is_error = status.is_client_error() || status.is_server_error();
        exchange.head(status, &head.headers, is_error);
        let span = exchange.span();
        if let Some(version) = protocol_version(head.version) {
            span.put(KeyValue::new("network.protocol.version", version));
        }
        for attribute in self.settings.response_headers.of(&head.headers) {
            span.put(attribute);
        }
        if let Some(hook) = &self.settings.response_hook
            && span.is_recording()
        {
            hook(span, head);
        }
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
        BodyWatch::new(exchange, None, &head.headers)
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

pub(super) fn start(name: String, attributes: Vec<KeyValue>, parent: &Context) -> Span {
    crate::span(name)
        .scope(Scope::Http)
        .kind(SpanKind::Client)
        .attributes(attributes)
        .parent(parent)
        .start_active()
}

/// Writes the headers of a context, and leaves none of another trace beside them. Baggage that the caller wrote by hand is the caller's.
pub(super) fn inject(system: &System, context: &Context, headers: &mut HeaderMap) {
    let propagator = system.propagator();
    if context.span().span_context().is_valid() {
        for field in propagator.fields().filter(|&field| field != "baggage") {
            headers.remove(field);
        }
    }
    propagator.inject(context, &mut HeaderInjector(headers));
}

fn outgoing<'a>(
    settings: &Settings,
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

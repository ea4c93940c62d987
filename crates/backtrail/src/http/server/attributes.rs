//! The attributes of a server span (semantic conventions 1.42, HTTP server span).

use std::net::SocketAddr;

use opentelemetry::KeyValue;

use crate::Span;
use crate::http::host::{default_port, split};
use crate::http::method::KnownMethod;
use crate::http::redact::Redaction;

/// A request as it came in, of whatever framework.
#[derive(Clone, Copy, Debug)]
pub(in crate::http) struct Incoming<'a> {
    pub(in crate::http) method: KnownMethod<'a>,
    pub(in crate::http) scheme: &'a str,
    /// Of the header `Host` or the like, with its port.
    pub(in crate::http) host: Option<&'a str>,
    pub(in crate::http) path: &'a str,
    pub(in crate::http) query: Option<&'a str>,
    pub(in crate::http) user_agent: Option<&'a str>,
    pub(in crate::http) protocol_version: Option<&'static str>,
    /// The client's address as a proxy told it.
    pub(in crate::http) forwarded_client: Option<&'a str>,
    pub(in crate::http) peer: Option<SocketAddr>,
    pub(in crate::http) route: Option<&'a str>,
}

impl Incoming<'_> {
    pub(in crate::http) fn span_name(&self) -> String {
        span_name(self.method.in_span_name(), self.route)
    }

    /// What is known when the span starts, so that samplers can see it.
    pub(in crate::http) fn append_http(
        &self,
        attributes: &mut Vec<KeyValue>,
        redaction: &Redaction,
        with_old_names: bool,
    ) {
        self.method.append_to(attributes, with_old_names);
        attributes.push(KeyValue::new("url.path", self.path.to_owned()));
        attributes.push(KeyValue::new("url.scheme", self.scheme.to_owned()));
        let query = self.query.map(|query| redaction.query(query).into_owned());
        if with_old_names {
            let mut target = self.path.to_owned();
            if let Some(query) = &query {
                target.push('?');
                target.push_str(query);
            }
            attributes.push(KeyValue::new("http.target", target));
            attributes.push(KeyValue::new("http.scheme", self.scheme.to_owned()));
        }
        if let Some(query) = query {
            attributes.push(KeyValue::new("url.query", query));
        }
        if let Some(user_agent) = self.user_agent {
            let user_agent = user_agent.to_owned();
            if with_old_names {
                attributes.push(KeyValue::new("http.user_agent", user_agent.clone()));
            }
            attributes.push(KeyValue::new("user_agent.original", user_agent));
        }
        if let Some(route) = self.route {
            attributes.push(KeyValue::new("http.route", route.to_owned()));
        }
    }

    /// What calls of gRPC have as well.
    pub(in crate::http) fn append_network(
        &self,
        attributes: &mut Vec<KeyValue>,
        with_old_names: bool,
    ) {
        if let Some((address, port)) = self.host.map(split).filter(|host| !host.0.is_empty()) {
            let address = address.to_owned();
            let port = port.or_else(|| default_port(self.scheme)).map(i64::from);
            if with_old_names {
                attributes.push(KeyValue::new("net.host.name", address.clone()));
                attributes.extend(port.map(|port| KeyValue::new("net.host.port", port)));
            }
            attributes.push(KeyValue::new("server.address", address));
            attributes.extend(port.map(|port| KeyValue::new("server.port", port)));
        }
        let peer_address = self.peer.map(|peer| peer.ip().to_string());
        let client = self.forwarded_client.map(str::to_owned);
        if let Some(client) = client.or_else(|| peer_address.clone()) {
            if with_old_names {
                attributes.push(KeyValue::new("http.client_ip", client.clone()));
            }
            attributes.push(KeyValue::new("client.address", client));
        }
        if let (Some(address), Some(peer)) = (peer_address, self.peer) {
            attributes.push(KeyValue::new("network.peer.address", address));
            attributes.push(KeyValue::new("network.peer.port", i64::from(peer.port())));
        }
        if let Some(version) = self.protocol_version {
            attributes.push(KeyValue::new("network.protocol.version", version));
            if with_old_names {
                attributes.push(KeyValue::new("http.flavor", version));
            }
        }
    }
}

/// The route became known after the span had started.
pub(in crate::http) fn record_late_route(span: &Span, method: &'static str, route: String) {
    span.set_name(span_name(method, Some(&route)));
    span.put(KeyValue::new("http.route", route));
}

fn span_name(method: &'static str, route: Option<&str>) -> String {
    let Some(route) = route else {
        return method.to_owned();
    };
    let mut name = String::with_capacity(method.len() + 1 + route.len());
    name.push_str(method);
    name.push(' ');
    name.push_str(route);
    name
}

//! The attributes of a client span (semantic conventions 1.42, HTTP client span).

use opentelemetry::KeyValue;

use crate::http::host::default_port;
use crate::http::method::KnownMethod;
use crate::http::redact::{REDACTED, Redaction};

/// A request as it goes out, of whatever client.
#[derive(Clone, Copy, Debug)]
pub(super) struct Outgoing<'a> {
    pub(super) method: KnownMethod<'a>,
    pub(super) scheme: &'a str,
    pub(super) has_credentials: bool,
    /// Without brackets.
    pub(super) host: Option<&'a str>,
    /// Only if it is named.
    pub(super) port: Option<u16>,
    pub(super) path: &'a str,
    pub(super) query: Option<&'a str>,
    pub(super) template: Option<&'a str>,
}

impl Outgoing<'_> {
    pub(super) fn span_name(&self) -> String {
        let method = self.method.in_span_name();
        match self.template {
            Some(template) => format!("{method} {template}"),
            None => method.to_owned(),
        }
    }

    pub(super) fn append_http(
        &self,
        attributes: &mut Vec<KeyValue>,
        redaction: &Redaction,
        with_old_names: bool,
    ) {
        self.method.append_to(attributes, with_old_names);
        let url = self.url(redaction);
        if with_old_names {
            attributes.push(KeyValue::new("http.url", url.clone()));
        }
        attributes.push(KeyValue::new("url.full", url));
        if let Some(template) = self.template {
            attributes.push(KeyValue::new("url.template", template.to_owned()));
        }
    }

    /// What calls of gRPC have as well.
    pub(super) fn append_network(&self, attributes: &mut Vec<KeyValue>, with_old_names: bool) {
        let Some(host) = self.host else {
            return;
        };
        let port = self.port.or_else(|| default_port(self.scheme));
        let port = port.map(i64::from);
        if with_old_names {
            attributes.push(KeyValue::new("net.peer.name", host.to_owned()));
            attributes.extend(port.map(|port| KeyValue::new("net.peer.port", port)));
        }
        attributes.push(KeyValue::new("server.address", host.to_owned()));
        attributes.extend(port.map(|port| KeyValue::new("server.port", port)));
    }

    fn url(&self, redaction: &Redaction) -> String {
        let mut url = String::with_capacity(self.path.len() + 64);
        if let Some(host) = self.host {
            url.push_str(self.scheme);
            url.push_str("://");
            if self.has_credentials {
                url.push_str(REDACTED);
                url.push(':');
                url.push_str(REDACTED);
                url.push('@');
            }
            let is_ipv6 = host.contains(':');
            url.push_str(if is_ipv6 { "[" } else { "" });
            url.push_str(host);
            url.push_str(if is_ipv6 { "]" } else { "" });
            if let Some(port) = self.port {
                url.push(':');
                url.push_str(&port.to_string());
            }
        }
        url.push_str(self.path);
        if let Some(query) = self.query {
            url.push('?');
            url.push_str(&redaction.query(query));
        }
        url
    }
}

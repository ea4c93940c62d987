//! The choice of an exporter, in code or by the environment.

use std::sync::Arc;
use std::time::Duration;

use http::header::AUTHORIZATION;
use http::{HeaderMap, HeaderName, HeaderValue, Uri};
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::trace::SpanExporter;

use super::console::Console;
use super::custom::{BoxedExporter, Custom};
use super::http_sender::{Format, HttpSender};
use super::wire::WireExporter;
use super::{Export, ExporterError, Memory, credentials};
use crate::config::{
    DEFAULT_TIMEOUT, Environment, ExporterChoice, OtlpSettings, Protocol, TlsFiles, Warnings,
    absolute_uri, choose, otlp, proxy, without_credentials,
};

/// Where spans go. Without one, the environment decides:
/// [`TracingSystemBuilder::exporter`](crate::TracingSystemBuilder::exporter) says how. A user and a password in an address are sent as a
/// header `Authorization` of the scheme Basic, unless there is such a header. An address that is not this machine's is asked through the proxy that
/// `HTTP_PROXY`, `HTTPS_PROXY` or `ALL_PROXY` names, unless `NO_PROXY` lists it.
#[derive(Debug)]
pub struct Exporter {
    kind: Kind,
    headers: Vec<(String, String)>,
    gzip: Option<bool>,
}

#[derive(Debug)]
enum Kind {
    Otlp(Option<Protocol>, Option<String>),
    Jaeger(String, Duration),
    Zipkin(String, Duration),
    Console,
    Nowhere,
    Memory(Memory),
    Custom(Box<dyn BoxedExporter>),
}

impl Exporter {
    /// OTLP as `OTEL_EXPORTER_OTLP_…` say it; to `http://localhost:4318/v1/traces` in protobuf if they say nothing.
    pub fn otlp() -> Self {
        Self::new(Kind::Otlp(None, None))
    }

    /// OTLP over HTTP, in protobuf. An address without a path gets `/v1/traces`.
    pub fn otlp_http(endpoint: impl Into<String>) -> Self {
        Self::new(Kind::Otlp(
            Some(Protocol::HttpProtobuf),
            Some(endpoint.into()),
        ))
    }

    /// OTLP over HTTP, in JSON. An address without a path gets `/v1/traces`.
    pub fn otlp_http_json(endpoint: impl Into<String>) -> Self {
        Self::new(Kind::Otlp(Some(Protocol::HttpJson), Some(endpoint.into())))
    }

    /// OTLP over gRPC.
    pub fn otlp_grpc(endpoint: impl Into<String>) -> Self {
        Self::new(Kind::Otlp(Some(Protocol::Grpc), Some(endpoint.into())))
    }

    /// Jaeger's Thrift over HTTP, to an address like `http://localhost:14268/api/traces`.
    pub fn jaeger(endpoint: impl Into<String>) -> Self {
        Self::new(Kind::Jaeger(endpoint.into(), DEFAULT_TIMEOUT))
    }

    /// Zipkin's JSON, version 2, to an address like `http://localhost:9411/api/v2/spans`.
    pub fn zipkin(endpoint: impl Into<String>) -> Self {
        Self::new(Kind::Zipkin(endpoint.into(), DEFAULT_TIMEOUT))
    }

    /// A line for each span on stdout.
    pub fn console() -> Self {
        Self::new(Kind::Console)
    }

    /// Spans are made, handed on to other services, and not exported.
    pub fn none() -> Self {
        Self::new(Kind::Nowhere)
    }

    /// An exporter that was written for `opentelemetry_sdk`. It gets one batch at a time. It runs on a thread with a tokio runtime. Spans are as
    /// every exporter here sends them: each key once, values cut as the limits say, no end before the start, and an empty array is one of texts.
    pub fn custom(exporter: impl SpanExporter + 'static) -> Self {
        Self::new(Kind::Custom(Box::new(exporter)))
    }

    pub(crate) fn memory(memory: Memory) -> Self {
        Self::new(Kind::Memory(memory))
    }

    fn new(kind: Kind) -> Self {
        Self {
            kind,
            headers: Vec::new(),
            gzip: None,
        }
    }

    /// Adds a header to each request; for OTLP it goes before one of the same name in `OTEL_EXPORTER_OTLP_HEADERS`.
    #[must_use]
    pub fn header(mut self, name: impl Into<String>, value: impl Into<String>) -> Self {
        self.headers.push((name.into(), value.into()));
        self
    }

    /// Compresses each request with gzip, or not.
    #[must_use]
    pub fn gzip(mut self, is_on: bool) -> Self {
        self.gzip = Some(is_on);
        self
    }

    /// What the environment asks for. Nothing means that spans are not exported.
    pub(crate) fn from_env(env: &Environment, warnings: &mut Warnings) -> Vec<Self> {
        let choices = choose(env, warnings).into_iter();
        choices
            .map(|choice| match choice {
                ExporterChoice::Otlp => Self::otlp(),
                ExporterChoice::Jaeger { endpoint, timeout } => {
                    Self::new(Kind::Jaeger(endpoint.to_string(), timeout))
                }
                ExporterChoice::Zipkin { endpoint, timeout } => {
                    Self::new(Kind::Zipkin(endpoint.to_string(), timeout))
                }
                ExporterChoice::Console => Self::console(),
            })
            .collect()
    }

    /// The exporter, ready to work. Nothing for [`Exporter::none`].
    pub(crate) fn build(
        self,
        context: &BuildContext<'_>,
        warnings: &mut Warnings,
    ) -> Result<Option<Arc<dyn Export>>, ExporterError> {
        let headers = header_map(&self.headers)?;
        let settings = match self.kind {
            Kind::Nowhere => return Ok(None),
            Kind::Console => return Ok(Some(Arc::new(Console))),
            Kind::Memory(memory) => return Ok(Some(Arc::new(memory))),
            Kind::Custom(exporter) => {
                return Ok(Some(Arc::new(Custom::new(exporter, context.resource))));
            }
            Kind::Jaeger(endpoint, timeout) => (Format::JaegerThrift, plain(&endpoint, timeout)?),
            Kind::Zipkin(endpoint, timeout) => (Format::ZipkinJson, plain(&endpoint, timeout)?),
            Kind::Otlp(protocol, endpoint) => {
                let endpoint = endpoint.as_deref().map(address).transpose()?;
                let settings = otlp(context.env, protocol, endpoint, warnings);
                let format = match settings.protocol {
                    Protocol::HttpProtobuf => Format::OtlpProtobuf,
                    Protocol::HttpJson => Format::OtlpJson,
                    Protocol::Grpc => Format::OtlpGrpc,
                };
                (format, settings)
            }
        };
        let (format, mut settings) = settings;
        let (endpoint, credentials) = credentials::taken_from(settings.endpoint);
        if let Some(credentials) = credentials {
            // A header that is set says it by its name.
            let entry = settings.headers.entry(AUTHORIZATION);
            entry.or_insert(credentials);
        }
        for (name, value) in headers {
            if let Some(name) = name {
                settings.headers.insert(name, value);
            }
        }
        let proxy = proxy(&endpoint, context.env, warnings);
        let sender = HttpSender::new(
            endpoint,
            format,
            settings.headers,
            self.gzip.unwrap_or(settings.gzip),
            settings.timeout,
            &settings.tls,
            proxy,
        )?;
        let exporter = WireExporter::new(sender, context.resource, context.export_timeout);
        Ok(Some(Arc::new(exporter)))
    }
}

/// What all exporters of a system share.
pub(crate) struct BuildContext<'a> {
    pub(crate) env: &'a Environment,
    pub(crate) resource: &'a Resource,
    pub(crate) export_timeout: Duration,
}

fn plain(endpoint: &str, timeout: Duration) -> Result<OtlpSettings, ExporterError> {
    Ok(OtlpSettings {
        protocol: Protocol::HttpProtobuf,
        endpoint: address(endpoint)?,
        headers: HeaderMap::new(),
        gzip: false,
        timeout,
        tls: TlsFiles::default(),
    })
}

fn address(text: &str) -> Result<Uri, ExporterError> {
    absolute_uri(text).ok_or_else(|| ExporterError::Endpoint(without_credentials(text)))
}

fn header_map(headers: &[(String, String)]) -> Result<HeaderMap, ExporterError> {
    let mut map = HeaderMap::new();
    for (name, value) in headers {
        let bad = || ExporterError::Header(name.clone());
        let parsed: HeaderName = name.parse().map_err(|_| bad())?;
        let mut value = HeaderValue::from_str(value).map_err(|_| bad())?;
        value.set_sensitive(true);
        map.insert(parsed, value);
    }
    Ok(map)
}

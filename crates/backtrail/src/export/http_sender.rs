//! Sends the body of a request and reads what became of it.

use std::error::Error;
use std::io::Write as _;
use std::time::Duration;

use backtrail_wire::protobuf::Fields;
use bytes::Bytes;
use flate2::Compression;
use flate2::write::GzEncoder;
use http::{HeaderMap, HeaderValue, Request, Response, StatusCode, Uri, header};
use http_body_util::{BodyExt as _, Full, Limited};
use hyper::body::Incoming;
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::capture_connection;
use hyper_util::rt::{TokioExecutor, TokioTimer};
use tokio::time::{Instant, timeout_at};

use super::dial::{Dialer, Proxy, Route};
use super::tls::{Connector, connector};
use super::{ExporterError, grpc};
use crate::config::TlsFiles;
use crate::deadline;

/// A reply that is longer is not read: it is a page of some proxy.
const MAX_REPLY_BYTES: usize = 64 * 1024;

/// What the bytes are, and how the other side answers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Format {
    OtlpProtobuf,
    OtlpJson,
    OtlpGrpc,
    JaegerThrift,
    ZipkinJson,
}

impl Format {
    const fn content_type(self) -> &'static str {
        match self {
            Self::OtlpProtobuf => "application/x-protobuf",
            Self::OtlpJson | Self::ZipkinJson => "application/json",
            Self::OtlpGrpc => "application/grpc",
            Self::JaegerThrift => "application/vnd.apache.thrift.binary",
        }
    }
}

/// One address, and a pool of connections to it.
#[derive(Debug)]
pub(super) struct HttpSender {
    client: Client<Connector, Full<Bytes>>,
    endpoint: Uri,
    headers: HeaderMap,
    format: Format,
    gzip: bool,
    timeout: Duration,
    route: Route,
}

/// Why a request was not accepted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct SendError {
    pub(super) message: String,
    pub(super) is_retryable: bool,
    pub(super) retry_after: Option<Duration>,
    /// The request was: a smaller one may be accepted.
    pub(super) is_too_large: bool,
}

impl SendError {
    pub(super) fn retryable(message: String) -> Self {
        Self {
            message,
            is_retryable: true,
            retry_after: None,
            is_too_large: false,
        }
    }
}

/// Spans that were refused although the request was accepted, and why.
pub(super) type Refused = (u64, String);

impl HttpSender {
    pub(super) fn new(
        endpoint: Uri,
        format: Format,
        headers: HeaderMap,
        gzip: bool,
        timeout: Duration,
        tls: &TlsFiles,
        proxy: Option<Uri>,
    ) -> Result<Self, ExporterError> {
        let is_grpc = format == Format::OtlpGrpc;
        let route = Route::through(proxy, &endpoint, is_grpc);
        let dialer = Dialer::new(route.clone());
        let connector = connector(dialer, &endpoint, tls, is_grpc)?;
        let client = Client::builder(TokioExecutor::new())
            .pool_timer(TokioTimer::new())
            .http2_only(is_grpc)
            .build(connector);
        Ok(Self {
            client,
            endpoint,
            headers,
            format,
            gzip,
            timeout: deadline::limit(timeout),
            route,
        })
    }

    pub(super) const fn format(&self) -> Format {
        self.format
    }

    /// The address without credentials and query, and the proxy on the way to it.
    pub(super) fn describe(&self) -> String {
        let scheme = self.endpoint.scheme_str().unwrap_or("http");
        let host = self.endpoint.host().unwrap_or_default();
        let port = self
            .endpoint
            .port()
            .map_or_else(String::new, |port| format!(":{port}"));
        let path = self.endpoint.path();
        let through = self.route.proxy().map_or_else(String::new, |proxy| {
            format!(" through the proxy {}", proxy.address)
        });
        format!("{scheme}://{host}{port}{path}{through}")
    }

    /// The body as it goes over the wire; made once, however often it is sent.
    pub(super) fn body(&self, encoded: Bytes) -> Bytes {
        let compressed = if self.gzip { gzipped(&encoded) } else { None };
        let is_compressed = compressed.is_some();
        let bytes = compressed.map_or(encoded, Bytes::from);
        if self.format == Format::OtlpGrpc {
            return grpc::framed(&bytes, is_compressed).into();
        }
        bytes
    }

    pub(super) async fn send(&self, body: Bytes) -> Result<Refused, SendError> {
        let until = deadline::after(self.timeout);
        let mut request = self.request(body);
        let connection = capture_connection(&mut request);
        let exchange = self.exchange(request, until);
        timeout_at(until, exchange).await.unwrap_or_else(|_| {
            // A connection that HTTP/2 keeps open may lead nowhere any more: the next attempt makes a new one.
            if let Some(silent) = &*connection.connection_metadata() {
                silent.poison();
            }
            let ms = self.timeout.as_millis();
            Err(SendError::retryable(format!(
                "{} did not answer within {ms} ms",
                self.describe()
            )))
        })
    }

    async fn exchange(
        &self,
        request: Request<Full<Bytes>>,
        until: Instant,
    ) -> Result<Refused, SendError> {
        let response = self.client.request(request).await;
        let response = response.map_err(|error| {
            SendError::retryable(format!("{}: {}", self.describe(), causes(&error)))
        })?;
        if !response.status().is_success() {
            return Err(self.refusal(response).await);
        }
        if self.format == Format::OtlpGrpc {
            return self.grpc_reply(response).await;
        }
        Ok(self.http_reply(response.into_body(), until).await)
    }

    async fn grpc_reply(&self, response: Response<Incoming>) -> Result<Refused, SendError> {
        let headers = response.headers().clone();
        let reply = Limited::new(response.into_body(), MAX_REPLY_BYTES)
            .collect()
            .await;
        let reply = reply.map_err(|error| {
            SendError::retryable(format!(
                "{}: can't read the reply: {error}",
                self.describe()
            ))
        })?;
        grpc::status(reply.trailers().unwrap_or(&headers))?;
        let bytes = reply.to_bytes();
        Ok(grpc::message(&bytes)
            .map(refused_in_protobuf)
            .unwrap_or_default())
    }

    /// What the reply to a request says that was accepted. The status has said so: were the spans sent again because of a reply that
    /// can't be read, they would be there twice.
    async fn http_reply(&self, body: Incoming, until: Instant) -> Refused {
        if matches!(self.format, Format::JaegerThrift | Format::ZipkinJson) {
            return Refused::default();
        }
        // Before the exchange as a whole is over, which would be no answer.
        let until = until - self.timeout / 20;
        let reply = timeout_at(until, Limited::new(body, MAX_REPLY_BYTES).collect()).await;
        let reason = match reply {
            Ok(Ok(reply)) if self.format == Format::OtlpJson => {
                return refused_in_json(&reply.to_bytes());
            }
            Ok(Ok(reply)) => return refused_in_protobuf(&reply.to_bytes()),
            Ok(Err(error)) => error.to_string(),
            Err(_) => "it has no end".to_owned(),
        };
        let place = self.describe();
        (0, format!("{place}: can't read the reply: {reason}"))
    }

    fn request(&self, body: Bytes) -> Request<Full<Bytes>> {
        let mut request = Request::new(Full::new(body));
        *request.method_mut() = http::Method::POST;
        *request.uri_mut() = self.endpoint.clone();
        let headers = request.headers_mut();
        headers.insert(header::USER_AGENT, HeaderValue::from_static(USER_AGENT));
        let content_type = HeaderValue::from_static(self.format.content_type());
        headers.insert(header::CONTENT_TYPE, content_type);
        if self.format == Format::OtlpGrpc {
            headers.insert(header::TE, HeaderValue::from_static("trailers"));
            if deadline::is_limited(self.timeout)
                && let Ok(timeout) = HeaderValue::from_str(&grpc::timeout(self.timeout))
            {
                headers.insert("grpc-timeout", timeout);
            }
            if self.gzip {
                headers.insert("grpc-encoding", HeaderValue::from_static("gzip"));
            }
        } else if self.gzip {
            headers.insert(header::CONTENT_ENCODING, HeaderValue::from_static("gzip"));
        }
        if let Route::Forward(Proxy {
            authorization: Some(authorization),
            ..
        }) = &self.route
        {
            headers.insert(header::PROXY_AUTHORIZATION, authorization.clone());
        }
        for (name, value) in &self.headers {
            headers.insert(name.clone(), value.clone());
        }
        request
    }

    async fn refusal(&self, response: Response<Incoming>) -> SendError {
        let status = response.status();
        let retry_after = response
            .headers()
            .get(header::RETRY_AFTER)
            .and_then(|value| value.to_str().ok())
            .and_then(super::retry::retry_after);
        let reply = Limited::new(response.into_body(), MAX_REPLY_BYTES)
            .collect()
            .await;
        let text = reply
            .map(|reply| readable(&reply.to_bytes()))
            .unwrap_or_default();
        SendError {
            message: format!("{} answered {status}{text}", self.describe()),
            is_retryable: is_retryable(status),
            retry_after,
            is_too_large: status == StatusCode::PAYLOAD_TOO_LARGE,
        }
    }
}

const USER_AGENT: &str = concat!(
    "OTel-OTLP-Exporter-Rust/0.33.1 backtrail/",
    env!("CARGO_PKG_VERSION")
);

/// Source: OTLP specification, "Retryable Response Codes".
fn is_retryable(status: StatusCode) -> bool {
    matches!(status.as_u16(), 429 | 502 | 503 | 504)
}

/// The first line of a reply, if it is text: most say there what is wrong.
fn readable(reply: &[u8]) -> String {
    let text: String = String::from_utf8_lossy(reply)
        .chars()
        .filter(|c| !c.is_control())
        .take(200)
        .collect();
    if text.trim().is_empty() {
        String::new()
    } else {
        format!(": {}", text.trim())
    }
}

/// hyper's errors say little themselves, and all in their sources.
fn causes(error: &dyn Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        text.push_str(": ");
        text.push_str(&cause.to_string());
        source = cause.source();
    }
    text
}

fn gzipped(bytes: &[u8]) -> Option<Vec<u8>> {
    let mut encoder = GzEncoder::new(Vec::with_capacity(bytes.len() / 4), Compression::fast());
    encoder.write_all(bytes).ok()?;
    encoder.finish().ok()
}

/// `ExportTraceServiceResponse.partial_success`: field 1, with the count in field 1 and the text in field 2.
fn refused_in_protobuf(reply: &[u8]) -> Refused {
    let field = |bytes, number| {
        Fields::new(bytes)
            .filter_map(Result::ok)
            .find(|field| field.number == number)
    };
    let Some(partial) = field(reply, 1).and_then(|field| field.bytes().ok()) else {
        return Refused::default();
    };
    let count = field(partial, 1).and_then(|field| field.varint().ok());
    let text = field(partial, 2).and_then(|field| field.str().ok());
    (
        count.unwrap_or_default(),
        text.unwrap_or_default().to_owned(),
    )
}

fn refused_in_json(reply: &[u8]) -> Refused {
    let Ok(reply) = serde_json::from_slice::<serde_json::Value>(reply) else {
        return Refused::default();
    };
    let partial = &reply["partialSuccess"];
    let count = &partial["rejectedSpans"];
    let count = count
        .as_u64()
        .or_else(|| count.as_str()?.parse().ok())
        .unwrap_or_default();
    let text = partial["errorMessage"].as_str().unwrap_or_default();
    (count, text.to_owned())
}

#[cfg(test)]
mod tests {
    use backtrail_wire::protobuf::{put_message, put_str, put_uint};

    use super::*;

    #[test]
    fn a_partial_success_is_read_in_both_encodings() {
        let mut reply = Vec::new();
        put_message(&mut reply, 1, |partial| {
            put_uint(partial, 1, 3);
            put_str(partial, 2, "too old");
        });
        let expected = (3, "too old".to_owned());
        assert_eq!(refused_in_protobuf(&reply), expected);
        let reply = br#"{"partialSuccess":{"rejectedSpans":"3","errorMessage":"too old"}}"#;
        assert_eq!(refused_in_json(reply), expected);
        let reply = br#"{"partialSuccess":{"rejectedSpans":3,"errorMessage":"too old"}}"#;
        assert_eq!(refused_in_json(reply), expected);
        for reply in [&b""[..], b"{}", b"\xff", b"{\"partialSuccess\":7}"] {
            assert_eq!(refused_in_json(reply), Refused::default());
            assert_eq!(refused_in_protobuf(reply), Refused::default());
        }
    }

    #[test]
    fn credentials_in_an_address_are_not_told() {
        let endpoint = Uri::from_static("http://user:secret@host:4318/v1/traces?token=secret");
        let sender = HttpSender::new(
            endpoint,
            Format::OtlpProtobuf,
            HeaderMap::new(),
            false,
            Duration::from_secs(1),
            &TlsFiles::default(),
            Some(Uri::from_static("http://ann:secret@proxy:3128")),
        )
        .unwrap();
        assert_eq!(
            sender.describe(),
            "http://host:4318/v1/traces through the proxy http://proxy:3128/"
        );
    }
}

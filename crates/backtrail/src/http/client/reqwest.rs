//! Requests of reqwest.

use std::borrow::Cow;
use std::error::Error;
use std::future::Future;

use opentelemetry::{Context, KeyValue};
use reqwest::{Request, RequestBuilder, Response};

use super::attributes::Outgoing;
use super::watch::{inject, start};
use crate::http::exchange::Exchange;
use crate::http::grpc::Side;
use crate::http::method::Methods;
use crate::http::protocol_version;
use crate::http::redact::Redaction;
use crate::system::System;
use crate::{Exception, ExceptionDetails, Instrumentation, in_context};

/// Sends requests of reqwest in spans of their own.
///
/// ```no_run
/// use backtrail::http::client::TracedRequest;
///
/// # async fn show(client: &reqwest::Client) -> Result<(), reqwest::Error> {
/// let response = client.get("http://orders/7").traced().await?;
/// # drop(response); Ok(()) }
/// ```
pub trait TracedRequest: sealed::Sealed {
    /// As `RequestBuilder::send`, in a span of the kind client below the current one, which the server is told of in the request's headers. The span
    /// starts now, and ends when the head of the response is there: reqwest's response keeps its type, so its body is not watched. Redirects that
    /// reqwest follows are part of the span.
    ///
    /// Without a system, and with the instrumentation `http-client` off, it is `send` that hands the current trace on.
    ///
    /// # Errors
    /// Those of `RequestBuilder::send`.
    fn traced(self) -> impl Future<Output = Result<Response, reqwest::Error>> + Send;
}

mod sealed {
    pub trait Sealed {}
    impl Sealed for reqwest::RequestBuilder {}
}

impl TracedRequest for RequestBuilder {
    fn traced(self) -> impl Future<Output = Result<Response, reqwest::Error>> + Send {
        let (client, request) = self.build_split();
        let started = request.map(|mut request| {
            let (context, exchange) = begin(&mut request);
            (request, context, exchange)
        });
        async move {
            let (request, context, exchange) = started?;
            let result = in_context(&context, client.execute(request)).await;
            if let Some(exchange) = exchange {
                finish(exchange, &result);
            }
            result
        }
    }
}

fn begin(request: &mut Request) -> (Context, Option<Exchange>) {
    let current = Context::current();
    let Some(system) = System::current() else {
        return (current, None);
    };
    if !system.makes_spans_of(Instrumentation::HttpClient) {
        inject(&system, &current, request.headers_mut());
        return (current, None);
    }
    let with_old_names = system.duplicates_http_names();
    let outgoing = outgoing(request);
    let mut attributes = Vec::with_capacity(8);
    outgoing.append_http(&mut attributes, &Redaction::default(), with_old_names);
    outgoing.append_network(&mut attributes, with_old_names);
    let span = start(outgoing.span_name(), attributes, &current);
    let context = span.context();
    inject(&system, &context, request.headers_mut());
    let exchange = Exchange::new(span, Side::Client, false, with_old_names);
    (context, Some(exchange))
}

fn finish(mut exchange: Exchange, result: &Result<Response, reqwest::Error>) {
    match result {
        Ok(response) => {
            let status = response.status();
            let is_error = status.is_client_error() || status.is_server_error();
            exchange.head(status, response.headers(), is_error);
            if let Some(version) = protocol_version(response.version()) {
                let span = exchange.span();
                span.put(KeyValue::new("network.protocol.version", version));
            }
            exchange.finish();
        }
        Err(error) => exchange.fail_with(|| details_of(error)),
    }
}

fn outgoing(request: &Request) -> Outgoing<'_> {
    let url = request.url();
    let host = url.host_str();
    Outgoing {
        method: Methods::default().find(request.method().as_str()),
        scheme: url.scheme(),
        has_credentials: !url.username().is_empty() || url.password().is_some(),
        host: host.map(|host| host.trim_matches(['[', ']'])),
        port: url.port(),
        path: url.path(),
        query: url.query(),
        template: None,
    }
}

/// The text of reqwest's error names the whole URL, with what is secret in it; its sources do not.
fn details_of(error: &reqwest::Error) -> ExceptionDetails {
    let what = if error.is_timeout() {
        "the request timed out"
    } else if error.is_connect() {
        "can't connect"
    } else if error.is_redirect() {
        "can't follow a redirect"
    } else if error.is_body() {
        "can't send the body"
    } else {
        "can't send the request"
    };
    let mut message = what.to_owned();
    let mut source = error.source();
    while let Some(cause) = source {
        source = cause.source();
        // The innermost says what is wrong.
        if source.is_none() {
            message = format!("{what}: {cause}");
        }
    }
    ExceptionDetails {
        kind: Cow::Borrowed("reqwest::Error"),
        ..message.details()
    }
}

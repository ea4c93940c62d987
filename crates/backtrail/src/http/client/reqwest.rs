//! Requests of reqwest.

use std::borrow::Cow;
use std::error::Error;
use std::future::Future;
use std::{iter, mem};

use ::http::Uri;
use ::http::request::Parts;
use opentelemetry::Context;
use reqwest::{Body, Client, Request, RequestBuilder, Response, ResponseBuilderExt};

use super::settings::HttpClientSettings;
use super::watch::ClientWatch;
use crate::http::capture::Direction;
use crate::http::future::call;
use crate::http::request_body::CapturedBody;
use crate::span::told;
use crate::system::System;
use crate::{Exception, ExceptionDetails, Instrumentation, in_context};

/// How many sources of an error are looked at for the innermost. A chain that is longer is a loop.
const MAX_SOURCES: usize = 16;

/// Sends requests of reqwest in spans of their own. One that is built already is sent with `RequestBuilder::from_parts(client, request).traced()`.
///
/// ```no_run
/// use backtrail::http::client::TracedRequest;
///
/// # async fn show(client: &reqwest::Client) -> Result<(), reqwest::Error> {
/// let response = client.get("http://orders/7").traced().await?;
/// # drop(response); Ok(()) }
/// ```
pub trait TracedRequest: sealed::Sealed + Sized {
    /// As `RequestBuilder::send`, in a span of the kind client below the current one, which the server is told of in the request's headers. The span
    /// starts now, and ends when the body of the response has been read, has failed or is dropped: with the head, where no body follows. Redirects that
    /// reqwest follows are part of the span. It is what [`HttpClientLayer`](super::HttpClientLayer) makes, with the settings of the system
    /// ([`TracingSystemBuilder::http_client_settings`](crate::TracingSystemBuilder::http_client_settings)).
    ///
    /// Without a system, and with the instrumentation `http-client` off, it is `send` that hands the current trace on.
    ///
    /// # Errors
    /// Those of `RequestBuilder::send`. What the response's body says of its errors has one more source in its chain.
    fn traced(self) -> impl Future<Output = Result<Response, reqwest::Error>> + Send;

    /// [`TracedRequest::traced`] with settings of its own, instead of those of the system.
    ///
    /// ```no_run
    /// use backtrail::http::client::{HttpClientSettings, TracedRequest};
    ///
    /// # async fn show(client: &reqwest::Client) -> Result<(), reqwest::Error> {
    /// let orders = HttpClientSettings::new().url_template(|_| Some("/orders/{id}".to_owned()));
    /// let response = client.get("http://orders/7").traced_with(&orders).await?;
    /// # drop(response); Ok(()) }
    /// ```
    ///
    /// # Errors
    /// Those of [`TracedRequest::traced`].
    fn traced_with(
        self,
        settings: &HttpClientSettings,
    ) -> impl Future<Output = Result<Response, reqwest::Error>> + Send;
}

mod sealed {
    pub trait Sealed {}
    impl Sealed for reqwest::RequestBuilder {}
}

impl TracedRequest for RequestBuilder {
    fn traced(self) -> impl Future<Output = Result<Response, reqwest::Error>> + Send {
        send(self, None)
    }

    fn traced_with(
        self,
        settings: &HttpClientSettings,
    ) -> impl Future<Output = Result<Response, reqwest::Error>> + Send {
        send(self, Some(settings))
    }
}

fn send(
    request: RequestBuilder,
    settings: Option<&HttpClientSettings>,
) -> impl Future<Output = Result<Response, reqwest::Error>> + Send + use<> {
    let (client, request) = request.build_split();
    let started = request.map(|mut request| {
        let watch = System::current().map(|system| {
            let settings = settings.unwrap_or_else(|| system.http_client_settings());
            start(&system, settings, &mut request)
        });
        (request, watch, Context::current())
    });
    async move {
        let (request, watch, current) = started?;
        match watch {
            Some(watch) if !watch.is_idle() => execute(&client, request, watch).await,
            Some(watch) => in_context(watch.handed_on(), client.execute(request)).await,
            None => in_context(&current, client.execute(request)).await,
        }
    }
}

fn start(system: &System, settings: &HttpClientSettings, request: &mut Request) -> ClientWatch {
    let mut head = take_head(request);
    if system.makes_spans_of(Instrumentation::HttpClient) {
        // What is no URI is not sent by reqwest, either.
        head.uri = Uri::try_from(request.url().as_str()).unwrap_or_default();
    }
    let watch = ClientWatch::start(system, settings, &mut head);
    *request.headers_mut() = head.headers;
    if let Some(body) = request.body_mut().take() {
        *request.body_mut() = Some(recorded(&watch, body));
    }
    watch
}

/// The head as other clients have it, but for the URI. The headers are lent: they must go back.
fn take_head(request: &mut Request) -> Parts {
    let (mut head, ()) = ::http::Request::new(()).into_parts();
    head.method = request.method().clone();
    head.version = request.version();
    head.headers = mem::take(request.headers_mut());
    head
}

/// A body that is there as a whole stays what it is: it can be sent again after a redirect, and a stream can not.
fn recorded(watch: &ClientWatch, body: Body) -> Body {
    let Some(mut recording) = watch.record_body(Direction::Request) else {
        return body;
    };
    if let Some(bytes) = body.as_bytes() {
        recording.push(&bytes);
        return body;
    }
    Body::wrap(CapturedBody::new(body, Some(recording)))
}

async fn execute(
    client: &Client,
    request: Request,
    watch: ClientWatch,
) -> Result<Response, reqwest::Error> {
    let execute = async || client.execute(request).await.map(into_http);
    let response = call(watch, execute).await?;
    Ok(response.map(Body::wrap).into())
}

/// The response as other clients have it. Its URL is in the extensions, where reqwest finds it again.
fn into_http(response: Response) -> ::http::Response<Body> {
    let url = response.url().clone();
    let mut response = ::http::Response::from(response);
    if let Ok(url) = ::http::Response::builder().url(url).body(()) {
        let extensions = url.into_parts().0.extensions;
        response.extensions_mut().extend(extensions);
    }
    response
}

/// The text of reqwest's error names the whole URL, with what is secret in it; its sources do not.
pub(in crate::http) fn details_of(error: &reqwest::Error) -> ExceptionDetails {
    let sources = || iter::successors(error.source(), |&cause| cause.source());
    // reqwest follows a chain to its end, if it has one or not, to say what kind of error it is.
    let ends = sources().nth(MAX_SOURCES).is_none();
    let what = if ends && error.is_timeout() {
        "the request timed out"
    } else if ends && error.is_connect() {
        "can't connect"
    } else if error.is_redirect() {
        "can't follow a redirect"
    } else if error.is_body() {
        "the body failed"
    } else {
        "can't send the request"
    };
    let message = match sources().take(MAX_SOURCES).last() {
        Some(innermost) => format!("{what}: {}", told(format_args!("{innermost}"))),
        None => what.to_owned(),
    };
    ExceptionDetails {
        kind: Cow::Borrowed("reqwest::Error"),
        ..message.details()
    }
}

//! A collector in the test's own process: it keeps what it is sent, and answers as it is told.

#![allow(dead_code, reason = "each of the tests uses a part of it")]

use std::collections::VecDeque;
use std::convert::Infallible;
use std::future::pending;
use std::net::SocketAddr;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Duration;

use bytes::Bytes;
use futures_util::{StreamExt as _, stream};
use http::{HeaderMap, HeaderName, HeaderValue, Request, Response, StatusCode};
use http_body::Frame;
use http_body_util::{BodyExt, StreamBody};
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo};
use hyper_util::server::conn::auto;
use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use prost::Message as _;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpListener;
use tokio_rustls::TlsAcceptor;

/// What a test waits for an event at most: far more than any machine needs.
pub(crate) const PATIENCE: Duration = Duration::from_mins(1);

pub(crate) struct Collector {
    pub(crate) address: SocketAddr,
    replies: Arc<Mutex<VecDeque<Reply>>>,
    received: Receiver<Received>,
}

/// A request, its body as it came.
#[derive(Debug)]
pub(crate) struct Received {
    /// As the request's line or pseudo-header names it.
    pub(crate) authority: Option<String>,
    pub(crate) path: String,
    /// Which connection it came over.
    pub(crate) peer: SocketAddr,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Bytes,
}

#[derive(Debug, Clone, Default)]
pub(crate) struct Reply {
    status: StatusCode,
    headers: HeaderMap,
    body: Vec<u8>,
    trailers: Option<HeaderMap>,
    is_silence: bool,
    is_endless: bool,
}

impl Collector {
    pub(crate) fn start() -> Self {
        Self::start_with(None)
    }

    pub(crate) fn start_with_tls(tls: TlsAcceptor) -> Self {
        Self::start_with(Some(tls))
    }

    fn start_with(tls: Option<TlsAcceptor>) -> Self {
        Self::listen("127.0.0.1:0".parse().unwrap(), tls)
    }

    /// A collector that comes up late, at an address that was known before.
    pub(crate) fn start_at(address: SocketAddr) -> Self {
        Self::listen(address, None)
    }

    fn listen(address: SocketAddr, tls: Option<TlsAcceptor>) -> Self {
        let replies: Arc<Mutex<VecDeque<Reply>>> = Arc::default();
        let (sender, received) = channel();
        let listener = std::net::TcpListener::bind(address).unwrap();
        listener.set_nonblocking(true).unwrap();
        let address = listener.local_addr().unwrap();
        let stage = Stage {
            replies: Arc::clone(&replies),
            sender,
        };
        thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread()
                .enable_all()
                .build()
                .unwrap();
            runtime.block_on(accept(listener, tls, stage));
        });
        Self {
            address,
            replies,
            received,
        }
    }

    pub(crate) fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Answers the next request so that has no answer yet, in the order of these calls; what has none is answered well.
    pub(crate) fn reply(&self, reply: Reply) {
        self.replies.lock().unwrap().push_back(reply);
    }

    pub(crate) fn next(&self) -> Received {
        self.received.recv_timeout(PATIENCE).unwrap()
    }

    pub(crate) fn try_next(&self) -> Option<Received> {
        self.received.try_recv().ok()
    }

    /// The names of all spans of OTLP requests that came and were not asked for yet.
    pub(crate) fn span_names(&self) -> Vec<String> {
        let received = self.received.try_iter();
        received.flat_map(|request| request.span_names()).collect()
    }
}

impl Received {
    pub(crate) fn otlp(&self) -> ExportTraceServiceRequest {
        ExportTraceServiceRequest::decode(self.body.clone()).unwrap()
    }

    pub(crate) fn span_names(&self) -> Vec<String> {
        span_names(&self.otlp())
    }
}

pub(crate) fn span_names(request: &ExportTraceServiceRequest) -> Vec<String> {
    let resources = request.resource_spans.iter();
    let scopes = resources.flat_map(|resource| &resource.scope_spans);
    let spans = scopes.flat_map(|scope| &scope.spans);
    spans.map(|span| span.name.clone()).collect()
}

impl Reply {
    pub(crate) fn status(status: u16) -> Self {
        Self {
            status: StatusCode::from_u16(status).unwrap(),
            ..Self::default()
        }
    }

    pub(crate) fn silence() -> Self {
        Self {
            is_silence: true,
            ..Self::default()
        }
    }

    /// The body has no end.
    pub(crate) fn endless(mut self) -> Self {
        self.is_endless = true;
        self
    }

    pub(crate) fn header(mut self, name: &'static str, value: &'static str) -> Self {
        self.headers.insert(name, HeaderValue::from_static(value));
        self
    }

    pub(crate) fn body(mut self, body: impl Into<Vec<u8>>) -> Self {
        self.body = body.into();
        self
    }

    pub(crate) fn trailer(mut self, name: &'static str, value: &'static str) -> Self {
        let trailers = self.trailers.get_or_insert_default();
        trailers.insert(
            HeaderName::from_static(name),
            HeaderValue::from_static(value),
        );
        self
    }
}

#[derive(Clone)]
struct Stage {
    replies: Arc<Mutex<VecDeque<Reply>>>,
    sender: Sender<Received>,
}

async fn accept(listener: std::net::TcpListener, tls: Option<TlsAcceptor>, stage: Stage) {
    let listener = TcpListener::from_std(listener).unwrap();
    loop {
        let (stream, peer) = listener.accept().await.unwrap();
        let (tls, stage) = (tls.clone(), stage.clone());
        tokio::spawn(async move {
            match tls {
                None => serve(stream, peer, stage).await,
                // A handshake that fails is the client's to tell.
                Some(tls) => {
                    if let Ok(stream) = tls.accept(stream).await {
                        serve(stream, peer, stage).await;
                    }
                }
            }
        });
    }
}

async fn serve(
    stream: impl AsyncRead + AsyncWrite + Unpin + Send + 'static,
    peer: SocketAddr,
    stage: Stage,
) {
    let service = service_fn(move |request| answer(request, peer, stage.clone()));
    // The client closes the connection when it likes.
    let _closed = auto::Builder::new(TokioExecutor::new())
        .serve_connection(TokioIo::new(stream), service)
        .await;
}

async fn answer(
    request: Request<Incoming>,
    peer: SocketAddr,
    stage: Stage,
) -> Result<Response<impl http_body::Body<Data = Bytes, Error = Infallible>>, hyper::Error> {
    let (parts, body) = request.into_parts();
    let body = body.collect().await?.to_bytes();
    let is_grpc = parts.headers[http::header::CONTENT_TYPE] == "application/grpc";
    let reply = stage.replies.lock().unwrap().pop_front();
    // A test that is over does not listen any more.
    let _told = stage.sender.send(Received {
        authority: parts.uri.authority().map(ToString::to_string),
        path: parts.uri.path().to_owned(),
        peer,
        headers: parts.headers,
        body,
    });
    let mut reply = reply.unwrap_or_default();
    if reply.is_silence {
        pending::<()>().await;
    }
    let has_status = reply.trailers.is_some() || reply.headers.contains_key("grpc-status");
    if is_grpc && !has_status && reply.status == StatusCode::OK {
        reply = reply.trailer("grpc-status", "0");
    }
    let mut frames = Vec::new();
    if !reply.body.is_empty() {
        frames.push(Ok(Frame::data(Bytes::from(reply.body))));
    }
    frames.extend(reply.trailers.map(|trailers| Ok(Frame::trailers(trailers))));
    let rest = if reply.is_endless {
        stream::pending().left_stream()
    } else {
        stream::empty().right_stream()
    };
    let mut response = Response::new(StreamBody::new(stream::iter(frames).chain(rest)));
    *response.status_mut() = reply.status;
    *response.headers_mut() = reply.headers;
    Ok(response)
}

//! Connections to a collector, directly or through a proxy.

use std::error::Error;
use std::future::Future;
use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};

use http::{HeaderValue, Uri};
use hyper::rt::{Read, ReadBufCursor, Write};
use hyper_util::client::legacy::connect::proxy::Tunnel;
use hyper_util::client::legacy::connect::{Connected, Connection, HttpConnector};
use hyper_util::rt::TokioIo;
use tokio::net::TcpStream;
use tower_service::Service;

use super::credentials;

/// The way to a collector.
#[derive(Debug, Clone)]
pub(super) enum Route {
    Direct,
    /// The proxy is asked in the collector's place. It reads what is sent.
    Forward(Proxy),
    /// The proxy is asked for a connection, and hands on what it does not understand: TLS, and HTTP/2.
    Tunnel(Proxy),
}

#[derive(Debug, Clone)]
pub(super) struct Proxy {
    pub(super) address: Uri,
    /// `Proxy-Authorization`.
    pub(super) authorization: Option<HeaderValue>,
}

impl Route {
    /// The way through a proxy, if there is one.
    pub(super) fn through(proxy: Option<Uri>, endpoint: &Uri, is_grpc: bool) -> Self {
        let Some(proxy) = proxy else {
            return Self::Direct;
        };
        let (address, authorization) = credentials::taken_from(proxy);
        let proxy = Proxy {
            address,
            authorization,
        };
        if is_grpc || endpoint.scheme_str() == Some("https") {
            Self::Tunnel(proxy)
        } else {
            Self::Forward(proxy)
        }
    }

    pub(super) const fn proxy(&self) -> Option<&Proxy> {
        match self {
            Self::Direct => None,
            Self::Forward(proxy) | Self::Tunnel(proxy) => Some(proxy),
        }
    }
}

/// Makes connections.
#[derive(Debug, Clone)]
pub(super) struct Dialer {
    connector: HttpConnector,
    route: Route,
}

impl Dialer {
    pub(super) fn new(route: Route) -> Self {
        let mut connector = HttpConnector::new();
        connector.set_nodelay(true);
        connector.enforce_http(false);
        Self { connector, route }
    }
}

type BoxError = Box<dyn Error + Send + Sync>;

impl Service<Uri> for Dialer {
    type Response = Line;
    type Error = BoxError;
    type Future = Pin<Box<dyn Future<Output = Result<Line, BoxError>> + Send>>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), BoxError>> {
        self.connector.poll_ready(cx).map_err(Into::into)
    }

    fn call(&mut self, to: Uri) -> Self::Future {
        let (address, is_forwarded) = match &self.route {
            Route::Direct => (to, false),
            Route::Forward(proxy) => (proxy.address.clone(), true),
            Route::Tunnel(proxy) => {
                let mut tunnel = Tunnel::new(proxy.address.clone(), self.connector.clone());
                if let Some(authorization) = &proxy.authorization {
                    tunnel = tunnel.with_auth(authorization.clone());
                }
                let dialing = tunnel.call(to);
                return Box::pin(async { Ok(Line::new(dialing.await?, false)) });
            }
        };
        let dialing = self.connector.call(address);
        Box::pin(async move { Ok(Line::new(dialing.await?, is_forwarded)) })
    }
}

/// A connection.
#[derive(Debug)]
pub(super) struct Line {
    stream: TokioIo<TcpStream>,
    /// Requests name their whole address, because a proxy reads them.
    is_forwarded: bool,
}

impl Line {
    const fn new(stream: TokioIo<TcpStream>, is_forwarded: bool) -> Self {
        Self {
            stream,
            is_forwarded,
        }
    }
}

impl Connection for Line {
    fn connected(&self) -> Connected {
        self.stream.connected().proxy(self.is_forwarded)
    }
}

impl Read for Line {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: ReadBufCursor<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_read(cx, buf)
    }
}

impl Write for Line {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write(cx, buf)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bufs: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write_vectored(cx, bufs)
    }
}

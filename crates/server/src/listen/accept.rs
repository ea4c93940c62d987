//! Accepting and serving connections until told to stop.

use std::io::{self, ErrorKind};
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use http::Request;
use hyper::body::Incoming;
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use hyper_util::server::conn::auto;
use hyper_util::service::TowerToHyperService;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use tower::ServiceExt;

use super::linger::LingeringBody;

/// Requests of one HTTP/2 connection at one time.
const MAX_CONCURRENT_STREAMS: u32 = 256;
/// How long accepting rests when the process has no file descriptors left.
const REST_AFTER_ERROR: Duration = Duration::from_millis(100);

/// Bounds of a listener's connections.
#[derive(Debug, Clone)]
pub(crate) struct ConnectionLimits {
    /// Open at one time; more wait in the kernel's queue.
    pub(crate) max_connections: usize,
    /// How long a request's head may take, and how long a connection may be idle before it.
    pub(crate) head_timeout: Duration,
}

/// Accepts on `sockets` and serves `router` until `stop`. Connections are tracked in
/// `connections`: after `stop` each finishes what it is in the middle of, and no more.
pub(crate) fn serve(
    sockets: Vec<TcpListener>,
    router: Router,
    limits: &ConnectionLimits,
    connections: &TaskTracker,
    stop: &CancellationToken,
) {
    let places = Arc::new(Semaphore::new(limits.max_connections));
    for socket in sockets {
        let server = Server {
            router: router.clone(),
            head_timeout: limits.head_timeout,
            places: Arc::clone(&places),
            connections: connections.clone(),
            stop: stop.clone(),
        };
        connections.spawn(server.accept_all(socket));
    }
}

#[derive(Clone)]
struct Server {
    router: Router,
    head_timeout: Duration,
    places: Arc<Semaphore>,
    connections: TaskTracker,
    stop: CancellationToken,
}

impl Server {
    async fn accept_all(self, socket: TcpListener) {
        while let Some((stream, place)) = self.accept(&socket).await {
            let server = self.clone();
            self.connections.spawn(async move {
                server.serve_connection(stream).await;
                drop(place);
            });
        }
    }

    /// The next connection; `None` when it is time to stop.
    async fn accept(&self, socket: &TcpListener) -> Option<(TcpStream, OwnedSemaphorePermit)> {
        loop {
            let next = async {
                // The semaphore is never closed.
                let place = Arc::clone(&self.places).acquire_owned().await.ok();
                (socket.accept().await, place)
            };
            let (accepted, place) = tokio::select! {
                next = next => next,
                () = self.stop.cancelled() => return None,
            };
            match accepted {
                Ok((stream, _)) => return Some((stream, place?)),
                Err(error) if is_connection_error(&error) => {}
                Err(error) => {
                    tracing::warn!(%error, "cannot accept connections");
                    tokio::time::sleep(REST_AFTER_ERROR).await;
                }
            }
        }
    }

    async fn serve_connection(self, stream: TcpStream) {
        // Small replies must not wait for each other.
        if stream.set_nodelay(true).is_err() || !self.speaks(&stream).await {
            return;
        }
        let mut builder = auto::Builder::new(TokioExecutor::new());
        builder
            .http1()
            .timer(TokioTimer::new())
            .header_read_timeout(self.head_timeout);
        builder
            .http2()
            .timer(TokioTimer::new())
            .max_concurrent_streams(MAX_CONCURRENT_STREAMS)
            .adaptive_window(true)
            .keep_alive_interval(Duration::from_mins(1))
            .keep_alive_timeout(Duration::from_secs(20));
        let service = self.router.map_request(|request: Request<Incoming>| {
            let (parts, body) = request.into_parts();
            let body = LingeringBody::new(&parts, body);
            Request::from_parts(parts, axum::body::Body::new(body))
        });
        let connection =
            builder.serve_connection(TokioIo::new(stream), TowerToHyperService::new(service));
        tokio::pin!(connection);
        let result = tokio::select! {
            result = connection.as_mut() => result,
            () = self.stop.cancelled() => {
                connection.as_mut().graceful_shutdown();
                connection.await
            }
        };
        if let Err(error) = result {
            tracing::debug!(%error, "connection ended");
        }
    }

    /// Waits for the first byte: what decides between HTTP/1 and 2 has no time limit of its own.
    async fn speaks(&self, stream: &TcpStream) -> bool {
        let mut first = [0];
        tokio::select! {
            read = tokio::time::timeout(self.head_timeout, stream.peek(&mut first)) => {
                matches!(read, Ok(Ok(1)))
            }
            () = self.stop.cancelled() => false,
        }
    }
}

/// Errors of the one connection that would have been accepted.
fn is_connection_error(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        ErrorKind::ConnectionAborted
            | ErrorKind::ConnectionRefused
            | ErrorKind::ConnectionReset
            | ErrorKind::Interrupted
    )
}

//! Receiving datagrams until told to stop.

use std::io::ErrorKind;
use std::net::SocketAddr;
use std::time::Duration;

use tokio::net::UdpSocket;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

/// More than any datagram has.
const BUFFER_BYTES: usize = 1 << 16;
/// What a datagram takes of the kernel's buffer at least.
const MIN_DATAGRAM_BYTES: usize = 256;
/// How long receiving rests after an error, which is none of a sender's.
const REST_AFTER_ERROR: Duration = Duration::from_millis(100);

/// Receives on `sockets` until `stop`, and then what they still hold, up to `buffer_bytes` each: senders that go on do not
/// keep us. Each datagram is handed to `take`, which must not wait. The work is tracked in `tasks`.
pub(crate) fn receive(
    sockets: Vec<UdpSocket>,
    buffer_bytes: usize,
    take: impl Fn(&[u8], SocketAddr) + Clone + Send + Sync + 'static,
    tasks: &TaskTracker,
    stop: &CancellationToken,
) {
    for socket in sockets {
        let take = take.clone();
        let stop = stop.clone();
        tasks.spawn(async move {
            let mut buffer = vec![0; BUFFER_BYTES];
            receive_until(&socket, &mut buffer, &take, &stop).await;
            drain(socket, &mut buffer, buffer_bytes, &take);
        });
    }
}

async fn receive_until(
    socket: &UdpSocket,
    buffer: &mut [u8],
    take: impl Fn(&[u8], SocketAddr),
    stop: &CancellationToken,
) {
    loop {
        let received = tokio::select! {
            received = socket.recv_from(buffer) => received,
            () = stop.cancelled() => return,
        };
        match received {
            Ok((len, from)) => take(&buffer[..len], from),
            Err(error) => {
                tracing::warn!(%error, "cannot receive datagrams");
                tokio::time::sleep(REST_AFTER_ERROR).await;
            }
        }
    }
}

/// Not through the runtime, which may not have noticed yet what has arrived.
fn drain(socket: UdpSocket, buffer: &mut [u8], max_bytes: usize, take: impl Fn(&[u8], SocketAddr)) {
    let socket = match socket.into_std() {
        Ok(socket) => socket,
        Err(error) => {
            tracing::warn!(%error, "cannot receive the last datagrams");
            return;
        }
    };
    let mut left_bytes = max_bytes;
    while left_bytes > 0 {
        match socket.recv_from(buffer) {
            Ok((len, from)) => {
                take(&buffer[..len], from);
                left_bytes = left_bytes.saturating_sub(len.max(MIN_DATAGRAM_BYTES));
            }
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            Err(error) => {
                if error.kind() != ErrorKind::WouldBlock {
                    tracing::warn!(%error, "cannot receive the last datagrams");
                }
                return;
            }
        }
    }
}

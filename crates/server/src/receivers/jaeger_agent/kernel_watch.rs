//! Datagrams that the kernel dropped before we could read them: counted for `/metrics`, and said in our log.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use host::{Files, Host};
use tokio_util::sync::CancellationToken;

use crate::ingest::Protocol;
use crate::listen::kernel_drops;
use crate::metrics::Metrics;

/// How often we look.
const INTERVAL: Duration = Duration::from_secs(10);

/// The sockets that receive datagrams: what they count as, and where they are bound. Cheap to clone.
#[derive(Clone, Default)]
pub(crate) struct UdpSockets {
    protocols: Arc<[Protocol]>,
    addresses: Arc<[SocketAddr]>,
}

impl UdpSockets {
    /// Brings the counters up to what the kernel says. How many datagrams it dropped in all, when it says so.
    pub(crate) fn count_kernel_drops(&self, files: &dyn Files, metrics: &Metrics) -> Option<u64> {
        if self.addresses.is_empty() {
            return Some(0);
        }
        let drops = kernel_drops(files, &self.addresses)?;
        for protocol in Protocol::ALL {
            let of_protocol = self.protocols.iter().zip(&drops);
            let total = of_protocol
                .filter(|(of, _)| **of == protocol)
                .map(|(_, drops)| drops)
                .sum();
            metrics.raise_kernel_drops(protocol, total);
        }
        Some(drops.iter().sum())
    }
}

impl FromIterator<(Protocol, SocketAddr)> for UdpSockets {
    fn from_iter<I: IntoIterator<Item = (Protocol, SocketAddr)>>(sockets: I) -> Self {
        let (protocols, addresses): (Vec<_>, Vec<_>) = sockets.into_iter().unzip();
        Self {
            protocols: protocols.into(),
            addresses: addresses.into(),
        }
    }
}

/// Looks every now and then, and says when the kernel dropped datagrams.
pub(crate) async fn watch(
    sockets: UdpSockets,
    host: Host,
    metrics: Arc<Metrics>,
    stop: CancellationToken,
) {
    let mut known = 0;
    loop {
        tokio::select! {
            () = host.tasks.sleep(INTERVAL) => {}
            () = stop.cancelled() => return,
        }
        let Some(total) = sockets.count_kernel_drops(host.files.as_ref(), &metrics) else {
            tracing::debug!(
                "/proc/net/udp can't be read: datagrams that the kernel drops are not counted"
            );
            return;
        };
        if total > known {
            tracing::warn!(
                "the kernel dropped {} datagrams in the last {INTERVAL:?}: the sockets' buffers were full (limits.udp_receive_buffer_bytes)",
                total - known
            );
        }
        known = total;
    }
}

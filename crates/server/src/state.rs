//! What every handler of the web listener shares.

use std::fmt;
use std::net::SocketAddr;
use std::sync::Arc;

use artifacts::Artifacts;
use artifacts::resolve::Resolver;
use host::Host;
use store::Store;

use crate::ingest::InFlight;
use crate::metrics::Metrics;
use crate::receivers::UdpSockets;

/// Shared by the read APIs, the page, metrics and health. Cheap to clone.
#[derive(Clone)]
pub(crate) struct AppState {
    /// Clock and files.
    pub(crate) host: Host,
    /// Counters and histograms of this process.
    pub(crate) metrics: Arc<Metrics>,
    /// What was bound, in the order of the ports' table.
    pub(crate) listeners: Arc<[BoundListener]>,
    /// What is kept.
    pub(crate) store: Store,
    /// What was uploaded of source maps.
    pub(crate) artifacts: Artifacts,
    /// Leads stack traces back to source with it.
    pub(crate) resolver: Arc<Resolver>,
    /// Whether Jaeger's APIs show stack traces resolved.
    pub(crate) resolves_for_jaeger: bool,
    /// The bounded queue of requests that bring spans.
    pub(crate) in_flight: InFlight,
    /// What receives datagrams.
    pub(crate) udp_sockets: UdpSockets,
}

/// A listener that was bound, as snippets and `/api/v1/status` name it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct BoundListener {
    /// The setting's name with dashes: `otlp-grpc`, `web`.
    pub(crate) name: &'static str,
    /// The address that senders should use; 127.0.0.1 where both loopback addresses were bound.
    pub(crate) address: SocketAddr,
}

impl fmt::Display for BoundListener {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.name, self.address)
    }
}

//! Which listener serves what.

use std::net::SocketAddr;
use std::sync::Arc;

use tokio::net::{TcpListener, UdpSocket};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use tonic_health::server::HealthReporter;

use crate::api::Api;
use crate::auth::{Authority, Denied, Guard, Peer, Scope};
use crate::config::{Config, Endpoint};
use crate::ingest::{Admission, InFlight, Protocol};
use crate::listen::{
    BindError, Bound, ConnectionLimits, bind, bind_udp, check_hosts, receive_datagrams, serve,
};
use crate::receivers::{self, JaegerAgent, ReceiverLimits, UdpSockets};
use crate::sampling::CurrentStrategies;
use crate::state::{AppState, BoundListener};
use crate::uploads::Uploads;
use crate::web::{jaeger_grpc_router, web_router, zipkin_router};

/// A listener's kind.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    OtlpGrpc,
    OtlpHttp,
    JaegerHttp,
    JaegerGrpc,
    JaegerSampling,
    Zipkin,
    JaegerQueryGrpc,
    Web,
}

/// A listener's kind where it receives datagrams.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum UdpKind {
    JaegerAgentCompact,
    JaegerAgentBinary,
}

impl UdpKind {
    const ALL: [Self; 2] = [Self::JaegerAgentCompact, Self::JaegerAgentBinary];

    fn name(self) -> &'static str {
        match self {
            Self::JaegerAgentCompact => "jaeger-agent-compact",
            Self::JaegerAgentBinary => "jaeger-agent-binary",
        }
    }

    fn setting(self, config: &Config) -> (&'static str, Endpoint) {
        let listeners = &config.listeners;
        match self {
            Self::JaegerAgentCompact => ("jaeger_agent_compact", listeners.jaeger_agent_compact),
            Self::JaegerAgentBinary => ("jaeger_agent_binary", listeners.jaeger_agent_binary),
        }
    }

    fn protocol(self) -> Protocol {
        match self {
            Self::JaegerAgentCompact => Protocol::JaegerAgentCompact,
            Self::JaegerAgentBinary => Protocol::JaegerAgentBinary,
        }
    }
}

impl Kind {
    const ALL: [Self; 8] = [
        Self::OtlpGrpc,
        Self::OtlpHttp,
        Self::JaegerHttp,
        Self::JaegerGrpc,
        Self::JaegerSampling,
        Self::Zipkin,
        Self::JaegerQueryGrpc,
        Self::Web,
    ];

    /// As users of the port file and `/api/v1/status` know it.
    fn name(self) -> &'static str {
        match self {
            Self::OtlpGrpc => "otlp-grpc",
            Self::OtlpHttp => "otlp-http",
            Self::JaegerHttp => "jaeger-http",
            Self::JaegerGrpc => "jaeger-grpc",
            Self::JaegerSampling => "jaeger-sampling",
            Self::Zipkin => "zipkin",
            Self::JaegerQueryGrpc => "jaeger-query-grpc",
            Self::Web => "web",
        }
    }

    /// Its setting and that setting's value.
    fn setting(self, config: &Config) -> (&'static str, Endpoint) {
        let listeners = &config.listeners;
        match self {
            Self::OtlpGrpc => ("otlp_grpc", listeners.otlp_grpc),
            Self::OtlpHttp => ("otlp_http", listeners.otlp_http),
            Self::JaegerHttp => ("jaeger_http", listeners.jaeger_http),
            Self::JaegerGrpc => ("jaeger_grpc", listeners.jaeger_grpc),
            Self::JaegerSampling => ("jaeger_sampling", listeners.jaeger_sampling),
            Self::Zipkin => ("zipkin", listeners.zipkin),
            Self::JaegerQueryGrpc => ("jaeger_query_grpc", listeners.jaeger_query_grpc),
            Self::Web => ("web", listeners.web),
        }
    }
}

impl Kind {
    /// What it asks of its requests.
    fn guard(self, config: &Config, services: &Services) -> Guard {
        let (_, endpoint) = self.setting(config);
        let peer = Peer {
            listener: self.name(),
            always_needs_token: endpoint.is_public() && !config.allow_anonymous,
            takes_cookies: self == Self::Web,
        };
        let metrics = Arc::clone(&services.state.metrics);
        metrics.begin_denials(peer.listener, &Denied::LABELS);
        Guard::new(services.authority.clone(), peer, metrics)
    }
}

/// The sockets of all listeners that are on.
pub(super) struct Sockets {
    tcp: Vec<(Kind, Bound<TcpListener>)>,
    udp: Vec<(UdpKind, Bound<UdpSocket>)>,
}

impl Sockets {
    /// Binds all of them, or none.
    pub(super) fn bind(config: &Config) -> Result<Self, BindError> {
        let mut tcp = Vec::new();
        for kind in Kind::ALL {
            let (key, endpoint) = kind.setting(config);
            if let Some(bound) = bind(key, endpoint)? {
                tcp.push((kind, bound));
            }
        }
        let mut udp = Vec::new();
        let buffer_bytes = config.limits.udp_receive_buffer_bytes.as_usize();
        for kind in UdpKind::ALL {
            let (key, endpoint) = kind.setting(config);
            if let Some(bound) = bind_udp(key, endpoint, buffer_bytes)? {
                udp.push((kind, bound));
            }
        }
        let without_ipv6 = tcp.iter().any(|(_, bound)| bound.without_ipv6)
            || udp.iter().any(|(_, bound)| bound.without_ipv6);
        if without_ipv6 {
            tracing::info!("this machine has no ::1: listening on 127.0.0.1 alone");
        }
        let sockets = Self { tcp, udp };
        sockets.say_small_buffers(buffer_bytes);
        Ok(sockets)
    }

    /// The kernel gives no more than the machine's owner allows, and says nothing.
    fn say_small_buffers(&self, wanted_bytes: usize) {
        let granted = self
            .udp
            .iter()
            .flat_map(|(_, bound)| &bound.sockets)
            .filter_map(|socket| granted_bytes(socket).ok())
            .min();
        if let Some(granted) = granted.filter(|granted| *granted < wanted_bytes) {
            tracing::warn!(
                "the kernel gives UDP sockets a buffer of {granted} bytes where limits.udp_receive_buffer_bytes asks for {wanted_bytes}: \
                 bursts may be lost; allow more with `sysctl net.core.rmem_max={wanted_bytes}`"
            );
        }
    }

    /// What clients should connect to.
    pub(super) fn addresses(&self) -> Arc<[BoundListener]> {
        let tcp = self
            .tcp
            .iter()
            .map(|(kind, bound)| (kind.name(), bound.address));
        let udp = self
            .udp
            .iter()
            .map(|(kind, bound)| (kind.name(), bound.address));
        tcp.chain(udp)
            .map(|(name, address)| BoundListener { name, address })
            .collect()
    }

    /// What receives datagrams.
    pub(super) fn udp_sockets(&self) -> UdpSockets {
        let addresses = |(kind, bound): &(UdpKind, Bound<UdpSocket>)| {
            let protocol = kind.protocol();
            let of_sockets: Vec<(Protocol, SocketAddr)> = bound
                .sockets
                .iter()
                .filter_map(|socket| Some((protocol, socket.local_addr().ok()?)))
                .collect();
            of_sockets
        };
        self.udp.iter().flat_map(addresses).collect()
    }
}

/// What the kernel keeps of a socket's datagrams. Linux tells twice of what it was asked for: half is for its own bookkeeping.
fn granted_bytes(socket: &UdpSocket) -> std::io::Result<usize> {
    let told = socket2::SockRef::from(socket).recv_buffer_size()?;
    Ok(if cfg!(target_os = "linux") {
        told / 2
    } else {
        told
    })
}

/// What listeners hand requests to.
pub(super) struct Services {
    pub(super) admission: Arc<Admission>,
    pub(super) strategies: CurrentStrategies,
    pub(super) health: HealthReporter,
    pub(super) authority: Authority,
    pub(super) state: AppState,
}

/// Starts to accept on all sockets.
pub(super) fn start_listeners(
    config: &Config,
    sockets: Sockets,
    services: &Services,
    connections: &TaskTracker,
    stop: &CancellationToken,
) -> Result<(), tonic_reflection::server::Error> {
    let Services {
        admission,
        strategies,
        health,
        authority,
        state,
    } = services;
    let limits = &config.limits;
    let receiver_limits = ReceiverLimits {
        max_body_bytes: limits.max_body_bytes.as_usize(),
        grpc_max_message_bytes: limits.grpc_max_message_bytes.as_usize(),
        body_timeout: limits.request_timeout.0,
    };
    let connection_limits = ConnectionLimits {
        max_connections: limits.max_connections,
        head_timeout: limits.request_timeout.0,
    };
    let api = Api::of(state);
    let queue = InFlight::new(limits.udp_queue_bytes.as_usize());
    if !sockets.udp.is_empty() && authority.closes(Scope::Ingest) {
        tracing::warn!(
            "sending needs a token, and datagrams carry none: whoever reaches Jaeger's agent can send; turn it off with jaeger_agent_compact and jaeger_agent_binary"
        );
    }
    for (kind, bound) in sockets.udp {
        let agent = JaegerAgent::new(
            kind.protocol(),
            Arc::clone(admission),
            queue.clone(),
            Arc::clone(&state.host.clock),
            connections.clone(),
        );
        receive_datagrams(
            bound.sockets,
            limits.udp_receive_buffer_bytes.as_usize(),
            move |datagram, from| agent.take(datagram, from),
            connections,
            stop,
        );
    }
    for (kind, bound) in sockets.tcp {
        let admission = Arc::clone(admission);
        let guard = kind.guard(config, services);
        let router = match kind {
            Kind::OtlpGrpc => receivers::otlp_grpc(admission, receiver_limits, guard, health)?,
            Kind::OtlpHttp => {
                receivers::otlp_http(admission, receiver_limits, guard, &config.cors_origins)
            }
            Kind::JaegerHttp => {
                receivers::jaeger_http(admission, receiver_limits, guard, strategies.clone())
            }
            Kind::JaegerGrpc => {
                let strategies = strategies.clone();
                receivers::jaeger_grpc(admission, receiver_limits, guard, strategies, health)?
            }
            Kind::JaegerSampling => {
                let router = receivers::jaeger_sampling(strategies.clone());
                // Clients of Jaeger's agent, which they ask here, can send no token.
                if guard.peer().always_needs_token {
                    receivers::guarded(router, guard)
                } else {
                    router
                }
            }
            Kind::Zipkin => receivers::zipkin(
                admission,
                receiver_limits,
                guard.clone(),
                &config.cors_origins,
                check_hosts(
                    zipkin_router(state.clone(), api.clone(), guard),
                    config.listeners.zipkin,
                    &config.allowed_hosts,
                ),
            ),
            Kind::JaegerQueryGrpc => jaeger_grpc_router(state.clone(), api.clone(), guard, health)?,
            Kind::Web => check_hosts(
                web_router(
                    state.clone(),
                    api.clone(),
                    Uploads::of(state, config, guard.clone()),
                    guard,
                ),
                config.listeners.web,
                &config.allowed_hosts,
            ),
        };
        serve(bound.sockets, router, &connection_limits, connections, stop);
    }
    Ok(())
}

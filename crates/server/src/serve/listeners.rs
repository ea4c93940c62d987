//! Which listener serves what.

use std::sync::Arc;

use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use tonic_health::server::HealthReporter;

use crate::config::{Config, Endpoint};
use crate::ingest::Admission;
use crate::listen::{BindError, Bound, ConnectionLimits, bind, serve};
use crate::receivers::{self, ReceiverLimits};
use crate::state::{AppState, BoundListener};
use crate::web::web_router;

/// A listener's kind.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    OtlpGrpc,
    OtlpHttp,
    JaegerHttp,
    Zipkin,
    Web,
}

impl Kind {
    const ALL: [Self; 5] = [
        Self::OtlpGrpc,
        Self::OtlpHttp,
        Self::JaegerHttp,
        Self::Zipkin,
        Self::Web,
    ];

    /// As users of the port file and `/api/v1/status` know it.
    fn name(self) -> &'static str {
        match self {
            Self::OtlpGrpc => "otlp-grpc",
            Self::OtlpHttp => "otlp-http",
            Self::JaegerHttp => "jaeger-http",
            Self::Zipkin => "zipkin",
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
            Self::Zipkin => ("zipkin", listeners.zipkin),
            Self::Web => ("web", listeners.web),
        }
    }
}

/// The sockets of all listeners that are on.
pub(super) struct Sockets(Vec<(Kind, Bound)>);

impl Sockets {
    /// Binds all of them, or none.
    pub(super) fn bind(config: &Config) -> Result<Self, BindError> {
        let mut sockets = Vec::new();
        for kind in Kind::ALL {
            let (key, endpoint) = kind.setting(config);
            if let Some(bound) = bind(key, endpoint)? {
                sockets.push((kind, bound));
            }
        }
        if sockets.iter().any(|(_, bound)| bound.without_ipv6) {
            tracing::info!("this machine has no ::1: listening on 127.0.0.1 alone");
        }
        Ok(Self(sockets))
    }

    /// What clients should connect to.
    pub(super) fn addresses(&self) -> Arc<[BoundListener]> {
        let address = |(kind, bound): &(Kind, Bound)| BoundListener {
            name: kind.name(),
            address: bound.address,
        };
        self.0.iter().map(address).collect()
    }
}

/// Starts to accept on all sockets.
pub(super) fn start_listeners(
    config: &Config,
    sockets: Sockets,
    state: AppState,
    admission: &Arc<Admission>,
    health: &HealthReporter,
    connections: &TaskTracker,
    stop: &CancellationToken,
) -> Result<(), tonic_reflection::server::Error> {
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
    for (kind, bound) in sockets.0 {
        let admission = Arc::clone(admission);
        let router = match kind {
            Kind::OtlpGrpc => receivers::otlp_grpc(admission, receiver_limits, health)?,
            Kind::OtlpHttp => {
                receivers::otlp_http(admission, receiver_limits, &config.cors_origins)
            }
            Kind::JaegerHttp => receivers::jaeger_http(admission, receiver_limits),
            Kind::Zipkin => receivers::zipkin(
                admission,
                receiver_limits,
                &config.cors_origins,
                axum::Router::new(),
            ),
            Kind::Web => web_router(state.clone()),
        };
        serve(bound.sockets, router, &connection_limits, connections, stop);
    }
    Ok(())
}

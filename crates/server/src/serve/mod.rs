//! The server's life: bind, open the store, listen; and at the end stop accepting, finish what is
//! in flight, flush.

mod listeners;
mod port_file;
mod reload;
mod signals;

use std::sync::Arc;
use std::time::Duration;

use anyhow::Context;
use artifacts::Uploads;
use artifacts::resolve::Resolver;
use host::Host;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use tonic_health::server::HealthReporter;

use crate::api::JAEGER_GRPC_SERVICES;
use crate::auth::Authority;
use crate::config::{Config, Loader};
use crate::ingest::{Admission, AdmissionLimits};
use crate::metrics::Metrics;
use crate::receivers::{COLLECTOR_SERVICE, OTLP_SERVICES, SAMPLING_SERVICE, watch_kernel_drops};
use crate::sampling::CurrentStrategies;
use crate::sourcemaps::SourceMaps;
use crate::state::{AppState, BoundListener};
use crate::storage::Storage;

use listeners::{Services, Sockets, start_listeners};
pub(crate) use signals::Signals;

/// The part of a stop that requests may take; the rest is for the store.
const REQUESTS_SHARE: f64 = 0.7;

/// A server that runs.
pub(crate) struct Server {
    listeners: Arc<[BoundListener]>,
    admission: Arc<Admission>,
    strategies: CurrentStrategies,
    host: Host,
    storage: Storage,
    sourcemaps: SourceMaps,
    health: HealthReporter,
    connections: TaskTracker,
    stop: CancellationToken,
    shutdown_timeout: Duration,
}

/// What health knows beside the server as a whole.
fn grpc_services() -> impl Iterator<Item = &'static str> {
    OTLP_SERVICES
        .into_iter()
        .chain([COLLECTOR_SERVICE, SAMPLING_SERVICE])
        .chain(JAEGER_GRPC_SERVICES)
}

/// What a stop could not finish in time. The log keeps every acknowledged span all the same.
#[derive(Debug, thiserror::Error)]
#[error(
    "stopped after {timeout:?} (shutdown_timeout_ms) with work unfinished: {what}; \
     every acknowledged span is in the log and is read back at the next start"
)]
pub(crate) struct Unfinished {
    timeout: Duration,
    what: String,
}

/// Runs a server until a signal stops it.
pub(crate) async fn run(config: &Config, loader: Loader) -> anyhow::Result<()> {
    let mut signals = Signals::listen().context("cannot listen for signals")?;
    let server = tokio::select! {
        server = Server::start(config, Host::real()) => server?,
        // Nothing was acknowledged yet, so nothing is lost.
        name = signals.next() => {
            tracing::info!("{name}: stopped before the start was complete");
            return Ok(());
        }
    };
    server.reload_strategies(config.clone(), loader)?;
    let name = signals.next().await;
    tracing::info!("{name}: finishing what is in flight; once more ends the process at once");
    signals.exit_on_next();
    server.stop().await?;
    tracing::info!("stopped; everything that was acknowledged is kept");
    Ok(())
}

impl Server {
    /// Binds, opens the store and listens.
    pub(crate) async fn start(config: &Config, host: Host) -> anyhow::Result<Self> {
        let sockets = Sockets::bind(config)?;
        let metrics = Arc::new(Metrics::new());
        let authority = Authority::open(&host, &config.data_dir)?;
        let storage = Storage::open(config, &host, &metrics).await?;
        let sourcemaps = SourceMaps::open(config, &host)
            .await
            .context("the store of source maps cannot be opened")?;
        let admission = Arc::new(Admission::new(
            storage.log(),
            AdmissionLimits {
                spans: model::Limits {
                    max_value_depth: config.limits.max_value_depth,
                    max_span_bytes: config.limits.max_span_bytes.as_usize(),
                },
                max_inflated_bytes: config.limits.max_inflated_bytes.as_usize(),
                max_in_flight_bytes: config.limits.max_in_flight_bytes.as_usize(),
            },
            Arc::clone(&metrics),
            Arc::clone(&host.clock),
        ));
        let health = HealthReporter::new();
        for service in grpc_services() {
            health
                .set_service_status(service, tonic_health::ServingStatus::Serving)
                .await;
        }

        let state = AppState {
            host: host.clone(),
            metrics: Arc::clone(&metrics),
            listeners: sockets.addresses(),
            in_flight: admission.in_flight().clone(),
            store: storage.store().clone(),
            artifacts: sourcemaps.artifacts().clone(),
            resolver: Arc::new(Resolver::new(Arc::new(Uploads::new(
                sourcemaps.artifacts().clone(),
            )))),
            resolves_for_jaeger: config.sourcemaps.resolve_for_jaeger,
            udp_sockets: sockets.udp_sockets(),
        };
        let udp_sockets = state.udp_sockets.clone();
        let listeners = Arc::clone(&state.listeners);
        let connections = TaskTracker::new();
        let stop = CancellationToken::new();
        let strategies = CurrentStrategies::new(config.sampling.strategies());
        let services = Services {
            admission: Arc::clone(&admission),
            strategies: strategies.clone(),
            health: health.clone(),
            authority,
            state,
        };
        start_listeners(config, sockets, &services, &connections, &stop)?;
        let kernel_drops = watch_kernel_drops(udp_sockets, host.clone(), metrics, stop.clone());
        connections.spawn(kernel_drops);
        if let Some(path) = &config.port_file {
            port_file::write(host.files.as_ref(), path, &listeners)
                .with_context(|| format!("port_file {} cannot be written", path.display()))?;
        }
        let names: Vec<String> = listeners.iter().map(ToString::to_string).collect();
        tracing::info!(
            "listening on {}; data in {}",
            names.join(", "),
            config.data_dir.display()
        );
        Ok(Self {
            listeners,
            admission,
            strategies,
            host,
            storage,
            sourcemaps,
            health,
            connections,
            stop,
            shutdown_timeout: config.shutdown_timeout.0,
        })
    }

    /// Keeps the sampling strategies as the files have them that `loader` reads. `config` is what was read of them so far.
    pub(crate) fn reload_strategies(&self, config: Config, loader: Loader) -> anyhow::Result<()> {
        let hangup = signals::hangup().context("cannot listen for SIGHUP")?;
        let reload =
            reload::Reload::new(config, loader, self.strategies.clone(), self.host.clone());
        self.connections
            .spawn(reload.run(hangup, self.stop.clone()));
        Ok(())
    }

    /// What was bound.
    pub(crate) fn listeners(&self) -> &[BoundListener] {
        &self.listeners
    }

    /// Stops accepting, finishes what is in flight and flushes.
    pub(crate) async fn stop(mut self) -> Result<(), Unfinished> {
        let started = self.host.clock.monotonic();
        let mut unfinished = Vec::new();

        // Whoever watches our health learns it first, and then lets go of its connection.
        for service in grpc_services().chain([""]) {
            self.health
                .set_service_status(service, tonic_health::ServingStatus::NotServing)
                .await;
            self.health.clear_service_status(service).await;
        }
        self.stop.cancel();
        self.connections.close();
        let for_requests = self.shutdown_timeout.mul_f64(REQUESTS_SHARE);
        let connections = tokio::time::timeout(for_requests, self.connections.wait());
        if connections.await.is_err() {
            match self.admission.in_flight().requests() {
                // Connections that are open and idle, such as a reflection stream.
                0 => {}
                1 => unfinished.push("1 request".to_owned()),
                many => unfinished.push(format!("{many} requests")),
            }
        }

        if let Err(error) = self.sourcemaps.close(&self.host).await {
            // The next start finds them used a little longer ago.
            tracing::warn!(%error, "which source maps were used cannot be written");
        }
        let elapsed = self.host.clock.monotonic().saturating_sub(started);
        let for_store = self.shutdown_timeout.saturating_sub(elapsed);
        match tokio::time::timeout(for_store, self.storage.close()).await {
            Ok(Ok(())) => {}
            Ok(Err(error)) => unfinished.push(format!("the flush ({error})")),
            Err(_) => unfinished.push("the flush".to_owned()),
        }
        if unfinished.is_empty() {
            return Ok(());
        }
        Err(Unfinished {
            timeout: self.shutdown_timeout,
            what: unfinished.join(", "),
        })
    }
}

//! `backtrail demo`: a server with a temporary data directory and a small shop's traffic.
//!
//! The server is the one that `serve` runs, and the spans come in through its listeners as those of
//! any sender do. [`shop`] tells what happens, a [`recorder`] turns it into spans, the [`schedule`]
//! decides when they leave, and the [`post`] brings them to the server.

mod failure;
mod greeting;
mod grpc;
mod import;
mod jaeger_thrift;
mod operation;
mod otlp;
mod post;
mod random;
mod recorder;
mod schedule;
mod service;
mod shop;
mod span;
mod traffic;

use std::time::Duration;

use anyhow::{Context as _, bail};
use host::Host;

use crate::config::{Config, Millis};
use crate::serve::{Server, Signals};

use traffic::Traffic;

/// Nothing is kept, so nobody should have to wait for it.
const SHUTDOWN_TIMEOUT: Duration = Duration::from_secs(2);

/// What `backtrail demo` takes on the command line beside the settings of `serve`.
#[derive(Debug, Clone, clap::Args)]
pub(crate) struct Args {
    /// How much of the shop's past to make up at the start
    #[arg(long, value_name = "MINUTES", default_value_t = 60, value_parser = clap::value_parser!(u64).range(..=24 * 60))]
    history_minutes: u64,
}

/// Runs a server and its traffic until a signal stops them. `data_dir` is ignored: the demo's is
/// temporary.
pub(crate) async fn run(args: Args, mut config: Config) -> anyhow::Result<()> {
    let mut signals = Signals::listen().context("cannot listen for signals")?;
    if let Some(reached) = config.public_listener().filter(|_| !config.allow_anonymous) {
        bail!(
            "{reached} can be reached by other machines, and the demo has a data directory of its own, without tokens; allow it with --allow-anonymous"
        );
    }
    let directory = tempfile::Builder::new()
        .prefix("backtrail-demo-")
        .tempdir()
        .context("cannot create a temporary directory")?;
    directory.path().clone_into(&mut config.data_dir);
    config.shutdown_timeout = Millis(SHUTDOWN_TIMEOUT.min(config.shutdown_timeout.0));

    let host = Host::real();
    let server = tokio::select! {
        server = Server::start(&config, host.clone()) => server?,
        _ = signals.next() => return Ok(()),
    };
    let ended = tokio::select! {
        ended = Traffic::new(server.listeners(), host, &args)?.run() => ended,
        _ = signals.next() => Ok(()),
    };
    if let Err(unfinished) = server.stop().await {
        // What was not written would be removed now.
        tracing::debug!("{unfinished}");
    }
    let path = directory.path().to_owned();
    directory
        .close()
        .with_context(|| format!("cannot remove {}", path.display()))?;
    ended
}

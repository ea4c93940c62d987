//! The store of source maps as the server uses it: opened by the settings, kept up, closed.

use std::time::Duration;

use artifacts::{Artifacts, BundleLimits, Options, Quotas};
use host::{Host, TasksExt};
use tokio::task::JoinHandle;

use crate::config::Config;

/// How often what is kept no longer is removed: soon after the start, and then once an hour.
const FIRST_SWEEP: Duration = Duration::from_secs(10);
const SWEEP_INTERVAL: Duration = Duration::from_hours(1);

/// An age that nothing reaches.
const FOR_EVER: Duration = Duration::from_secs(u64::MAX / 1_000_000);

/// An open store and its upkeep.
pub(crate) struct SourceMaps {
    artifacts: Artifacts,
    upkeep: JoinHandle<()>,
}

impl SourceMaps {
    /// Opens what is below the data directory.
    pub(crate) async fn open(config: &Config, host: &Host) -> artifacts::Result<Self> {
        let (opened, data_dir) = (host.clone(), config.data_dir.clone());
        let options = options(config);
        let artifacts = host
            .tasks
            .run_blocking(move || Artifacts::open(&opened, &data_dir, options))
            .await
            .map_err(|lost| artifacts::Error::Damaged(lost.to_string()))??;
        let upkeep = tokio::spawn(sweep_for_ever(artifacts.clone(), host.clone()));
        Ok(Self { artifacts, upkeep })
    }

    pub(crate) fn artifacts(&self) -> &Artifacts {
        &self.artifacts
    }

    /// Ends the upkeep, and writes what was used. What was acknowledged is durable already.
    pub(crate) async fn close(self, host: &Host) -> artifacts::Result<()> {
        self.upkeep.abort();
        let written = host
            .tasks
            .run_blocking(move || self.artifacts.write_used())
            .await;
        written.map_err(|lost| artifacts::Error::Damaged(lost.to_string()))?
    }
}

fn options(config: &Config) -> Options {
    let sourcemaps = &config.sourcemaps;
    let defaults = Options::default();
    Options {
        bundle: BundleLimits {
            bundle_bytes: sourcemaps.max_bundle_bytes.0,
            ..defaults.bundle
        },
        quotas: Quotas {
            organisation_bytes: sourcemaps.max_organisation_bytes.0,
            total_bytes: sourcemaps.max_bytes.0,
            ..defaults.quotas
        },
        unused_for: sourcemaps.retention.0.unwrap_or(FOR_EVER),
        ..defaults
    }
}

async fn sweep_for_ever(artifacts: Artifacts, host: Host) {
    host.tasks.sleep(FIRST_SWEEP).await;
    loop {
        sweep(&artifacts, &host).await;
        host.tasks.sleep(SWEEP_INTERVAL).await;
    }
}

async fn sweep(artifacts: &Artifacts, host: &Host) {
    let sweeping = artifacts.clone();
    let swept = host.tasks.run_blocking(move || sweeping.sweep()).await;
    if let Some(mishap) = artifacts.take_mishaps() {
        tracing::warn!(
            count = mishap.count,
            last = mishap.last,
            "files of source maps could not be removed, or caches not be kept; nothing that was uploaded is lost"
        );
    }
    match swept {
        Ok(Ok(swept)) => {
            tracing::debug!(?swept, "what is kept no longer of source maps is removed");
        }
        Ok(Err(error)) => {
            tracing::error!(%error, "upkeep of source maps failed; it will be tried again");
        }
        Err(lost) => tracing::error!(%lost, "upkeep of source maps was lost"),
    }
}

//! Sampling strategies follow the configuration file while the server runs. All other settings wait for the next start.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use host::{Files, Host, TasksExt};
use tokio::signal::unix::Signal;
use tokio_util::sync::CancellationToken;

use crate::config::{Config, Loader, SETTINGS};
use crate::sampling::CurrentStrategies;

/// How often we look at the files. A change counts when two looks in a row saw the same, so that one that is being written does not.
const INTERVAL: Duration = Duration::from_secs(1);
/// Of a file, this much is compared. One that is larger is no settings file.
const MAX_FILE_BYTES: u64 = 1 << 20;

/// Reads the settings again when their files have changed.
pub(super) struct Reload {
    running: Config,
    loader: Arc<Loader>,
    strategies: CurrentStrategies,
    host: Host,
    /// Also the strategies file of the last settings that were good.
    paths: Vec<PathBuf>,
}

/// What is in the files; `None` for one that can't be read.
type Contents = Vec<Option<Vec<u8>>>;

impl Reload {
    pub(super) fn new(
        running: Config,
        loader: Loader,
        strategies: CurrentStrategies,
        host: Host,
    ) -> Self {
        Self {
            paths: watched(&loader, &running),
            running,
            loader: Arc::new(loader),
            strategies,
            host,
        }
    }

    /// Until `stop`.
    pub(super) async fn run(mut self, mut hangup: Option<Signal>, stop: CancellationToken) {
        // The server answers already: what is in the files now need not be what it has read. So the first look that has settled is one to go by.
        let mut loaded: Option<Contents> = None;
        let mut seen = self.contents().await;
        loop {
            let asked = tokio::select! {
                () = self.host.tasks.sleep(INTERVAL) => false,
                () = next(&mut hangup) => true,
                () = stop.cancelled() => return,
            };
            let now = self.contents().await;
            let has_settled = now == seen && loaded.as_ref() != Some(&now);
            if asked || has_settled {
                self.reload(asked).await;
                loaded = Some(now.clone());
            }
            seen = now;
        }
    }

    async fn reload(&mut self, asked: bool) {
        let loader = Arc::clone(&self.loader);
        let files = Arc::clone(&self.host.files);
        let loading = self
            .host
            .tasks
            .run_blocking(move || loader.load(files.as_ref()));
        let config = match loading.await {
            Ok(Ok(effective)) => effective.config,
            Ok(Err(errors)) => {
                tracing::error!(
                    "the settings are not read again, those before stay in force: {errors}"
                );
                return;
            }
            Err(lost) => {
                tracing::error!(
                    "the settings are not read again, those before stay in force: {lost}"
                );
                return;
            }
        };
        self.paths = watched(&self.loader, &config);
        if self.strategies.replace(config.sampling.strategies()) {
            tracing::info!("the sampling strategies have changed and are in force");
        } else if asked {
            tracing::info!("SIGHUP: the sampling strategies have not changed");
        }
        self.say_what_waits(&config);
    }

    /// Nobody should wonder why a change has no effect.
    fn say_what_waits(&self, config: &Config) {
        let waiting: Vec<&str> = SETTINGS
            .iter()
            .filter(|setting| setting.table() != Some("sampling"))
            .filter(|setting| (setting.show)(config) != (setting.show)(&self.running))
            .map(|setting| setting.key)
            .collect();
        if !waiting.is_empty() {
            tracing::warn!(
                "changed, and in force at the next start: {}",
                waiting.join(", ")
            );
        }
    }

    async fn contents(&self) -> Contents {
        let files = Arc::clone(&self.host.files);
        let paths = self.paths.clone();
        let read = move || {
            paths
                .iter()
                .map(|path| content(files.as_ref(), path))
                .collect()
        };
        self.host.tasks.run_blocking(read).await.unwrap_or_default()
    }
}

fn watched(loader: &Loader, config: &Config) -> Vec<PathBuf> {
    let strategies_file = config.sampling.strategies_file.clone();
    [loader.file().to_owned()]
        .into_iter()
        .chain(strategies_file)
        .collect()
}

fn content(files: &dyn Files, path: &Path) -> Option<Vec<u8>> {
    let file = files.open(path).ok()?;
    let len = file.len().ok()?.min(MAX_FILE_BYTES);
    let mut bytes = vec![0; usize::try_from(len).ok()?];
    file.read_exact_at(&mut bytes, 0).ok()?;
    Some(bytes)
}

/// Never, when there is no such signal.
async fn next(hangup: &mut Option<Signal>) {
    match hangup {
        Some(hangup) => {
            hangup.recv().await;
        }
        None => std::future::pending().await,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Sources;
    use crate::sampling::Strategy;

    #[tokio::test]
    async fn a_change_between_the_start_and_the_first_look_is_noticed() {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("backtrail.toml");
        std::fs::write(&file, "[sampling]\nparam = 0.5\n").unwrap();
        let host = Host::real();
        let loader = Loader {
            sources: Sources {
                file: Some(file.clone()),
                ..Sources::default()
            },
            ..Loader::default()
        };
        let running = loader.load(&*host.files).unwrap().config;
        let strategies = CurrentStrategies::new(running.sampling.strategies());
        std::fs::write(&file, "[sampling]\nparam = 0.125\n").unwrap();

        let reload = Reload::new(running, loader, strategies.clone(), host);
        let stop = CancellationToken::new();
        let run = tokio::spawn(reload.run(None, stop.clone()));
        let noticed = async {
            while strategies.of("shop").strategy != Strategy::Probabilistic(0.125) {
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
        };
        let in_time = tokio::time::timeout(Duration::from_mins(1), noticed);
        in_time.await.expect("the change is in force");
        stop.cancel();
        run.await.unwrap();
    }
}

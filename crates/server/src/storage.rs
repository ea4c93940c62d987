//! The store as the server uses it: opened by the settings, fed by admission, kept up, closed.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use host::{BoxFuture, Host};
use model::{Signal, SpanBatch, TenantId};
use store::{OnSync, Retention, Store, StoreError, StoreOptions};
use tokio::task::JoinHandle;

use crate::config::Config;
use crate::ingest::{Refusal, SpanLog};
use crate::metrics::Metrics;

/// When to come again after the store was full: by then a flush may have made room.
const RETRY_WHEN_FULL: Duration = Duration::from_secs(5);
/// When to come again after the store has stopped: by then somebody may have restarted it.
const RETRY_WHEN_STOPPED: Duration = Duration::from_secs(30);

/// An open store and its upkeep.
pub(crate) struct Storage {
    store: Store,
    upkeep: JoinHandle<()>,
}

impl Storage {
    /// Opens the data directory; what the log holds is read back first.
    pub(crate) async fn open(
        config: &Config,
        host: &Host,
        metrics: &Arc<Metrics>,
    ) -> Result<Self, StoreError> {
        let store = Store::open(host.clone(), options(config, metrics)).await?;
        let kept = store.clone();
        let upkeep = tokio::spawn(async move { kept.run_maintenance().await });
        Ok(Self { store, upkeep })
    }

    /// The store, for reading.
    pub(crate) fn store(&self) -> &Store {
        &self.store
    }

    /// The store, for admission.
    pub(crate) fn log(&self) -> Arc<dyn SpanLog> {
        Arc::new(StoreLog(self.store.clone()))
    }

    /// Writes what is in memory as blocks and ends the upkeep.
    pub(crate) async fn close(self) -> Result<(), StoreError> {
        self.store.close().await?;
        self.upkeep.abort();
        Ok(())
    }
}

fn options(config: &Config, metrics: &Arc<Metrics>) -> StoreOptions {
    let storage = &config.storage;
    let observer = Arc::clone(metrics);
    let on_sync: OnSync = Arc::new(move |took, _records, bytes| {
        observer.observe_log_sync(took, bytes);
    });
    StoreOptions {
        durability: storage.durability,
        segment_bytes: storage.log_segment_bytes.0,
        memtable_bytes: storage.memtable_bytes.as_usize(),
        max_memtable_bytes: storage.max_memtable_bytes.as_usize(),
        flush_interval: storage.flush_interval.0,
        trace_idle: storage.trace_idle.0,
        trace_max_age: storage.trace_max_age.0,
        min_free_bytes: storage.min_free_bytes.0,
        retention: Retention {
            max_age: config.retention.max_age.0,
            max_bytes: config.retention.max_bytes.map(|bytes| bytes.0),
        },
        on_sync: Some(on_sync),
        ..StoreOptions::new(&config.data_dir)
    }
}

/// The store behind admission's interface.
struct StoreLog(Store);

impl SpanLog for StoreLog {
    fn append(
        &self,
        tenant: TenantId,
        signal: Signal,
        batch: SpanBatch,
        payload: Bytes,
    ) -> BoxFuture<'_, Result<(), Refusal>> {
        Box::pin(async move {
            match self.0.append(&tenant, signal, batch, payload).await {
                Ok(_seq) => Ok(()),
                Err(error) => Err(refusal(&error)),
            }
        })
    }
}

/// What a sender is told.
fn refusal(error: &StoreError) -> Refusal {
    match error {
        StoreError::Overloaded { .. } | StoreError::Log(wal::WalError::Overloaded { .. }) => {
            Refusal::Overloaded
        }
        // Once decoded it may be larger than it came; sending it again would not help.
        StoreError::Log(wal::WalError::PayloadTooLarge { limit, .. }) => {
            Refusal::InflatesTooLarge {
                limit_bytes: *limit,
            }
        }
        other if other.is_transient() => Refusal::Unavailable {
            reason: other.to_string(),
            retry_after: RETRY_WHEN_FULL,
        },
        other => Refusal::Unavailable {
            reason: other.to_string(),
            retry_after: RETRY_WHEN_STOPPED,
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sender_is_told_whether_and_when_to_come_again() {
        let overloaded = StoreError::Overloaded {
            reason: "memory".to_owned(),
        };
        let full = StoreError::DiskFull {
            free_bytes: 1,
            min_free_bytes: 2,
        };
        let stopped = StoreError::Stopped {
            reason: "sync failed".into(),
        };
        let too_large = StoreError::Log(wal::WalError::PayloadTooLarge { bytes: 2, limit: 1 });
        for (error, label, retry_seconds) in [
            (overloaded, "overloaded", Some(1)),
            (full, "unavailable", Some(5)),
            (stopped, "unavailable", Some(30)),
            (too_large, "too_large", None),
        ] {
            let refusal = refusal(&error);
            assert_eq!(refusal.label(), label, "{error}");
            let after = refusal.retry_after().map(|delay| delay.as_secs());
            assert_eq!(after, retry_seconds, "{error}");
        }
    }
}

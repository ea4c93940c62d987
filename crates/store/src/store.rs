//! The store: the log, the memtables and the blocks of all tenants behind one lock.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use bytes::Bytes;
use host::{FileLock, Host, TasksExt};
use model::{Scan, Signal, SpanBatch, TenantId};
use tokio::sync::Notify;
use wal::{NewRecord, PayloadCodec, RecordKind, Wal};

use crate::flush::FlushGoal;
use crate::live_block::LiveBlock;
use crate::manifest::Manifest;
use crate::tables::Tables;
use crate::{Snapshot, StoreError, StoreOptions, StoreStats, compact};

/// Everything that is kept, open for reading and writing. Cheap to clone.
#[derive(Clone)]
pub struct Store {
    pub(crate) inner: Arc<Inner>,
}

pub(crate) struct Inner {
    pub(crate) host: Host,
    pub(crate) options: StoreOptions,
    pub(crate) wal: Wal,
    pub(crate) tables: Mutex<Tables>,
    pub(crate) manifest: Mutex<Manifest>,
    /// One flush, merge, removal or deletion at a time: who holds it knows that the set of blocks stays.
    pub(crate) upkeep: Arc<tokio::sync::Mutex<()>>,
    pub(crate) wake: Notify,
    /// What is free on the disk, as last looked up.
    pub(crate) free_bytes: AtomicU64,
    pub(crate) _lock: Box<dyn FileLock>,
}

impl std::fmt::Debug for Store {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Store")
            .field("options", &self.inner.options)
            .finish_non_exhaustive()
    }
}

impl Store {
    /// Keeps a batch: it is in the log under the configured durability, and found by every later snapshot, when this resolves. `payload` is the batch as OTLP protobuf
    /// of the signal, from which replay makes the same batch.
    pub async fn append(
        &self,
        tenant: &TenantId,
        signal: Signal,
        batch: SpanBatch,
        payload: Bytes,
    ) -> Result<u64, StoreError> {
        self.admit()?;
        let arrived_unix_nano = self.inner.host.clock.now_unix_nano();
        let record = NewRecord {
            kind: match signal {
                Signal::Traces => RecordKind::Traces,
                Signal::Logs => RecordKind::Logs,
            },
            codec: PayloadCodec::OtlpProtobuf,
            tenant: tenant.to_arc(),
            arrived_unix_nano,
            payload,
        };
        let inner = Arc::clone(&self.inner);
        let owner = tenant.clone();
        let on_durable = Box::new(move |seq| inner.insert(&owner, batch, seq, arrived_unix_nano));
        Ok(self.inner.wal.append(record, on_durable).await?)
    }

    /// Refuses what can't be taken in, before it costs anything.
    fn admit(&self) -> Result<(), StoreError> {
        self.refuse_when_stopped()?;
        let inner = &self.inner;
        let held = inner.tables().memtable_bytes();
        if held > inner.options.max_memtable_bytes {
            inner.wake.notify_one();
            let limit = inner.options.max_memtable_bytes;
            let reason =
                format!("{held} bytes of spans wait to be written as blocks, of at most {limit}");
            return Err(StoreError::Overloaded { reason });
        }
        self.refuse_when_disk_is_full()
    }

    /// Whether the store can take spans, and if not, why not. Memory that is short for the moment does not count: a flush is on its way.
    pub fn check_ready(&self) -> Result<(), StoreError> {
        self.refuse_when_stopped()?;
        if let Some(reason) = self.inner.wal.stopped() {
            return Err(StoreError::Stopped { reason });
        }
        self.refuse_when_disk_is_full()
    }

    fn refuse_when_disk_is_full(&self) -> Result<(), StoreError> {
        let free_bytes = self.inner.free_bytes.load(Ordering::Relaxed);
        let min_free_bytes = self.inner.options.min_free_bytes;
        if free_bytes < min_free_bytes {
            return Err(StoreError::DiskFull {
                free_bytes,
                min_free_bytes,
            });
        }
        Ok(())
    }

    pub(crate) fn refuse_when_stopped(&self) -> Result<(), StoreError> {
        match &self.inner.tables().stopped {
            None => Ok(()),
            Some(reason) => Err(StoreError::Stopped {
                reason: Arc::clone(reason),
            }),
        }
    }

    /// One view of all that a tenant has.
    pub fn snapshot(&self, tenant: &TenantId) -> Snapshot {
        let tables = self.inner.tables();
        let Some(tenant) = tables.tenants.get(tenant) else {
            return Snapshot::default();
        };
        let mut scans: Vec<Arc<dyn Scan>> = tenant.active.scans().collect();
        scans.extend(tenant.frozen.scans());
        scans.extend(tenant.blocks.iter().map(LiveBlock::scan));
        Snapshot::new(scans)
    }

    /// Figures.
    pub fn stats(&self) -> StoreStats {
        let log = self.inner.wal.stats();
        let tables = self.inner.tables();
        let mut stats = StoreStats {
            log_bytes: log.bytes,
            log_pending_bytes: log.pending_bytes as u64,
            memtable_bytes: tables.memtable_bytes() as u64,
            deletions_pending: tables.pending_deletions() as u64,
            stopped: tables.stopped.clone().or_else(|| self.inner.wal.stopped()),
            ..tables.counters.clone()
        };
        for (name, tenant) in &tables.tenants {
            stats.memtable_spans += (tenant.active.spans() + tenant.frozen.spans()) as u64;
            stats.flush_pending += u64::from(!tenant.frozen.is_empty());
            stats.blocks += tenant.blocks.len() as u64;
            stats.block_spans += tenant
                .blocks
                .iter()
                .map(|live| live.scan().len() as u64)
                .sum::<u64>();
            stats.block_bytes += tenant
                .blocks
                .iter()
                .map(|block| block.meta().bytes)
                .sum::<u64>();
            let plans = compact::plans(&self.inner.options, name, &tenant.blocks);
            stats.compaction_pending += plans.len() as u64;
        }
        stats
    }

    /// Writes the traces that are idle as blocks, and leaves the others in memory.
    pub async fn flush(&self) -> Result<(), StoreError> {
        self.run_flush(FlushGoal::Idle).await
    }

    /// Takes nothing any more and writes everything as blocks. What was acknowledged is kept also without this: it is in the log.
    pub async fn close(&self) -> Result<(), StoreError> {
        self.inner.stop("it is shutting down");
        self.inner.wake.notify_waiters();
        self.run_flush(FlushGoal::All).await
    }

    pub(crate) async fn run_flush(&self, goal: FlushGoal) -> Result<(), StoreError> {
        let _upkeep = self.inner.upkeep.lock().await;
        if !self.inner.tables().log_deletions.is_empty() {
            self.begin_log_segment().await;
        }
        self.run_flush_alone(goal).await
    }

    /// Whoever calls it sees to it that nothing else changes files.
    pub(crate) async fn run_flush_alone(&self, goal: FlushGoal) -> Result<(), StoreError> {
        let inner = Arc::clone(&self.inner);
        self.blocking(move || inner.flush(goal)).await
    }

    /// Merges the small blocks of each window that has enough of them.
    pub async fn compact(&self) -> Result<(), StoreError> {
        let _upkeep = self.inner.upkeep.lock().await;
        let inner = Arc::clone(&self.inner);
        self.blocking(move || inner.compact()).await
    }

    /// Removes what is kept no longer, and looks how much room the disk has.
    pub async fn expire(&self) -> Result<(), StoreError> {
        let _upkeep = self.inner.upkeep.lock().await;
        let inner = Arc::clone(&self.inner);
        self.blocking(move || {
            inner.look_at_disk()?;
            inner.expire()?;
            inner.remove_doomed()
        })
        .await
    }

    /// Writes the blocks anew of which something was deleted, without that.
    pub async fn rewrite(&self) -> Result<(), StoreError> {
        let _upkeep = self.inner.upkeep.lock().await;
        let inner = Arc::clone(&self.inner);
        self.blocking(move || inner.rewrite()).await
    }

    pub(crate) async fn blocking<T: Send + 'static>(
        &self,
        work: impl FnOnce() -> Result<T, StoreError> + Send + 'static,
    ) -> Result<T, StoreError> {
        let done = self.inner.host.tasks.run_blocking(work).await;
        done.map_err(|error| StoreError::Stopped {
            reason: error.to_string().into(),
        })?
    }
}

impl Inner {
    pub(crate) fn tables(&self) -> MutexGuard<'_, Tables> {
        // A panic under the lock would be a defect; the tables are whole at every point where one could happen.
        self.tables.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn manifest(&self) -> MutexGuard<'_, Manifest> {
        self.manifest.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn stop(&self, reason: &str) {
        self.tables().stopped.get_or_insert_with(|| reason.into());
    }

    pub(crate) fn is_stopped(&self) -> bool {
        self.tables().stopped.is_some()
    }

    /// Called by the log in the order of records, so that `applied_seq` says that everything up to it is here.
    pub(crate) fn insert(
        &self,
        tenant: &TenantId,
        batch: SpanBatch,
        seq: u64,
        arrived_unix_nano: u64,
    ) {
        let mut tables = self.tables();
        let memtable = &mut tables.tenants.entry(tenant.clone()).or_default().active;
        memtable.insert(batch, seq, arrived_unix_nano);
        let large = memtable.bytes() > self.options.memtable_bytes;
        tables.applied_seq = seq;
        drop(tables);
        if large {
            self.wake.notify_one();
        }
    }
}

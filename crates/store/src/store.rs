//! The store: the log, the memtables and the blocks of all tenants behind one lock.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use block::Block;
use bytes::Bytes;
use hashbrown::HashMap;
use host::{FileLock, Host, TasksExt};
use model::{RowSet, Scan, Signal, SpanBatch, SpanBatchBuilder, TenantId, TraceId};
use tokio::sync::Notify;
use wal::{NewRecord, PayloadCodec, Record, RecordKind, Replay, Wal, WalOptions};

use crate::flush::{FlushGoal, Flushed, flush_tenant, window_dir};
use crate::manifest::{Edit, Manifest};
use crate::memtable::Memtable;
use crate::{Snapshot, StoreError, StoreOptions, StoreStats, compact, retention};

/// Everything that is kept, open for reading and writing. Cheap to clone.
#[derive(Clone)]
pub struct Store {
    pub(crate) inner: Arc<Inner>,
}

pub(crate) struct Inner {
    pub(crate) host: Host,
    pub(crate) options: StoreOptions,
    pub(crate) wal: Wal,
    tables: Mutex<Tables>,
    manifest: Mutex<Manifest>,
    /// One flush, merge or removal at a time.
    upkeep: tokio::sync::Mutex<()>,
    pub(crate) wake: Notify,
    /// What is free on the disk, as last looked up.
    free_bytes: AtomicU64,
    _lock: Box<dyn FileLock>,
}

/// What snapshots are taken of. Every change to it is whole under its lock, so that a snapshot sees each span once.
#[derive(Default)]
struct Tables {
    tenants: BTreeMap<TenantId, Tenant>,
    /// The last record whose spans are in a memtable.
    applied_seq: u64,
    /// When the last flush began: one that found all traces active is not tried again at once.
    last_flush_unix_nano: u64,
    /// Blocks that no manifest names any more; their files go when no snapshot reads them.
    doomed: Vec<(TenantId, Arc<Block>)>,
    stopped: Option<Arc<str>>,
    counters: StoreStats,
}

#[derive(Default)]
struct Tenant {
    active: Memtable,
    frozen: Memtable,
    blocks: Vec<Arc<Block>>,
}

impl std::fmt::Debug for Store {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Store")
            .field("options", &self.inner.options)
            .finish_non_exhaustive()
    }
}

impl Store {
    /// Opens the folder, or begins a new one: takes its lock, reads the manifest, and reads what the log has that is not in blocks.
    pub async fn open(host: Host, options: StoreOptions) -> Result<Self, StoreError> {
        let opening = host.clone();
        let opened = host
            .tasks
            .run_blocking(move || open_files(&opening, options))
            .await
            .map_err(|error| StoreError::Stopped {
                reason: error.to_string().into(),
            })?;
        let (store, replay) = opened?;
        store.replay(&replay).await?;
        Ok(store)
    }

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
        let inner = &self.inner;
        let tables = inner.tables();
        if let Some(reason) = &tables.stopped {
            return Err(StoreError::Stopped {
                reason: Arc::clone(reason),
            });
        }
        let held = tables.memtable_bytes();
        drop(tables);
        if held > inner.options.max_memtable_bytes {
            inner.wake.notify_one();
            let limit = inner.options.max_memtable_bytes;
            let reason =
                format!("{held} bytes of spans wait to be written as blocks, of at most {limit}");
            return Err(StoreError::Overloaded { reason });
        }
        let free_bytes = inner.free_bytes.load(Ordering::Relaxed);
        if free_bytes < inner.options.min_free_bytes {
            return Err(StoreError::DiskFull {
                free_bytes,
                min_free_bytes: inner.options.min_free_bytes,
            });
        }
        Ok(())
    }

    /// One view of all that a tenant has.
    pub fn snapshot(&self, tenant: &TenantId) -> Snapshot {
        let tables = self.inner.tables();
        let Some(tenant) = tables.tenants.get(tenant) else {
            return Snapshot::default();
        };
        let mut scans: Vec<Arc<dyn Scan>> = tenant.active.scans().collect();
        scans.extend(tenant.frozen.scans());
        scans.extend(
            tenant
                .blocks
                .iter()
                .map(|block| Arc::clone(block) as Arc<dyn Scan>),
        );
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
                .map(|block| block.meta().spans)
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

    async fn blocking(
        &self,
        work: impl FnOnce() -> Result<(), StoreError> + Send + 'static,
    ) -> Result<(), StoreError> {
        let done = self.inner.host.tasks.run_blocking(work).await;
        done.map_err(|error| StoreError::Stopped {
            reason: error.to_string().into(),
        })?
    }

    /// Brings back what was in memory when the last process ended.
    async fn replay(&self, replay: &Replay) -> Result<(), StoreError> {
        let (replay_from, frozen_upto, carried) = {
            let manifest = self.inner.manifest();
            let state = manifest.state();
            let carried: HashMap<(TenantId, TraceId), u64> = state
                .carried
                .iter()
                .map(|trace| ((trace.tenant.clone(), trace.trace_id), trace.from_seq))
                .collect();
            (state.replay_from, state.frozen_upto, carried)
        };
        if replay.last_seq() >= replay_from {
            for record in replay.read_from(replay_from) {
                let record = record?;
                self.inner.replay_record(&record, frozen_upto, &carried)?;
                if self.inner.tables().memtable_bytes() > self.inner.options.memtable_bytes
                    && record.seq > frozen_upto
                {
                    self.run_flush(FlushGoal::All).await?;
                }
            }
        }
        Ok(())
    }
}

fn open_files(host: &Host, options: StoreOptions) -> Result<(Store, Replay), StoreError> {
    let dir = options.data_dir.clone();
    host.files.create_dir_all(&dir).map_err(io(&dir))?;
    let lock = host
        .files
        .lock_exclusive(&dir.join("LOCK"))
        .map_err(|error| {
            if error.kind() == std::io::ErrorKind::WouldBlock {
                StoreError::Locked { path: dir.clone() }
            } else {
                io(&dir)(error)
            }
        })?;
    let manifest = Manifest::open(host, &dir.join("manifest"))?;
    let state = manifest.state();
    let wal_options = WalOptions {
        segment_bytes: options.segment_bytes,
        durability: options.durability,
        max_pending_bytes: options.max_pending_bytes,
        min_next_seq: state.frozen_upto + 1,
        on_sync: options.on_sync.clone(),
        ..WalOptions::default()
    };
    let (wal, replay) = Wal::open(host, &dir.join("log"), state.epoch, wal_options)?;

    let mut tables = Tables {
        applied_seq: state.frozen_upto,
        ..Tables::default()
    };
    for ((tenant, _), meta) in &state.blocks {
        let block = Block::open(host, &window_dir(&dir, tenant, meta.window), meta)?;
        tables
            .tenants
            .entry(tenant.clone())
            .or_default()
            .add_blocks([Arc::new(block)]);
    }
    let known = state
        .blocks
        .keys()
        .map(|(_, id)| id.as_str().to_owned())
        .collect();
    sweep(host, &dir.join("blocks"), &known)?;
    let inner = Inner {
        host: host.clone(),
        options,
        wal,
        tables: Mutex::new(tables),
        manifest: Mutex::new(manifest),
        upkeep: tokio::sync::Mutex::new(()),
        wake: Notify::new(),
        free_bytes: AtomicU64::new(u64::MAX),
        _lock: lock,
    };
    inner.look_at_disk()?;
    Ok((
        Store {
            inner: Arc::new(inner),
        },
        replay,
    ))
}

/// Removes the folders of blocks that no manifest names: what a crash left of a flush, a merge or a removal.
fn sweep(host: &Host, blocks: &Path, known: &BTreeSet<String>) -> Result<(), StoreError> {
    if !host.files.exists(blocks).map_err(io(blocks))? {
        return Ok(());
    }
    let folders = |path: &Path| -> Result<Vec<std::path::PathBuf>, StoreError> {
        let entries = host.files.list(path).map_err(io(path))?;
        let folders = entries.into_iter().filter(|entry| entry.is_dir);
        Ok(folders.map(|entry| path.join(entry.name)).collect())
    };
    for tenant in folders(blocks)? {
        for window in folders(&tenant)? {
            for block in folders(&window)? {
                let name = block
                    .file_name()
                    .unwrap_or_default()
                    .to_string_lossy()
                    .into_owned();
                if !known.contains(&name) {
                    host.files.remove_dir_all(&block).map_err(io(&block))?;
                }
            }
        }
    }
    Ok(())
}

impl Inner {
    fn tables(&self) -> MutexGuard<'_, Tables> {
        // A panic under the lock would be a defect; the tables are whole at every point where one could happen.
        self.tables.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn manifest(&self) -> MutexGuard<'_, Manifest> {
        self.manifest.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn stop(&self, reason: &str) {
        self.tables().stopped.get_or_insert_with(|| reason.into());
    }

    pub(crate) fn is_stopped(&self) -> bool {
        self.tables().stopped.is_some()
    }

    /// Called by the log in the order of records, so that `applied_seq` says that everything up to it is here.
    fn insert(&self, tenant: &TenantId, batch: SpanBatch, seq: u64, arrived_unix_nano: u64) {
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

    fn replay_record(
        &self,
        record: &Record,
        frozen_upto: u64,
        carried: &HashMap<(TenantId, TraceId), u64>,
    ) -> Result<(), StoreError> {
        let unreadable = |reason: String| StoreError::UnreadableRecord {
            seq: record.seq,
            reason,
        };
        let tenant =
            TenantId::new(&record.tenant).map_err(|error| unreadable(error.to_string()))?;
        let signal = match record.kind {
            RecordKind::Traces => Signal::Traces,
            RecordKind::Logs => Signal::Logs,
            RecordKind::Tombstone => {
                return Err(unreadable("its kind is not known here".to_owned()));
            }
        };
        let mut batch = (self.options.read_payload)(signal, &record.payload)
            .map_err(|error| unreadable(error.to_string()))?;
        if record.seq <= frozen_upto {
            let stays = |trace_id: TraceId| {
                carried
                    .get(&(tenant.clone(), trace_id))
                    .is_some_and(|from| *from <= record.seq)
            };
            batch = only(&batch, stays);
        }
        let mut tables = self.tables();
        let memtable = &mut tables.tenants.entry(tenant).or_default().active;
        memtable.insert(batch, record.seq, record.arrived_unix_nano);
        tables.applied_seq = tables.applied_seq.max(record.seq);
        Ok(())
    }

    /// Writes memtables as blocks. It blocks.
    fn flush(&self, goal: FlushGoal) -> Result<(), StoreError> {
        let (frozen, frozen_upto) = self.freeze();
        if frozen.is_empty() {
            return Ok(());
        }
        let mut flushed: Vec<(TenantId, Flushed)> = Vec::new();
        for (tenant, memtable) in frozen {
            let done = flush_tenant(&self.host, &self.options, &tenant, &memtable, goal);
            let done = done.inspect_err(|_| self.thaw())?;
            flushed.push((tenant, done));
        }
        if flushed.iter().all(|(_, done)| done.blocks.is_empty()) {
            // Everything is still active: nothing to commit.
            self.thaw();
            return Ok(());
        }
        let carried: Vec<_> = flushed
            .iter()
            .flat_map(|(_, done)| done.carried.clone())
            .collect();
        let replay_from = carried
            .iter()
            .map(|trace| trace.from_seq)
            .min()
            .unwrap_or(frozen_upto + 1);
        let blocks = flushed.iter().flat_map(|(tenant, done)| {
            done.blocks
                .iter()
                .map(|block| (tenant.clone(), block.meta().clone()))
        });
        self.commit(Edit::Add {
            blocks: blocks.collect(),
            replay_from,
            frozen_upto,
            carried,
        })?;

        let mut tables = self.tables();
        for (name, done) in flushed {
            tables.counters.repeats += done.repeats;
            let tenant = tables.tenants.entry(name).or_default();
            tenant.frozen = Memtable::default();
            tenant.active.prepend(done.rest);
            tenant.add_blocks(done.blocks);
        }
        tables.counters.flushes += 1;
        drop(tables);
        self.wal.truncate_before(replay_from)?;
        Ok(())
    }

    /// Freezes the memtables of all tenants: they stay searchable and change no more.
    fn freeze(&self) -> (Vec<(TenantId, Memtable)>, u64) {
        let mut tables = self.tables();
        tables.last_flush_unix_nano = self.host.clock.now_unix_nano();
        let mut frozen = Vec::new();
        for (name, tenant) in &mut tables.tenants {
            if !tenant.active.is_empty() {
                tenant.frozen = std::mem::take(&mut tenant.active);
                frozen.push((name.clone(), tenant.frozen.clone()));
            }
        }
        (frozen, tables.applied_seq)
    }

    /// Undoes [`Inner::freeze`].
    fn thaw(&self) {
        for tenant in self.tables().tenants.values_mut() {
            let frozen = std::mem::take(&mut tenant.frozen);
            tenant.active.prepend(frozen);
        }
    }

    /// Commits an edit. Where that fails nobody knows whether it is there, so the store stops: opening it again finds out.
    fn commit(&self, edit: Edit) -> Result<(), StoreError> {
        let committed = self.manifest().apply(edit);
        committed
            .inspect_err(|error| self.stop(&format!("the manifest could not be written: {error}")))
    }

    fn compact(&self) -> Result<(), StoreError> {
        let plans: Vec<_> = {
            let tables = self.tables();
            let tenants = tables.tenants.iter();
            tenants
                .flat_map(|(name, tenant)| compact::plans(&self.options, name, &tenant.blocks))
                .collect()
        };
        for plan in plans {
            let (merged, repeats) = compact::compact(&self.host, &self.options, &plan)?;
            let key = |block: &Arc<Block>| (plan.tenant.clone(), block.meta().id.clone());
            self.commit(Edit::Replace {
                removed: plan.inputs.iter().map(key).collect(),
                added: vec![(plan.tenant.clone(), merged.meta().clone())],
            })?;
            let mut tables = self.tables();
            tables.replace(&plan.tenant, &plan.inputs, [merged]);
            tables.counters.compactions += 1;
            tables.counters.repeats += repeats;
        }
        self.remove_doomed()
    }

    /// Takes blocks out that are too old or too much. It blocks.
    fn expire(&self) -> Result<(), StoreError> {
        let now_unix_nano = self.host.clock.now_unix_nano();
        let expired: Vec<(TenantId, Arc<Block>)> = {
            let tables = self.tables();
            let blocks = tables.tenants.iter().flat_map(|(name, tenant)| {
                tenant
                    .blocks
                    .iter()
                    .map(|block| (name.clone(), Arc::clone(block)))
            });
            retention::expired(self.options.retention, now_unix_nano, blocks.collect())
        };
        if expired.is_empty() {
            return Ok(());
        }
        let key =
            |(tenant, block): &(TenantId, Arc<Block>)| (tenant.clone(), block.meta().id.clone());
        self.commit(Edit::Replace {
            removed: expired.iter().map(key).collect(),
            added: Vec::new(),
        })?;
        let mut tables = self.tables();
        tables.counters.expired_blocks += expired.len() as u64;
        for (tenant, block) in expired {
            tables.replace(&tenant, &[block], []);
        }
        Ok(())
    }

    /// Deletes the files of blocks that no manifest names and no snapshot reads.
    fn remove_doomed(&self) -> Result<(), StoreError> {
        let unread: Vec<_> = {
            let mut tables = self.tables();
            let (unread, read): (Vec<_>, Vec<_>) = std::mem::take(&mut tables.doomed)
                .into_iter()
                .partition(|(_, block)| Arc::strong_count(block) == 1);
            tables.doomed = read;
            unread
        };
        for (tenant, block) in unread {
            let meta = block.meta();
            let path =
                window_dir(&self.options.data_dir, &tenant, meta.window).join(meta.id.as_str());
            self.host.files.remove_dir_all(&path).map_err(io(&path))?;
        }
        Ok(())
    }

    fn look_at_disk(&self) -> Result<(), StoreError> {
        let dir = &self.options.data_dir;
        let space = self.host.files.free_bytes(dir).map_err(io(dir))?;
        self.free_bytes.store(space.free, Ordering::Relaxed);
        Ok(())
    }

    /// Whether a flush is due, and how much it must take.
    pub(crate) fn due(&self) -> Option<FlushGoal> {
        let now_unix_nano = self.host.clock.now_unix_nano();
        let interval = self.options.flush_interval.as_nanos() as u64;
        let tables = self.tables();
        if tables.memtable_bytes() > self.options.memtable_bytes {
            return Some(FlushGoal::Half);
        }
        let oldest = tables
            .tenants
            .values()
            .filter_map(|tenant| tenant.active.first_arrived_unix_nano());
        let since = oldest.min()?.max(tables.last_flush_unix_nano);
        (since.saturating_add(interval) <= now_unix_nano).then_some(FlushGoal::Idle)
    }
}

impl Tables {
    fn memtable_bytes(&self) -> usize {
        self.tenants
            .values()
            .map(|tenant| tenant.active.bytes() + tenant.frozen.bytes())
            .sum()
    }

    fn replace(
        &mut self,
        tenant: &TenantId,
        removed: &[Arc<Block>],
        added: impl IntoIterator<Item = Arc<Block>>,
    ) {
        let blocks = self.tenants.entry(tenant.clone()).or_default();
        let is_removed = |block: &Arc<Block>| removed.iter().any(|other| Arc::ptr_eq(other, block));
        blocks.blocks.retain(|block| !is_removed(block));
        blocks.add_blocks(added);
        self.doomed.extend(
            removed
                .iter()
                .map(|block| (tenant.clone(), Arc::clone(block))),
        );
    }
}

impl Tenant {
    /// Keeps the blocks with the newest spans first.
    fn add_blocks(&mut self, blocks: impl IntoIterator<Item = Arc<Block>>) {
        self.blocks.extend(blocks);
        self.blocks.sort_by(|a, b| {
            let key = |block: &Block| (block.meta().max_start_unix_nano, block.meta().id.clone());
            key(b).cmp(&key(a))
        });
    }
}

/// The spans and events of the traces for which `stays` holds.
fn only(batch: &SpanBatch, stays: impl Fn(TraceId) -> bool) -> SpanBatch {
    let columns = batch.columns();
    let mut builder = SpanBatchBuilder::new();
    let rows = RowSet::range(0..columns.len());
    for row in rows.iter().filter(|row| stays(columns.trace_id(*row))) {
        builder.push_row(&columns, row);
    }
    for event_row in columns.events.lone_rows() {
        if stays(columns.events.trace_id(event_row)) {
            builder.push_lone_event_row(&columns, event_row);
        }
    }
    builder.finish()
}

fn io(path: &Path) -> impl Fn(std::io::Error) -> StoreError + use<> {
    let path = path.to_owned();
    move |source| StoreError::Io {
        path: path.clone(),
        source,
    }
}

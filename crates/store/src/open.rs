//! From the files of a data directory to a store: the manifest's blocks, and what the log has beyond them.

use std::collections::BTreeSet;
use std::path::Path;
use std::sync::atomic::AtomicU64;
use std::sync::{Arc, Mutex};

use block::Block;
use hashbrown::HashMap;
use host::{Host, TasksExt};
use model::{RowSet, Signal, SpanBatch, SpanBatchBuilder, TenantId, TraceId};
use tokio::sync::Notify;
use wal::{Record, RecordKind, Replay, Wal, WalOptions};

use crate::backup::UNFINISHED_FILE;
use crate::deletion::{Tombstone, WireDeletion};
use crate::error::io;
use crate::flush::{FlushGoal, window_dir};
use crate::manifest::{Manifest, PendingDeletion};
use crate::store::Inner;
use crate::tables::Tables;
use crate::{Store, StoreError, StoreOptions};

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
                    self.run_flush_alone(FlushGoal::All).await?;
                }
            }
        }
        let replay_from = self.inner.manifest().state().replay_from;
        let inner = Arc::clone(&self.inner);
        // What a crash right after a flush left.
        self.blocking(move || inner.truncate_log(replay_from)).await
    }
}

fn open_files(host: &Host, options: StoreOptions) -> Result<(Store, Replay), StoreError> {
    let dir = options.data_dir.clone();
    let unfinished = dir.join(UNFINISHED_FILE);
    if host.files.exists(&unfinished).map_err(io(&unfinished))? {
        return Err(StoreError::UnfinishedBackup { path: dir });
    }
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
    for pending in &state.deletions {
        hide(&mut tables, pending)?;
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
        upkeep: Arc::default(),
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

/// Hides again what a deletion took of blocks that were not written anew before the last process ended.
fn hide(tables: &mut Tables, pending: &PendingDeletion) -> Result<(), StoreError> {
    let tenant = tables.tenants.entry(pending.tenant.clone()).or_default();
    for live in &mut tenant.blocks {
        if pending.blocks.contains(&live.meta().id)
            && let Some(mask) = live.mask(&pending.tombstone.deletion)?
        {
            live.put_on(mask, pending.tombstone.clone());
        }
    }
    Ok(())
}

impl Inner {
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
                return self.replay_deletion(&tenant, record, record.seq > frozen_upto);
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

    /// Follows a deletion again: in memory, and in blocks unless the manifest says which of them still hold what it takes.
    fn replay_deletion(
        &self,
        tenant: &TenantId,
        record: &Record,
        is_for_blocks: bool,
    ) -> Result<(), StoreError> {
        let read = || -> Result<_, String> {
            let wire: WireDeletion =
                serde_json::from_slice(&record.payload).map_err(|error| error.to_string())?;
            wire.read()
        };
        let deletion = read().map_err(|reason| StoreError::UnreadableRecord {
            seq: record.seq,
            reason,
        })?;
        let deletion = Arc::new(deletion);
        let masks = if is_for_blocks {
            self.mask_blocks(tenant, &deletion)?
        } else {
            Vec::new()
        };
        let tombstone = Tombstone {
            seq: record.seq,
            arrived_unix_nano: record.arrived_unix_nano,
            deletion,
        };
        self.apply_deletion(tenant, &tombstone, masks);
        Ok(())
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

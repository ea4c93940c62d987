//! What changes files in the background: flush, merge, rewriting after deletions, removal. One at a time.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use block::Block;
use model::TenantId;

use crate::compact::CompactionPlan;
use crate::error::io;
use crate::flush::{FlushGoal, Flushed, flush_tenant, window_dir};
use crate::live_block::LiveBlock;
use crate::manifest::{Edit, PendingDeletion};
use crate::memtable::Memtable;
use crate::store::Inner;
use crate::{StoreError, compact, retention};

/// How long deletions gather before the blocks that they concern are written anew: who deletes a thousand traces one by one should not have one block written a thousand times.
const REWRITE_AFTER: Duration = Duration::from_secs(5);

impl Inner {
    /// Writes memtables as blocks. It blocks.
    pub(crate) fn flush(&self, goal: FlushGoal) -> Result<(), StoreError> {
        let (frozen, frozen_upto) = self.freeze();
        // Where there is a deletion in the log, the log has to move on for it, also when nothing is left to write.
        if frozen.is_empty() && self.tables().log_deletions.is_empty() {
            return Ok(());
        }
        let mut flushed: Vec<(TenantId, Flushed)> = Vec::new();
        for (tenant, memtable) in frozen {
            let done = flush_tenant(&self.host, &self.options, &tenant, &memtable, goal);
            let done = done.inspect_err(|_| self.thaw())?;
            flushed.push((tenant, done));
        }
        if !flushed.is_empty() && flushed.iter().all(|(_, done)| done.blocks.is_empty()) {
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
            deletions: self.uncovered_deletions(),
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
        self.truncate_log(replay_from)
    }

    /// Removes the segments of the log that replay does not need, and with them what deletions left there.
    pub(crate) fn truncate_log(&self, replay_from: u64) -> Result<(), StoreError> {
        self.wal.truncate_before(replay_from)?;
        let first_seq = self.wal.stats().first_seq;
        let mut tables = self.tables();
        tables
            .log_deletions
            .retain(|deletion| deletion.seq >= first_seq);
        Ok(())
    }

    /// The deletions that the flush which is under way covers, with the blocks that do not follow them yet.
    fn uncovered_deletions(&self) -> Vec<PendingDeletion> {
        let covered_upto = self.manifest().state().frozen_upto;
        let mut uncovered: BTreeMap<u64, PendingDeletion> = BTreeMap::new();
        for (tenant, live) in self.tables().blocks() {
            for tombstone in live.tombstones() {
                if tombstone.seq > covered_upto {
                    let pending = uncovered.entry(tombstone.seq);
                    let pending = pending.or_insert_with(|| PendingDeletion {
                        tenant: tenant.clone(),
                        tombstone: tombstone.clone(),
                        blocks: Vec::new(),
                    });
                    pending.blocks.push(live.meta().id.clone());
                }
            }
        }
        uncovered.into_values().collect()
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

    pub(crate) fn compact(&self) -> Result<(), StoreError> {
        let plans: Vec<_> = {
            let tables = self.tables();
            let tenants = tables.tenants.iter();
            tenants
                .flat_map(|(name, tenant)| compact::plans(&self.options, name, &tenant.blocks))
                .collect()
        };
        for plan in plans {
            self.carry_out(&plan)?;
            self.tables().counters.compactions += 1;
        }
        self.remove_doomed()
    }

    /// Writes the blocks anew of which something was deleted, without that.
    pub(crate) fn rewrite(&self) -> Result<(), StoreError> {
        let plans: Vec<CompactionPlan> = {
            let tables = self.tables();
            let masked = tables
                .blocks()
                .filter(|(_, live)| !live.tombstones().is_empty());
            masked
                .map(|(tenant, live)| CompactionPlan {
                    tenant: tenant.clone(),
                    window: live.meta().window,
                    inputs: vec![live.clone()],
                })
                .collect()
        };
        for plan in plans {
            self.carry_out(&plan)?;
        }
        self.remove_doomed()
    }

    /// Puts one block, or none where nothing is left, in the place of some.
    fn carry_out(&self, plan: &CompactionPlan) -> Result<(), StoreError> {
        let (merged, repeats) = compact::compact(&self.host, &self.options, plan)?;
        let key = |live: &LiveBlock| (plan.tenant.clone(), live.meta().id.clone());
        let added = merged.iter();
        self.commit(Edit::Replace {
            removed: plan.inputs.iter().map(key).collect(),
            added: added
                .map(|block| (plan.tenant.clone(), block.meta().clone()))
                .collect(),
        })?;
        let removed: Vec<_> = plan
            .inputs
            .iter()
            .map(|live| Arc::clone(live.block()))
            .collect();
        let mut tables = self.tables();
        tables.replace(&plan.tenant, &removed, merged);
        tables.counters.repeats += repeats;
        Ok(())
    }

    /// Takes blocks out that are too old or too much. It blocks.
    pub(crate) fn expire(&self) -> Result<(), StoreError> {
        let now_unix_nano = self.host.clock.now_unix_nano();
        let expired: Vec<(TenantId, Arc<Block>)> = {
            let tables = self.tables();
            let blocks = tables
                .blocks()
                .map(|(name, live)| (name.clone(), Arc::clone(live.block())));
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
    pub(crate) fn remove_doomed(&self) -> Result<(), StoreError> {
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

    pub(crate) fn look_at_disk(&self) -> Result<(), StoreError> {
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
        let deletions = tables.log_deletions.iter();
        let oldest = oldest.chain(deletions.map(|deletion| deletion.arrived_unix_nano));
        let since = oldest.min()?.max(tables.last_flush_unix_nano);
        (since.saturating_add(interval) <= now_unix_nano).then_some(FlushGoal::Idle)
    }

    /// Whether blocks should be written anew without what was deleted of them.
    pub(crate) fn is_rewrite_due(&self) -> bool {
        let now_unix_nano = self.host.clock.now_unix_nano();
        let wait = REWRITE_AFTER.as_nanos() as u64;
        let tables = self.tables();
        let mut tombstones = tables.blocks().flat_map(|(_, live)| live.tombstones());
        tombstones
            .any(|tombstone| tombstone.arrived_unix_nano.saturating_add(wait) <= now_unix_nano)
    }
}

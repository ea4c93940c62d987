//! What snapshots are taken of.

use std::collections::BTreeMap;
use std::sync::Arc;

use block::Block;
use model::TenantId;

use crate::StoreStats;
use crate::live_block::LiveBlock;
use crate::memtable::Memtable;

/// Every change to it is whole under its lock, so that a snapshot sees each span once.
#[derive(Default)]
pub(crate) struct Tables {
    pub(crate) tenants: BTreeMap<TenantId, Tenant>,
    /// The last record that is followed here.
    pub(crate) applied_seq: u64,
    /// When the last flush began: one that found all traces active is not tried again at once.
    pub(crate) last_flush_unix_nano: u64,
    /// Blocks that no manifest names any more; their files go when no snapshot reads them.
    pub(crate) doomed: Vec<(TenantId, Arc<Block>)>,
    /// Deletions whose record is in the log still, and so may be what they deleted.
    pub(crate) log_deletions: Vec<LogDeletion>,
    pub(crate) stopped: Option<Arc<str>>,
    pub(crate) counters: StoreStats,
}

/// A deletion in the log.
#[derive(Debug, Clone, Copy)]
pub(crate) struct LogDeletion {
    pub(crate) seq: u64,
    pub(crate) arrived_unix_nano: u64,
}

#[derive(Default)]
pub(crate) struct Tenant {
    pub(crate) active: Memtable,
    pub(crate) frozen: Memtable,
    pub(crate) blocks: Vec<LiveBlock>,
}

impl Tables {
    pub(crate) fn memtable_bytes(&self) -> usize {
        self.tenants
            .values()
            .map(|tenant| tenant.active.bytes() + tenant.frozen.bytes())
            .sum()
    }

    /// All blocks with whose they are.
    pub(crate) fn blocks(&self) -> impl Iterator<Item = (&TenantId, &LiveBlock)> {
        let tenants = self.tenants.iter();
        tenants.flat_map(|(name, tenant)| tenant.blocks.iter().map(move |block| (name, block)))
    }

    pub(crate) fn replace(
        &mut self,
        tenant: &TenantId,
        removed: &[Arc<Block>],
        added: impl IntoIterator<Item = Arc<Block>>,
    ) {
        let blocks = self.tenants.entry(tenant.clone()).or_default();
        let is_removed =
            |live: &LiveBlock| removed.iter().any(|other| Arc::ptr_eq(other, live.block()));
        blocks.blocks.retain(|live| !is_removed(live));
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
    pub(crate) fn add_blocks(&mut self, blocks: impl IntoIterator<Item = Arc<Block>>) {
        self.blocks.extend(blocks.into_iter().map(LiveBlock::new));
        self.blocks.sort_by(|a, b| {
            let key = |live: &LiveBlock| (live.meta().max_start_unix_nano, live.meta().id.clone());
            key(b).cmp(&key(a))
        });
    }
}

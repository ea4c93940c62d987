//! Deletes what is kept: hidden at once, and gone from the files soon.
//!
//! A deletion is a record of the log. When it is durable it is followed in one step under the lock of the tables: memtables lose the rows, blocks get a mask that was made before. Whoever
//! flushes, merges or deletes holds `upkeep`, so the set of blocks stays from the making of the masks until they are put on.
//!
//! Afterwards the rows are in files still: in blocks until they are written anew ([`Store::rewrite`]), and in the log until its segments go. ARCHITECTURE.md says how that survives crashes.

use std::collections::BTreeSet;
use std::sync::Arc;

use block::BlockId;
use bytes::Bytes;
use model::{SpanBatch, TenantId};
use tokio::sync::oneshot;
use wal::{NewRecord, PayloadCodec, RecordKind};

use crate::deletion::{Deleted, Deletion, Tombstone, WireDeletion};
use crate::live_block::LiveBlock;
use crate::masked::MaskedBlock;
use crate::store::Inner;
use crate::tables::LogDeletion;
use crate::{Store, StoreError};

impl Store {
    /// Deletes what is there now; what arrives later stays. When this resolves the deletion is in the log under the configured durability, and no later snapshot
    /// shows what it took. A future that is dropped before leaves open whether it happens.
    pub async fn delete(
        &self,
        tenant: &TenantId,
        deletion: Deletion,
    ) -> Result<Deleted, StoreError> {
        self.refuse_when_stopped()?;
        let deletion = Arc::new(deletion);
        // It goes with the record, for the record may become durable when nobody waits for it any more.
        let upkeep = Arc::clone(&self.inner.upkeep).lock_owned().await;
        let masks = {
            let (inner, tenant) = (Arc::clone(&self.inner), tenant.clone());
            let deletion = Arc::clone(&deletion);
            self.blocking(move || inner.mask_blocks(&tenant, &deletion))
                .await?
        };
        // A log that failed may hold what nobody saw yet and the next start brings: then "nothing is there" is no answer.
        if let Some(reason) = self.inner.wal.stopped() {
            return Err(StoreError::Stopped { reason });
        }
        if masks.is_empty() && self.inner.takes_nothing_of_memtables(tenant, &deletion) {
            return Ok(Deleted::default());
        }
        self.refuse_too_many_deletions()?;

        let arrived_unix_nano = self.inner.host.clock.now_unix_nano();
        let record = NewRecord {
            kind: RecordKind::Tombstone,
            codec: PayloadCodec::Json,
            tenant: tenant.to_arc(),
            arrived_unix_nano,
            payload: WireDeletion::of(&deletion).to_json(),
        };
        let (sender, deleted) = oneshot::channel();
        let (inner, owner) = (Arc::clone(&self.inner), tenant.clone());
        let on_durable = Box::new(move |seq| {
            let tombstone = Tombstone {
                seq,
                arrived_unix_nano,
                deletion,
            };
            let deleted = inner.apply_deletion(&owner, &tombstone, masks);
            drop(upkeep);
            inner.wake.notify_one();
            // Whoever no longer waits has dropped the future.
            let _ = sender.send(deleted);
        });
        self.inner.wal.append(record, on_durable).await?;
        deleted.await.map_err(|_| StoreError::Stopped {
            reason: "the log's writer has ended".into(),
        })
    }

    /// Each costs a look at all blocks when the store is opened next.
    fn refuse_too_many_deletions(&self) -> Result<(), StoreError> {
        let limit = self.inner.options.max_pending_deletions;
        let pending = self.inner.pending_deletions();
        if pending < limit {
            return Ok(());
        }
        self.inner.wake.notify_one();
        Err(StoreError::Overloaded {
            reason: format!(
                "{pending} deletions wait until files are written without what they took, of at most {limit}"
            ),
        })
    }

    /// Begins a segment of the log with a record that holds nothing, so that the segments with what was deleted can go however little arrives. It is tried again with the next flush.
    pub(crate) async fn begin_log_segment(&self) {
        let inner = Arc::clone(&self.inner);
        let begun = async {
            let ending = Arc::clone(&inner);
            self.blocking(move || {
                ending.wal.end_segment();
                Ok(())
            })
            .await?;
            let tenant = TenantId::default_tenant();
            let arrived_unix_nano = inner.host.clock.now_unix_nano();
            let record = NewRecord {
                kind: RecordKind::Traces,
                codec: PayloadCodec::OtlpProtobuf,
                tenant: tenant.to_arc(),
                arrived_unix_nano,
                payload: Bytes::new(),
            };
            let inserting = Arc::clone(&inner);
            let on_durable = Box::new(move |seq| {
                inserting.insert(&tenant, SpanBatch::empty(), seq, arrived_unix_nano);
            });
            inner.wal.append(record, on_durable).await?;
            Ok::<(), StoreError>(())
        };
        if let Err(error) = begun.await {
            tracing::warn!(%error, "what was deleted stays in the log for now");
        }
    }
}

impl Inner {
    /// The blocks of which a deletion takes something, with their masks. It blocks.
    pub(crate) fn mask_blocks(
        &self,
        tenant: &TenantId,
        deletion: &Arc<Deletion>,
    ) -> Result<Vec<(BlockId, MaskedBlock)>, StoreError> {
        let blocks: Vec<LiveBlock> = {
            let tables = self.tables();
            let tenant = tables.tenants.get(tenant);
            tenant.map_or_else(Vec::new, |tenant| tenant.blocks.clone())
        };
        let mut masks = Vec::new();
        for live in blocks {
            if let Some(mask) = live.mask(deletion)? {
                masks.push((live.meta().id.clone(), mask));
            }
        }
        Ok(masks)
    }

    fn takes_nothing_of_memtables(&self, tenant: &TenantId, deletion: &Deletion) -> bool {
        let tables = self.tables();
        tables.tenants.get(tenant).is_none_or(|tenant| {
            let (active, frozen) = (&tenant.active, &tenant.frozen);
            active
                .count(deletion)
                .plus(frozen.count(deletion))
                .is_nothing()
        })
    }

    /// Follows a deletion that is in the log, in the order of records.
    pub(crate) fn apply_deletion(
        &self,
        tenant: &TenantId,
        tombstone: &Tombstone,
        masks: Vec<(BlockId, MaskedBlock)>,
    ) -> Deleted {
        let mut tables = self.tables();
        let tables = &mut *tables;
        let tenant = tables.tenants.entry(tenant.clone()).or_default();
        let mut deleted = tenant.active.remove(&tombstone.deletion);
        deleted = deleted.plus(tenant.frozen.remove(&tombstone.deletion));
        for (id, mask) in masks {
            let mut blocks = tenant.blocks.iter_mut();
            if let Some(live) = blocks.find(|live| live.meta().id == id) {
                deleted = deleted.plus(live.put_on(mask, tombstone.clone()));
            }
        }
        tables.applied_seq = tables.applied_seq.max(tombstone.seq);
        tables.log_deletions.push(LogDeletion {
            seq: tombstone.seq,
            arrived_unix_nano: tombstone.arrived_unix_nano,
        });
        tables.counters.deleted_spans += deleted.spans;
        deleted
    }

    /// Deletions of which something is left in files.
    pub(crate) fn pending_deletions(&self) -> usize {
        self.tables().pending_deletions()
    }
}

impl crate::tables::Tables {
    /// Deletions of which something is left in files.
    pub(crate) fn pending_deletions(&self) -> usize {
        let in_blocks = self.blocks().flat_map(|(_, live)| live.tombstones());
        let in_blocks = in_blocks.map(|tombstone| tombstone.seq);
        let in_log = self.log_deletions.iter().map(|deletion| deletion.seq);
        in_blocks.chain(in_log).collect::<BTreeSet<u64>>().len()
    }
}

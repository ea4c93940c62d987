//! A block as snapshots read it.

use std::sync::Arc;

use block::{Block, BlockMeta};
use model::{RowSet, Scan, ScanError, SpanBatch};

use crate::deletion::{Deleted, Deletion, Tombstone};
use crate::masked::MaskedBlock;

/// A block, and what was deleted of it since it was written.
#[derive(Debug, Clone)]
pub(crate) struct LiveBlock {
    block: Arc<Block>,
    mask: Option<Arc<MaskedBlock>>,
    /// The deletions behind the mask, in their order.
    tombstones: Vec<Tombstone>,
}

impl LiveBlock {
    pub(crate) fn new(block: Arc<Block>) -> Self {
        Self {
            block,
            mask: None,
            tombstones: Vec::new(),
        }
    }

    pub(crate) fn block(&self) -> &Arc<Block> {
        &self.block
    }

    pub(crate) fn meta(&self) -> &BlockMeta {
        self.block.meta()
    }

    /// Deletions that its files do not follow yet.
    pub(crate) fn tombstones(&self) -> &[Tombstone] {
        &self.tombstones
    }

    pub(crate) fn scan(&self) -> Arc<dyn Scan> {
        match &self.mask {
            Some(mask) => Arc::clone(mask) as Arc<dyn Scan>,
            None => Arc::clone(&self.block) as Arc<dyn Scan>,
        }
    }

    /// What is left after one more deletion; `None` when it takes nothing of this block. It blocks.
    pub(crate) fn mask(&self, deletion: &Arc<Deletion>) -> Result<Option<MaskedBlock>, ScanError> {
        MaskedBlock::new(&self.block, self.mask.as_deref(), deletion)
    }

    /// Puts on the mask that was made for a deletion, and says what it hides more than the one before.
    pub(crate) fn put_on(&mut self, mask: MaskedBlock, tombstone: Tombstone) -> Deleted {
        let before = self.mask.as_ref().map(|mask| mask.deleted());
        let before = before.unwrap_or_default();
        let deleted = Deleted {
            spans: mask.deleted().spans - before.spans,
            events: mask.deleted().events - before.events,
        };
        self.mask = Some(Arc::new(mask));
        self.tombstones.push(tombstone);
        deleted
    }

    /// Everything that is left. It blocks.
    pub(crate) fn read_all(&self) -> Result<Vec<SpanBatch>, ScanError> {
        let scan = self.scan();
        let spans = scan.read(&RowSet::range(0..scan.len()))?;
        let mut batches = vec![spans];
        match &self.mask {
            Some(mask) => mask
                .lone_event_batches()
                .try_for_each(|events| events.map(|events| batches.push(events)))?,
            None => self
                .block
                .lone_event_batches()
                .try_for_each(|events| events.map(|events| batches.push(events)))?,
        }
        Ok(batches)
    }
}

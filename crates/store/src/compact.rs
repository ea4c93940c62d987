//! Merges small blocks of one window into one.

use std::collections::BTreeMap;
use std::sync::Arc;

use block::{Block, BlockId, Window};
use host::Host;
use model::{SpanBatchBuilder, TenantId};

use crate::StoreError;
use crate::flush::{Repeats, window_dir};
use crate::live_block::LiveBlock;
use crate::options::StoreOptions;

/// Blocks that are to be merged.
#[derive(Debug, Clone)]
pub(crate) struct CompactionPlan {
    pub(crate) tenant: TenantId,
    pub(crate) window: Window,
    pub(crate) inputs: Vec<LiveBlock>,
}

/// What can be merged now, by window: enough blocks that are small enough, the smallest first.
pub(crate) fn plans(
    options: &StoreOptions,
    tenant: &TenantId,
    blocks: &[LiveBlock],
) -> Vec<CompactionPlan> {
    let mut windows: BTreeMap<Window, Vec<LiveBlock>> = BTreeMap::new();
    for block in blocks {
        if rows(block) <= options.compact_max_spans {
            windows
                .entry(block.meta().window)
                .or_default()
                .push(block.clone());
        }
    }
    let mut plans = Vec::new();
    for (window, mut inputs) in windows {
        inputs.sort_by_key(rows);
        let mut total = 0;
        inputs.retain(|block| {
            total += rows(block);
            total <= options.compact_max_spans
        });
        if inputs.len() >= options.compact_blocks.max(2) {
            plans.push(CompactionPlan {
                tenant: tenant.clone(),
                window,
                inputs,
            });
        }
    }
    plans
}

/// Spans, and events that came without theirs: a block may have nothing else.
fn rows(live: &LiveBlock) -> u64 {
    live.meta().spans + live.block().lone_event_count() as u64
}

/// Writes the merged block, without what was deleted of its inputs; none when nothing is left. It blocks, and changes nothing but the files of the new block. Byte-identical
/// repeats collapse; their number comes back too.
pub(crate) fn compact(
    host: &Host,
    options: &StoreOptions,
    plan: &CompactionPlan,
) -> Result<(Option<Arc<Block>>, u64), StoreError> {
    let window_dir = window_dir(&options.data_dir, &plan.tenant, plan.window);
    let unreadable = |reason: String| {
        StoreError::Block(block::BlockError::Damaged {
            path: window_dir.clone(),
            reason,
        })
    };
    let mut batches = Vec::new();
    for block in &plan.inputs {
        batches.extend(block.read_all()?);
    }
    let mut repeats = Repeats::new(batches.iter());
    let mut builder = SpanBatchBuilder::new();
    for (number, batch) in batches.iter().enumerate() {
        let columns = batch.columns();
        for row in 0..columns.len() {
            if !repeats
                .is_repeat(number, row)
                .map_err(|error| unreadable(error.to_string()))?
            {
                builder.push_row(&columns, row);
            }
        }
        for event_row in columns.events.lone_rows() {
            if repeats.is_repeated_event(number, event_row) {
                continue;
            }
            builder.push_lone_event_row(&columns, event_row);
        }
    }
    let arrived = plan.inputs.iter().map(|block| block.meta().arrived);
    let Some(arrived) = arrived.reduce(block::ArrivedRange::union) else {
        return Err(unreadable("there is nothing to merge".to_owned()));
    };
    let merged = builder.finish();
    if merged.is_empty() {
        return Ok((None, repeats.count));
    }
    let id = BlockId::random(&*host.random);
    let meta = block::write(host, &window_dir, &id, plan.window, arrived, &merged)?;
    let merged = Arc::new(Block::open(host, &window_dir, &meta)?);
    Ok((Some(merged), repeats.count))
}

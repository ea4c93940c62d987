//! Which blocks are kept no longer.

use std::sync::Arc;

use block::Block;
use model::TenantId;

use crate::options::Retention;

/// The blocks that go: all whose last span arrived too long ago, then the ones that arrived first while the rest is too large.
pub(crate) fn expired(
    retention: Retention,
    now_unix_nano: u64,
    mut blocks: Vec<(TenantId, Arc<Block>)>,
) -> Vec<(TenantId, Arc<Block>)> {
    let oldest = retention.max_age.map_or(0, |max_age| {
        let max_age = u64::try_from(max_age.as_nanos()).unwrap_or(u64::MAX);
        now_unix_nano.saturating_sub(max_age)
    });
    blocks.sort_by_key(|(_, block)| (block.meta().arrived.max_unix_nano, block.meta().id.clone()));
    let mut bytes: u64 = blocks.iter().map(|(_, block)| block.meta().bytes).sum();
    let max_bytes = retention.max_bytes.unwrap_or(u64::MAX);
    blocks
        .into_iter()
        .take_while(|(_, block)| {
            let goes = block.meta().arrived.max_unix_nano < oldest || bytes > max_bytes;
            bytes -= block.meta().bytes;
            goes
        })
        .collect()
}

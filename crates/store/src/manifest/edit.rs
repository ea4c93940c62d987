//! Edits and states as JSON.
//!
//! A manifest is small, read at start and by people in trouble: JSON can be read with any tool. Numbers that may exceed 2^53 are read by this program only.

use std::path::Path;
use std::sync::Arc;

use block::{ArrivedRange, BlockId, BlockMeta};
use model::{TenantId, TraceId};
use serde::{Deserialize, Serialize};

use super::{Carried, ManifestState, PendingDeletion};
use crate::StoreError;
use crate::deletion::{Tombstone, WireDeletion};

/// One change.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Edit {
    /// A writer took over.
    Open {
        /// Its epoch.
        epoch: u64,
    },
    /// A flush: all of its blocks at once.
    Add {
        blocks: Vec<(TenantId, BlockMeta)>,
        replay_from: u64,
        frozen_upto: u64,
        carried: Vec<Carried>,
        /// Of the records that this flush covers, those that blocks still have to follow.
        deletions: Vec<PendingDeletion>,
    },
    /// Blocks go, and others come in their place: a compaction, or retention when none come.
    Replace {
        removed: Vec<(TenantId, BlockId)>,
        added: Vec<(TenantId, BlockMeta)>,
    },
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "edit", deny_unknown_fields)]
enum WireEdit {
    Open {
        epoch: u64,
    },
    Add {
        epoch: u64,
        blocks: Vec<WireBlock>,
        replay_from: u64,
        frozen_upto: u64,
        carried: Vec<WireCarried>,
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        deletions: Vec<WirePendingDeletion>,
    },
    Replace {
        epoch: u64,
        removed: Vec<WireName>,
        added: Vec<WireBlock>,
    },
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct WireState {
    epoch: u64,
    blocks: Vec<WireBlock>,
    replay_from: u64,
    frozen_upto: u64,
    carried: Vec<WireCarried>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    deletions: Vec<WirePendingDeletion>,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct WirePendingDeletion {
    tenant: String,
    seq: u64,
    arrived_unix_nano: u64,
    deletion: WireDeletion,
    blocks: Vec<String>,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct WireBlock {
    tenant: String,
    id: String,
    window: String,
    spans: u64,
    bytes: u64,
    arrived_min_unix_nano: u64,
    arrived_max_unix_nano: u64,
    min_start_unix_nano: u64,
    max_start_unix_nano: u64,
    footer_crc32c: u32,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct WireCarried {
    tenant: String,
    trace_id: String,
    from_seq: u64,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct WireName {
    tenant: String,
    id: String,
}

impl WireBlock {
    fn of((tenant, block): &(TenantId, BlockMeta)) -> Self {
        Self {
            tenant: tenant.to_string(),
            id: block.id.to_string(),
            window: block.window.to_string(),
            spans: block.spans,
            bytes: block.bytes,
            arrived_min_unix_nano: block.arrived.min_unix_nano,
            arrived_max_unix_nano: block.arrived.max_unix_nano,
            min_start_unix_nano: block.min_start_unix_nano,
            max_start_unix_nano: block.max_start_unix_nano,
            footer_crc32c: block.footer_crc32c,
        }
    }

    fn read(self) -> Result<(TenantId, BlockMeta), String> {
        let block = BlockMeta {
            id: block_id(&self.id)?,
            window: self.window.parse().map_err(|error| format!("{error}"))?,
            spans: self.spans,
            bytes: self.bytes,
            arrived: ArrivedRange {
                min_unix_nano: self.arrived_min_unix_nano,
                max_unix_nano: self.arrived_max_unix_nano,
            },
            min_start_unix_nano: self.min_start_unix_nano,
            max_start_unix_nano: self.max_start_unix_nano,
            footer_crc32c: self.footer_crc32c,
        };
        Ok((tenant(&self.tenant)?, block))
    }
}

impl WirePendingDeletion {
    fn of(pending: &PendingDeletion) -> Self {
        Self {
            tenant: pending.tenant.to_string(),
            seq: pending.tombstone.seq,
            arrived_unix_nano: pending.tombstone.arrived_unix_nano,
            deletion: WireDeletion::of(&pending.tombstone.deletion),
            blocks: pending.blocks.iter().map(BlockId::to_string).collect(),
        }
    }

    fn read(self) -> Result<PendingDeletion, String> {
        Ok(PendingDeletion {
            tenant: tenant(&self.tenant)?,
            tombstone: Tombstone {
                seq: self.seq,
                arrived_unix_nano: self.arrived_unix_nano,
                deletion: Arc::new(self.deletion.read()?),
            },
            blocks: read_all(self.blocks, |id| block_id(&id))?,
        })
    }
}

impl WireCarried {
    fn of(carried: &Carried) -> Self {
        Self {
            tenant: carried.tenant.to_string(),
            trace_id: carried.trace_id.to_string(),
            from_seq: carried.from_seq,
        }
    }

    fn read(self) -> Result<Carried, String> {
        Ok(Carried {
            tenant: tenant(&self.tenant)?,
            trace_id: TraceId::parse(&self.trace_id).map_err(|error| error.to_string())?,
            from_seq: self.from_seq,
        })
    }
}

fn tenant(name: &str) -> Result<TenantId, String> {
    TenantId::new(name).map_err(|error| error.to_string())
}

fn block_id(id: &str) -> Result<BlockId, String> {
    BlockId::parse(id).ok_or_else(|| format!("{id:?} is no block's name"))
}

fn read_all<W, T>(items: Vec<W>, read: impl Fn(W) -> Result<T, String>) -> Result<Vec<T>, String> {
    items.into_iter().map(read).collect()
}

#[expect(
    clippy::expect_used,
    reason = "these shapes are strings and numbers: they can't fail to serialise"
)]
fn to_json(value: &impl Serialize) -> Vec<u8> {
    serde_json::to_vec(value).expect("strings and numbers serialise")
}

pub(super) fn encode_edit(edit: &Edit, epoch: u64) -> Vec<u8> {
    to_json(&match edit {
        Edit::Open { epoch } => WireEdit::Open { epoch: *epoch },
        Edit::Add {
            blocks,
            replay_from,
            frozen_upto,
            carried,
            deletions,
        } => WireEdit::Add {
            epoch,
            blocks: blocks.iter().map(WireBlock::of).collect(),
            replay_from: *replay_from,
            frozen_upto: *frozen_upto,
            carried: carried.iter().map(WireCarried::of).collect(),
            deletions: deletions.iter().map(WirePendingDeletion::of).collect(),
        },
        Edit::Replace { removed, added } => WireEdit::Replace {
            epoch,
            removed: removed
                .iter()
                .map(|(tenant, id)| WireName {
                    tenant: tenant.to_string(),
                    id: id.to_string(),
                })
                .collect(),
            added: added.iter().map(WireBlock::of).collect(),
        },
    })
}

pub(super) fn decode_edit(path: &Path, payload: &[u8]) -> Result<Edit, StoreError> {
    let read = || -> Result<Edit, String> {
        Ok(
            match serde_json::from_slice(payload).map_err(|error| error.to_string())? {
                WireEdit::Open { epoch } => Edit::Open { epoch },
                WireEdit::Add {
                    epoch: _,
                    blocks,
                    replay_from,
                    frozen_upto,
                    carried,
                    deletions,
                } => Edit::Add {
                    blocks: read_all(blocks, WireBlock::read)?,
                    replay_from,
                    frozen_upto,
                    carried: read_all(carried, WireCarried::read)?,
                    deletions: read_all(deletions, WirePendingDeletion::read)?,
                },
                WireEdit::Replace {
                    epoch: _,
                    removed,
                    added,
                } => Edit::Replace {
                    removed: read_all(removed, |name| {
                        Ok((tenant(&name.tenant)?, block_id(&name.id)?))
                    })?,
                    added: read_all(added, WireBlock::read)?,
                },
            },
        )
    };
    read().map_err(|reason| StoreError::DamagedManifest {
        path: path.to_owned(),
        reason,
    })
}

pub(super) fn encode_state(state: &ManifestState) -> Vec<u8> {
    let blocks = state
        .blocks
        .iter()
        .map(|((tenant, _), block)| (tenant.clone(), block.clone()));
    to_json(&WireState {
        epoch: state.epoch,
        blocks: blocks.map(|block| WireBlock::of(&block)).collect(),
        replay_from: state.replay_from,
        frozen_upto: state.frozen_upto,
        carried: state.carried.iter().map(WireCarried::of).collect(),
        deletions: state
            .deletions
            .iter()
            .map(WirePendingDeletion::of)
            .collect(),
    })
}

pub(super) fn decode_state(path: &Path, payload: &[u8]) -> Result<ManifestState, StoreError> {
    let read = || -> Result<ManifestState, String> {
        let state: WireState =
            serde_json::from_slice(payload).map_err(|error| error.to_string())?;
        let blocks = read_all(state.blocks, WireBlock::read)?;
        Ok(ManifestState {
            epoch: state.epoch,
            blocks: blocks
                .into_iter()
                .map(|(tenant, block)| ((tenant, block.id.clone()), block))
                .collect(),
            replay_from: state.replay_from,
            frozen_upto: state.frozen_upto,
            carried: read_all(state.carried, WireCarried::read)?,
            deletions: read_all(state.deletions, WirePendingDeletion::read)?,
        })
    };
    read().map_err(|reason| StoreError::DamagedManifest {
        path: path.to_owned(),
        reason,
    })
}

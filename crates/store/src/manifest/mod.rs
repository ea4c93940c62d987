//! The manifest: which blocks there are, and where the log goes on.
//!
//! A numbered sequence of edits, a file each (`docs/formats/manifest.md`). A file appears under its name whole or not at all, and a name is taken only once: who finds the
//! next number taken has been replaced by another writer and stops. Every so many edits the state is written as a checkpoint, and what is before it is removed.

mod edit;
mod file;
mod view;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use block::{BlockId, BlockMeta};
use host::Host;
use model::{TenantId, TraceId};

pub(crate) use edit::Edit;
pub(crate) use view::{ManifestView, write_backup_checkpoint};

use crate::StoreError;
use crate::deletion::Tombstone;
use file::{Kind, read, write_new};

/// Edits after which a checkpoint is written.
const CHECKPOINT_EDITS: u64 = 64;

/// A trace that was still active when the memtable was flushed: its spans from this record on are in no block yet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Carried {
    pub(crate) tenant: TenantId,
    pub(crate) trace_id: TraceId,
    pub(crate) from_seq: u64,
}

/// A deletion that replay does not bring back any more, and the blocks that still hold what it takes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct PendingDeletion {
    pub(crate) tenant: TenantId,
    pub(crate) tombstone: Tombstone,
    pub(crate) blocks: Vec<BlockId>,
}

/// What the edits add up to.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct ManifestState {
    /// The epoch of the last writer.
    pub(crate) epoch: u64,
    pub(crate) blocks: BTreeMap<(TenantId, BlockId), BlockMeta>,
    /// Replay begins here.
    pub(crate) replay_from: u64,
    /// Up to this record everything is in blocks, but for the traces in `carried`.
    pub(crate) frozen_upto: u64,
    pub(crate) carried: Vec<Carried>,
    /// Deletions up to `frozen_upto` whose blocks were not written anew yet.
    pub(crate) deletions: Vec<PendingDeletion>,
}

impl ManifestState {
    fn apply(&mut self, edit: Edit) {
        match edit {
            Edit::Open { epoch } => self.epoch = epoch,
            Edit::Add {
                blocks,
                replay_from,
                frozen_upto,
                carried,
                deletions,
            } => {
                for (tenant, block) in blocks {
                    self.blocks.insert((tenant, block.id.clone()), block);
                }
                self.replay_from = replay_from;
                self.frozen_upto = frozen_upto;
                self.carried = carried;
                self.deletions.extend(deletions);
            }
            Edit::Replace { removed, added } => {
                for key in removed {
                    self.blocks.remove(&key);
                    for deletion in &mut self.deletions {
                        deletion.blocks.retain(|id| *id != key.1);
                    }
                }
                self.deletions
                    .retain(|deletion| !deletion.blocks.is_empty());
                for (tenant, block) in added {
                    self.blocks.insert((tenant, block.id.clone()), block);
                }
            }
        }
    }
}

/// The manifest, open for one writer.
pub(crate) struct Manifest {
    host: Host,
    dir: PathBuf,
    state: ManifestState,
    /// Number of the last edit.
    last: u64,
    checkpoint: u64,
}

impl Manifest {
    /// Reads what there is and takes over as the writer of the next epoch. It blocks.
    pub(crate) fn open(host: &Host, dir: &Path) -> Result<Self, StoreError> {
        host.files.create_dir_all(dir).map_err(io(dir))?;
        let mut checkpoints = Vec::new();
        let mut edits = Vec::new();
        for entry in host.files.list(dir).map_err(io(dir))? {
            match Kind::of_name(&entry.name) {
                Some((Kind::Checkpoint, number)) => checkpoints.push(number),
                Some((Kind::Edit, number)) => edits.push(number),
                // What a crash left of a file that never got its name.
                None if entry.name.starts_with("tmp-") => {
                    let path = dir.join(&entry.name);
                    host.files.remove_file(&path).map_err(io(&path))?;
                }
                None => {}
            }
        }
        let checkpoint = checkpoints.iter().copied().max().unwrap_or(0);
        let mut state = ManifestState {
            replay_from: 1,
            ..ManifestState::default()
        };
        if checkpoint > 0 {
            let path = dir.join(Kind::Checkpoint.name(checkpoint));
            state = edit::decode_state(&path, &read(host, &path, Kind::Checkpoint)?)?;
        }
        edits.retain(|number| *number > checkpoint);
        edits.sort_unstable();
        let mut last = checkpoint;
        for number in edits {
            let path = dir.join(Kind::Edit.name(number));
            if number != last + 1 {
                let reason = format!("edit {} is missing before it", last + 1);
                return Err(StoreError::DamagedManifest { path, reason });
            }
            state.apply(edit::decode_edit(&path, &read(host, &path, Kind::Edit)?)?);
            last = number;
        }
        let mut manifest = Self {
            host: host.clone(),
            dir: dir.to_owned(),
            state,
            last,
            checkpoint,
        };
        let epoch = manifest.state.epoch + 1;
        manifest.apply(Edit::Open { epoch })?;
        Ok(manifest)
    }

    pub(crate) fn state(&self) -> &ManifestState {
        &self.state
    }

    /// Makes an edit durable: the commit point. It blocks. After an error other than from creating the temporary file nobody knows whether the edit
    /// is there, so the caller must not go on.
    pub(crate) fn apply(&mut self, edit: Edit) -> Result<(), StoreError> {
        let number = self.last + 1;
        let epoch = match &edit {
            Edit::Open { epoch } => *epoch,
            _ => self.state.epoch,
        };
        let payload = edit::encode_edit(&edit, epoch);
        write_new(&self.host, &self.dir, Kind::Edit, number, &payload)?;
        self.refuse_if_overtaken(number)?;
        self.last = number;
        self.state.apply(edit);
        if self.last - self.checkpoint >= CHECKPOINT_EDITS {
            self.write_checkpoint()?;
        }
        Ok(())
    }

    /// A name can be free because it was never taken, or because its edit went into a checkpoint of another writer and was removed. In the second
    /// case the checkpoint is there to be seen: it is written before anything is removed.
    fn refuse_if_overtaken(&self, number: u64) -> Result<(), StoreError> {
        for entry in self.host.files.list(&self.dir).map_err(io(&self.dir))? {
            if let Some((Kind::Checkpoint, checkpoint)) = Kind::of_name(&entry.name)
                && checkpoint >= number
            {
                return Err(StoreError::Fenced {
                    path: self.dir.join(&entry.name),
                });
            }
        }
        Ok(())
    }

    fn write_checkpoint(&mut self) -> Result<(), StoreError> {
        let payload = edit::encode_state(&self.state);
        write_new(&self.host, &self.dir, Kind::Checkpoint, self.last, &payload)?;
        self.checkpoint = self.last;
        for entry in self.host.files.list(&self.dir).map_err(io(&self.dir))? {
            let old = match Kind::of_name(&entry.name) {
                Some((Kind::Checkpoint, number)) => number < self.checkpoint,
                Some((Kind::Edit, number)) => number <= self.checkpoint,
                None => false,
            };
            // The newest edit stays: its name is what fences a writer that was replaced.
            if old && entry.name != Kind::Edit.name(self.last) {
                let path = self.dir.join(&entry.name);
                self.host.files.remove_file(&path).map_err(io(&path))?;
            }
        }
        Ok(())
    }
}

fn io(path: &Path) -> impl Fn(std::io::Error) -> StoreError + use<> {
    let path = path.to_owned();
    move |source| StoreError::Io {
        path: path.clone(),
        source,
    }
}

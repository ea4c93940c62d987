//! The manifest as somebody sees it who is not its writer. There may be one at work: files go when a checkpoint takes their place.

use std::path::{Path, PathBuf};

use host::{DirEntry, Host};

use super::edit::{decode_edit, decode_state, encode_state};
use super::file::{Kind, read, write_new};
use super::{Edit, ManifestState, io};
use crate::StoreError;

/// Listings that are tried. A writer makes a checkpoint every 64 edits, each with a sync: nobody is that slow to read.
const MAX_TRIES: usize = 100;

/// A manifest that was read whole.
#[derive(Debug)]
pub(crate) struct ManifestView {
    pub(crate) state: ManifestState,
    /// Number of the last edit.
    pub(crate) last: u64,
    /// Manifest files, and their bytes.
    pub(crate) files: u64,
    pub(crate) bytes: u64,
    /// Files of other names.
    pub(crate) others: Vec<PathBuf>,
}

impl ManifestView {
    /// Reads and checks every file of the folder. What is wrong in two listings that are the same is damage; else the writer was quicker.
    pub(crate) fn read(host: &Host, dir: &Path) -> Result<Self, StoreError> {
        let list = || host.files.list(dir).map_err(io(dir));
        let mut listing = list()?;
        let mut tries = 0;
        loop {
            let error = match Self::of(host, dir, &listing) {
                Ok(view) => return Ok(view),
                Err(error) => error,
            };
            tries += 1;
            let next = list()?;
            let is_stable = next == listing && tries > 1;
            if is_stable || tries == MAX_TRIES {
                return Err(error);
            }
            listing = next;
        }
    }

    fn of(host: &Host, dir: &Path, listing: &[DirEntry]) -> Result<Self, StoreError> {
        let mut view = Self {
            state: ManifestState {
                replay_from: 1,
                ..ManifestState::default()
            },
            last: 0,
            files: 0,
            bytes: 0,
            others: Vec::new(),
        };
        let (mut checkpoints, mut edits) = (Vec::new(), Vec::new());
        for entry in listing {
            let Some((kind, number)) = Kind::of_name(&entry.name) else {
                view.others.push(dir.join(&entry.name));
                continue;
            };
            view.files += 1;
            view.bytes += entry.len;
            let path = dir.join(&entry.name);
            let payload = read(host, &path, kind)?;
            match kind {
                Kind::Checkpoint => checkpoints.push((number, decode_state(&path, &payload)?)),
                Kind::Edit => {
                    let edit = decode_edit(&path, &payload)?;
                    edits.push((number, path, epoch_of(&payload), edit));
                }
            }
        }
        if let Some((number, state)) = checkpoints.into_iter().max_by_key(|(number, _)| *number) {
            (view.last, view.state) = (number, state);
        }
        edits.sort_unstable_by_key(|(number, ..)| *number);
        let checkpoint = view.last;
        for (number, path, epoch, edit) in edits {
            if number > checkpoint {
                view.apply(number, path, epoch, edit)?;
            }
        }
        Ok(view)
    }

    fn apply(
        &mut self,
        number: u64,
        path: PathBuf,
        epoch: u64,
        edit: Edit,
    ) -> Result<(), StoreError> {
        if number != self.last + 1 {
            let reason = format!("edit {} is missing before it", self.last + 1);
            return Err(StoreError::DamagedManifest { path, reason });
        }
        let expected = match edit {
            Edit::Open { .. } => self.state.epoch + 1,
            _ => self.state.epoch,
        };
        if epoch != expected {
            let reason = format!("it is of epoch {epoch}, where epoch {expected} belongs");
            return Err(StoreError::DamagedManifest { path, reason });
        }
        self.state.apply(edit);
        self.last = number;
        Ok(())
    }
}

/// Writes what was seen as the manifest of a copy: a checkpoint of the same number.
pub(crate) fn write_backup_checkpoint(
    host: &Host,
    dir: &Path,
    view: &ManifestView,
) -> Result<(), StoreError> {
    let payload = encode_state(&view.state);
    write_new(host, dir, Kind::Checkpoint, view.last, &payload)
}

/// Every edit says the epoch of its writer, whatever else it says. One without is of epoch 0, which no writer has.
fn epoch_of(payload: &[u8]) -> u64 {
    #[derive(serde::Deserialize)]
    struct Epoch {
        epoch: u64,
    }
    serde_json::from_slice(payload).map_or(0, |Epoch { epoch }| epoch)
}

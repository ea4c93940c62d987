//! Where a backup is made, and how it becomes the target.

use std::path::{Path, PathBuf};

use host::Host;

use super::done::{DONE_FILE, Done, LOCK_FILE, is_backup};
use super::files::{exists, is_missing_or_empty, rename, sync_dir, write_file};
use super::{BackupError, BackupReport, UNFINISHED_FILE};
use crate::StoreError;
use crate::error::io;

/// Where the backup goes and where it is made.
pub(super) struct Place {
    target: PathBuf,
    pub(super) partial: PathBuf,
    /// The earlier backup, between two renames.
    old: PathBuf,
}

impl Place {
    pub(super) fn of(target: &Path) -> Result<Self, BackupError> {
        let Some(name) = target.file_name() else {
            return Err(BackupError::NotABackup {
                path: target.to_owned(),
            });
        };
        let beside = |suffix: &str| {
            let mut name = name.to_owned();
            name.push(suffix);
            target.with_file_name(name)
        };
        Ok(Self {
            target: target.to_owned(),
            partial: beside(".partial"),
            old: beside(".old"),
        })
    }

    /// Makes an empty folder for the copy. Whether there is an earlier backup.
    pub(super) fn prepare(&self, host: &Host) -> Result<bool, BackupError> {
        // An earlier run was interrupted between its two renames: its backup is whole, but so is the one before it, which has its place.
        if is_backup(host, &self.old)? && !exists(host, &self.target)? {
            rename(host, &self.old, &self.target)?;
        }
        let earlier = is_backup(host, &self.target)?;
        if earlier && exists(host, &self.target.join(LOCK_FILE))? {
            let path = self.target.clone();
            return Err(BackupError::Used { path });
        }
        if !earlier && !is_missing_or_empty(host, &self.target)? {
            let path = self.target.clone();
            return Err(BackupError::NotABackup { path });
        }
        for leftover in [&self.partial, &self.old] {
            let is_ours =
                exists(host, &leftover.join(UNFINISHED_FILE))? || is_backup(host, leftover)?;
            if is_ours {
                host.files.remove_dir_all(leftover).map_err(io(leftover))?;
            } else if !is_missing_or_empty(host, leftover)? {
                let path = leftover.clone();
                return Err(BackupError::NotABackup { path });
            }
        }
        host.files
            .create_dir_all(&self.partial)
            .map_err(io(&self.partial))?;
        write_file(host, &self.partial.join(UNFINISHED_FILE), b"")?;
        sync_dir(host, &self.partial)?;
        Ok(earlier)
    }

    /// Makes the copy the target.
    pub(super) fn finish(
        &self,
        host: &Host,
        report: &BackupReport,
        alongside: Vec<PathBuf>,
        earlier: bool,
    ) -> Result<(), StoreError> {
        let done = Done {
            backtrail_backup: 0,
            taken_unix_nano: host.clock.now_unix_nano(),
            blocks: report.blocks,
            spans: report.spans,
            records: report.records,
            alongside,
        };
        let done = serde_json::to_vec(&done).map_err(|error| StoreError::Io {
            path: self.partial.join(DONE_FILE),
            source: error.into(),
        })?;
        write_file(host, &self.partial.join(DONE_FILE), &done)?;
        let unfinished = self.partial.join(UNFINISHED_FILE);
        sync_dir(host, &self.partial)?;
        host.files
            .remove_file(&unfinished)
            .map_err(io(&unfinished))?;
        sync_dir(host, &self.partial)?;
        if earlier {
            rename(host, &self.target, &self.old)?;
        } else if exists(host, &self.target)? {
            // It is empty.
            host.files
                .remove_dir_all(&self.target)
                .map_err(io(&self.target))?;
        }
        rename(host, &self.partial, &self.target)?;
        if earlier {
            host.files
                .remove_dir_all(&self.old)
                .map_err(io(&self.old))?;
        }
        Ok(())
    }
}

//! What a backup says of itself.

use std::path::{Path, PathBuf};

use host::Host;
use serde::{Deserialize, Serialize};

use super::UNFINISHED_FILE;
use super::files::exists;
use crate::StoreError;
use crate::check::{CheckReport, Defect};
use crate::error::io;

/// In a whole backup: what it is. A server that opens it leaves it alone.
pub(super) const DONE_FILE: &str = "BACKUP";
/// A store has been opened there.
pub(super) const LOCK_FILE: &str = "LOCK";

/// What is in [`DONE_FILE`].
#[derive(Serialize, Deserialize)]
pub(super) struct Done {
    pub(super) backtrail_backup: u32,
    pub(super) taken_unix_nano: u64,
    pub(super) blocks: u64,
    pub(super) spans: u64,
    pub(super) records: u64,
    /// What was copied alongside.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(super) alongside: Vec<PathBuf>,
}

pub(super) fn is_backup(host: &Host, dir: &Path) -> Result<bool, StoreError> {
    if exists(host, &dir.join(UNFINISHED_FILE))? {
        return Ok(false);
    }
    Ok(read_done(host, dir)?.is_some_and(|done| done.is_ok()))
}

/// What the folder says that it holds, if it says that it is a backup.
fn read_done(
    host: &Host,
    dir: &Path,
) -> Result<Option<Result<Done, serde_json::Error>>, StoreError> {
    let path = dir.join(DONE_FILE);
    if !exists(host, &path)? {
        return Ok(None);
    }
    let file = host.files.open(&path).map_err(io(&path))?;
    let mut bytes = vec![0; file.len().map_err(io(&path))?.min(4096) as usize];
    file.read_exact_at(&mut bytes, 0).map_err(io(&path))?;
    Ok(Some(serde_json::from_slice(&bytes)))
}

/// What a backup lacks on which no store has been opened yet. The end of a log may be torn where a power cut is to blame; here nothing was written since,
/// and a record that is gone had been acknowledged.
pub(crate) fn lacking(
    host: &Host,
    dir: &Path,
    found: &CheckReport,
) -> Result<Option<Defect>, StoreError> {
    if exists(host, &dir.join(LOCK_FILE))? {
        return Ok(None);
    }
    let path = dir.join(DONE_FILE);
    let what = match read_done(host, dir)? {
        None => return Ok(None),
        Some(Err(error)) => format!("it does not say what the backup holds: {error}"),
        Some(Ok(done))
            if (done.blocks, done.spans, done.records)
                != (found.blocks, found.spans, found.records) =>
        {
            format!(
                "the backup was made with {} blocks, {} spans in them and {} records of the log, and {}, {} and {} can be read",
                done.blocks, done.spans, done.records, found.blocks, found.spans, found.records
            )
        }
        Some(Ok(done)) => {
            for other in done.alongside {
                let path = dir.join(other);
                if !exists(host, &path)? {
                    let what = "it is missing, and the backup was made with it".to_owned();
                    let offset = None;
                    return Ok(Some(Defect { path, offset, what }));
                }
            }
            return Ok(None);
        }
    };
    let offset = None;
    Ok(Some(Defect { path, offset, what }))
}

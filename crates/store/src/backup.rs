//! Copies a data directory, stopped or in use, to what it held at one instant.
//!
//! That instant is given by the manifest: its blocks, and where replay begins. The blocks are copied first and then the log from there on, read to its
//! end. What was acknowledged before is then in one of the two. What the writer removed meanwhile makes the manifest be read anew, and only what is missing
//! by the newer one is copied, so that it comes to an end.
//!
//! The copy is made beside the target, in a folder named `….partial`, and takes the target's name when it is whole and durable. So the target is a whole
//! backup at any instant, or none. Blocks that an earlier backup at the target has already are shared with it, not copied.

mod copying;
mod done;
mod files;
mod place;

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use block::BlockError;
use host::Host;

use self::copying::Copying;
pub(crate) use self::done::lacking;
use self::place::Place;
use crate::StoreError;
use crate::check::{Defect, Progress};
use crate::error::io;

/// In a backup that is being made, or was interrupted. A store refuses to open a folder that has it.
pub(crate) const UNFINISHED_FILE: &str = "BACKUP-UNFINISHED";
/// How often the manifest is read anew.
const MAX_ROUNDS: usize = 1000;
/// Why there is no backup.
#[derive(Debug, thiserror::Error)]
pub enum BackupError {
    /// The target is something else.
    #[error("{} is neither empty nor an earlier backup; give another folder", path.display())]
    NotABackup {
        /// The folder.
        path: PathBuf,
    },
    /// The target was a backup, until a server was started on it.
    #[error(
        "a server has run on {}: it may hold spans of its own by now; back up to another folder", path.display()
    )]
    Used {
        /// The folder.
        path: PathBuf,
    },
    /// One folder is inside the other.
    #[error("{} and {} are one inside the other", source_dir.display(), target.display())]
    Nested {
        /// The data directory.
        source_dir: PathBuf,
        /// The target.
        target: PathBuf,
    },
    /// What is to be copied is damaged.
    #[error("the data directory is damaged, nothing was backed up: {0}")]
    Damaged(Defect),
    /// The writer was quicker each time.
    #[error("the data directory changed {MAX_ROUNDS} times before it could be copied")]
    Unstable,
    /// What is copied alongside could not be copied.
    #[error("{0}")]
    Alongside(String),
    /// The data directory can't be read, or the target not be written.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl From<BlockError> for BackupError {
    fn from(error: BlockError) -> Self {
        match error {
            BlockError::Damaged { path, reason } => Self::Damaged(Defect {
                path,
                offset: None,
                what: reason,
            }),
            error => Self::Store(error.into()),
        }
    }
}

/// What a backup holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct BackupReport {
    /// Blocks.
    pub blocks: u64,
    /// Blocks of these that an earlier backup had already.
    pub blocks_kept: u64,
    /// Spans in the blocks.
    pub spans: u64,
    /// Records of the log.
    pub records: u64,
    /// Bytes that were copied.
    pub bytes_copied: u64,
}

/// Where a backup is made, for who copies what is not the store's.
#[derive(Debug, Clone, Copy)]
pub struct BackupPlace<'a> {
    /// An earlier backup, which is whole: files that do not change may be shared with it.
    pub earlier: Option<&'a Path>,
    /// The folder that becomes the backup.
    pub into: &'a Path,
}

/// Copies what else is in a data directory. It is called once, when blocks and log are copied, and what it copied must be durable then. It returns the files
/// that must be there in the backup, relative to it, so that a check misses them; or why there can be no backup.
pub type Alongside<'a> = dyn FnMut(BackupPlace<'_>) -> Result<Vec<PathBuf>, String> + 'a;

/// Copies `data_dir` to `target`, which must be missing, empty, or an earlier backup. A store that is opened on it has what was acknowledged before this began.
pub fn backup(
    host: &Host,
    data_dir: &Path,
    target: &Path,
    alongside: &mut Alongside<'_>,
    on_progress: &mut dyn FnMut(Progress),
) -> Result<BackupReport, BackupError> {
    let manifest_dir = data_dir.join("manifest");
    if !host
        .files
        .exists(&manifest_dir)
        .map_err(io(&manifest_dir))?
    {
        let path = data_dir.to_owned();
        return Err(StoreError::NoDataDirectory { path }.into());
    }
    let place = Place::of(target)?;
    if is_nested(host, data_dir, target)? {
        return Err(BackupError::Nested {
            source_dir: data_dir.to_owned(),
            target: target.to_owned(),
        });
    }
    let earlier = place.prepare(host)?;
    let mut copying = Copying {
        host,
        data_dir,
        earlier: earlier.then_some(target),
        into: &place.partial,
        copied: BTreeSet::new(),
        report: BackupReport::default(),
        progress: Progress::default(),
        on_progress,
    };
    let view = copying.blocks_and_log()?;
    let report = copying.report;
    copying.manifest(&view)?;
    let others = alongside(BackupPlace {
        earlier: earlier.then_some(target),
        into: &place.partial,
    });
    let others = others.map_err(BackupError::Alongside)?;
    place.finish(host, &report, others, earlier)?;
    Ok(report)
}

/// Whether one of the folders is inside the other, however they are written: by way of links, of `..`, or from the working directory.
fn is_nested(host: &Host, data_dir: &Path, target: &Path) -> Result<bool, StoreError> {
    let real = |path: &Path| host.files.real_path(path).map_err(io(path));
    let (data_dir, target) = (real(data_dir)?, real(target)?);
    Ok(target.starts_with(&data_dir) || data_dir.starts_with(&target))
}

//! Copies a data directory, stopped or in use, to what it held at one instant.
//!
//! That instant is given by the manifest: its blocks, and where replay begins. The blocks are copied first and then the log from there on, read to its
//! end. What was acknowledged before is then in one of the two. What the writer removed meanwhile makes the manifest be read anew, and only what is missing
//! by the newer one is copied, so that it comes to an end.
//!
//! The copy is made beside the target, in a folder named `….partial`, and takes the target's name when it is whole and durable. So the target is a whole
//! backup at any instant, or none. Blocks that an earlier backup at the target has already are shared with it, not copied.

use std::collections::BTreeSet;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use block::{BlockError, BlockId};
use host::Host;
use model::TenantId;
use serde::{Deserialize, Serialize};
use wal::{Inspected, SegmentInspector, SegmentNames, WalError};

use crate::StoreError;
use crate::check::{CheckReport, Defect, Progress, is_gone};
use crate::error::io;
use crate::flush::window_dir;
use crate::manifest::{ManifestState, ManifestView, write_backup_checkpoint};

/// In a whole backup: what it is. A server that opens it leaves it alone.
const DONE_FILE: &str = "BACKUP";
/// In a backup that is being made, or was interrupted. A store refuses to open a folder that has it.
pub(crate) const UNFINISHED_FILE: &str = "BACKUP-UNFINISHED";
/// A store has been opened there.
const LOCK_FILE: &str = "LOCK";
/// How often the manifest is read anew.
const MAX_ROUNDS: usize = 1000;
const CHUNK_BYTES: u64 = 1 << 20;

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

/// What is in [`DONE_FILE`].
#[derive(Serialize, Deserialize)]
struct Done {
    backtrail_backup: u32,
    taken_unix_nano: u64,
    blocks: u64,
    spans: u64,
    records: u64,
    /// What was copied alongside.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    alongside: Vec<PathBuf>,
}

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

/// Where the backup goes and where it is made.
struct Place {
    target: PathBuf,
    partial: PathBuf,
    /// The earlier backup, between two renames.
    old: PathBuf,
}

impl Place {
    fn of(target: &Path) -> Result<Self, BackupError> {
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
    fn prepare(&self, host: &Host) -> Result<bool, BackupError> {
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
    fn finish(
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

struct Copying<'a> {
    host: &'a Host,
    data_dir: &'a Path,
    earlier: Option<&'a Path>,
    into: &'a Path,
    /// Blocks that are in the copy.
    copied: BTreeSet<(TenantId, BlockId)>,
    report: BackupReport,
    progress: Progress,
    on_progress: &'a mut dyn FnMut(Progress),
}

/// The writer removed what was to be copied.
struct Changed;

impl Copying<'_> {
    /// Copies until a manifest, all of its blocks and all of the log behind it are here.
    fn blocks_and_log(&mut self) -> Result<ManifestView, BackupError> {
        for _ in 0..MAX_ROUNDS {
            let view = ManifestView::read(self.host, &self.data_dir.join("manifest"))?;
            self.expect(&view.state);
            if self.blocks(&view.state)?.is_ok() && self.log(&view.state)?.is_ok() {
                self.drop_unnamed(&view.state)?;
                self.report.blocks = view.state.blocks.len() as u64;
                self.report.spans = view.state.blocks.values().map(|block| block.spans).sum();
                return Ok(view);
            }
        }
        Err(BackupError::Unstable)
    }

    fn expect(&mut self, state: &ManifestState) {
        let missing = state
            .blocks
            .iter()
            .filter(|(key, _)| !self.copied.contains(*key));
        let bytes: u64 = missing.map(|(_, block)| block.bytes).sum();
        self.progress.bytes_total = self.progress.bytes_done + bytes;
        (self.on_progress)(self.progress);
    }

    fn blocks(&mut self, state: &ManifestState) -> Result<Result<(), Changed>, BackupError> {
        for (key, meta) in &state.blocks {
            if self.copied.contains(key) {
                continue;
            }
            let (tenant, _) = key;
            let from = window_dir(self.data_dir, tenant, meta.window);
            let into = window_dir(self.into, tenant, meta.window);
            let kept = match self.earlier {
                Some(earlier) => {
                    let earlier = window_dir(earlier, tenant, meta.window);
                    block::link(self.host, &earlier, &into, meta)?
                }
                None => false,
            };
            if kept {
                self.report.blocks_kept += 1;
                self.progress.bytes_done += meta.bytes;
                (self.on_progress)(self.progress);
            } else {
                let (progress, on_progress) = (&mut self.progress, &mut self.on_progress);
                let report = &mut self.report;
                let copied = block::copy(self.host, &from, &into, meta, &mut |bytes| {
                    progress.bytes_done += bytes;
                    report.bytes_copied += bytes;
                    on_progress(*progress);
                });
                match copied {
                    Ok(()) => {}
                    Err(BlockError::Io { source, .. }) if source.kind() == ErrorKind::NotFound => {
                        return self.is_still_named(key, &into.join(meta.id.as_str()));
                    }
                    Err(error) => return Err(error.into()),
                }
            }
            self.copied.insert(key.clone());
        }
        Ok(Ok(()))
    }

    /// A file that is not there: an error, unless the manifest does not name its block any more.
    fn is_still_named(
        &self,
        key: &(TenantId, BlockId),
        begun: &Path,
    ) -> Result<Result<(), Changed>, BackupError> {
        if exists(self.host, begun)? {
            self.host.files.remove_dir_all(begun).map_err(io(begun))?;
        }
        let now = ManifestView::read(self.host, &self.data_dir.join("manifest"))?;
        match now.state.blocks.get(key) {
            None => Ok(Err(Changed)),
            Some(meta) => Err(BackupError::Damaged(Defect {
                path: window_dir(self.data_dir, &key.0, meta.window).join(key.1.as_str()),
                offset: None,
                what: "the manifest names this block, and files of it are missing".to_owned(),
            })),
        }
    }

    /// Copies the segments that replay reads, each to the end of its last whole record.
    fn log(&mut self, state: &ManifestState) -> Result<Result<(), Changed>, BackupError> {
        let (from, into) = (self.data_dir.join("log"), self.into.join("log"));
        if exists(self.host, &into)? {
            self.host.files.remove_dir_all(&into).map_err(io(&into))?;
        }
        self.host.files.create_dir_all(&into).map_err(io(&into))?;
        self.report.records = 0;
        let damaged = |error: WalError| BackupError::Damaged(Defect::of_log(&from, error));
        let names = SegmentNames::list(&*self.host.files, &from).map_err(damaged)?;
        let mut readers = Vec::new();
        for first_seq in names.first_seqs {
            match SegmentInspector::open(&self.host.files, &from, first_seq) {
                Ok(reader) if reader.epoch() > state.epoch => return Ok(Err(Changed)),
                Ok(reader) => readers.push(reader),
                Err(error) if is_gone(&error) => return Ok(Err(Changed)),
                Err(error) => return Err(damaged(error)),
            }
        }
        // What ends before replay begins is not needed, but for the last, which knows how far the numbers got.
        let ends: Vec<u64> = readers
            .iter()
            .skip(1)
            .map(SegmentInspector::prev_seq)
            .collect();
        let first = ends
            .iter()
            .take_while(|last_seq| **last_seq < state.replay_from)
            .count();
        let readers: Vec<SegmentInspector> = readers.into_iter().skip(first).collect();
        if readers
            .first()
            .is_some_and(|reader| reader.prev_seq() >= state.replay_from)
        {
            let now = ManifestView::read(self.host, &self.data_dir.join("manifest"))?;
            if now.state.replay_from != state.replay_from {
                return Ok(Err(Changed));
            }
            return Err(BackupError::Damaged(Defect {
                path: from.clone(),
                offset: None,
                what: format!(
                    "it begins after record {}, where replay begins",
                    state.replay_from
                ),
            }));
        }
        let ends = ends.into_iter().skip(first).map(Some).chain([None]);
        for (mut reader, last_seq) in readers.into_iter().zip(ends) {
            match self.read_segment(&mut reader, last_seq) {
                Ok(()) => {}
                Err(error) if is_gone(&error) => return Ok(Err(Changed)),
                Err(error) => return Err(damaged(error)),
            }
            if !self.copy_segment(&reader, &into)? {
                return Ok(Err(Changed));
            }
        }
        sync_dir(self.host, &into)?;
        Ok(Ok(()))
    }

    /// Reads a segment to its end, or to the record that the next one says was its last.
    fn read_segment(
        &mut self,
        reader: &mut SegmentInspector,
        last_seq: Option<u64>,
    ) -> Result<(), WalError> {
        while last_seq.is_none_or(|last_seq| reader.last_seq() < last_seq) {
            match (reader.read_next()?, last_seq) {
                (Inspected::Record(_), _) => self.report.records += 1,
                // Nobody was told yet that this is kept.
                (Inspected::End | Inspected::Torn(_), None) => break,
                (Inspected::End | Inspected::Torn(_), Some(last_seq)) => {
                    return Err(reader.damaged(format!(
                        "the segment ends here, and the next one says that record {last_seq} was the last"
                    )));
                }
            }
        }
        Ok(())
    }

    /// Copies a segment up to where it was read. `false` when it is gone.
    fn copy_segment(&mut self, reader: &SegmentInspector, into: &Path) -> Result<bool, StoreError> {
        let from = reader.path();
        let source = match self.host.files.open(from) {
            Ok(source) => source,
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(false),
            Err(error) => return Err(io(from)(error)),
        };
        let path = into.join(from.file_name().unwrap_or_default());
        let target = self.host.files.create_new(&path).map_err(io(&path))?;
        let mut chunk = Vec::new();
        let mut at = 0;
        while at < reader.offset() {
            chunk.resize((reader.offset() - at).min(CHUNK_BYTES) as usize, 0);
            source.read_exact_at(&mut chunk, at).map_err(io(from))?;
            target.write_all_at(&chunk, at).map_err(io(&path))?;
            at += chunk.len() as u64;
            self.report.bytes_copied += chunk.len() as u64;
            self.progress.bytes_done += chunk.len() as u64;
            (self.on_progress)(self.progress);
        }
        target.sync_data().map_err(io(&path))?;
        Ok(true)
    }

    /// Removes blocks that an earlier round copied and the last manifest does not name.
    fn drop_unnamed(&mut self, state: &ManifestState) -> Result<(), StoreError> {
        let blocks = self.into.join("blocks");
        let list = |path: &Path| -> Result<Vec<PathBuf>, StoreError> {
            if !exists(self.host, path)? {
                return Ok(Vec::new());
            }
            let entries = self.host.files.list(path).map_err(io(path))?;
            Ok(entries
                .into_iter()
                .map(|entry| path.join(entry.name))
                .collect())
        };
        let named: BTreeSet<PathBuf> = state
            .blocks
            .iter()
            .map(|((tenant, id), meta)| {
                window_dir(self.into, tenant, meta.window).join(id.as_str())
            })
            .collect();
        for tenant in list(&blocks)? {
            for window in list(&tenant)? {
                for block in list(&window)? {
                    if !named.contains(&block) {
                        self.host.files.remove_dir_all(&block).map_err(io(&block))?;
                    }
                }
            }
        }
        Ok(())
    }

    /// The manifest of the copy: one checkpoint.
    fn manifest(&self, view: &ManifestView) -> Result<(), StoreError> {
        let dir = self.into.join("manifest");
        self.host.files.create_dir_all(&dir).map_err(io(&dir))?;
        write_backup_checkpoint(self.host, &dir, view)?;
        // The temporary name is gone for good.
        sync_dir(self.host, &dir)
    }
}

fn is_backup(host: &Host, dir: &Path) -> Result<bool, StoreError> {
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

fn is_missing_or_empty(host: &Host, dir: &Path) -> Result<bool, StoreError> {
    match host.files.list(dir) {
        Ok(entries) => Ok(entries.is_empty()),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(true),
        Err(error) => Err(io(dir)(error)),
    }
}

fn exists(host: &Host, path: &Path) -> Result<bool, StoreError> {
    host.files.exists(path).map_err(io(path))
}

fn sync_dir(host: &Host, dir: &Path) -> Result<(), StoreError> {
    host.files.sync_dir(dir).map_err(io(dir))
}

fn write_file(host: &Host, path: &Path, bytes: &[u8]) -> Result<(), StoreError> {
    let file = host.files.create_new(path).map_err(io(path))?;
    file.write_all_at(bytes, 0).map_err(io(path))?;
    file.sync_data().map_err(io(path))
}

/// Renames a folder and makes that durable.
fn rename(host: &Host, from: &Path, to: &Path) -> Result<(), StoreError> {
    host.files.rename(from, to).map_err(io(from))?;
    let parent = match to.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent,
        _ => Path::new("."),
    };
    sync_dir(host, parent)
}

//! Blocks and log as of one manifest.

use std::collections::BTreeSet;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use block::{BlockError, BlockId};
use host::Host;
use model::TenantId;
use wal::{Inspected, SegmentInspector, SegmentNames, WalError};

use super::files::{exists, sync_dir};
use super::{BackupError, BackupReport, MAX_ROUNDS};
use crate::StoreError;
use crate::check::{Defect, Progress, is_gone};
use crate::error::io;
use crate::flush::window_dir;
use crate::manifest::{ManifestState, ManifestView, write_backup_checkpoint};

const CHUNK_BYTES: u64 = 1 << 20;

pub(super) struct Copying<'a> {
    pub(super) host: &'a Host,
    pub(super) data_dir: &'a Path,
    pub(super) earlier: Option<&'a Path>,
    pub(super) into: &'a Path,
    /// Blocks that are in the copy.
    pub(super) copied: BTreeSet<(TenantId, BlockId)>,
    pub(super) report: BackupReport,
    pub(super) progress: Progress,
    pub(super) on_progress: &'a mut dyn FnMut(Progress),
}

/// The writer removed what was to be copied.
struct Changed;

impl Copying<'_> {
    /// Copies until a manifest, all of its blocks and all of the log behind it are here.
    pub(super) fn blocks_and_log(&mut self) -> Result<ManifestView, BackupError> {
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
    pub(super) fn manifest(&self, view: &ManifestView) -> Result<(), StoreError> {
        let dir = self.into.join("manifest");
        self.host.files.create_dir_all(&dir).map_err(io(&dir))?;
        write_backup_checkpoint(self.host, &dir, view)?;
        // The temporary name is gone for good.
        sync_dir(self.host, &dir)
    }
}

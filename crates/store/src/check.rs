//! Checks a data directory against everything that it says of itself, stopped or in use. Nothing is written and no lock is taken.
//!
//! A directory in use changes meanwhile. It does so in an order that helps: the manifest says first that a file is not needed any more, and only then
//! does the file go. So whatever looks wrong counts only when the manifest, read again, still needs it.

use std::collections::{BTreeMap, BTreeSet};
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use block::{BlockCheck, BlockId, BlockMeta};
use host::Host;
use model::{Signal, TenantId};
use wal::{Inspected, Record, RecordKind, SegmentInspector, SegmentNames, WalError};

use crate::backup::lacking;
use crate::deletion::WireDeletion;
use crate::error::io;
use crate::flush::window_dir;
use crate::manifest::{ManifestState, ManifestView};
use crate::{ReadPayload, StoreError};

/// Defects that are described one by one; all are counted.
const MAX_DEFECTS: usize = 1000;
/// How often the log is looked at again because a writer removed a part of it meanwhile.
const MAX_ROUNDS: usize = 1000;

/// Something that is not as it was written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Defect {
    /// The file or folder.
    pub path: PathBuf,
    /// Where in it, as far as one place can be named.
    pub offset: Option<u64>,
    /// What is wrong.
    pub what: String,
}

impl std::fmt::Display for Defect {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}", self.path.display())?;
        if let Some(offset) = self.offset {
            write!(f, " at offset {offset}")?;
        }
        write!(f, ": {}", self.what)
    }
}

/// What a check came to.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct CheckReport {
    /// Files of the manifest.
    pub manifest_files: u64,
    /// Blocks that the manifest names.
    pub blocks: u64,
    /// Spans in them.
    pub spans: u64,
    /// Events in them, those without span included.
    pub events: u64,
    /// Traces in them; one that is in two blocks counts twice.
    pub traces: u64,
    /// Segments of the log.
    pub segments: u64,
    /// Records in them.
    pub records: u64,
    /// Bytes that were read of all of these.
    pub bytes: u64,
    /// What is wrong, the first thousand.
    pub defects: Vec<Defect>,
    /// How much is wrong.
    pub defect_count: u64,
    /// What is worth knowing and does no harm.
    pub notes: Vec<String>,
}

impl CheckReport {
    /// Whether nothing is wrong.
    pub fn is_whole(&self) -> bool {
        self.defect_count == 0
    }

    fn defect(&mut self, path: impl Into<PathBuf>, offset: Option<u64>, what: String) {
        let path = path.into();
        self.add(Defect { path, offset, what });
    }

    fn add(&mut self, defect: Defect) {
        self.defect_count += 1;
        if self.defects.len() < MAX_DEFECTS {
            self.defects.push(defect);
        }
    }
}

impl Defect {
    fn of_manifest(dir: &Path, error: StoreError) -> Self {
        let (path, what) = match error {
            StoreError::DamagedManifest { path, reason } => (path, reason),
            StoreError::UnknownManifest { path, found, known } => {
                let what = format!(
                    "manifest format {found} is not known; this version reads format {known}"
                );
                (path, what)
            }
            StoreError::Io { path, source } => (path, source.to_string()),
            other => (dir.to_owned(), other.to_string()),
        };
        Self {
            path,
            offset: Some(0),
            what,
        }
    }

    pub(crate) fn of_log(dir: &Path, error: WalError) -> Self {
        let (path, offset, what) = match error {
            WalError::Damaged {
                path,
                offset,
                seq,
                reason,
            } => (path, Some(offset), format!("record {seq}: {reason}")),
            WalError::UnknownFormat {
                path,
                offset,
                what,
                found,
            } => {
                let what = format!("{what} {found} is not known to this version");
                (path, Some(offset), what)
            }
            WalError::Io { path, source, .. } => (path, None, source.to_string()),
            other => (dir.to_owned(), None, other.to_string()),
        };
        Self { path, offset, what }
    }
}

/// How far a check or a backup is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Progress {
    /// Bytes that are done.
    pub bytes_done: u64,
    /// Bytes in all, as far as is known.
    pub bytes_total: u64,
}

/// Checks a data directory: every checksum, every reference, and that what is said of rows is true of them. `read_payload` reads the log's payloads.
///
/// An error means that there is nothing to be checked; what is wrong with the data is in the report.
pub fn check(
    host: &Host,
    data_dir: &Path,
    read_payload: &ReadPayload,
    on_progress: &mut dyn FnMut(Progress),
) -> Result<CheckReport, StoreError> {
    let manifest_dir = data_dir.join("manifest");
    if !host
        .files
        .exists(&manifest_dir)
        .map_err(io(&manifest_dir))?
    {
        return Err(StoreError::NoDataDirectory {
            path: data_dir.to_owned(),
        });
    }
    let mut checker = Checker {
        host,
        data_dir,
        read_payload,
        on_progress,
        progress: Progress::default(),
        report: CheckReport::default(),
    };
    let Some(view) = checker.manifest() else {
        return Ok(checker.report);
    };
    checker.expect(&view.state);
    let state = checker.blocks(view.state);
    checker.deletions(&state);
    if let Some(state) = checker.log(state) {
        checker.leftovers(state)?;
    }
    // What is named already need not be counted, too.
    if checker.report.is_whole()
        && let Some(defect) = lacking(host, data_dir, &checker.report)?
    {
        checker.report.add(defect);
    }
    Ok(checker.report)
}

struct Checker<'a> {
    host: &'a Host,
    data_dir: &'a Path,
    read_payload: &'a ReadPayload,
    on_progress: &'a mut dyn FnMut(Progress),
    progress: Progress,
    report: CheckReport,
}

impl Checker<'_> {
    fn read_manifest(&self) -> Result<ManifestView, StoreError> {
        ManifestView::read(self.host, &self.data_dir.join("manifest"))
    }

    /// Without a manifest it is not known what else should be there.
    fn manifest(&mut self) -> Option<ManifestView> {
        match self.read_manifest() {
            Ok(view) => {
                self.report.manifest_files = view.files;
                self.report.bytes += view.bytes;
                if view.last == 0 {
                    let what = "there is neither a checkpoint nor an edit".to_owned();
                    self.report
                        .defect(self.data_dir.join("manifest"), None, what);
                    return None;
                }
                Some(view)
            }
            Err(error) => {
                let dir = self.data_dir.join("manifest");
                self.report.add(Defect::of_manifest(&dir, error));
                let note = "blocks and log were not checked: the manifest says which belong here";
                self.report.notes.push(note.to_owned());
                None
            }
        }
    }

    /// What there is to be read.
    fn expect(&mut self, state: &ManifestState) {
        let blocks: u64 = state.blocks.values().map(|block| block.bytes).sum();
        let log = self.host.files.list(&self.log_dir()).unwrap_or_default();
        let log: u64 = log.iter().map(|entry| entry.len).sum();
        self.progress.bytes_total = self.report.bytes + blocks + log;
        self.advance(self.report.bytes);
    }

    fn advance(&mut self, bytes: u64) {
        self.progress.bytes_done += bytes;
        (self.on_progress)(self.progress);
    }

    fn log_dir(&self) -> PathBuf {
        self.data_dir.join("log")
    }

    /// Checks the blocks of a state, and those that took the place of one that went meanwhile. Returns the state that was checked.
    fn blocks(&mut self, mut state: ManifestState) -> ManifestState {
        let mut checked: BTreeMap<(TenantId, BlockId), BlockCheck> = BTreeMap::new();
        while let Some((key, meta)) = next_unchecked(&state, &checked) {
            let window_dir = window_dir(self.data_dir, &key.0, meta.window);
            let found = {
                let (progress, on_progress) = (&mut self.progress, &mut self.on_progress);
                block::check(self.host, &window_dir, &meta, &mut |bytes| {
                    progress.bytes_done += bytes;
                    on_progress(*progress);
                })
            };
            if !found.defects.is_empty()
                && let Ok(now) = self.read_manifest()
                && !now.state.blocks.contains_key(&key)
            {
                state = now.state;
                continue;
            }
            checked.insert(key, found);
        }
        for (key, found) in checked {
            // What was replaced after it was checked is not counted: its rows are in another block.
            if !state.blocks.contains_key(&key) {
                continue;
            }
            self.report.blocks += 1;
            self.report.spans += found.spans;
            self.report.events += found.events;
            self.report.traces += found.traces;
            self.report.bytes += found.bytes;
            for defect in found.defects {
                self.report.defect(defect.path, defect.offset, defect.what);
            }
        }
        state
    }

    /// Checks every segment of the log, and that replay finds what it looks for. `None` when the manifest can't be read any more.
    fn log(&mut self, mut state: ManifestState) -> Option<ManifestState> {
        let mut sealed: BTreeMap<u64, Segment> = BTreeMap::new();
        for _ in 0..MAX_ROUNDS {
            match self.log_of(&state, &mut sealed) {
                Ok(()) => return Some(state),
                Err(Changed) => match self.read_manifest() {
                    Ok(now) => state = now.state,
                    Err(error) => {
                        let dir = self.data_dir.join("manifest");
                        self.report.defect(dir, None, error.to_string());
                        return None;
                    }
                },
            }
        }
        let what = format!("its files went {MAX_ROUNDS} times before they could be read");
        self.report.defect(self.log_dir(), None, what);
        Some(state)
    }

    fn log_of(
        &mut self,
        state: &ManifestState,
        sealed: &mut BTreeMap<u64, Segment>,
    ) -> Result<(), Changed> {
        let dir = self.log_dir();
        let names = match SegmentNames::list(&*self.host.files, &dir) {
            Ok(names) => names,
            Err(WalError::Io { source, .. }) if source.kind() == ErrorKind::NotFound => {
                SegmentNames::default()
            }
            Err(error) => {
                self.report.add(Defect::of_log(&dir, error));
                return Ok(());
            }
        };
        let mut segments: Vec<Segment> = Vec::new();
        for (index, first_seq) in names.first_seqs.iter().enumerate() {
            let next = match names.first_seqs.get(index + 1) {
                Some(next) => match SegmentInspector::open(&self.host.files, &dir, *next) {
                    Err(error) if is_gone(&error) => return Err(Changed),
                    next => Some(next.map(|next| next.prev_seq())),
                },
                None => None,
            };
            let segment = match sealed.get(first_seq) {
                Some(known) => known.clone(),
                None => {
                    let segment = self.segment(*first_seq, next.as_ref())?;
                    self.advance(segment.bytes);
                    segment
                }
            };
            if next.is_some() {
                sealed.insert(*first_seq, segment.clone());
            }
            segments.push(segment);
        }

        // Nothing may be missing at the front, and the writer must be one that the manifest knows. Both may be so because the manifest is newer now.
        let gone = segments.first().map(|first| first.prev_seq);
        let newest_epoch = segments.iter().map(|segment| segment.epoch).max();
        let is_short = gone.is_some_and(|gone| gone >= state.replay_from);
        let is_newer = newest_epoch.is_some_and(|epoch| epoch > state.epoch);
        if (is_short || is_newer)
            && let Ok(now) = self.read_manifest()
            && now.state != *state
        {
            return Err(Changed);
        }
        if let Some(gone) = gone.filter(|_| is_short) {
            let what = format!(
                "it begins after record {gone}, and the manifest says that replay begins at {}",
                state.replay_from
            );
            self.report.defect(&dir, None, what);
        }
        if let Some(epoch) = newest_epoch.filter(|_| is_newer) {
            let what = format!(
                "it has a segment of epoch {epoch}, and the manifest's is {}",
                state.epoch
            );
            self.report.defect(&dir, None, what);
        }
        let last_seq = segments.last().map_or(0, |segment| segment.last_seq);
        if last_seq < state.frozen_upto && !state.carried.is_empty() {
            let what = format!(
                "it ends at record {last_seq}, and records up to {} have spans of {} traces that are in no block",
                state.frozen_upto,
                state.carried.len()
            );
            self.report.defect(&dir, None, what);
        }
        for segment in segments {
            self.report.segments += 1;
            self.report.records += segment.records;
            self.report.bytes += segment.bytes;
            for defect in segment.defects {
                self.report.add(defect);
            }
            self.report.notes.extend(segment.note);
        }
        for other in names.others {
            let note = format!("{} is no segment of the log", other.display());
            self.report.notes.push(note);
        }
        Ok(())
    }

    /// Reads a segment. `next` is what the header of the one behind it says of this one's last record; `None` for the last.
    fn segment(
        &self,
        first_seq: u64,
        next: Option<&Result<u64, WalError>>,
    ) -> Result<Segment, Changed> {
        let dir = self.log_dir();
        let mut segment = Segment::default();
        let mut reader = match SegmentInspector::open(&self.host.files, &dir, first_seq) {
            Ok(reader) => reader,
            Err(error) if is_gone(&error) => return Err(Changed),
            Err(error) => {
                segment.defects.push(Defect::of_log(&dir, error));
                return Ok(segment);
            }
        };
        let next = next.and_then(|next| next.as_ref().ok());
        segment.epoch = reader.epoch();
        segment.prev_seq = reader.prev_seq();
        loop {
            if next.is_some_and(|last_seq| reader.last_seq() >= *last_seq) {
                break;
            }
            match reader.read_next() {
                Ok(Inspected::Record(record)) => {
                    segment.records += 1;
                    if let Err(what) = self.read_record(&record) {
                        segment.defects.push(Defect {
                            path: reader.path().to_owned(),
                            offset: Some(record.position.offset),
                            what: format!("record {}: {what}", record.seq),
                        });
                    }
                }
                Ok(Inspected::End) => break,
                Ok(Inspected::Torn(tail)) => {
                    if next.is_some() {
                        let error = reader.damaged(tail.reason);
                        segment.defects.push(Defect::of_log(&dir, error));
                    } else {
                        segment.note = Some(format!(
                            "{} at offset {}: {} bytes are no record yet ({}): a restart cuts them",
                            tail.path.display(),
                            tail.offset,
                            tail.bytes,
                            tail.reason
                        ));
                    }
                    break;
                }
                Err(error) if is_gone(&error) => return Err(Changed),
                Err(error) => {
                    segment.defects.push(Defect::of_log(&dir, error));
                    break;
                }
            }
        }
        segment.last_seq = reader.last_seq();
        segment.bytes = reader.offset();
        if let Some(last_seq) = next
            && segment.defects.is_empty()
            && segment.last_seq != *last_seq
        {
            let reason = format!(
                "the segment ends here, and the next one says that record {last_seq} was the last"
            );
            let error = reader.damaged(reason);
            segment.defects.push(Defect::of_log(&dir, error));
        }
        Ok(segment)
    }

    fn read_record(&self, record: &Record) -> Result<(), String> {
        TenantId::new(&record.tenant).map_err(|error| error.to_string())?;
        let signal = match record.kind {
            RecordKind::Traces => Signal::Traces,
            RecordKind::Logs => Signal::Logs,
            RecordKind::Tombstone => {
                let deletion: Result<WireDeletion, _> = serde_json::from_slice(&record.payload);
                let read = deletion.map_err(|error| error.to_string())?.read();
                return read.map(|_| ());
            }
        };
        match (self.read_payload)(signal, &record.payload) {
            Ok(_) => Ok(()),
            Err(error) => Err(format!("its payload can't be read: {error}")),
        }
    }

    /// A deletion is pending in blocks that are there.
    fn deletions(&mut self, state: &ManifestState) {
        for pending in &state.deletions {
            for id in &pending.blocks {
                let key = (pending.tenant.clone(), id.clone());
                if !state.blocks.contains_key(&key) {
                    let what = format!(
                        "the deletion in record {} is pending in block {id}, which is not there",
                        pending.tombstone.seq
                    );
                    let dir = self.data_dir.join("manifest");
                    self.report.defect(dir, None, what);
                }
            }
        }
    }

    /// What is there and belongs to nothing.
    fn leftovers(&mut self, mut state: ManifestState) -> Result<(), StoreError> {
        let mut folders = Vec::new();
        let blocks = self.data_dir.join("blocks");
        for tenant in self.folders(&blocks)? {
            for window in self.folders(&tenant)? {
                folders.extend(self.folders(&window)?);
            }
        }
        // A block that was named after the manifest was read is no leftover.
        match self.read_manifest() {
            Ok(now) => {
                state.blocks.extend(now.state.blocks);
                for other in now.others {
                    let note = format!("{} is no file of the manifest", other.display());
                    self.report.notes.push(note);
                }
            }
            Err(error) => self.report.notes.push(error.to_string()),
        }
        let named: BTreeSet<PathBuf> = state
            .blocks
            .iter()
            .map(|((tenant, id), meta)| {
                window_dir(self.data_dir, tenant, meta.window).join(id.as_str())
            })
            .collect();
        for folder in folders.iter().filter(|folder| !named.contains(*folder)) {
            self.report.notes.push(format!(
                "{} is named by no manifest: a flush or a merge at work left it, or one that was interrupted; a restart removes it",
                folder.display()
            ));
        }
        Ok(())
    }

    fn folders(&self, path: &Path) -> Result<Vec<PathBuf>, StoreError> {
        match self.host.files.list(path) {
            Ok(entries) => Ok(entries
                .into_iter()
                .filter(|entry| entry.is_dir)
                .map(|entry| path.join(entry.name))
                .collect()),
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(Vec::new()),
            Err(error) => Err(io(path)(error)),
        }
    }
}

/// Files that were there are not any more.
struct Changed;

/// What is known of a segment once it was read.
#[derive(Debug, Clone, Default)]
struct Segment {
    epoch: u64,
    prev_seq: u64,
    last_seq: u64,
    records: u64,
    bytes: u64,
    defects: Vec<Defect>,
    note: Option<String>,
}

fn next_unchecked(
    state: &ManifestState,
    checked: &BTreeMap<(TenantId, BlockId), BlockCheck>,
) -> Option<((TenantId, BlockId), BlockMeta)> {
    state
        .blocks
        .iter()
        .find(|(key, _)| !checked.contains_key(key))
        .map(|(key, meta)| (key.clone(), meta.clone()))
}

pub(crate) fn is_gone(error: &WalError) -> bool {
    matches!(error, WalError::Io { source, .. } if source.kind() == ErrorKind::NotFound)
}

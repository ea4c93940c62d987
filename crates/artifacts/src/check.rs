//! Checks the files of a store against what they say of themselves, whether a server uses them or not. Nothing is written
//! and no lock is taken.
//!
//! A server names a file in the metadata only once it is there, and removes it only when the metadata does not name it any
//! more. So what looks wrong counts only when the metadata still names it.

use std::collections::BTreeSet;
use std::io;
use std::path::{Path, PathBuf};

use host::Host;

use crate::blobs::{Flaw, NamedFile, list_files, verify_blob, verify_chunk};
use crate::error::{Error, Result};
use crate::metadata::{self, Instant, read_frozen};
use crate::named::{Expected, Named, contradictions};
use crate::store::FOLDER;

/// Defects, and notes, that are described one by one; all are counted.
const MAX_DESCRIBED: usize = 1000;
/// How often files are looked at again because the metadata changed meanwhile.
const MAX_ROUNDS: usize = 1000;

/// A file that is not as it was written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Defect {
    /// The file.
    pub path: PathBuf,
    /// What is wrong.
    pub what: String,
}

impl std::fmt::Display for Defect {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}: {}", self.path.display(), self.what)
    }
}

/// What a check came to.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct CheckReport {
    /// Bundles and single files that the metadata names.
    pub bundles: u64,
    /// Files in them.
    pub files: u64,
    /// Blobs: the different ones of these files.
    pub blobs: u64,
    /// Chunks of bundles.
    pub chunks: u64,
    /// Bytes of blobs and chunks on the disk.
    pub bytes: u64,
    /// What is wrong, the first thousand.
    pub defects: Vec<Defect>,
    /// How much is wrong.
    pub defect_count: u64,
    /// What is worth knowing and does no harm, the first thousand.
    pub notes: Vec<String>,
    /// How much that is.
    pub note_count: u64,
}

/// How far a check or a copy is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Progress {
    /// Bytes that are done.
    pub bytes_done: u64,
    /// Bytes in all, as far as is known.
    pub bytes_total: u64,
}

/// Checks what is below `<data_dir>/artifacts`: that each page of the metadata has its checksum, that its rows agree, and
/// that each file that they name is there with its length and digest. Caches are not looked at: they can be lost.
///
/// An error means that it could not be found out; what is wrong is in the report. `None` when there is no such folder.
pub fn check(
    host: &Host,
    data_dir: &Path,
    on_progress: &mut dyn FnMut(Progress),
) -> Result<Option<CheckReport>> {
    let dir = data_dir.join(FOLDER);
    if !host
        .files
        .exists(&dir)
        .map_err(Error::io("look for", &dir))?
    {
        return Ok(None);
    }
    let mut checker = Checker {
        host,
        dir: &dir,
        on_progress,
        progress: Progress::default(),
        report: CheckReport::default(),
    };
    checker.all()?;
    Ok(Some(checker.report))
}

/// What a damaged or missing metadata's file means for who checks or copies; an error that is none of its own is returned.
pub(crate) fn defect_of(dir: &Path, error: Error) -> Result<Defect> {
    let what = match error {
        Error::Metadata(error) => match *error {
            redb::Error::Io(source) if !is_damage(&source) => {
                return Err(Error::io("read", &metadata::path_in(dir))(source));
            }
            error => error.to_string(),
        },
        Error::Damaged(what) => what,
        Error::UnknownFormat {
            found, supported, ..
        } => format!("format {found} is not known; this version reads format {supported}"),
        Error::Io { source, .. } if is_damage(&source) => source.to_string(),
        error => return Err(error),
    };
    let path = metadata::path_in(dir);
    Ok(Defect { path, what })
}

/// What reading says of bytes that are not there, or are not what they should be; redb tells the latter as an I/O error, too.
fn is_damage(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        io::ErrorKind::UnexpectedEof | io::ErrorKind::InvalidData | io::ErrorKind::InvalidInput
    )
}

/// Whether a file is as its row and its name say.
pub(crate) fn verify(
    host: &Host,
    path: &Path,
    name: &NamedFile,
    expected: Expected,
) -> Result<(), Flaw> {
    match (*name, expected) {
        (NamedFile::Blob(sha256, _), Expected::Blob(stored)) => {
            verify_blob(host, path, sha256, stored)
        }
        (NamedFile::Chunk(_, sha1), Expected::Chunk(len)) => verify_chunk(host, path, sha1, len),
        _ => Err(Flaw::Wrong("its row is of another kind".to_owned())),
    }
}

struct Checker<'a> {
    host: &'a Host,
    dir: &'a Path,
    on_progress: &'a mut dyn FnMut(Progress),
    progress: Progress,
    report: CheckReport,
}

impl Checker<'_> {
    fn all(&mut self) -> Result<()> {
        let Some((named, instant)) = self.metadata()? else {
            return Ok(());
        };
        self.report.bundles = named.bundles;
        self.report.files = named.files;
        self.report.bytes = named.bytes();
        self.progress.bytes_total = self.report.bytes;
        let mut suspects = Vec::new();
        for (name, expected) in &named.kept {
            match name {
                NamedFile::Blob(..) => self.report.blobs += 1,
                NamedFile::Chunk(..) => self.report.chunks += 1,
            }
            if let Err(flaw) = verify(self.host, &self.dir.join(name.path()), name, *expected) {
                suspects.push((*name, flaw));
            }
            self.progress.bytes_done += expected.file_len();
            (self.on_progress)(self.progress);
        }
        let known: BTreeSet<NamedFile> = named.kept.keys().copied().collect();
        self.confirm(suspects, instant)?;
        self.leftovers(&known)
    }

    /// Without metadata it is not known what else should be there.
    fn metadata(&mut self) -> Result<Option<(Named, Instant)>> {
        let path = metadata::path_in(self.dir);
        let read = read_frozen(self.host, self.dir, |view| {
            Ok((Named::by(view)?, contradictions(view)?))
        });
        match read {
            Ok(((named, contradictions), instant)) => {
                for what in contradictions {
                    let path = path.clone();
                    self.defect(Defect { path, what });
                }
                Ok(Some((named, instant)))
            }
            Err(Error::Io { source, .. }) if source.kind() == io::ErrorKind::NotFound => {
                let mut kept = 0_u64;
                list_files(self.host, self.dir, |_, named| {
                    kept += u64::from(named.is_some());
                })?;
                if kept > 0 {
                    let what = format!("it is missing, and {kept} blobs and chunks are there");
                    self.defect(Defect { path, what });
                }
                Ok(None)
            }
            Err(error) => {
                let defect = defect_of(self.dir, error)?;
                self.defect(defect);
                let note = "uploads were not checked: the metadata says which files belong here";
                self.note(note.to_owned());
                Ok(None)
            }
        }
    }

    /// Reports the suspects that are not as the metadata says, also when it has changed since `instant`.
    fn confirm(&mut self, mut suspects: Vec<(NamedFile, Flaw)>, instant: Instant) -> Result<()> {
        let path = metadata::path_in(self.dir);
        let mut instant = instant;
        for _ in 0..MAX_ROUNDS {
            if suspects.is_empty() || Instant::now(self.host, &path)? == instant {
                break;
            }
            let read = read_frozen(self.host, self.dir, Named::by);
            let (named, now) = match read {
                Ok(read) => read,
                Err(error) => {
                    let defect = defect_of(self.dir, error)?;
                    self.defect(defect);
                    return Ok(());
                }
            };
            instant = now;
            let mut still = Vec::new();
            for (name, _) in suspects {
                if let Some(expected) = named.kept.get(&name)
                    && let Err(flaw) =
                        verify(self.host, &self.dir.join(name.path()), &name, *expected)
                {
                    still.push((name, flaw));
                }
            }
            suspects = still;
        }
        for (name, flaw) in suspects {
            let what = match flaw {
                Flaw::Missing => "it is missing, and the metadata names it".to_owned(),
                Flaw::Wrong(what) => what,
            };
            let path = self.dir.join(name.path());
            self.defect(Defect { path, what });
        }
        Ok(())
    }

    /// What is there and named by nothing.
    fn leftovers(&mut self, known: &BTreeSet<NamedFile>) -> Result<()> {
        let mut unknown = Vec::new();
        list_files(self.host, self.dir, |path, named| {
            if named.is_none_or(|named| !known.contains(&named)) {
                unknown.push((path, named));
            }
        })?;
        if unknown.is_empty() {
            return Ok(());
        }
        // What an upload named since is no leftover.
        let now = match read_frozen(self.host, self.dir, Named::by) {
            Ok((named, _)) => named,
            Err(error) => {
                let defect = defect_of(self.dir, error)?;
                self.defect(defect);
                return Ok(());
            }
        };
        for (path, named) in unknown {
            if named.is_none_or(|named| !now.kept.contains_key(&named)) {
                self.note(format!(
                    "{} is named by no metadata: an upload at work left it, or one that was interrupted, or it was deleted; the server removes it",
                    path.display()
                ));
            }
        }
        Ok(())
    }

    fn defect(&mut self, defect: Defect) {
        self.report.defect_count += 1;
        if self.report.defects.len() < MAX_DESCRIBED {
            self.report.defects.push(defect);
        }
    }

    fn note(&mut self, note: String) {
        self.report.note_count += 1;
        if self.report.notes.len() < MAX_DESCRIBED {
            self.report.notes.push(note);
        }
    }
}

//! Files of the store by their names, apart from an open store: for checking and copying it.

use std::io::{self, Read};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use host::{File, Host};

use super::{BlobReader, Encoding, Stored, parse_blob_name};
use crate::digest::{Digests, Sha1, Sha256};
use crate::error::{Error, Result};

pub(super) const KEPT: &str = "blobs";
pub(super) const CHUNKS: &str = "chunks";
pub(super) const TEMPORARY: &str = "tmp";
pub(super) const ZSTD_ENDING: &str = ".zst";
const BUFFER_LEN: usize = 256 << 10;

/// A file whose name says what is in it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum NamedFile {
    Blob(Sha256, Encoding),
    /// By organisation and SHA-1.
    Chunk(u64, Sha1),
}

/// Why a file is not what it should be.
#[derive(Debug)]
pub(crate) enum Flaw {
    Missing,
    Wrong(String),
}

impl NamedFile {
    /// Its path below the folder of the store.
    pub(crate) fn path(&self) -> PathBuf {
        match self {
            Self::Blob(sha256, encoding) => {
                let hex = sha256.to_string();
                let ending = match encoding {
                    Encoding::Raw => "",
                    Encoding::Zstd => ZSTD_ENDING,
                };
                let name = format!("{}{ending}", &hex[2..]);
                Path::new(KEPT).join(&hex[..2]).join(name)
            }
            Self::Chunk(organisation, sha1) => Path::new(CHUNKS)
                .join(organisation.to_string())
                .join(sha1.to_string()),
        }
    }
}

/// Whether the file has the length and the digest that its row and its name say.
pub(crate) fn verify_blob(
    host: &Host,
    path: &Path,
    sha256: Sha256,
    stored: Stored,
) -> Result<(), Flaw> {
    let file = open(host, path, stored.file_len)?;
    let reader = BlobReader::new(file, path.to_owned(), stored)
        .map_err(|error| Flaw::Wrong(error.to_string()))?;
    let (_, found) = digests(reader, stored.len)?;
    is_equal("SHA-256", &found, &sha256)
}

/// As [`verify_blob`].
pub(crate) fn verify_chunk(host: &Host, path: &Path, sha1: Sha1, len: u64) -> Result<(), Flaw> {
    let file = open(host, path, len)?;
    let stored = Stored {
        encoding: Encoding::Raw,
        len,
        file_len: len,
    };
    let reader = BlobReader::new(file, path.to_owned(), stored)
        .map_err(|error| Flaw::Wrong(error.to_string()))?;
    let (found, _) = digests(reader, len)?;
    is_equal("SHA-1", &found, &sha1)
}

fn open(host: &Host, path: &Path, len: u64) -> Result<Arc<dyn File>, Flaw> {
    let file = host.files.open(path).map_err(Flaw::of_io)?;
    let found = file.len().map_err(Flaw::of_io)?;
    if found == len {
        return Ok(file);
    }
    Err(Flaw::Wrong(format!(
        "it has {found} bytes, and the metadata says {len}"
    )))
}

/// Reads no further than one byte past `len`: what is inflated may be of any length.
fn digests(reader: impl Read, len: u64) -> Result<(Sha1, Sha256), Flaw> {
    let mut digests = Digests::default();
    let mut buffer = vec![0; BUFFER_LEN];
    let mut reader = reader.take(len.saturating_add(1));
    let mut found = 0;
    loop {
        match reader.read(&mut buffer) {
            Ok(0) => break,
            Ok(read) => {
                digests.update(&buffer[..read]);
                found += read as u64;
            }
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(Flaw::Wrong(format!("it cannot be read: {error}"))),
        }
    }
    if found == len {
        return Ok(digests.finish());
    }
    let more = if found > len { "more" } else { "fewer" };
    Err(Flaw::Wrong(format!(
        "it has {more} than the {len} bytes that the metadata says"
    )))
}

fn is_equal<D: PartialEq + std::fmt::Display>(what: &str, found: &D, due: &D) -> Result<(), Flaw> {
    if found == due {
        return Ok(());
    }
    Err(Flaw::Wrong(format!(
        "its {what} is {found}, and its name says {due}"
    )))
}

impl Flaw {
    fn of_io(error: io::Error) -> Self {
        match error.kind() {
            io::ErrorKind::NotFound => Self::Missing,
            _ => Self::Wrong(format!("it cannot be read: {error}")),
        }
    }
}

/// Every file below the folders of blobs and chunks, with what its name says when it is one of ours, and what is in the
/// folder of unfinished files.
pub(crate) fn list_files(
    host: &Host,
    dir: &Path,
    mut act: impl FnMut(PathBuf, Option<NamedFile>),
) -> Result<()> {
    for prefix in list(host, &dir.join(KEPT))? {
        let folder = dir.join(KEPT).join(&prefix);
        for name in list(host, &folder)? {
            let named = parse_blob_name(&prefix, &name)
                .map(|(sha256, encoding)| NamedFile::Blob(sha256, encoding));
            act(folder.join(name), named);
        }
    }
    for organisation in list(host, &dir.join(CHUNKS))? {
        let folder = dir.join(CHUNKS).join(&organisation);
        for name in list(host, &folder)? {
            let named = match (organisation.parse(), name.parse()) {
                (Ok(organisation), Ok(sha1)) => Some(NamedFile::Chunk(organisation, sha1)),
                _ => None,
            };
            act(folder.join(name), named);
        }
    }
    for name in list(host, &dir.join(TEMPORARY))? {
        act(dir.join(TEMPORARY).join(name), None);
    }
    Ok(())
}

/// Names of a folder's entries; none when it is no folder.
fn list(host: &Host, folder: &Path) -> Result<Vec<String>> {
    match host.files.list(folder) {
        Ok(entries) => Ok(entries.into_iter().map(|entry| entry.name).collect()),
        Err(error)
            if matches!(
                error.kind(),
                io::ErrorKind::NotFound | io::ErrorKind::NotADirectory
            ) =>
        {
            Ok(Vec::new())
        }
        Err(error) => Err(Error::io("list", folder)(error)),
    }
}

//! Writing a file that will be named by what is in it.

use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use host::{File, Files, Host};

use super::{Encoding, Stored};
use crate::digest::{Digests, Sha1, Sha256};
use crate::error::{Error, Result};
use crate::mishaps::Mishaps;

/// So much is looked at before it is decided whether compression pays.
const PROBE_LEN: usize = 64 << 10;
const LEVEL: i32 = 3;
const BUFFER_LEN: usize = 128 << 10;

/// A file that is being written. Dropped without [`finish`](Self::finish), it is gone.
pub(crate) struct BlobWriter {
    temporary: Temporary,
    digests: Digests,
    len: u64,
    compress: bool,
    /// Until it is decided how the bytes are kept.
    probe: Vec<u8>,
    sink: Option<Sink>,
}

enum Sink {
    Raw(BufWriter<FileEnd>),
    Zstd(zstd::stream::write::Encoder<'static, BufWriter<FileEnd>>),
}

impl BlobWriter {
    pub(super) fn create(
        host: &Host,
        folder: &Path,
        compress: bool,
        mishaps: Mishaps,
    ) -> Result<Self> {
        let mut name = [0; 16];
        host.random.fill(&mut name);
        let path = folder.join(format!("{:032x}", u128::from_be_bytes(name)));
        let file = host
            .files
            .create_new(&path)
            .map_err(Error::io("create", &path))?;
        Ok(Self {
            temporary: Temporary {
                files: Arc::clone(&host.files),
                file,
                path,
                mishaps,
            },
            digests: Digests::default(),
            len: 0,
            compress,
            probe: Vec::new(),
            sink: None,
        })
    }

    pub(crate) fn write(&mut self, bytes: &[u8]) -> Result<()> {
        self.digests.update(bytes);
        self.len += bytes.len() as u64;
        self.write_sink(bytes)
            .map_err(Error::io("write", &self.temporary.path))
    }

    /// What was written, with its names. It is not durable yet.
    pub(crate) fn finish(mut self) -> Result<Finished> {
        let path = self.temporary.path.clone();
        let (encoding, file_len) = self.finish_sink().map_err(Error::io("write", &path))?;
        let (sha1, sha256) = self.digests.finish();
        let stored = Stored {
            encoding,
            len: self.len,
            file_len,
        };
        Ok(Finished {
            sha1,
            sha256,
            staged: Staged {
                temporary: self.temporary,
                stored,
            },
        })
    }

    fn write_sink(&mut self, bytes: &[u8]) -> io::Result<()> {
        if self.sink.is_none() {
            self.probe.extend_from_slice(bytes);
            if self.probe.len() < PROBE_LEN {
                return Ok(());
            }
            return self.start_sink();
        }
        match &mut self.sink {
            Some(Sink::Raw(file)) => file.write_all(bytes),
            Some(Sink::Zstd(encoder)) => encoder.write_all(bytes),
            None => Ok(()),
        }
    }

    fn start_sink(&mut self) -> io::Result<()> {
        let probe = std::mem::take(&mut self.probe);
        let end = FileEnd {
            file: Arc::clone(&self.temporary.file),
            offset: 0,
        };
        let mut file = BufWriter::with_capacity(BUFFER_LEN, end);
        if self.compress && pays(&probe)? {
            let mut encoder = zstd::stream::write::Encoder::new(file, LEVEL)?;
            encoder.include_checksum(true)?;
            encoder.write_all(&probe)?;
            self.sink = Some(Sink::Zstd(encoder));
        } else {
            file.write_all(&probe)?;
            self.sink = Some(Sink::Raw(file));
        }
        Ok(())
    }

    fn finish_sink(&mut self) -> io::Result<(Encoding, u64)> {
        if self.sink.is_none() {
            self.start_sink()?;
        }
        let (encoding, file) = match self.sink.take() {
            Some(Sink::Zstd(encoder)) => (Encoding::Zstd, encoder.finish()?),
            Some(Sink::Raw(file)) => (Encoding::Raw, file),
            None => return Err(io::Error::other("nothing was written")),
        };
        let end = file.into_inner().map_err(io::IntoInnerError::into_error)?;
        Ok((encoding, end.offset))
    }
}

/// Whether the first bytes shrink by a tenth at least.
fn pays(probe: &[u8]) -> io::Result<bool> {
    let compressed = zstd::bulk::compress(probe, 1)?;
    Ok(compressed.len() < probe.len() - probe.len() / 10)
}

/// All bytes are in the file.
pub(crate) struct Finished {
    pub(crate) sha1: Sha1,
    pub(crate) sha256: Sha256,
    pub(crate) staged: Staged,
}

/// A whole file without a name of its own. Dropped, it is gone.
pub(crate) struct Staged {
    temporary: Temporary,
    pub(crate) stored: Stored,
}

impl Staged {
    pub(super) fn sync(&self) -> Result<()> {
        self.temporary
            .file
            .sync_data()
            .map_err(Error::io("sync", &self.temporary.path))
    }

    pub(super) fn path(&self) -> &Path {
        &self.temporary.path
    }
}

struct Temporary {
    files: Arc<dyn Files>,
    file: Arc<dyn File>,
    path: PathBuf,
    mishaps: Mishaps,
}

impl Drop for Temporary {
    fn drop(&mut self) {
        // One that stays is removed when the folder is opened next.
        let removed = self.files.remove_file(&self.path);
        self.mishaps.note("remove", &self.path, removed);
    }
}

/// Appends to a file.
struct FileEnd {
    file: Arc<dyn File>,
    offset: u64,
}

impl Write for FileEnd {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.file.write_all_at(bytes, self.offset)?;
        self.offset += bytes.len() as u64;
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

//! Reading a blob from its first byte to its last.

use std::io::{self, BufReader, Read};
use std::path::PathBuf;
use std::sync::Arc;

use host::File;

use super::{Encoding, Stored};
use crate::error::{Error, Result};

/// A stream of a file as it was uploaded.
pub struct BlobReader {
    len: u64,
    inner: Inner,
}

enum Inner {
    Raw(BufReader<FileStart>),
    Zstd(zstd::stream::read::Decoder<'static, BufReader<FileStart>>),
}

impl BlobReader {
    pub(super) fn new(file: Arc<dyn File>, path: PathBuf, stored: Stored) -> Result<Self> {
        let start = FileStart {
            file,
            offset: 0,
            left: stored.file_len,
        };
        let inner = match stored.encoding {
            Encoding::Raw => Inner::Raw(BufReader::with_capacity(64 << 10, start)),
            Encoding::Zstd => {
                let decoder = zstd::stream::read::Decoder::new(start);
                Inner::Zstd(decoder.map_err(Error::io("inflate", &path))?)
            }
        };
        Ok(Self {
            len: stored.len,
            inner,
        })
    }

    /// Bytes that it has from its first to its last.
    pub fn len(&self) -> u64 {
        self.len
    }

    /// Whether it has none.
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }
}

impl Read for BlobReader {
    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        match &mut self.inner {
            Inner::Raw(file) => file.read(buf),
            Inner::Zstd(decoder) => decoder.read(buf),
        }
    }
}

impl std::fmt::Debug for BlobReader {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("BlobReader")
            .field("len", &self.len)
            .finish_non_exhaustive()
    }
}

struct FileStart {
    file: Arc<dyn File>,
    offset: u64,
    left: u64,
}

impl Read for FileStart {
    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        let len = self.left.min(buf.len() as u64) as usize;
        self.file.read_exact_at(&mut buf[..len], self.offset)?;
        self.offset += len as u64;
        self.left -= len as u64;
        Ok(len)
    }
}

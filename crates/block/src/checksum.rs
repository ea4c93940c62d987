//! Files that are checked as they are read: a CRC-32C for each 64 KiB.
//!
//! Checking a whole file before the first read would read gigabytes to answer one query; not checking would trust a disk. So a piece is
//! checked the first time that one of its bytes is wanted.

use std::io::{self, Write};
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use bytes::Bytes;
use host::File;
use parquet::errors::ParquetError;
use parquet::file::reader::{ChunkReader, Length};

/// Bytes of a piece.
pub(crate) const PIECE_BYTES: usize = 64 << 10;

/// Writes a file from its beginning and remembers the checksum of each piece.
pub(crate) struct ChecksumWriter {
    file: Arc<dyn File>,
    offset: u64,
    piece: Vec<u8>,
    checksums: Vec<u32>,
}

impl ChecksumWriter {
    pub(crate) fn new(file: Arc<dyn File>) -> Self {
        Self {
            file,
            offset: 0,
            piece: Vec::with_capacity(PIECE_BYTES),
            checksums: Vec::new(),
        }
    }

    fn write_piece(&mut self) -> io::Result<()> {
        self.file.write_all_at(&self.piece, self.offset)?;
        self.checksums.push(crc32c::crc32c(&self.piece));
        self.offset += self.piece.len() as u64;
        self.piece.clear();
        Ok(())
    }

    /// Writes what is left and makes the file durable; length and checksums.
    pub(crate) fn finish(mut self) -> io::Result<(u64, Vec<u32>)> {
        if !self.piece.is_empty() {
            self.write_piece()?;
        }
        self.file.sync_data()?;
        Ok((self.offset, self.checksums))
    }
}

impl Write for ChecksumWriter {
    fn write(&mut self, buf: &[u8]) -> io::Result<usize> {
        let taken = buf.len().min(PIECE_BYTES - self.piece.len());
        self.piece.extend_from_slice(&buf[..taken]);
        if self.piece.len() == PIECE_BYTES {
            self.write_piece()?;
        }
        Ok(taken)
    }

    /// Pieces are written when they are full: a part of one would get a checksum of its own.
    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Reads a file that [`ChecksumWriter`] wrote.
#[derive(Clone)]
pub(crate) struct CheckedFile {
    inner: Arc<Inner>,
}

struct Inner {
    path: PathBuf,
    file: Arc<dyn File>,
    len: u64,
    checksums: Vec<u32>,
    checked: Vec<AtomicBool>,
}

impl CheckedFile {
    pub(crate) fn new(path: PathBuf, file: Arc<dyn File>, len: u64, checksums: Vec<u32>) -> Self {
        let checked = checksums.iter().map(|_| AtomicBool::new(false)).collect();
        Self {
            inner: Arc::new(Inner {
                path,
                file,
                len,
                checksums,
                checked,
            }),
        }
    }

    fn read(&self, start: u64, length: usize) -> Result<Bytes, ParquetError> {
        let inner = &*self.inner;
        let end = start.saturating_add(length as u64);
        if end > inner.len {
            return Err(ParquetError::EOF(format!(
                "{}: {start}..{end} is beyond its {} bytes",
                inner.path.display(),
                inner.len
            )));
        }
        if length == 0 {
            return Ok(Bytes::new());
        }
        let pieces = start as usize / PIECE_BYTES..end.div_ceil(PIECE_BYTES as u64) as usize;
        if inner.checked[pieces.clone()]
            .iter()
            .all(|checked| checked.load(Ordering::Relaxed))
        {
            return self.read_raw(start, length);
        }
        let from = (pieces.start * PIECE_BYTES) as u64;
        let to = inner.len.min((pieces.end * PIECE_BYTES) as u64);
        let bytes = self.read_raw(from, (to - from) as usize)?;
        for (piece, bytes) in pieces.zip(bytes.chunks(PIECE_BYTES)) {
            if crc32c::crc32c(bytes) != inner.checksums[piece] {
                return Err(ParquetError::General(format!(
                    "{}: damaged: checksum differs in the 64 KiB at offset {}",
                    inner.path.display(),
                    piece * PIECE_BYTES
                )));
            }
            inner.checked[piece].store(true, Ordering::Relaxed);
        }
        let skipped = (start - from) as usize;
        Ok(bytes.slice(skipped..skipped + length))
    }

    fn read_raw(&self, start: u64, length: usize) -> Result<Bytes, ParquetError> {
        let mut bytes = vec![0; length];
        self.inner
            .file
            .read_exact_at(&mut bytes, start)
            .map_err(|error| {
                ParquetError::General(format!("{}: {error}", self.inner.path.display()))
            })?;
        Ok(bytes.into())
    }
}

impl Length for CheckedFile {
    fn len(&self) -> u64 {
        self.inner.len
    }
}

impl ChunkReader for CheckedFile {
    type T = CheckedReader;

    fn get_read(&self, start: u64) -> Result<CheckedReader, ParquetError> {
        Ok(CheckedReader {
            file: self.clone(),
            offset: start,
            buffered: Bytes::new(),
        })
    }

    fn get_bytes(&self, start: u64, length: usize) -> Result<Bytes, ParquetError> {
        self.read(start, length)
    }
}

/// Reads on from an offset, a piece at a time.
pub(crate) struct CheckedReader {
    file: CheckedFile,
    offset: u64,
    buffered: Bytes,
}

impl io::Read for CheckedReader {
    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        if self.buffered.is_empty() {
            let next_piece = (self.offset / PIECE_BYTES as u64 + 1) * PIECE_BYTES as u64;
            let end = self.file.len().min(next_piece);
            let length = end.saturating_sub(self.offset) as usize;
            self.buffered = self
                .file
                .read(self.offset, length)
                .map_err(io::Error::other)?;
            self.offset += length as u64;
        }
        let taken = buf.len().min(self.buffered.len());
        buf[..taken].copy_from_slice(&self.buffered.split_to(taken));
        Ok(taken)
    }
}

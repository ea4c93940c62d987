//! Pieces of bundles on their way. They belong to an organisation: nobody learns what others have.

use std::io::{self, Read};
use std::sync::{Arc, Mutex};

use host::File;
use redb::ReadableTable;

use crate::blobs::Finished;
use crate::bundle::ReadAt;
use crate::digest::Sha1;
use crate::error::{Error, Result};
use crate::metadata::tables::{Tables, View};
use crate::organisations::IfMissing;
use crate::store::{Artifacts, lock};

/// Chunks that one request may ask for or assemble.
pub(crate) const MAX_CHUNKS: usize = 16_384;

impl Artifacts {
    /// Keeps a chunk. `bytes` are the uncompressed ones, and are read to their end or to the limit of
    /// [`Options::chunk_bytes`](crate::Options::chunk_bytes). It is durable when this returns. A chunk that is there already
    /// is verified, and lives on.
    ///
    /// # Errors
    ///
    /// [`Error::Checksum`] when its SHA-1 is not `claimed`, [`Error::TooLarge`], [`Error::Quota`].
    pub fn put_chunk(
        &self,
        organisation: &str,
        claimed: Sha1,
        bytes: &mut dyn Read,
        if_missing: IfMissing,
    ) -> Result<()> {
        let inner = &self.inner;
        let _upload = inner.upload();
        let limit = inner.options.chunk_bytes;
        let finished = self.receive("the chunk", bytes, limit, false)?;
        let Finished { sha1, staged, .. } = finished;
        if sha1 != claimed {
            return Err(Error::Checksum {
                what: "the chunk",
                expected: claimed,
                found: sha1,
            });
        }
        let now = inner.now_ms();
        let len = staged.stored.len;
        // The organisation first: its id is in the chunk's path.
        let view = inner.metadata.view()?;
        let owner = match view.organisation(organisation)? {
            Some(row) => row.id,
            None => {
                let quotas = &inner.options.quotas;
                let row = inner
                    .change(|tables| tables.organisation(organisation, if_missing, quotas, now))?;
                row.id
            }
        };
        let quota = inner.options.quotas.chunk_bytes;
        let stored = inner
            .blobs
            .publish_chunk(owner, sha1, staged)
            .and_then(|folder| inner.blobs.sync([folder]))
            .and_then(|()| {
                inner.change(|tables| tables.put_chunk(organisation, owner, sha1, len, now, quota))
            });
        match stored {
            Ok(dropped) => {
                inner.forget_chunks(dropped.into_iter().map(|sha1| (owner, sha1)));
                Ok(())
            }
            Err(error) => {
                inner.forget_chunks([(owner, sha1)]);
                Err(error)
            }
        }
    }

    /// Which of the chunks the organisation does not have.
    pub fn missing(&self, organisation: &str, chunks: &[Sha1]) -> Result<Vec<Sha1>> {
        check_count(chunks)?;
        let view = self.inner.metadata.view()?;
        match view.organisation(organisation)? {
            Some(owner) => view.missing(owner.id, chunks),
            None => Ok(chunks.to_vec()),
        }
    }

    /// Writes what comes into a file without a name.
    pub(crate) fn receive(
        &self,
        what: &'static str,
        bytes: &mut dyn Read,
        limit: u64,
        compress: bool,
    ) -> Result<Finished> {
        let mut writer = self.inner.blobs.writer(compress)?;
        let mut buffer = vec![0; 64 << 10];
        let mut len = 0;
        loop {
            let read = match bytes.read(&mut buffer) {
                Ok(0) => return writer.finish(),
                Ok(read) => read,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                // What cannot be inflated, or a client that went away.
                Err(error) => {
                    return Err(Error::invalid(
                        what,
                        &error.to_string(),
                        "is why it could not be read",
                    ));
                }
            };
            len += read as u64;
            if len > limit {
                return Err(Error::TooLarge { what, limit });
            }
            writer.write(&buffer[..read])?;
        }
    }
}

pub(crate) fn check_count(chunks: &[Sha1]) -> Result<()> {
    if chunks.len() <= MAX_CHUNKS {
        return Ok(());
    }
    Err(Error::invalid(
        "the list of chunks with",
        &chunks.len().to_string(),
        "entries is longer than 16384",
    ))
}

impl View {
    pub(crate) fn missing(&self, owner: u64, chunks: &[Sha1]) -> Result<Vec<Sha1>> {
        let mut missing = Vec::new();
        for sha1 in chunks {
            if self.chunks.get((owner, &sha1.0))?.is_none() && !missing.contains(sha1) {
                missing.push(*sha1);
            }
        }
        Ok(missing)
    }
}

impl Tables<'_> {
    /// Returns the chunks that made room: of those that bundles were made of already, the oldest.
    fn put_chunk(
        &mut self,
        organisation: &str,
        owner: u64,
        sha1: Sha1,
        len: u64,
        now_ms: u64,
        quota: u64,
    ) -> Result<Vec<Sha1>> {
        let known = self.chunks.get((owner, &sha1.0))?.is_some();
        self.chunks.insert((owner, &sha1.0), (len, now_ms, false))?;
        if known {
            return Ok(Vec::new());
        }
        let mut bytes = 0;
        self.change_organisation(owner, |_, row| {
            row.chunk_bytes += len;
            bytes = row.chunk_bytes;
            Ok(())
        })?;
        if bytes <= quota {
            return Ok(Vec::new());
        }
        let mut used = Vec::new();
        for entry in self
            .chunks
            .range((owner, &[0; 20])..=(owner, &[0xff; 20]))?
        {
            let (key, value) = entry?;
            let (len, uploaded_ms, is_used) = value.value();
            if is_used {
                used.push((uploaded_ms, *key.value().1, len));
            }
        }
        used.sort_unstable();
        let mut dropped = Vec::new();
        for (_, used_sha1, len) in used {
            if bytes <= quota {
                break;
            }
            self.chunks.remove((owner, &used_sha1))?;
            bytes -= len;
            dropped.push(Sha1(used_sha1));
        }
        if bytes > quota {
            return Err(Error::Quota {
                scope: format!("the organisation {organisation:?}"),
                what: "bytes of chunks that wait to be assembled",
                limit: quota,
            });
        }
        self.change_organisation(owner, |_, row| {
            row.chunk_bytes = bytes;
            Ok(())
        })?;
        Ok(dropped)
    }

    pub(crate) fn mark_chunks_used(&mut self, owner: u64, chunks: &[Sha1]) -> Result<()> {
        for sha1 in chunks {
            let known = self.chunks.get((owner, &sha1.0))?.map(|row| row.value());
            if let Some((len, uploaded_ms, _)) = known {
                self.chunks
                    .insert((owner, &sha1.0), (len, uploaded_ms, true))?;
            }
        }
        Ok(())
    }
}

/// Chunks one after the other, as the bundle that they are pieces of.
pub(crate) struct Concatenated {
    artifacts: Artifacts,
    owner: u64,
    /// Where each begins, and the chunk.
    parts: Vec<(u64, Sha1)>,
    len: u64,
    /// The one that was read last: a bundle may have more chunks than a process may have open files.
    open: Mutex<Option<(usize, Arc<dyn File>)>>,
}

impl Concatenated {
    /// Opens the chunks. `limit` bounds their bytes together.
    pub(crate) fn open(
        artifacts: &Artifacts,
        view: &View,
        owner: u64,
        chunks: &[Sha1],
        limit: u64,
    ) -> Result<Self> {
        let mut parts = Vec::with_capacity(chunks.len());
        let mut len = 0_u64;
        for sha1 in chunks {
            let row = view.chunks.get((owner, &sha1.0))?;
            let row = row.ok_or_else(|| Error::not_found("chunk", sha1))?;
            parts.push((len, *sha1));
            len += row.value().0;
            if len > limit {
                return Err(Error::TooLarge {
                    what: "the bundle",
                    limit,
                });
            }
        }
        Ok(Self {
            artifacts: artifacts.clone(),
            owner,
            parts,
            len,
            open: Mutex::default(),
        })
    }

    fn end(&self, index: usize) -> u64 {
        self.parts.get(index + 1).map_or(self.len, |next| next.0)
    }

    fn file(&self, index: usize) -> io::Result<Arc<dyn File>> {
        let mut open = lock(&self.open);
        match &*open {
            Some((known, file)) if *known == index => return Ok(Arc::clone(file)),
            _ => {}
        }
        let (start, sha1) = self.parts[index];
        let len = self.end(index) - start;
        let blobs = &self.artifacts.inner.blobs;
        let file = blobs.open_chunk(self.owner, sha1, len);
        let file = file.map_err(io::Error::other)?;
        *open = Some((index, Arc::clone(&file)));
        Ok(file)
    }
}

impl ReadAt for Concatenated {
    fn len(&self) -> u64 {
        self.len
    }

    fn read_exact_at(&self, mut buf: &mut [u8], mut offset: u64) -> io::Result<()> {
        while !buf.is_empty() {
            let next = self.parts.partition_point(|(start, _)| *start <= offset);
            let index = next.checked_sub(1).ok_or(io::ErrorKind::UnexpectedEof)?;
            let left = self.end(index).saturating_sub(offset);
            let len = left.min(buf.len() as u64) as usize;
            if len == 0 {
                return Err(io::ErrorKind::UnexpectedEof.into());
            }
            let (now, rest) = buf.split_at_mut(len);
            self.file(index)?
                .read_exact_at(now, offset - self.parts[index].0)?;
            buf = rest;
            offset += len as u64;
        }
        Ok(())
    }
}

//! The bytes of one entry, block by block, held to what the directory said of them.

use flate2::{Crc, Decompress, FlushDecompress, Status};

use super::archive::{
    Entry, FLAGS_OF_SECRETS, LOCAL_LEN, TOO_LARGE_FOR_32, Zip64Numbers, read_vec, u16_at, u32_at,
};
use super::error::{BundleError, cut};
use super::source::ReadAt;
use crate::options::BundleLimits;

const LOCAL_SIGNATURE: [u8; 4] = *b"PK\x03\x04";
/// Lengths and checksum follow the bytes instead of standing before them.
const FLAG_LENGTHS_FOLLOW: u16 = 1 << 3;
const BLOCK_LEN: usize = 64 << 10;

/// A stream of the bytes of one entry.
pub(crate) struct EntryReader<'a, S: ?Sized> {
    source: &'a S,
    path: String,
    declared: u64,
    crc_declared: u32,
    ratio_limit: Option<(u64, u64)>,
    offset: u64,
    left: u64,
    inflate: Option<Decompress>,
    input: Vec<u8>,
    input_start: usize,
    output: Vec<u8>,
    produced: u64,
    crc: Crc,
    is_done: bool,
}

impl<'a, S: ReadAt + ?Sized> EntryReader<'a, S> {
    pub(super) fn open(
        source: &'a S,
        entry: &Entry,
        limits: &BundleLimits,
    ) -> Result<Self, BundleError> {
        let offset = check_local_header(source, entry)?;
        let path = cut(&entry.name);
        let allowed = limits
            .ratio_from_bytes
            .max(entry.compressed_len.saturating_mul(limits.ratio));
        if entry.len > allowed {
            return Err(BundleError::Ratio {
                path,
                limit: limits.ratio,
            });
        }
        Ok(Self {
            source,
            declared: entry.len,
            crc_declared: entry.crc,
            ratio_limit: Some((allowed, limits.ratio)),
            path,
            offset,
            left: entry.compressed_len,
            inflate: (entry.method == 8).then(|| Decompress::new(false)),
            input: Vec::new(),
            input_start: 0,
            output: vec![0; BLOCK_LEN],
            produced: 0,
            crc: Crc::new(),
            is_done: false,
        })
    }

    /// The next bytes, not empty; `None` at the end, when length and checksum were right.
    pub(crate) fn next_block(&mut self) -> Result<Option<&[u8]>, BundleError> {
        if self.is_done {
            return Ok(None);
        }
        let len = match self.inflate.take() {
            Some(mut inflate) => {
                let len = self.inflate_block(&mut inflate);
                self.inflate = Some(inflate);
                len?
            }
            None => self.stored_block()?,
        };
        self.produced += len as u64;
        if self.produced > self.declared {
            return Err(self.wrong_length("more"));
        }
        if len == 0 {
            return self.finish().map(|()| None);
        }
        let block = &self.output[..len];
        self.crc.update(block);
        Ok(Some(block))
    }

    fn finish(&mut self) -> Result<(), BundleError> {
        self.is_done = true;
        if self.produced != self.declared {
            return Err(self.wrong_length(&self.produced.to_string()));
        }
        if self.left != 0 || self.input_start != self.input.len() {
            return Err(BundleError::EntryContradiction {
                path: self.path.clone(),
                what: "something stands after its compressed bytes",
            });
        }
        if self.crc.sum() != self.crc_declared {
            return Err(BundleError::Crc {
                path: self.path.clone(),
            });
        }
        Ok(())
    }

    fn wrong_length(&self, found: &str) -> BundleError {
        match self.ratio_limit {
            Some((allowed, limit)) if self.produced > allowed => BundleError::Ratio {
                path: self.path.clone(),
                limit,
            },
            _ => BundleError::Length {
                path: self.path.clone(),
                declared: self.declared,
                found: found.to_owned(),
            },
        }
    }

    fn stored_block(&mut self) -> Result<usize, BundleError> {
        let len = self.left.min(BLOCK_LEN as u64) as usize;
        self.source
            .read_exact_at(&mut self.output[..len], self.offset)
            .map_err(BundleError::Read)?;
        self.offset += len as u64;
        self.left -= len as u64;
        Ok(len)
    }

    fn inflate_block(&mut self, inflate: &mut Decompress) -> Result<usize, BundleError> {
        let damaged = || BundleError::Deflate {
            path: self.path.clone(),
        };
        let mut filled = 0;
        loop {
            if self.input_start == self.input.len() && self.left > 0 {
                let len = self.left.min(BLOCK_LEN as u64);
                self.input = read_vec(self.source, self.offset, len)?;
                self.input_start = 0;
                self.offset += len;
                self.left -= len;
            }
            let (before_in, before_out) = (inflate.total_in(), inflate.total_out());
            let status = inflate
                .decompress(
                    &self.input[self.input_start..],
                    &mut self.output[filled..],
                    FlushDecompress::None,
                )
                .map_err(|_| damaged())?;
            let consumed = inflate.total_in() - before_in;
            let written = inflate.total_out() - before_out;
            self.input_start += consumed as usize;
            filled += written as usize;
            if status == Status::StreamEnd || filled == BLOCK_LEN {
                return Ok(filled);
            }
            // Neither bytes in nor bytes out: the stream is cut.
            if consumed == 0 && written == 0 && self.left == 0 {
                return Err(damaged());
            }
        }
    }
}

/// Compares what stands before the bytes with the directory, and says where the bytes begin.
fn check_local_header<S: ReadAt + ?Sized>(source: &S, entry: &Entry) -> Result<u64, BundleError> {
    let contradiction = |what| BundleError::EntryContradiction {
        path: cut(&entry.name),
        what,
    };
    let header = read_vec(source, entry.offset, LOCAL_LEN)?;
    if !header.starts_with(&LOCAL_SIGNATURE) {
        return Err(contradiction("its header is not where the directory says"));
    }
    let flags = u16_at(&header, 6);
    if flags & FLAGS_OF_SECRETS != 0 {
        return Err(BundleError::Encrypted {
            path: cut(&entry.name),
        });
    }
    let name_len = u64::from(u16_at(&header, 26));
    let extra_len = u64::from(u16_at(&header, 28));
    let data_offset = entry.offset + LOCAL_LEN + name_len + extra_len;
    if data_offset
        .checked_add(entry.compressed_len)
        .is_none_or(|end| end > entry.end)
    {
        return Err(contradiction("its bytes reach into the next entry"));
    }
    let name_and_extra = read_vec(source, entry.offset + LOCAL_LEN, name_len + extra_len)?;
    let (name, extra) = name_and_extra.split_at(name_len as usize);
    if name != entry.name.as_bytes() {
        return Err(contradiction("its header has another name"));
    }
    if u16_at(&header, 8) != entry.method {
        return Err(contradiction("its header has another compression"));
    }
    if flags & FLAG_LENGTHS_FOLLOW == 0 && entry.flags & FLAG_LENGTHS_FOLLOW == 0 {
        let mut numbers = Zip64Numbers::find(extra).map_err(contradiction)?;
        let mut number = |at: usize| match u64::from(u32_at(&header, at)) {
            TOO_LARGE_FOR_32 => numbers.next(),
            small => Some(small),
        };
        let lens = (number(22), number(18));
        if lens != (Some(entry.len), Some(entry.compressed_len)) {
            return Err(contradiction("its header has other lengths"));
        }
    }
    Ok(data_offset)
}

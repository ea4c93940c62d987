//! The bytes of one simulated file: what a reader sees, and what the platter holds.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::random::SimRandom;

/// What a disk writes whole or not at all.
pub(super) const SECTOR_BYTES: u64 = 512;

type Sector = Arc<[u8; SECTOR_BYTES as usize]>;

/// Bytes, sparse: a sector that is missing reads as zeros.
#[derive(Debug, Clone, Default)]
pub(super) struct Content {
    sectors: BTreeMap<u64, Sector>,
    len: u64,
}

impl Content {
    pub(super) fn len(&self) -> u64 {
        self.len
    }

    /// Fills `buf` from `offset`; false when the content ends first.
    pub(super) fn read(&self, buf: &mut [u8], offset: u64) -> bool {
        if offset.saturating_add(buf.len() as u64) > self.len {
            return false;
        }
        buf.fill(0);
        let end = offset + buf.len() as u64;
        let touched = offset / SECTOR_BYTES..end.div_ceil(SECTOR_BYTES);
        // Only what is there: most of a preallocated file is not.
        for (index, sector) in self.sectors.range(touched) {
            let at = index * SECTOR_BYTES;
            let from = at.max(offset);
            let to = (at + SECTOR_BYTES).min(end);
            let within = (from - at) as usize..(to - at) as usize;
            let piece = (from - offset) as usize..(to - offset) as usize;
            buf[piece].copy_from_slice(&sector[within]);
        }
        true
    }

    fn write(&mut self, buf: &[u8], offset: u64) {
        for (index, within, range) in pieces(offset, buf.len()) {
            let piece = &buf[range];
            let sector = self.sectors.entry(index).or_insert_with(zeros);
            Arc::make_mut(sector)[within..within + piece.len()].copy_from_slice(piece);
        }
        self.len = self.len.max(offset + buf.len() as u64);
    }

    /// Cuts or extends; what is beyond a cut reads as zeros should the length grow again.
    fn set_len(&mut self, len: u64) {
        if len < self.len {
            self.sectors.split_off(&len.div_ceil(SECTOR_BYTES));
            let within = (len % SECTOR_BYTES) as usize;
            if within > 0
                && let Some(last) = self.sectors.get_mut(&(len / SECTOR_BYTES))
            {
                Arc::make_mut(last)[within..].fill(0);
            }
        }
        self.len = len;
    }

    fn put(&mut self, index: u64, sector: Option<Sector>) {
        match sector {
            Some(sector) => self.sectors.insert(index, sector),
            None => self.sectors.remove(&index),
        };
    }
}

/// One file's content, live and durable.
#[derive(Debug, Default)]
pub(super) struct FileData {
    live: Content,
    durable: Content,
    /// Sectors written since the last sync, each with the versions that were overwritten
    /// meanwhile: the kernel may have written any of them.
    dirty: BTreeMap<u64, Vec<Option<Sector>>>,
    /// Sectors whose sync failed, with what the disk may or may not have got of them.
    lost: BTreeMap<u64, Vec<Option<Sector>>>,
    /// Lengths that the file had since the last sync.
    lens: Vec<u64>,
    /// Sectors below this one have room on the disk, written or not.
    reserved_sectors: u64,
}

impl FileData {
    /// A file whose bytes are durable already.
    pub(super) fn durable(bytes: &[u8]) -> Self {
        let mut data = Self::default();
        data.write(bytes, 0);
        data.sync();
        data
    }

    pub(super) fn live(&self) -> &Content {
        &self.live
    }

    pub(super) fn write(&mut self, buf: &[u8], offset: u64) {
        for (index, _, _) in pieces(offset, buf.len()) {
            self.mark_dirty(index);
        }
        self.lens.push(self.live.len);
        self.live.write(buf, offset);
    }

    pub(super) fn set_len(&mut self, len: u64) {
        let cut: Vec<u64> = self
            .live
            .sectors
            .range(len / SECTOR_BYTES..)
            .map(|(index, _)| *index)
            .collect();
        for index in cut {
            self.mark_dirty(index);
        }
        self.lens.push(self.live.len);
        self.live.set_len(len);
        self.reserved_sectors = self.reserved_sectors.min(len.div_ceil(SECTOR_BYTES));
    }

    pub(super) fn preallocate(&mut self, len: u64) {
        if len > self.live.len {
            self.set_len(len);
        }
        self.reserved_sectors = self.reserved_sectors.max(len.div_ceil(SECTOR_BYTES));
    }

    /// Bytes that the file takes on the disk.
    pub(super) fn allocated(&self) -> u64 {
        let beyond = self.live.sectors.range(self.reserved_sectors..).count() as u64;
        (self.reserved_sectors + beyond) * SECTOR_BYTES
    }

    /// How many bytes of a write of `len` at `offset` fit when `free` bytes are left.
    pub(super) fn fitting(&self, len: usize, offset: u64, mut free: u64) -> usize {
        for (index, _, range) in pieces(offset, len) {
            if index < self.reserved_sectors || self.live.sectors.contains_key(&index) {
                continue;
            }
            if free < SECTOR_BYTES {
                return range.start;
            }
            free -= SECTOR_BYTES;
        }
        len
    }

    pub(super) fn sync(&mut self) {
        for index in std::mem::take(&mut self.dirty).into_keys() {
            let sector = self.live.sectors.get(&index).cloned();
            self.durable.put(index, sector);
            self.lost.remove(&index);
        }
        self.durable.set_len(self.live.len);
        self.lens.clear();
    }

    /// A sync failed: the kernel marks the pages clean all the same. They read as written, no later
    /// sync writes them, and whether the disk got them is open.
    pub(super) fn lose_unsynced(&mut self) {
        for (index, mut versions) in std::mem::take(&mut self.dirty) {
            versions.push(self.live.sectors.get(&index).cloned());
            self.lost.entry(index).or_default().append(&mut versions);
        }
        self.lens.clear();
    }

    /// The power went: nothing that was not synced is left.
    pub(super) fn drop_unsynced(&mut self) {
        self.dirty.clear();
        self.lost.clear();
        self.lens.clear();
        self.live = self.durable.clone();
        self.forget_room();
    }

    /// The power went: of what was not synced, sectors are there or not, old or new, in any
    /// order, and so is the length.
    pub(super) fn tear(&mut self, random: &SimRandom) {
        // Whole pages as a page cache writes them, single sectors as a disk does, or whole files.
        let sectors_per_choice = [1, 8, u64::MAX][random.below(3) as usize];
        let kept_in_eight = [1, 4, 7][random.below(3) as usize];

        let mut lens = std::mem::take(&mut self.lens);
        lens.push(self.durable.len);
        lens.push(self.live.len);
        let len = lens[random.below(lens.len() as u64) as usize];
        self.durable.len = self.durable.len.max(len);

        let mut unsynced = std::mem::take(&mut self.lost);
        for (index, mut versions) in std::mem::take(&mut self.dirty) {
            versions.push(self.live.sectors.get(&index).cloned());
            unsynced.entry(index).or_default().append(&mut versions);
        }
        let mut choice = (None, false);
        for (index, mut versions) in unsynced {
            let group = index / sectors_per_choice;
            if choice.0 != Some(group) {
                choice = (Some(group), random.below(8) < kept_in_eight);
            }
            if choice.1 {
                let version = versions.swap_remove(random.below(versions.len() as u64) as usize);
                self.durable.put(index, version);
            }
        }
        self.durable.set_len(len);
        self.live = self.durable.clone();
        self.forget_room();
    }

    /// Turns one bit over, in memory and on the platter.
    pub(super) fn flip(&mut self, offset: u64, bit: u8) {
        for content in [&mut self.live, &mut self.durable] {
            let mut byte = [0];
            if content.read(&mut byte, offset) {
                content.write(&[byte[0] ^ (1 << (bit % 8))], offset);
            }
        }
    }

    fn forget_room(&mut self) {
        self.reserved_sectors = self
            .reserved_sectors
            .min(self.live.len.div_ceil(SECTOR_BYTES));
    }

    fn mark_dirty(&mut self, index: u64) {
        let current = self.live.sectors.get(&index).cloned();
        self.dirty
            .entry(index)
            .and_modify(|overwritten| overwritten.push(current))
            .or_default();
    }
}

fn zeros() -> Sector {
    Arc::new([0; SECTOR_BYTES as usize])
}

/// The sectors that `len` bytes at `offset` touch: index, offset within it, range of the bytes.
fn pieces(offset: u64, len: usize) -> impl Iterator<Item = (u64, usize, std::ops::Range<usize>)> {
    let mut done = 0;
    std::iter::from_fn(move || {
        if done == len {
            return None;
        }
        let at = offset + done as u64;
        let within = (at % SECTOR_BYTES) as usize;
        let end = len.min(done + SECTOR_BYTES as usize - within);
        let range = done..end;
        done = end;
        Some((at / SECTOR_BYTES, within, range))
    })
}

//! What is kept how long: by when it was used last.

use std::collections::BTreeMap;

use redb::ReadableTable;

use crate::bundles::BundleId;
use crate::commit::day_of;
use crate::error::Result;
use crate::metadata::rows::{BundleRow, ReleaseRow, decode};
use crate::metadata::tables::row;
use crate::store::{Artifacts, lock};

/// Bundles whose use is remembered until the next sweep.
const MAX_REMEMBERED: usize = 100_000;
const BATCH: usize = 200;

/// Which bundles were used, and on which day. Written by sweeps: looking a frame up writes nothing.
#[derive(Default)]
pub(crate) struct Used {
    days: BTreeMap<BundleId, Day>,
}

struct Day {
    day: u64,
    is_written: bool,
}

/// What a sweep did.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Swept {
    /// Bundles and single files that nobody had used for too long.
    pub bundles: u64,
    /// Releases without files that nothing had happened to for too long.
    pub releases: u64,
    /// Chunks that nobody had assembled, or that were assembled long ago.
    pub chunks: u64,
    /// Files that nothing named any more.
    pub files: u64,
}

impl Artifacts {
    /// Says that a file of the bundle resolved a frame. It costs no I/O; the next [`sweep`](Self::sweep) writes it.
    pub fn mark_used(&self, bundle: BundleId) {
        let today = day_of(self.inner.now_ms());
        let mut used = lock(&self.inner.used);
        if used
            .days
            .get(&bundle)
            .is_some_and(|known| known.day >= today)
        {
            return;
        }
        if used.days.len() >= MAX_REMEMBERED {
            used.days.retain(|_, known| !known.is_written);
        }
        // Full of what was not written yet, it forgets: the bundle is used again if it matters.
        if used.days.len() < MAX_REMEMBERED {
            let day = Day {
                day: today,
                is_written: false,
            };
            used.days.insert(bundle, day);
        }
    }

    /// Writes what was used, and removes what was not for too long, chunks that are too old, and files that nothing names.
    /// Waits for running uploads. To be called about once an hour, and before the end.
    pub fn sweep(&self) -> Result<Swept> {
        self.write_used()?;
        let swept = Swept {
            bundles: self.sweep_bundles()?,
            releases: self.sweep_releases()?,
            chunks: self.sweep_chunks()?,
            files: self.inner.collect_garbage(true)?,
        };
        Ok(swept)
    }

    /// Writes which bundles were used since the last time.
    pub fn write_used(&self) -> Result<()> {
        let mut pending: Vec<(BundleId, u64)> = Vec::new();
        for (bundle, known) in &mut lock(&self.inner.used).days {
            if !known.is_written {
                known.is_written = true;
                pending.push((*bundle, known.day));
            }
        }
        for batch in pending.chunks(BATCH) {
            self.inner.change(|tables| {
                for (bundle, day) in batch {
                    // Deleted in the meantime?
                    let Some(mut row): Option<BundleRow> = row(&tables.bundles, bundle.0)? else {
                        continue;
                    };
                    if row.used_day < *day {
                        row.used_day = *day;
                        tables.put_bundle(bundle.0, &row)?;
                    }
                }
                Ok(())
            })?;
        }
        Ok(())
    }

    fn sweep_bundles(&self) -> Result<u64> {
        let days = self.inner.options.unused_for.as_secs() / (24 * 60 * 60);
        let Some(oldest) = day_of(self.inner.now_ms()).checked_sub(days) else {
            return Ok(0);
        };
        let view = self.inner.metadata.view()?;
        let mut unused = Vec::new();
        for entry in view.bundles.iter()? {
            let (key, value) = entry?;
            let row: BundleRow = decode(value.value())?;
            if row.used_day < oldest {
                unused.push(BundleId(key.value()));
            }
        }
        drop(view);
        let mut swept = 0;
        for batch in unused.chunks(BATCH) {
            swept += self.inner.change(|tables| {
                let mut swept = 0;
                for id in batch {
                    let row: Option<BundleRow> = row(&tables.bundles, id.0)?;
                    if row.is_some_and(|row| row.used_day < oldest) {
                        tables.keep_places(*id, |_| false)?;
                        swept += 1;
                    }
                }
                tables.bump_generation()?;
                Ok(swept)
            })?;
        }
        Ok(swept)
    }

    fn sweep_releases(&self) -> Result<u64> {
        let kept_ms = self.inner.options.unused_for.as_millis() as u64;
        let Some(oldest) = self.inner.now_ms().checked_sub(kept_ms) else {
            return Ok(0);
        };
        let is_old = |row: &ReleaseRow| row.bundles == 0 && row.changed_ms < oldest;
        let view = self.inner.metadata.view()?;
        let mut old = Vec::new();
        for entry in view.releases.iter()? {
            let (key, value) = entry?;
            if is_old(&decode(value.value())?) {
                let (owner, version) = key.value();
                old.push((owner, version.to_owned()));
            }
        }
        drop(view);
        let mut swept = 0;
        for batch in old.chunks(BATCH) {
            swept += self.inner.change(|tables| {
                let mut swept = 0;
                for (owner, version) in batch {
                    let row: Option<ReleaseRow> =
                        row(&tables.releases, (*owner, version.as_str()))?;
                    if row.is_some_and(|row| is_old(&row)) {
                        swept += u64::from(tables.delete_release(*owner, version)?);
                    }
                }
                Ok(swept)
            })?;
        }
        Ok(swept)
    }

    fn sweep_chunks(&self) -> Result<u64> {
        let kept_ms = self.inner.options.chunks_for.as_millis() as u64;
        let Some(oldest) = self.inner.now_ms().checked_sub(kept_ms) else {
            return Ok(0);
        };
        let view = self.inner.metadata.view()?;
        let mut owners = Vec::new();
        for entry in view.organisation_names.iter()? {
            owners.push(entry?.0.value());
        }
        let mut swept = 0;
        for owner in owners {
            let range = (owner, &[0; 20])..=(owner, &[0xff; 20]);
            let mut has_old = false;
            for entry in view.chunks.range(range)? {
                has_old = has_old || entry?.1.value().1 < oldest;
            }
            if !has_old {
                continue;
            }
            let gone = self
                .inner
                .change(|tables| tables.delete_chunks(owner, |uploaded_ms| uploaded_ms < oldest))?;
            swept += gone.len() as u64;
            self.inner
                .forget_chunks(gone.into_iter().map(|sha1| (owner, sha1)));
        }
        Ok(swept)
    }
}

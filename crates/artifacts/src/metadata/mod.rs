//! The transactions of the store: one file of redb.

mod backend;
mod frozen;
pub(crate) mod rows;
pub(crate) mod tables;

use std::io;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use host::Host;
use redb::{Builder, Database, ReadableDatabase};

use backend::Backend;
use frozen::Frozen;
pub(crate) use frozen::Instant;
use tables::{FORMAT, GENERATION, Tables, View, meta};

use crate::blobs::Encoding;
use crate::digest::Sha256;
use crate::error::{Error, Result};

/// The format of the tables. Another number is another layout, which is refused.
pub(crate) const FORMAT_VERSION: u64 = 1;

const FILE_NAME: &str = "metadata.redb";
const NEW_FILE_NAME: &str = "metadata.new";
/// A file that is written to is read anew until nobody committed meanwhile: so often at least, and for so long.
const MIN_ROUNDS: u32 = 1000;
const MIN_TIME: Duration = Duration::from_mins(10);
/// And no more often, whatever the clock says.
const MAX_ROUNDS: u32 = 10_000_000;
/// A file that is no larger is read into memory as a whole.
const MAX_IN_MEMORY: u64 = 256 << 20;
/// Memory for pages while a copy is made or a file is checked, in bytes.
const READING_MEMORY_BYTES: usize = 32 << 20;

/// The metadata's file, open.
pub(crate) struct Metadata {
    database: Database,
    generation: AtomicU64,
}

impl Metadata {
    /// Opens the file in `dir`, or makes it.
    pub(crate) fn open(host: &Host, dir: &Path, memory_bytes: usize) -> Result<Self> {
        let path = dir.join(FILE_NAME);
        let exists = host
            .files
            .exists(&path)
            .map_err(Error::io("look for", &path))?;
        if !exists {
            create(host, dir, memory_bytes)?;
        }
        let file = host
            .files
            .open_write(&path)
            .map_err(Error::io("open", &path))?;
        let database = builder(memory_bytes).create_with_backend(Backend::new(file))?;
        let view = open_view(&database, dir)?;
        let generation = meta(&view.meta, GENERATION)?;
        drop(view);
        Ok(Self {
            database,
            generation: AtomicU64::new(generation),
        })
    }

    /// The state of now, as long as the view lives.
    pub(crate) fn view(&self) -> Result<View> {
        View::open(&self.database.begin_read()?)
    }

    /// All of `act` or, when it fails, nothing. When it returns, the change is durable. Returns the blobs that became garbage.
    pub(crate) fn change<R>(
        &self,
        act: impl FnOnce(&mut Tables<'_>) -> Result<R>,
    ) -> Result<(R, Vec<(Sha256, Encoding)>)> {
        let mut transaction = self.database.begin_write()?;
        // What uploaders write is in these pages: checksums alone must not decide which commit counts.
        transaction.set_quick_repair(true);
        let mut tables = Tables::open(&transaction)?;
        let result = act(&mut tables)?;
        let garbage = std::mem::take(&mut tables.garbage);
        let generation = meta(&tables.meta, GENERATION)?;
        drop(tables);
        transaction.commit()?;
        self.generation.store(generation, Ordering::Release);
        Ok((result, garbage))
    }

    pub(crate) fn generation(&self) -> u64 {
        self.generation.load(Ordering::Acquire)
    }
}

/// Where the metadata of the folder `dir` is.
pub(crate) fn path_in(dir: &Path) -> PathBuf {
    dir.join(FILE_NAME)
}

/// Reads the file in `dir` as it is at one instant, whether a server uses it or not: nothing is written, and no lock is taken.
/// Every page's checksum is verified first. `act` is called again when somebody committed meanwhile.
///
/// # Errors
///
/// Those of `act`, [`Error::Unstable`], and what opening says of a file that is damaged or of another format.
pub(crate) fn read_frozen<R>(
    host: &Host,
    dir: &Path,
    act: impl FnMut(&View) -> Result<R>,
) -> Result<(R, Instant)> {
    read_frozen_within(host, dir, MAX_IN_MEMORY, act)
}

fn read_frozen_within<R>(
    host: &Host,
    dir: &Path,
    max_in_memory: u64,
    mut act: impl FnMut(&View) -> Result<R>,
) -> Result<(R, Instant)> {
    let path = path_in(dir);
    let started = host.clock.monotonic();
    for round in 0..MAX_ROUNDS {
        if round >= MIN_ROUNDS && host.clock.monotonic().saturating_sub(started) > MIN_TIME {
            break;
        }
        let Some(frozen) = Frozen::take(host, &path, max_in_memory)? else {
            continue;
        };
        let read = read_view(&frozen, dir).and_then(|(_database, view)| act(&view));
        match read {
            Ok(read) => return Ok((read, frozen.instant().clone())),
            Err(_) if frozen.has_changed()? => {}
            Err(error) => return Err(error),
        }
    }
    Err(Error::Unstable { path })
}

fn read_view(frozen: &Frozen, dir: &Path) -> Result<(Database, View)> {
    let mut builder = builder(READING_MEMORY_BYTES);
    builder.set_check_integrity_on_open(true);
    let database = builder.create_with_backend(frozen.clone())?;
    let view = open_view(&database, dir)?;
    Ok((database, view))
}

/// Writes a file in `dir`, which has none, with all that `view` sees. It is durable once the folder is synced.
pub(crate) fn write_copy(host: &Host, dir: &Path, view: &View) -> Result<()> {
    let path = path_in(dir);
    let file = host
        .files
        .create_new(&path)
        .map_err(Error::io("create", &path))?;
    let database = builder(READING_MEMORY_BYTES).create_with_backend(Backend::new(file.clone()))?;
    let transaction = database.begin_write()?;
    Tables::open(&transaction)?.copy_from(view)?;
    transaction.commit()?;
    database.close()?;
    file.sync_data().map_err(Error::io("sync", &path))
}

/// All tables, when they have the format that this program writes.
fn open_view(database: &Database, dir: &Path) -> Result<View> {
    let transaction = database.begin_read()?;
    let view = View::open(&transaction);
    let format = match &view {
        Ok(view) => meta(&view.meta, FORMAT)?,
        // Another version may lack tables, and its `meta` says so.
        Err(_) => format_alone(&transaction).unwrap_or(FORMAT_VERSION),
    };
    if format != FORMAT_VERSION {
        return Err(Error::UnknownFormat {
            path: dir.to_owned(),
            found: format,
            supported: FORMAT_VERSION,
        });
    }
    view
}

/// Makes the file under another name, so that no crash leaves half of one.
fn create(host: &Host, dir: &Path, memory_bytes: usize) -> Result<()> {
    let new = dir.join(NEW_FILE_NAME);
    match host.files.remove_file(&new) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => {
            return Err(Error::io("remove", &new)(error));
        }
        _ => {}
    }
    let file = host
        .files
        .create_new(&new)
        .map_err(Error::io("create", &new))?;
    let database = builder(memory_bytes).create_with_backend(Backend::new(file.clone()))?;
    let transaction = database.begin_write()?;
    Tables::open(&transaction)?
        .meta
        .insert(FORMAT, FORMAT_VERSION)?;
    transaction.commit()?;
    drop(database);
    file.sync_data().map_err(Error::io("sync", &new))?;
    let path = dir.join(FILE_NAME);
    host.files
        .rename(&new, &path)
        .map_err(Error::io("rename", &new))?;
    host.files.sync_dir(dir).map_err(Error::io("sync", dir))
}

fn builder(memory_bytes: usize) -> Builder {
    let mut builder = Builder::new();
    builder.set_cache_size(memory_bytes);
    builder
}

fn format_alone(transaction: &redb::ReadTransaction) -> Result<u64> {
    let table: redb::TableDefinition<'_, &str, u64> = redb::TableDefinition::new("meta");
    meta(&transaction.open_table(table)?, FORMAT)
}

#[cfg(test)]
mod tests {
    use host::sim::SimHost;
    use redb::ReadableTable;

    use super::*;

    const ROWS: u64 = 5000;

    /// One commit, which writes `value` into all rows.
    fn fill(metadata: &Metadata, value: u64) {
        let filled = metadata.change(|tables| {
            for row in 0..ROWS {
                tables.organisation_releases.insert((1, row), value)?;
            }
            Ok(())
        });
        filled.unwrap();
    }

    #[test]
    fn what_is_read_while_somebody_commits_is_of_one_commit() {
        for max_in_memory in [0, MAX_IN_MEMORY] {
            let host = SimHost::new(1).host();
            let dir = Path::new("artifacts");
            host.files.create_dir_all(dir).unwrap();
            let metadata = Metadata::open(&host, dir, 1 << 20).unwrap();
            fill(&metadata, 1);
            let mut rounds = 0;
            let read = read_frozen_within(&host, dir, max_in_memory, |view| {
                rounds += 1;
                let mut values = Vec::new();
                for entry in view.organisation_releases.iter()? {
                    let (key, value) = entry?;
                    if rounds == 1 && key.value().1 == ROWS / 2 {
                        fill(&metadata, 2);
                        fill(&metadata, 3);
                    }
                    values.push(value.value());
                }
                Ok(values)
            });
            let (values, instant) = read.unwrap();
            assert_eq!(values.len() as u64, ROWS);
            assert!(values.iter().all(|value| *value == values[0]));
            let is_now = Instant::now(&host, &path_in(dir)).unwrap() == instant;
            assert_eq!(is_now, values[0] == 3);
        }
    }

    #[test]
    fn reading_that_meets_a_commit_each_time_ends_and_says_so() {
        let sim = SimHost::new(1);
        let host = sim.host();
        let dir = Path::new("artifacts");
        host.files.create_dir_all(dir).unwrap();
        let metadata = Metadata::open(&host, dir, 1 << 20).unwrap();
        let mut rounds = 0;
        let read = read_frozen(&host, dir, |_| {
            rounds += 1;
            sim.clock().advance(Duration::from_secs(1));
            metadata.change(|tables| tables.add_total_bytes(1, 0))?;
            Err::<(), _>(Error::Damaged("half of it is of another commit".to_owned()))
        });
        assert!(matches!(read, Err(Error::Unstable { .. })));
        assert_eq!(rounds, MIN_ROUNDS);
    }

    #[test]
    fn reading_writes_nothing_and_a_copy_has_all_rows() {
        let sim = SimHost::new(1);
        let host = sim.host();
        let (dir, copy) = (Path::new("artifacts"), Path::new("copy"));
        for folder in [dir, copy] {
            host.files.create_dir_all(folder).unwrap();
        }
        let metadata = Metadata::open(&host, dir, 1 << 20).unwrap();
        fill(&metadata, 7);
        let before = sim.disk().read_file(path_in(dir)).unwrap();
        for max_in_memory in [0, MAX_IN_MEMORY] {
            let read = read_frozen_within(&host, dir, max_in_memory, |view| {
                let copied = path_in(copy);
                if host.files.exists(&copied).unwrap() {
                    host.files.remove_file(&copied).unwrap();
                }
                write_copy(&host, copy, view)
            });
            read.unwrap();
            assert!(sim.disk().read_file(path_in(dir)).unwrap() == before);
            let copied = Metadata::open(&host, copy, 1 << 20).unwrap();
            let view = copied.view().unwrap();
            let rows = view.organisation_releases.iter().unwrap();
            assert_eq!(
                rows.map(|row| row.unwrap().1.value()).sum::<u64>(),
                7 * ROWS
            );
        }
    }
}

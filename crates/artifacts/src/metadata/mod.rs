//! The transactions of the store: one file of redb.

mod backend;
pub(crate) mod rows;
pub(crate) mod tables;

use std::io;
use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};

use host::Host;
use redb::{Builder, Database, ReadableDatabase};

use backend::Backend;
use tables::{FORMAT, GENERATION, Tables, View, meta};

use crate::blobs::Encoding;
use crate::digest::Sha256;
use crate::error::{Error, Result};

/// The format of the tables. Another number is another layout, which is refused.
pub(crate) const FORMAT_VERSION: u64 = 1;

const FILE_NAME: &str = "metadata.redb";
const NEW_FILE_NAME: &str = "metadata.new";

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
        let transaction = database.begin_read()?;
        let format = match View::open(&transaction) {
            Ok(view) => meta(&view.meta, FORMAT)?,
            // Another version may lack tables, and its `meta` says so.
            Err(error) => match format_alone(&transaction) {
                Ok(format) if format != FORMAT_VERSION => format,
                _ => return Err(error),
            },
        };
        if format != FORMAT_VERSION {
            return Err(Error::UnknownFormat {
                path: dir.to_owned(),
                found: format,
                supported: FORMAT_VERSION,
            });
        }
        let generation = meta(&View::open(&transaction)?.meta, GENERATION)?;
        drop(transaction);
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

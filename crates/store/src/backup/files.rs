//! Files and folders, with errors that name them.

use std::io::ErrorKind;
use std::path::Path;

use host::Host;

use crate::StoreError;
use crate::error::io;

pub(super) fn is_missing_or_empty(host: &Host, dir: &Path) -> Result<bool, StoreError> {
    match host.files.list(dir) {
        Ok(entries) => Ok(entries.is_empty()),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(true),
        Err(error) => Err(io(dir)(error)),
    }
}

pub(super) fn exists(host: &Host, path: &Path) -> Result<bool, StoreError> {
    host.files.exists(path).map_err(io(path))
}

pub(super) fn sync_dir(host: &Host, dir: &Path) -> Result<(), StoreError> {
    host.files.sync_dir(dir).map_err(io(dir))
}

pub(super) fn write_file(host: &Host, path: &Path, bytes: &[u8]) -> Result<(), StoreError> {
    let file = host.files.create_new(path).map_err(io(path))?;
    file.write_all_at(bytes, 0).map_err(io(path))?;
    file.sync_data().map_err(io(path))
}

/// Renames a folder and makes that durable.
pub(super) fn rename(host: &Host, from: &Path, to: &Path) -> Result<(), StoreError> {
    host.files.rename(from, to).map_err(io(from))?;
    let parent = match to.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent,
        _ => Path::new("."),
    };
    sync_dir(host, parent)
}

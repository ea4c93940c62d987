//! The functions of [`fs`](super) for asynchronous code: they run in tokio's pool for code that blocks, in the trace of the caller, and each span
//! is as long as the file is worked on, without the wait for the pool.
//!
//! All of them panic outside of a tokio runtime, as those of `tokio::fs` do. What has begun goes on when its future is dropped.
//!
//! ```
//! # async fn example() -> std::io::Result<()> {
//! let text = backtrail::fs::tokio::read_to_string("Cargo.toml").await?;
//! # drop(text); Ok(()) }
//! ```

use std::fs::{Metadata, ReadDir};
use std::io;
use std::path::Path;

use crate::spawn_blocking;

/// [`fs::read`](super::read).
pub async fn read(path: impl AsRef<Path>) -> io::Result<Vec<u8>> {
    let path = path.as_ref().to_owned();
    blocking(move || super::read(path)).await
}

/// [`fs::read_to_string`](super::read_to_string).
pub async fn read_to_string(path: impl AsRef<Path>) -> io::Result<String> {
    let path = path.as_ref().to_owned();
    blocking(move || super::read_to_string(path)).await
}

/// [`fs::write`](super::write). The contents go to another thread: give a `Vec<u8>`, a `String` or what is `'static`.
pub async fn write(
    path: impl AsRef<Path>,
    contents: impl AsRef<[u8]> + Send + 'static,
) -> io::Result<()> {
    let path = path.as_ref().to_owned();
    blocking(move || super::write(path, contents)).await
}

/// [`fs::create_dir_all`](super::create_dir_all).
pub async fn create_dir_all(path: impl AsRef<Path>) -> io::Result<()> {
    let path = path.as_ref().to_owned();
    blocking(move || super::create_dir_all(path)).await
}

/// [`fs::remove_file`](super::remove_file).
pub async fn remove_file(path: impl AsRef<Path>) -> io::Result<()> {
    let path = path.as_ref().to_owned();
    blocking(move || super::remove_file(path)).await
}

/// [`fs::rename`](super::rename).
pub async fn rename(from: impl AsRef<Path>, to: impl AsRef<Path>) -> io::Result<()> {
    let (from, to) = (from.as_ref().to_owned(), to.as_ref().to_owned());
    blocking(move || super::rename(from, to)).await
}

/// [`fs::copy`](super::copy).
pub async fn copy(from: impl AsRef<Path>, to: impl AsRef<Path>) -> io::Result<u64> {
    let (from, to) = (from.as_ref().to_owned(), to.as_ref().to_owned());
    blocking(move || super::copy(from, to)).await
}

/// [`fs::metadata`](super::metadata).
pub async fn metadata(path: impl AsRef<Path>) -> io::Result<Metadata> {
    let path = path.as_ref().to_owned();
    blocking(move || super::metadata(path)).await
}

/// [`fs::read_dir`](super::read_dir). What it returns blocks when it is read.
pub async fn read_dir(path: impl AsRef<Path>) -> io::Result<ReadDir> {
    let path = path.as_ref().to_owned();
    blocking(move || super::read_dir(path)).await
}

async fn blocking<T: Send + 'static>(
    code: impl FnOnce() -> io::Result<T> + Send + 'static,
) -> io::Result<T> {
    match spawn_blocking(code).await {
        Ok(output) => output,
        Err(error) => Err(io::Error::other(error)),
    }
}

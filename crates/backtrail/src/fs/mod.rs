//! Functions of [`std::fs`] with a span each. No spans are made unless `fs` is switched on: a busy service would drown in them.
//!
//! [`tokio`] has the same functions for asynchronous code.
//!
//! ```
//! use backtrail::testing::Recorder;
//!
//! let traces = Recorder::with(|system| system.enable("fs"));
//! traces.run_sync(|| backtrail::fs::read("/no/such/file").unwrap_err());
//! assert_eq!(
//!     traces.tree_of(&["file.path", "error.type"]),
//!     "fs read error `entity not found` file.path=/no/such/file error.type=NotFound\n"
//! );
//! ```
//!
//! A span is named after the function and has `file.path`, of which 1 KiB is kept; a failure sets the status Error and `error.type`, which is the
//! name of the [`std::io::ErrorKind`]. Contents are never recorded.

pub mod tokio;

use std::fs::{Metadata, ReadDir};
use std::io;
use std::path::Path;

use opentelemetry::KeyValue;
use opentelemetry::trace::Status;

use crate::config::Instrumentation;
use crate::system::{Scope, System};
use crate::{SpanBuilder, span};

/// Bytes of a path that are recorded.
const MAX_PATH_LEN_BYTES: usize = 1024;

/// [`std::fs::read`], as the span `fs read`.
pub fn read(path: impl AsRef<Path>) -> io::Result<Vec<u8>> {
    let path = path.as_ref();
    traced("fs read", path, None, || std::fs::read(path))
}

/// [`std::fs::read_to_string`], as the span `fs read_to_string`.
pub fn read_to_string(path: impl AsRef<Path>) -> io::Result<String> {
    let path = path.as_ref();
    traced("fs read_to_string", path, None, || {
        std::fs::read_to_string(path)
    })
}

/// [`std::fs::write`], as the span `fs write`.
pub fn write(path: impl AsRef<Path>, contents: impl AsRef<[u8]>) -> io::Result<()> {
    let path = path.as_ref();
    traced("fs write", path, None, || std::fs::write(path, contents))
}

/// [`std::fs::create_dir_all`], as the span `fs create_dir_all`.
pub fn create_dir_all(path: impl AsRef<Path>) -> io::Result<()> {
    let path = path.as_ref();
    traced("fs create_dir_all", path, None, || {
        std::fs::create_dir_all(path)
    })
}

/// [`std::fs::remove_file`], as the span `fs remove_file`.
pub fn remove_file(path: impl AsRef<Path>) -> io::Result<()> {
    let path = path.as_ref();
    traced("fs remove_file", path, None, || std::fs::remove_file(path))
}

/// [`std::fs::rename`], as the span `fs rename`; the new path is `file.target_path`.
pub fn rename(from: impl AsRef<Path>, to: impl AsRef<Path>) -> io::Result<()> {
    let (from, to) = (from.as_ref(), to.as_ref());
    traced("fs rename", from, Some(to), || std::fs::rename(from, to))
}

/// [`std::fs::copy`], as the span `fs copy`; the copy's path is `file.target_path`.
pub fn copy(from: impl AsRef<Path>, to: impl AsRef<Path>) -> io::Result<u64> {
    let (from, to) = (from.as_ref(), to.as_ref());
    traced("fs copy", from, Some(to), || std::fs::copy(from, to))
}

/// [`std::fs::metadata`], as the span `fs metadata`.
pub fn metadata(path: impl AsRef<Path>) -> io::Result<Metadata> {
    let path = path.as_ref();
    traced("fs metadata", path, None, || std::fs::metadata(path))
}

/// [`std::fs::read_dir`], as the span `fs read_dir`. It ends when the folder is open: what it holds is read later, without spans.
pub fn read_dir(path: impl AsRef<Path>) -> io::Result<ReadDir> {
    let path = path.as_ref();
    traced("fs read_dir", path, None, || std::fs::read_dir(path))
}

fn traced<T>(
    name: &'static str,
    path: &Path,
    target: Option<&Path>,
    code: impl FnOnce() -> io::Result<T>,
) -> io::Result<T> {
    if !System::current().is_some_and(|system| system.makes_spans_of(Instrumentation::Fs)) {
        return code();
    }
    let (output, span, _) = described(name, path, target).run_open(|_| code());
    if let Err(error) = &output {
        let kind = error.kind();
        span.put(KeyValue::new("error.type", format!("{kind:?}")));
        span.set_status(Status::error(kind.to_string()));
    }
    span.end();
    output
}

fn described(name: &'static str, path: &Path, target: Option<&Path>) -> SpanBuilder {
    span(name)
        .scope(Scope::Fs)
        .attribute("file.path", shown(path))
        .attribute("file.target_path", target.map(shown))
}

fn shown(path: &Path) -> String {
    let mut path = path.to_string_lossy().into_owned();
    if path.len() > MAX_PATH_LEN_BYTES {
        path.truncate(path.floor_char_boundary(MAX_PATH_LEN_BYTES));
        path.push('…');
    }
    path
}

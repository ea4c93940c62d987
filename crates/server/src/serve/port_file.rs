//! The addresses that were bound, in a file, for whoever started us with port 0.

use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf};

use host::Files;

use crate::state::BoundListener;

/// Writes `{"otlp-http": "127.0.0.1:4318", …}`. Readers see all of it or no file.
pub(super) fn write(files: &dyn Files, path: &Path, listeners: &[BoundListener]) -> io::Result<()> {
    let addresses: serde_json::Map<_, _> = listeners
        .iter()
        .map(|listener| {
            (
                listener.name.to_owned(),
                listener.address.to_string().into(),
            )
        })
        .collect();
    let text = format!("{}\n", serde_json::Value::Object(addresses));

    let mut beside = path.as_os_str().to_owned();
    beside.push(format!(".{}", std::process::id()));
    let beside = PathBuf::from(beside);
    match files.remove_file(&beside) {
        Err(error) if error.kind() != ErrorKind::NotFound => return Err(error),
        _ => {}
    }
    files
        .create_new(&beside)?
        .write_all_at(text.as_bytes(), 0)?;
    files.rename(&beside, path)
}

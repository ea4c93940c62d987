//! The TOML file, as a flat list of keys with their lines.

use std::io::ErrorKind;
use std::path::Path;

use host::Files;
use toml::de::{DeTable, DeValue};

use super::error::{ConfigError, Origin};

/// Far above any settings file; keeps a wrong path from filling memory.
const MAX_FILE_BYTES: u64 = 1 << 20;

/// What stands behind a key.
pub(super) enum Raw {
    /// Text, a number or a boolean, as text.
    One(String),
    /// An array of such.
    Many(Vec<String>),
    /// Something that no setting is: what it is.
    Other(&'static str),
}

/// A key of the file.
pub(super) struct FileEntry {
    /// The names of the tables that it stands in, and its own.
    pub(super) path: Vec<String>,
    /// Counted from 1.
    pub(super) line: usize,
    /// Its value.
    pub(super) value: Raw,
}

/// Reads the file's text; `None` when there is none.
pub(super) fn read(files: &dyn Files, path: &Path) -> Result<Option<String>, ConfigError> {
    let fail = |message: String| ConfigError {
        origin: None,
        message: format!("{}: {message}", path.display()),
    };
    let file = match files.open(path) {
        Ok(file) => file,
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(fail(format!("cannot be opened: {error}"))),
    };
    let read = || {
        let len = file.len()?;
        let mut bytes = vec![0; usize::try_from(len.min(MAX_FILE_BYTES + 1)).unwrap_or_default()];
        file.read_exact_at(&mut bytes, 0)?;
        Ok::<_, std::io::Error>(bytes)
    };
    let bytes = read().map_err(|error| fail(format!("cannot be read: {error}")))?;
    if bytes.len() as u64 > MAX_FILE_BYTES {
        return Err(fail(format!("is larger than {MAX_FILE_BYTES} bytes")));
    }
    String::from_utf8(bytes)
        .map(Some)
        .map_err(|_| fail("is not UTF-8".to_owned()))
}

/// All keys of the file's text.
pub(super) fn parse(path: &str, text: &str) -> Result<Vec<FileEntry>, ConfigError> {
    let root = DeTable::parse(text).map_err(|error| {
        let line = error.span().map_or(1, |span| line_of(text, span.start));
        let origin = Origin::File {
            path: path.to_owned(),
            line,
        };
        ConfigError::at(origin, format!("is not TOML: {}", error.message()))
    })?;
    let mut entries = Vec::new();
    flatten(text, &[], root.get_ref(), &mut entries);
    entries.sort_by_key(|entry| entry.line);
    Ok(entries)
}

fn flatten(text: &str, tables: &[String], table: &DeTable<'_>, entries: &mut Vec<FileEntry>) {
    for (name, value) in table {
        let mut path = tables.to_vec();
        path.push(name.get_ref().to_string());
        let value = match value.get_ref() {
            // An empty table sets nothing, but a wrong name is worth a word.
            DeValue::Table(inner) if !inner.is_empty() || known_table(&path.join(".")) => {
                flatten(text, &path, inner, entries);
                continue;
            }
            DeValue::Table(_) => Raw::Other("a table"),
            DeValue::Array(items) => items
                .iter()
                .map(|item| scalar(item.get_ref()))
                .collect::<Result<_, _>>()
                .map_or_else(Raw::Other, Raw::Many),
            other => scalar(other).map_or_else(Raw::Other, Raw::One),
        };
        entries.push(FileEntry {
            path,
            line: line_of(text, name.span().start),
            value,
        });
    }
}

fn known_table(key: &str) -> bool {
    super::SETTINGS
        .iter()
        .any(|setting| setting.table() == Some(key))
}

fn scalar(value: &DeValue<'_>) -> Result<String, &'static str> {
    match value {
        DeValue::String(text) => Ok(text.to_string()),
        DeValue::Integer(number) => i64::from_str_radix(number.as_str(), number.radix())
            .map(|number| number.to_string())
            .map_err(|_| "an integer beyond 64 bits"),
        DeValue::Boolean(flag) => Ok(flag.to_string()),
        DeValue::Float(number) => Ok(number.as_str().to_owned()),
        DeValue::Datetime(_) => Err("a date"),
        DeValue::Array(_) => Err("an array in an array"),
        DeValue::Table(_) => Err("a table in an array"),
    }
}

fn line_of(text: &str, offset: usize) -> usize {
    1 + text
        .as_bytes()
        .iter()
        .take(offset)
        .filter(|byte| **byte == b'\n')
        .count()
}

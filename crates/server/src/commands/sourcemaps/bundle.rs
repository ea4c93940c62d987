//! An artifact bundle, as Sentry's tools send it: `SYSB`, the format's number, and a zip with a manifest.

use std::collections::BTreeMap;
use std::io::{Cursor, Write as _};

use serde::Serialize;
use zip::write::{SimpleFileOptions, ZipWriter};
use zip::{CompressionMethod, DateTime};

const MAGIC: &[u8] = b"SYSB\x02\x00\x00\x00";

/// A file that goes into a bundle.
pub(super) struct BundledFile {
    pub(super) url: String,
    pub(super) is_map: bool,
    pub(super) debug_id: Option<String>,
    /// The map of a minified file, as a reference from it.
    pub(super) source_map: Option<String>,
    pub(super) bytes: Vec<u8>,
}

#[derive(Serialize)]
struct Manifest<'a> {
    org: &'a str,
    project: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    release: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    dist: Option<&'a str>,
    files: BTreeMap<String, ManifestFile<'a>>,
}

#[derive(Serialize)]
struct ManifestFile<'a> {
    #[serde(rename = "type")]
    kind: &'static str,
    url: &'a str,
    headers: BTreeMap<&'static str, &'a str>,
}

/// The bytes of a bundle. The same files give the same bytes.
pub(super) fn write(
    org: &str,
    project: &str,
    release: Option<&str>,
    dist: Option<&str>,
    files: &[BundledFile],
) -> anyhow::Result<Vec<u8>> {
    let mut zip = ZipWriter::new(Cursor::new(Vec::new()));
    let options = SimpleFileOptions::default()
        .compression_method(CompressionMethod::Deflated)
        .last_modified_time(DateTime::default());
    let mut manifest = Manifest {
        org,
        project,
        release,
        dist,
        files: BTreeMap::new(),
    };
    for file in files {
        let name = file.url.trim_start_matches("~/");
        let mut path = format!("files/_/{name}");
        // Folders that are uploaded together may have files of one name.
        let mut copies = 1;
        while manifest.files.contains_key(&path) {
            copies += 1;
            path = format!("files/_/{copies}/{name}");
        }
        let mut headers = BTreeMap::new();
        headers.extend(file.debug_id.as_deref().map(|id| ("debug-id", id)));
        headers.extend(file.source_map.as_deref().map(|map| ("sourcemap", map)));
        zip.start_file(path.as_str(), options)?;
        zip.write_all(&file.bytes)?;
        let kind = if file.is_map {
            "source_map"
        } else {
            "minified_source"
        };
        manifest.files.insert(
            path,
            ManifestFile {
                kind,
                url: &file.url,
                headers,
            },
        );
    }
    zip.start_file("manifest.json", options)?;
    serde_json::to_writer(&mut zip, &manifest)?;
    Ok([MAGIC, &zip.finish()?.into_inner()].concat())
}

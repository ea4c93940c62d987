//! Bundles as clients make them, with an encoder that is not ours.

#![allow(dead_code, reason = "each test binary uses a part of it")]

use std::io::{Cursor, Write};

use artifacts::{Artifacts, Assemble, Assembled, BundleId, IfMissing, Options, Result, Sha1};
use serde_json::{Map, Value, json};
use zip::write::SimpleFileOptions;
use zip::{CompressionMethod, ZipWriter};

pub(crate) const ORG: &str = "acme";
pub(crate) const PROJECT: &str = "web";

/// A file of a bundle: path, type, headers, bytes.
pub(crate) struct MadeFile {
    pub(crate) path: String,
    pub(crate) kind: &'static str,
    pub(crate) headers: Value,
    pub(crate) bytes: Vec<u8>,
}

/// A file with the address `~/<name>`.
pub(crate) fn file(
    name: &str,
    kind: &'static str,
    headers: Value,
    bytes: impl Into<Vec<u8>>,
) -> MadeFile {
    MadeFile {
        path: format!("files/_/_/{name}"),
        kind,
        headers,
        bytes: bytes.into(),
    }
}

/// A bundle of these files for a release.
pub(crate) fn bundle(release: Option<&str>, files: &[MadeFile]) -> Vec<u8> {
    let mut listed = Map::new();
    for file in files {
        let name = file
            .path
            .trim_start_matches("files/")
            .trim_start_matches("_/_/");
        let entry = json!({"type": file.kind, "url": format!("~/{name}"), "headers": file.headers});
        listed.insert(file.path.clone(), entry);
    }
    let manifest = json!({"files": listed, "org": ORG, "project": PROJECT, "release": release});
    let entries: Vec<(&str, &[u8])> = files
        .iter()
        .map(|file| (file.path.as_str(), file.bytes.as_slice()))
        .collect();
    archive(b"SYSB\x02\0\0\0", &manifest.to_string(), &entries)
}

/// A bundle with any manifest and any entries.
pub(crate) fn archive(header: &[u8], manifest: &str, entries: &[(&str, &[u8])]) -> Vec<u8> {
    let mut out = Cursor::new(header.to_vec());
    out.set_position(header.len() as u64);
    let mut zip = ZipWriter::new(out);
    let options = SimpleFileOptions::default().compression_method(CompressionMethod::Deflated);
    for (path, bytes) in entries {
        zip.start_file(*path, options).unwrap();
        zip.write_all(bytes).unwrap();
    }
    zip.start_file("manifest.json", options).unwrap();
    zip.write_all(manifest.as_bytes()).unwrap();
    zip.finish().unwrap().into_inner()
}

/// Sends a bundle in chunks of this size and has it assembled.
pub(crate) fn upload_in(
    artifacts: &Artifacts,
    bytes: &[u8],
    chunk_len: usize,
    version: Option<&str>,
) -> Result<Assembled> {
    let chunks: Vec<&[u8]> = bytes.chunks(chunk_len).collect();
    for chunk in &chunks {
        artifacts.put_chunk(ORG, Sha1::of(chunk), &mut &chunk[..], IfMissing::Create)?;
    }
    artifacts.assemble(&request(bytes, chunk_len, version), IfMissing::Create)
}

pub(crate) fn request(bytes: &[u8], chunk_len: usize, version: Option<&str>) -> Assemble {
    Assemble {
        organisation: ORG.to_owned(),
        checksum: Sha1::of(bytes),
        chunks: bytes.chunks(chunk_len).map(Sha1::of).collect(),
        projects: vec![PROJECT.to_owned()],
        version: version.map(str::to_owned),
        dist: None,
    }
}

/// As [`upload_in`], in one chunk.
pub(crate) fn upload(
    artifacts: &Artifacts,
    bytes: &[u8],
    version: Option<&str>,
) -> Result<BundleId> {
    match upload_in(artifacts, bytes, 8 << 20, version)? {
        Assembled::Done(id) => Ok(id),
        Assembled::Missing(missing) => panic!("chunks are missing: {missing:?}"),
    }
}

/// Small limits, so that a test meets them soon.
pub(crate) fn small_options() -> Options {
    Options {
        metadata_memory_bytes: 1 << 20,
        ..Options::default()
    }
}

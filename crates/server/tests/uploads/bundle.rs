//! Bundles as the clients make them. The reader of bundles is tested against another zip encoder in `crates/artifacts`; the zip
//! crate would have all of this crate's dependencies built anew.

use std::io::Write;

use flate2::write::DeflateEncoder;
use flate2::{Compression, Crc};
use serde_json::{Value, json};
use sha1::{Digest, Sha1};

/// A minified file.
pub(crate) const MINIFIED: &str = "function f(){throw Error(\"x\")}f();";

/// Its map.
pub(crate) const MAP: &str = r#"{"version":3,"file":"main.js","sources":["src/main.js"],"sourcesContent":["function f() {\n  throw Error('x');\n}\nf();\n"],"names":["f","Error"],"mappings":"AAAA,SAASA,IACP,MAAMC,MAAM,IACd,CACAD"}"#;

/// The debug id of both, where they have one.
pub(crate) const DEBUG_ID: &str = "14049795-da83-4240-a9ff-871a1c601f08";

/// The header and an archive with these files and this manifest.
pub(crate) fn bundle_of(manifest: &[u8], files: &[(&str, &[u8])]) -> Vec<u8> {
    let manifest = [("manifest.json", manifest)];
    let archive = archive_of(&[files, &manifest].concat());
    [b"SYSB\x02\0\0\0", &archive[..]].concat()
}

/// A zip archive of deflated files (APPNOTE 4.3).
pub(crate) fn archive_of(files: &[(&str, &[u8])]) -> Vec<u8> {
    let (mut archive, mut directory) = (Vec::new(), Vec::new());
    for (path, content) in files {
        let mut encoder = DeflateEncoder::new(Vec::new(), Compression::default());
        encoder.write_all(content).unwrap();
        let deflated = encoder.finish().unwrap();
        let mut crc = Crc::new();
        crc.update(content);
        // Version, flags, method, time, date; checksum, sizes, lengths of name and extra.
        let mut common = Vec::new();
        for short in [20_u16, 0, 8, 0, 0x21] {
            common.extend(short.to_le_bytes());
        }
        for long in [crc.sum(), deflated.len() as u32, content.len() as u32] {
            common.extend(long.to_le_bytes());
        }
        common.extend((path.len() as u16).to_le_bytes());
        common.extend([0, 0]);

        directory.extend(b"PK\x01\x02\x14\0");
        directory.extend(&common);
        // Lengths of a comment, number of the disk, attributes.
        directory.extend([0; 10]);
        directory.extend((archive.len() as u32).to_le_bytes());
        directory.extend(path.bytes());

        archive.extend(b"PK\x03\x04");
        archive.extend(common);
        archive.extend(path.bytes());
        archive.extend(deflated);
    }
    let start = archive.len() as u32;
    archive.extend(&directory);
    archive.extend(b"PK\x05\x06\0\0\0\0");
    for _ in 0..2 {
        archive.extend((files.len() as u16).to_le_bytes());
    }
    archive.extend((directory.len() as u32).to_le_bytes());
    archive.extend(start.to_le_bytes());
    archive.extend([0, 0]);
    archive
}

/// A minified file with its map, as a plugin of webpack sends them.
pub(crate) fn pair(debug_id: Option<&str>) -> Vec<u8> {
    let headers = debug_id.map_or_else(|| json!({}), |id| json!({"debug-id": id}));
    let manifest = manifest(&[
        (
            "files/_/_/main.js",
            "minified_source",
            "~/main.js",
            &headers,
        ),
        (
            "files/_/_/main.js.map",
            "source_map",
            "~/main.js.map",
            &headers,
        ),
    ]);
    bundle_of(
        &manifest,
        &[
            ("files/_/_/main.js", MINIFIED.as_bytes()),
            ("files/_/_/main.js.map", MAP.as_bytes()),
        ],
    )
}

/// A manifest of files: path, type, address and headers.
pub(crate) fn manifest(files: &[(&str, &str, &str, &Value)]) -> Vec<u8> {
    let files: serde_json::Map<String, Value> = files
        .iter()
        .map(|(path, kind, url, headers)| {
            let file = json!({"type": kind, "url": url, "headers": headers});
            ((*path).to_owned(), file)
        })
        .collect();
    json!({"files": files, "org": "acme", "project": "web"})
        .to_string()
        .into_bytes()
}

/// In hexadecimal digits.
pub(crate) fn sha1(bytes: &[u8]) -> String {
    let digest = Sha1::digest(bytes);
    digest.iter().map(|byte| format!("{byte:02x}")).collect()
}

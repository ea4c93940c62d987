//! Bundles as the clients make them, with a zip writer that nobody here wrote.

use std::io::{Cursor, Write};

use serde_json::{Value, json};
use sha1::{Digest, Sha1};
use zip::write::SimpleFileOptions;
use zip::{CompressionMethod, ZipWriter};

/// A minified file.
pub(crate) const MINIFIED: &str = "function f(){throw Error(\"x\")}f();";

/// Its map.
pub(crate) const MAP: &str = r#"{"version":3,"file":"main.js","sources":["src/main.js"],"sourcesContent":["function f() {\n  throw Error('x');\n}\nf();\n"],"names":["f","Error"],"mappings":"AAAA,SAASA,IACP,MAAMC,MAAM,IACd,CACAD"}"#;

/// The debug id of both, where they have one.
pub(crate) const DEBUG_ID: &str = "14049795-da83-4240-a9ff-871a1c601f08";

/// The header and an archive with these files and this manifest.
pub(crate) fn bundle_of(manifest: &[u8], files: &[(&str, &[u8])]) -> Vec<u8> {
    let mut zip = ZipWriter::new(Cursor::new(Vec::new()));
    let options = SimpleFileOptions::default().compression_method(CompressionMethod::Deflated);
    for (path, content) in files.iter().chain([&("manifest.json", manifest)]) {
        zip.start_file(*path, options).unwrap();
        zip.write_all(content).unwrap();
    }
    let archive = zip.finish().unwrap().into_inner();
    [b"SYSB\x02\0\0\0", &archive[..]].concat()
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

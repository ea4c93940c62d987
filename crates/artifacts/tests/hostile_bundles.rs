//! Bundles of people who want something else than to upload: each is refused with a sentence, and nothing of it is stored.

#![expect(clippy::unwrap_used, reason = "in a test a failure is a panic")]

mod bundle_maker;

use std::io::{Cursor, Write};
use std::path::Path;

use artifacts::{Artifacts, BundleError, BundleLimits, Error, ErrorClass, check_bundle};
use bundle_maker::{archive, bundle, file, small_options, upload};
use host::sim::SimHost;
use proptest::prelude::*;
use serde_json::json;
use zip::write::SimpleFileOptions;
use zip::{CompressionMethod, ZipWriter};

const HEADER: &[u8] = b"SYSB\x02\0\0\0";
const LOCAL: &[u8] = b"PK\x03\x04";
const CENTRAL: &[u8] = b"PK\x01\x02";
const END: &[u8] = b"PK\x05\x06";

/// A bundle of `a.js` and `b.js`, then `manifest.json`.
fn two_files() -> Vec<u8> {
    let files = [
        file("a.js", "minified_source", json!({}), "a();".repeat(100)),
        file("b.js", "minified_source", json!({}), "b();".repeat(100)),
    ];
    bundle(None, &files)
}

fn refusal(bytes: &[u8]) -> BundleError {
    refusal_with(bytes, &BundleLimits::default())
}

/// What the crate says to the bytes, which must be the same when they are uploaded, and leave nothing behind.
fn refusal_with(bytes: &[u8], limits: &BundleLimits) -> BundleError {
    let sim = SimHost::new(1);
    let mut options = small_options();
    options.bundle = limits.clone();
    let artifacts = Artifacts::open(&sim.host(), Path::new("data"), options).unwrap();
    let uploaded = upload(&artifacts, bytes, Some("1.0")).unwrap_err();
    assert_eq!(uploaded.class(), ErrorClass::Client);
    assert_eq!(artifacts.release("acme", "1.0").unwrap(), None);
    artifacts.sweep().unwrap();
    let files = sim.host().files;
    for folder in files.list(Path::new("data/artifacts/blobs")).unwrap() {
        let path = Path::new("data/artifacts/blobs").join(folder.name);
        assert_eq!(files.list(&path).unwrap(), []);
    }
    assert_eq!(files.list(Path::new("data/artifacts/tmp")).unwrap(), []);
    let error = check_bundle(bytes, limits).unwrap_err();
    assert_eq!(uploaded.to_string(), error.to_string());
    assert!(matches!(uploaded, Error::Bundle(_)));
    error
}

fn position(bytes: &[u8], signature: &[u8], nth: usize) -> usize {
    let found = bytes
        .windows(4)
        .enumerate()
        .filter(|(_, window)| *window == signature);
    found.map(|(at, _)| at).nth(nth).unwrap()
}

/// Overwrites bytes of the `nth` record with this signature.
fn patch(bytes: &mut [u8], signature: &[u8], nth: usize, offset: usize, new: &[u8]) {
    let at = position(bytes, signature, nth) + offset;
    bytes[at..at + new.len()].copy_from_slice(new);
}

fn manifest_of(paths: &[&str]) -> String {
    let files: serde_json::Map<String, serde_json::Value> = paths
        .iter()
        .map(|path| {
            (
                (*path).to_owned(),
                json!({"type": "minified_source", "url": format!("~/{path}")}),
            )
        })
        .collect();
    json!({"files": files}).to_string()
}

#[test]
fn what_is_no_archive_is_refused() {
    for bytes in [&b""[..], b"x", b"SYSB\x02\0\0\0", &[0; 5000]] {
        assert!(matches!(
            check_bundle(bytes, &BundleLimits::default()),
            Err(BundleError::NoArchive)
        ));
    }
    let error = refusal(b"SYSB\x03\0\0\0PK\x05\x06");
    assert_eq!(
        error.to_string(),
        "the bundle has the version 3; this server reads version 2"
    );
    let sound = two_files();
    for len in 0..sound.len() {
        check_bundle(&sound[..len], &BundleLimits::default()).unwrap_err();
    }
    check_bundle(&sound[..], &BundleLimits::default()).unwrap();
}

#[test]
fn a_file_that_inflates_to_too_much_is_refused_before_it_is_inflated() {
    let bomb = vec![0; 40 << 20];
    let bytes = archive(HEADER, &manifest_of(&["bomb.js"]), &[("bomb.js", &bomb)]);
    assert!(bytes.len() < 100_000);
    let error = refusal(&bytes);
    assert!(
        matches!(error, BundleError::Ratio { limit: 300, .. }),
        "{error}"
    );
    let limits = BundleLimits {
        file_bytes: 1 << 20,
        ..BundleLimits::default()
    };
    assert!(matches!(
        refusal_with(&bytes, &limits),
        BundleError::FileTooLarge { .. }
    ));
    let limits = BundleLimits {
        inflated_bytes: 1 << 20,
        ..BundleLimits::default()
    };
    assert!(matches!(
        refusal_with(&bytes, &limits),
        BundleError::InflatedTooLarge { .. }
    ));
}

#[test]
fn a_directory_that_lies_about_a_length_is_found_out_while_inflating() {
    // The bomb says that it is small, in its header as in the directory.
    let bomb = vec![0; 10 << 20];
    let mut bytes = archive(HEADER, &manifest_of(&["bomb.js"]), &[("bomb.js", &bomb)]);
    patch(&mut bytes, LOCAL, 0, 22, &1000_u32.to_le_bytes());
    patch(&mut bytes, CENTRAL, 0, 24, &1000_u32.to_le_bytes());
    let error = refusal(&bytes);
    assert!(
        matches!(&error, BundleError::Length { declared: 1000, found, .. } if found == "more"),
        "{error}"
    );
    // And one that says that it is larger than it is.
    let mut bytes = two_files();
    patch(&mut bytes, LOCAL, 0, 22, &401_u32.to_le_bytes());
    patch(&mut bytes, CENTRAL, 0, 24, &401_u32.to_le_bytes());
    let error = refusal(&bytes);
    assert_eq!(
        error.to_string(),
        r#"the bundle's entry "files/_/_/a.js" has 400 bytes and not 401 as its directory says"#
    );
    // And a header that disagrees with the directory.
    let mut bytes = two_files();
    patch(&mut bytes, LOCAL, 0, 22, &401_u32.to_le_bytes());
    assert!(matches!(
        refusal(&bytes),
        BundleError::EntryContradiction { .. }
    ));
}

#[test]
fn damaged_bytes_and_a_wrong_checksum_are_refused() {
    let mut bytes = two_files();
    patch(&mut bytes, CENTRAL, 1, 16, &[1, 2, 3, 4]);
    assert!(matches!(refusal(&bytes), BundleError::Crc { path } if path == "files/_/_/b.js"));
    let mut bytes = two_files();
    let data = 30 + "files/_/_/a.js".len();
    patch(&mut bytes, LOCAL, 0, data, &[0xff; 4]);
    assert!(matches!(refusal(&bytes), BundleError::Deflate { .. }));
}

#[test]
fn a_path_that_leads_elsewhere_is_refused() {
    let cases = [
        ("../../etc/passwd", "leads out of the archive"),
        ("a/..\\..\\b", "leads out of the archive"),
        ("/etc/passwd", "is an absolute path"),
        ("C:\\windows", "is an absolute path"),
        ("a\nb", "has control characters"),
    ];
    for (path, rule) in cases {
        // Patched into a name of the same length: encoders refuse some.
        let stand_in = "x".repeat(path.len());
        let mut bytes = archive(HEADER, &manifest_of(&[path]), &[(&stand_in, b"x")]);
        patch(&mut bytes, LOCAL, 0, 30, path.as_bytes());
        patch(&mut bytes, CENTRAL, 0, 46, path.as_bytes());
        let error = refusal(&bytes).to_string();
        assert_eq!(
            error,
            format!("the bundle has an entry whose name {rule}: {path:?}")
        );
    }
    let mut bytes = archive(HEADER, "{}", &[("xx", b"x")]);
    patch(&mut bytes, CENTRAL, 0, 46, b"\xff\xfe");
    assert!(refusal(&bytes).to_string().contains("is not UTF-8"));
}

#[test]
fn a_symbolic_link_is_refused() {
    let mut zip = ZipWriter::new(Cursor::new(Vec::new()));
    let options = SimpleFileOptions::default();
    zip.add_symlink("link.js", "/etc/passwd", options).unwrap();
    zip.start_file("manifest.json", options).unwrap();
    zip.write_all(manifest_of(&["link.js"]).as_bytes()).unwrap();
    let bytes = zip.finish().unwrap().into_inner();
    assert!(matches!(refusal(&bytes), BundleError::Symlink { path } if path == "link.js"));
}

#[test]
fn two_entries_of_one_name_and_two_keys_of_one_manifest_are_refused() {
    let mut bytes = archive(
        HEADER,
        &manifest_of(&["a.js"]),
        &[("a.js", b"1"), ("b.js", b"2")],
    );
    patch(&mut bytes, LOCAL, 1, 30, b"a.js");
    patch(&mut bytes, CENTRAL, 1, 46, b"a.js");
    assert!(matches!(refusal(&bytes), BundleError::DuplicateEntry { path } if path == "a.js"));
    let twice = r#"{"files":{"a.js":{"url":"~/a.js"},"a.js":{"url":"~/b.js"}}}"#;
    let bytes = archive(HEADER, twice, &[("a.js", b"1")]);
    assert!(matches!(refusal(&bytes), BundleError::DuplicateEntry { path } if path == "a.js"));
}

#[test]
fn encrypted_entries_and_unknown_compressions_are_refused() {
    let mut bytes = two_files();
    patch(&mut bytes, CENTRAL, 0, 8, &[1, 0]);
    assert!(matches!(refusal(&bytes), BundleError::Encrypted { .. }));
    let mut bytes = two_files();
    patch(&mut bytes, LOCAL, 0, 6, &[1, 0]);
    assert!(matches!(refusal(&bytes), BundleError::Encrypted { .. }));
    let mut bytes = two_files();
    patch(&mut bytes, CENTRAL, 0, 10, &[93, 0]);
    assert!(matches!(
        refusal(&bytes),
        BundleError::Compression { method: 93, .. }
    ));
    let mut bytes = two_files();
    patch(&mut bytes, LOCAL, 0, 8, &[0, 0]);
    assert!(matches!(
        refusal(&bytes),
        BundleError::EntryContradiction { .. }
    ));
}

#[test]
fn entries_that_share_bytes_are_refused() {
    // Both entries of the directory lead to the first file, as overlapping bombs have it.
    let mut bytes = two_files();
    let first = (position(&bytes, LOCAL, 0) as u32).to_le_bytes();
    patch(&mut bytes, CENTRAL, 1, 42, &first);
    assert!(matches!(refusal(&bytes), BundleError::Overlap { .. }));
    // The first reaches into the second.
    let mut bytes = two_files();
    patch(&mut bytes, LOCAL, 0, 18, &60_u32.to_le_bytes());
    patch(&mut bytes, CENTRAL, 0, 20, &60_u32.to_le_bytes());
    assert!(matches!(refusal(&bytes), BundleError::Overlap { .. }));
    // The last reaches into the directory.
    let mut bytes = two_files();
    patch(&mut bytes, CENTRAL, 2, 20, &5000_u32.to_le_bytes());
    assert!(matches!(refusal(&bytes), BundleError::Overlap { .. }));
}

#[test]
fn a_hundred_thousand_entries_are_refused_before_they_are_read() {
    let mut zip = ZipWriter::new(Cursor::new(Vec::new()));
    let options = SimpleFileOptions::default().compression_method(CompressionMethod::Stored);
    for index in 0..100_000 {
        zip.start_file(format!("{index}"), options).unwrap();
    }
    let bytes = zip.finish().unwrap().into_inner();
    let error = refusal(&bytes);
    assert_eq!(
        error.to_string(),
        "the bundle has 100000 entries; 20000 are the limit"
    );
}

#[test]
fn a_count_or_a_length_of_the_directory_that_lies_is_refused() {
    let lies: [(usize, &[u8]); 6] = [
        // Entries: fewer and more than there are.
        (8, &[1, 0, 1, 0]),
        (8, &[200, 0, 200, 0]),
        // On this disk, and on all.
        (8, &[3, 0, 4, 0]),
        // Length and offset of the directory.
        (12, &1_000_000_u32.to_le_bytes()),
        (12, &10_u32.to_le_bytes()),
        (16, &1_u32.to_le_bytes()),
    ];
    for (offset, lie) in lies {
        let mut bytes = two_files();
        patch(&mut bytes, END, 0, offset, lie);
        let error = refusal(&bytes);
        assert!(
            matches!(error, BundleError::Contradiction(_) | BundleError::Split),
            "{offset}: {error}"
        );
    }
}

#[test]
fn zip64_is_read_where_it_is_true_and_refused_where_it_is_not() {
    let mut zip = ZipWriter::new(Cursor::new(Vec::new()));
    let options = SimpleFileOptions::default()
        .compression_method(CompressionMethod::Deflated)
        .large_file(true);
    zip.start_file("a.js", options).unwrap();
    zip.write_all(b"a()").unwrap();
    zip.start_file("manifest.json", options).unwrap();
    zip.write_all(manifest_of(&["a.js"]).as_bytes()).unwrap();
    let sound = zip.finish().unwrap().into_inner();
    check_bundle(&sound[..], &BundleLimits::default()).unwrap();
    // The directory says "see zip64" where there is nothing to see.
    let mut bytes = two_files();
    patch(&mut bytes, CENTRAL, 0, 24, &[0xff; 4]);
    assert!(matches!(
        refusal(&bytes),
        BundleError::EntryContradiction { .. }
    ));
    let mut bytes = two_files();
    patch(&mut bytes, END, 0, 8, &[0xff; 4]);
    assert!(matches!(refusal(&bytes), BundleError::Contradiction(_)));
}

#[test]
fn a_manifest_that_is_missing_too_large_or_no_json_is_refused() {
    let mut bytes = archive(HEADER, "{}", &[]);
    patch(&mut bytes, CENTRAL, 0, 46, b"manifesto");
    patch(&mut bytes, LOCAL, 0, 30, b"manifesto");
    assert!(matches!(refusal(&bytes), BundleError::NoManifest));
    let large = format!("{{\"files\":{{}},\"x\":\"{}\"}}", "x".repeat(2000));
    let limits = BundleLimits {
        manifest_bytes: 1000,
        ..BundleLimits::default()
    };
    let error = refusal_with(&archive(HEADER, &large, &[]), &limits);
    assert!(matches!(
        error,
        BundleError::ManifestTooLarge { limit: 1000 }
    ));
    for manifest in [
        "",
        "[]",
        "{\"files\":3}",
        "{\"files\":{\"a\":1}}",
        "{} {}",
        &"[".repeat(100_000),
    ] {
        let error = refusal(&archive(HEADER, manifest, &[("a", b"")]));
        assert!(matches!(error, BundleError::Manifest(_)), "{error}");
    }
    let error = refusal(&archive(HEADER, &manifest_of(&["b.js"]), &[("a.js", b"")]));
    assert!(matches!(error, BundleError::MissingFile { path } if path == "b.js"));
    let mut zip = ZipWriter::new(Cursor::new(Vec::new()));
    zip.start_file("manifest.json", SimpleFileOptions::default())
        .unwrap();
    zip.write_all(b"{\"org\":\"\xff\"}").unwrap();
    let bytes = zip.finish().unwrap().into_inner();
    assert!(matches!(
        refusal(&bytes),
        BundleError::ManifestNotUtf8 { offset: 8 }
    ));
}

#[test]
fn texts_and_headers_of_a_manifest_have_limits() {
    let long = "x".repeat(5000);
    let many: serde_json::Map<_, _> = (0..40).map(|n| (n.to_string(), json!(""))).collect();
    for file in [
        json!({"url": long}),
        json!({"headers": {"debug-id": long}}),
        json!({"headers": many}),
    ] {
        let manifest = json!({"files": {"a.js": file}}).to_string();
        let error = refusal(&archive(HEADER, &manifest, &[("a.js", b"")]));
        assert!(matches!(error, BundleError::Manifest(_)), "{error}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    #[test]
    fn any_files_of_another_encoder_are_read_back(
        files in proptest::collection::btree_map("[a-z]{1,8}", proptest::collection::vec(any::<u8>(), 0..2000), 0..8),
        header in any::<bool>(),
    ) {
        let paths: Vec<&str> = files.keys().map(String::as_str).collect();
        let entries: Vec<(&str, &[u8])> = files.iter().map(|(path, bytes)| (path.as_str(), bytes.as_slice())).collect();
        let bytes = archive(if header { HEADER } else { b"" }, &manifest_of(&paths), &entries);
        let manifest = check_bundle(&bytes[..], &BundleLimits::default()).unwrap();
        let found: Vec<&str> = manifest.files.iter().map(|file| file.path.as_str()).collect();
        prop_assert_eq!(found, paths);
    }

    #[test]
    fn a_bundle_with_flipped_bytes_is_read_or_refused_but_never_a_panic(
        flips in proptest::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..6),
    ) {
        let mut bytes = two_files();
        for (index, value) in flips {
            let at = index.index(bytes.len());
            bytes[at] = value;
        }
        check_bundle(&bytes[..], &BundleLimits::default()).ok();
    }
}

//! `backtrail sourcemaps check`, for CI.

use std::fs::{copy, remove_file, write};
use std::path::Path;
use std::process::Output;

use serde_json::Value;

use crate::running::run_in;
use crate::service::{build, fixture, stderr, stdout};

fn check(dir: &Path, args: &[&str]) -> Output {
    run_in(dir, &[&["sourcemaps", "check"], args].concat(), &[])
}

/// The findings of a build that is not good: code, and file.
fn findings(dir: &Path) -> Vec<(String, String)> {
    let output = check(dir, &[".", "--json"]);
    assert_eq!(output.status.code(), Some(1), "{output:?}");
    let report: Value = serde_json::from_slice(&output.stdout).unwrap();
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    let findings = report["findings"].as_array().unwrap().iter();
    findings
        .map(|finding| (text(&finding["code"]), text(&finding["file"])))
        .collect()
}

#[test]
fn a_good_build_is_good() {
    for name in ["plain", "hashed"] {
        let dist = build(name);
        let output = check(dist.path(), &["."]);
        assert_eq!(output.status.code(), Some(0), "{output:?}");
        assert_eq!(stdout(&output), "1 bundles, 1 maps: good\n");
    }
}

#[test]
fn a_broken_map_is_named_with_the_rule_that_it_breaks() {
    let dist = build("plain");
    let map = dist.path().join("main.js.map");
    let good = std::fs::read_to_string(&map).unwrap();
    let mut seen = Vec::new();
    for (from, to) in [
        ("\"version\":3", "\"version\":2"),
        ("\"mappings\":\"", "\"mappings\":\"!"),
        ("\"mappings\":\"", "\"mappings\":[],\"x\":\""),
    ] {
        let broken = good.replacen(from, to, 1);
        assert_ne!(good, broken);
        write(&map, broken).unwrap();
        let found = findings(dist.path());
        let (code, file) = &found[0];
        assert_eq!(file, "./main.js.map", "{found:?}");
        assert_ne!(code, "unreadable", "{found:?}");
        seen.push(code.clone());
    }
    seen.dedup();
    assert_eq!(seen.len(), 3, "{seen:?}");
    write(&map, &good[..good.len() / 2]).unwrap();
    assert_eq!(findings(dist.path())[0].1, "./main.js.map");
}

#[test]
fn a_map_of_another_build_belongs_to_nothing() {
    let dist = build("plain");
    copy(
        fixture("plain-next/main.js.map"),
        dist.path().join("main.js.map"),
    )
    .unwrap();
    let found = findings(dist.path());
    let codes: Vec<&str> = found.iter().map(|(code, _)| code.as_str()).collect();
    assert_eq!(codes, ["does_not_fit", "belongs_to_nothing"], "{found:?}");
    let output = check(dist.path(), &["."]);
    assert_eq!(output.status.code(), Some(1));
    assert!(
        stdout(&output).contains("  fix: upload the map of this build"),
        "{output:?}"
    );
    assert!(
        stdout(&output).ends_with("1 bundles, 1 maps: 2 findings\n"),
        "{output:?}"
    );
}

#[test]
fn a_map_that_a_bundle_names_and_that_is_not_there_is_missed() {
    let dist = build("plain");
    let bundle = dist.path().join("main.js");
    let mut text = std::fs::read_to_string(&bundle).unwrap();
    remove_file(dist.path().join("main.js.map")).unwrap();
    // A bundle that never had a map is no fault.
    let output = check(dist.path(), &["."]);
    assert_eq!(output.status.code(), Some(0), "{output:?}");

    text.push_str("\n//# sourceMappingURL=main.js.map\n");
    write(&bundle, text).unwrap();
    let found = findings(dist.path());
    assert_eq!(
        found,
        [("reference_not_uploaded".to_owned(), "./main.js".to_owned())]
    );
}

#[test]
fn nothing_to_check_is_no_success() {
    let empty = tempfile::TempDir::new().unwrap();
    for path in [".", "dist"] {
        let output = check(empty.path(), &[path]);
        assert_eq!(output.status.code(), Some(2), "{output:?}");
        assert!(stderr(&output).contains(path), "{output:?}");
    }
}

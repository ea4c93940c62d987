//! What does not belong together is never believed: a wrong line is worse than none.

use std::fs::{copy, remove_dir_all, remove_file, write};

use crate::running::Backtrail;
use crate::service::{
    HASHED, Thrower, assert_healed, assert_raw, build, fixture, plain, stack, upload,
};

const FIRST: Thrower<'static> = Thrower {
    service: "shop",
    version: Some("1.0.0"),
};

#[test]
fn of_two_builds_of_one_name_only_positions_can_choose() {
    let server = Backtrail::start();
    for name in ["plain", "plain-next"] {
        upload(&server, build(name).path(), &["--release", "1.0.0"]);
    }
    // Six positions are in words of one build alone; one position may be in both.
    FIRST.throws_stack(&server, 1, &plain());
    assert_healed(&stack(&server, 1));
    FIRST.throws_stack(&server, 2, "Error: x\n    at n (/var/task/main.js:1:404)");
    assert_raw(&stack(&server, 2), "files_ambiguous");
}

#[test]
fn a_build_of_another_time_is_not_believed() {
    let server = Backtrail::start();
    upload(&server, build("plain-next").path(), &["--release", "1.0.0"]);
    FIRST.throws_stack(&server, 1, &plain());
    assert_raw(&stack(&server, 1), "other_build");
}

#[test]
fn a_map_of_another_build_is_named() {
    let server = Backtrail::start();
    let mixed = build("hashed");
    remove_dir_all(mixed.path().join("sourcemaps")).unwrap();
    let other = "sourcemaps/main.6bd9257885207924a1c6.js.map";
    copy(
        fixture("hashed-next").join(other),
        mixed.path().join("other.js.map"),
    )
    .unwrap();
    upload(&server, mixed.path(), &["--release", "1.0.0"]);
    FIRST.throws_stack(&server, 1, HASHED);
    assert_raw(&stack(&server, 1), "does_not_fit");
}

#[test]
fn a_missing_map_is_named_and_heals_when_it_comes() {
    let server = Backtrail::start();
    let dist = build("plain");
    let bundle = dist.path().join("main.js");
    remove_file(dist.path().join("main.js.map")).unwrap();
    let mut text = std::fs::read(&bundle).unwrap();
    text.extend(b"\n//# sourceMappingURL=main.js.map\n");
    write(&bundle, text).unwrap();
    upload(&server, dist.path(), &["--release", "1.0.0"]);
    FIRST.throws_stack(&server, 1, &plain());
    assert_raw(&stack(&server, 1), "reference_not_uploaded");

    copy(
        fixture("plain/main.js.map"),
        dist.path().join("main.js.map"),
    )
    .unwrap();
    upload(&server, dist.path(), &["--release", "1.0.0"]);
    assert_healed(&stack(&server, 1));
}

#[test]
fn a_build_of_another_release_needs_proof() {
    let server = Backtrail::start();
    upload(&server, build("plain").path(), &["--release", "0.9.0"]);
    let one_frame = "Error: x\n    at n (/var/task/main.js:1:404)";
    FIRST.throws_stack(&server, 1, one_frame);
    let raw = stack(&server, 1);
    assert_raw(&raw, "no_such_release");
    assert_raw(&raw, "unproven");

    // A release of the service's version that has something else is asked alone.
    upload(&server, build("plain-next").path(), &["--release", "1.0.0"]);
    FIRST.throws_stack(&server, 2, &plain());
    assert_raw(&stack(&server, 2), "other_build");
}

#[test]
fn a_map_that_cannot_be_read_is_named() {
    let server = Backtrail::start();
    let dist = build("plain");
    let map = std::fs::read_to_string(dist.path().join("main.js.map")).unwrap();
    let broken = map.replacen("\"mappings\":\"", "\"mappings\":\"!!!!", 1);
    assert_ne!(map, broken);
    write(dist.path().join("main.js.map"), broken).unwrap();
    upload(&server, dist.path(), &["--release", "1.0.0"]);
    FIRST.throws_stack(&server, 1, &plain());
    let found = stack(&server, 1);
    assert_eq!(found["resolved"], found["raw"], "{found:#}");
    let script = found["scripts"][0].to_string();
    assert!(script.contains("main.js.map"), "{script}");
}

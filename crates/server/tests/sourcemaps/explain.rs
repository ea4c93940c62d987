//! `backtrail sourcemaps explain`: the ladder for each script, and the fix to make.

use std::path::Path;
use std::process::Output;

use insta::assert_snapshot;
use serde_json::Value;

use crate::running::{Backtrail, run_in};
use crate::service::{HASHED, build, fixture, plain, sourcemaps, stderr, stdout, upload};

/// With the maps of the folder itself.
fn explain(dir: &Path, stack: &str, args: &[&str]) -> Output {
    std::fs::write(dir.join("stack.txt"), stack).unwrap();
    let command = ["sourcemaps", "explain", "stack.txt", "--maps", "."];
    run_in(dir, &[&command[..], args].concat(), &[])
}

#[test]
fn each_frame_is_explained_and_each_script() {
    let dist = build("hashed");
    let output = explain(dist.path(), HASHED, &["--strict"]);
    assert_eq!(output.status.code(), Some(0), "{output:?}");
    assert_snapshot!(stdout(&output), @r"
    n  /var/task/main.efbcacc41ec5b6ccc1e4.js:1:404
      -> chargeCustomer  src/payment.js:12:11
    n  /var/task/main.efbcacc41ec5b6ccc1e4.js:1:209
      -> placeOrder  src/order.js:9:10
    (anonymous)  /var/task/main.efbcacc41ec5b6ccc1e4.js:1:899
      -> handle  src/index.js:5:10
    (anonymous)  /var/task/main.efbcacc41ec5b6ccc1e4.js:1:920
      -> (anonymous)  src/index.js:9:15
    Object.<anonymous>  /var/task/main.efbcacc41ec5b6ccc1e4.js:1:940
      stays raw: the map says nothing of this place: it is code that the bundler added
    Module._compile  node:internal/modules/cjs/loader:1521:14
      stays raw: this is code of the engine itself

    /var/task/main.efbcacc41ec5b6ccc1e4.js
      step 1  the exception carries no debug id for this file
      step 2  no uploaded file is called ~/var/task/main.efbcacc41ec5b6ccc1e4.js
      step 4  the bundle does not say where its map is
      step 5  no map is called main.efbcacc41ec5b6ccc1e4.js.map
      step 6  found ~/sourcemaps/main.a1858a884031fd5b819d.js.map for ~/main.efbcacc41ec5b6ccc1e4.js in folder (file_field)
    ");
}

#[test]
fn what_is_missing_is_said_with_the_fix_and_fails_when_strict() {
    let dist = build("plain");
    std::fs::copy(
        fixture("plain-next/main.js.map"),
        dist.path().join("main.js.map"),
    )
    .unwrap();
    let stack = "Error: x\n    at n (/var/task/main.js:1:404)";
    let output = explain(dist.path(), stack, &[]);
    assert_eq!(output.status.code(), Some(0), "{output:?}");
    assert_snapshot!(stdout(&output), @r"
    n  /var/task/main.js:1:404
      stays raw: no map was found for this file

    /var/task/main.js
      step 1  the exception carries no debug id for this file
      step 2  no uploaded file is called ~/var/task/main.js
      step 4  the bundle does not say where its map is
              ~/main.js.map is a map of something else: 13 % of its tokens are the same text in bundle and source
      step 7  none of 1 maps fits the bundle by its content
      fix: upload the map of this build; ~/main.js.map belongs to another one
    ");
    let output = explain(dist.path(), stack, &["--strict"]);
    assert_eq!(output.status.code(), Some(1), "{output:?}");
}

#[test]
fn json_is_what_the_api_says() {
    let dist = build("hashed");
    let output = explain(dist.path(), HASHED, &["--json"]);
    let here: Value = serde_json::from_slice(&output.stdout).unwrap();
    let server = Backtrail::start();
    upload(&server, dist.path(), &["--release", "1.0.0"]);
    let args = [
        "explain",
        "stack.txt",
        "--json",
        "--service",
        "shop",
        "--version",
        "1.0.0",
    ];
    let output = sourcemaps(&server, dist.path(), &args);
    assert_eq!(output.status.code(), Some(0), "{output:?}");
    let there: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(here["frames"], there["frames"]);
    assert_eq!(here["resolved"], there["resolved"]);
    // An upload says which map is whose; a folder leaves it to be found.
    let map = |found: &Value, key: &str| found["scripts"][0]["map"][key].clone();
    assert_eq!(map(&here, "step_name"), "file_field");
    assert_eq!(map(&there, "step_name"), "reference");
    assert_eq!(map(&here, "map"), map(&there, "map"));
    assert_eq!(map(&there, "release"), "1.0.0");
}

#[test]
fn the_wrapper_is_no_fault_and_text_without_a_frame_is_said() {
    let dist = build("plain");
    let wrapper = plain().lines().nth(5).unwrap().to_owned();
    let stack = format!(
        "{}\n{wrapper}",
        plain().lines().take(2).collect::<Vec<_>>().join("\n")
    );
    assert_eq!(
        explain(dist.path(), &stack, &["--strict"]).status.code(),
        Some(0)
    );
    let output = explain(dist.path(), "hello\n", &[]);
    assert_eq!(
        stdout(&output),
        "no line of this is a frame of a JavaScript stack trace\n"
    );
    std::fs::write(dist.path().join("bytes.txt"), b"\xff").unwrap();
    let args = ["sourcemaps", "explain", "bytes.txt", "--maps", "."];
    let output = run_in(dist.path(), &args, &[]);
    assert_eq!(output.status.code(), Some(2));
    assert!(stderr(&output).contains("no UTF-8"), "{output:?}");
}

#[test]
fn of_a_long_text_the_frames_at_its_begin_are_explained() {
    let dist = build("hashed");
    // One of both is cut within a character.
    for ends in ["\n", "\n\n"] {
        let text = format!("{HASHED}{ends}{}", "é".repeat(3 << 20));
        let output = explain(dist.path(), &text, &["--json"]);
        assert_eq!(output.status.code(), Some(0), "{output:?}");
        let explained: Value = serde_json::from_slice(&output.stdout).unwrap();
        assert_eq!(explained["frames"].as_array().unwrap().len(), 6);
    }
}

//! Debug ids, from `inject` to the exception that carries them.

use std::path::Path;
use std::process::Command;

use crate::running::{Backtrail, run_in};
use crate::service::{SHOP, assert_raw, build, of_stack, plain, reasons, stack, stdout, upload};
use crate::structured::texts;

/// Debug ids in a build; the one of its bundle.
fn inject(dir: &Path) -> String {
    let output = run_in(dir, &["sourcemaps", "inject", "."], &[]);
    assert_eq!(output.status.code(), Some(0), "{output:?}");
    let said = stdout(&output);
    said.split_whitespace().next().unwrap().to_owned()
}

/// The places of the first four frames, and the step that found them.
fn places(stack: &serde_json::Value) -> Vec<String> {
    let frames = stack["frames"].as_array().unwrap().iter().take(4);
    let place = |frame: &serde_json::Value| {
        let place = &frame["resolved"];
        format!(
            "{}:{}:{}",
            place["file"].as_str().unwrap_or("?"),
            place["line"],
            place["column"]
        )
    };
    frames.map(place).collect()
}

const PLACES: [&str; 4] = [
    "src/payment.js:12:11",
    "src/order.js:9:10",
    "src/index.js:5:10",
    "src/index.js:9:15",
];

#[test]
fn an_exception_that_carries_debug_ids_finds_its_build_whatever_files_and_releases_are_called() {
    let server = Backtrail::start();
    let dist = build("plain");
    let id = inject(dist.path());
    upload(&server, dist.path(), &["--release", "of-another-name"]);
    // The code moved down by the line that notes the id.
    let raw = plain().replace(":1:", ":2:");
    let carry = |id: &str| {
        let mut attributes = of_stack(&raw);
        attributes.push(texts(
            "exception.debug_images.code_files",
            &["/var/task/vendor.js", "/var/task/main.js"],
        ));
        attributes.push(texts(
            "exception.debug_images.debug_ids",
            &["85314830-023f-4cf1-a267-535f4e37bb17", id],
        ));
        attributes
    };
    SHOP.throws(&server, 1, carry(&id));
    let found = stack(&server, 1);
    assert_eq!(places(&found), PLACES, "{found:#}");
    assert_eq!(found["scripts"][0]["map"]["step_name"], "debug_id");
    assert!(reasons(&found).is_empty(), "{found:#}");

    // An id is believed over a name that would do, so a foreign one is said.
    SHOP.throws(&server, 2, carry("85314830-023f-4cf1-a267-535f4e37bb17"));
    let found = stack(&server, 2);
    assert!(
        reasons(&found).contains(&"debug_id_not_uploaded"),
        "{found:#}"
    );
    SHOP.throws(&server, 3, carry("no debug id"));
    assert_eq!(stack(&server, 3)["frames"].as_array().unwrap().len(), 6);
}

#[test]
fn a_debug_id_of_a_project_that_does_not_serve_the_service_finds_nothing() {
    let server = Backtrail::start();
    upload(
        &server,
        build("hashed-next").path(),
        &["--project", "other"],
    );
    let dist = build("plain");
    let id = inject(dist.path());
    upload(&server, dist.path(), &["--project", "web"]);
    let mut attributes = of_stack(&plain().replace(":1:", ":2:"));
    attributes.push(texts(
        "exception.debug_images.code_files",
        &["/var/task/main.js"],
    ));
    attributes.push(texts("exception.debug_images.debug_ids", &[&id]));
    SHOP.throws(&server, 1, attributes);
    assert_raw(&stack(&server, 1), "debug_id_not_uploaded");
}

/// Prints the stack and what the bundle noted of itself.
const HARNESS: &str = "const at = process.argv[3]; try { require(at) } catch (error) {
  console.log(JSON.stringify({ stack: error.stack, ids: globalThis._sentryDebugIds })) }";

#[test]
fn an_injected_bundle_runs_and_says_its_debug_id_and_its_real_crash_resolves() {
    let dist = build("plain");
    let id = inject(dist.path());
    let bundle = dist.path().join("main.js");
    let request = r#"[{"name":"a","price":60,"quantity":2}]"#;
    let output = Command::new("node")
        .args(["-e", HARNESS, "--", "", request])
        .arg(&bundle)
        .output();
    // `node -e` gives what stands behind `--` from argv[1] on.
    let output = output.unwrap();
    assert!(output.status.success(), "{output:?}");
    let said: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    let ids = said["ids"].as_object().unwrap();
    assert_eq!(ids.values().collect::<Vec<_>>(), [&id]);
    let noted_at = ids.keys().next().unwrap();
    assert!(noted_at.contains(bundle.to_str().unwrap()), "{noted_at}");

    let server = Backtrail::start();
    upload(&server, dist.path(), &["--release", "1.0.0"]);
    let mut attributes = of_stack(said["stack"].as_str().unwrap());
    attributes.push(texts(
        "exception.debug_images.code_files",
        &[bundle.to_str().unwrap()],
    ));
    attributes.push(texts("exception.debug_images.debug_ids", &[&id]));
    SHOP.throws(&server, 1, attributes);
    let found = stack(&server, 1);
    assert_eq!(places(&found), PLACES, "{found:#}");
}

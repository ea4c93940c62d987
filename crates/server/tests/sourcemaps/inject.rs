//! `backtrail sourcemaps inject`, without a server.

use std::collections::BTreeMap;
use std::path::Path;
use std::process::Output;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::Value;

use crate::running::run_in;
use crate::service::{build, plain, stderr, stdout};

fn inject(dir: &Path, args: &[&str]) -> Output {
    let output = run_in(dir, &[&["sourcemaps", "inject", "."], args].concat(), &[]);
    assert_eq!(output.status.code(), Some(0), "{output:?}");
    output
}

/// All files of a folder with their bytes.
fn files(dir: &Path) -> BTreeMap<String, Vec<u8>> {
    let mut files = BTreeMap::new();
    for entry in std::fs::read_dir(dir).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            files.extend(self::files(&path));
        } else {
            let name = path.to_str().unwrap().to_owned();
            files.insert(name, std::fs::read(&path).unwrap());
        }
    }
    files
}

/// A stack of the bundle, resolved with the folder.
fn resolved(dir: &Path, stack: &str) -> String {
    let file = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(file.path(), stack).unwrap();
    let args = [
        "sourcemaps",
        "resolve",
        "--maps",
        ".",
        file.path().to_str().unwrap(),
    ];
    let output = run_in(dir, &args, &[]);
    assert_eq!(output.status.code(), Some(0), "{output:?}");
    stdout(&output)
}

#[test]
fn a_second_run_changes_nothing_and_says_so() {
    for args in [&[][..], &["--comment-only"]] {
        let dist = build("plain");
        let before = files(dist.path());
        let first = stdout(&inject(dist.path(), args));
        assert!(
            first.contains("written  ./main.js (./main.js.map)"),
            "{first}"
        );
        let once = files(dist.path());
        assert_ne!(once, before);
        let id = first.split_whitespace().next().unwrap();
        let comment = format!("//# debugId={id}\n");
        assert!(
            once.values()
                .any(|bytes| bytes.ends_with(comment.as_bytes()))
        );

        let second = stdout(&inject(dist.path(), args));
        assert!(
            second.contains(&format!("{id}  has it already  ./main.js")),
            "{second}"
        );
        assert_eq!(files(dist.path()), once);
    }
}

#[test]
fn a_dry_run_writes_nothing_and_names_what_it_would_write() {
    let dist = build("plain");
    let before = files(dist.path());
    let said = stdout(&inject(dist.path(), &["--dry-run"]));
    assert!(said.contains("would be written  ./main.js"), "{said}");
    assert_eq!(files(dist.path()), before);
    let written = stdout(&inject(dist.path(), &[]));
    assert_eq!(written.split(' ').next(), said.split(' ').next());
}

#[test]
fn json_names_each_file_and_each_warning() {
    let dist = build("hashed");
    let page = "<script src=main.js integrity=\"sha384-x\"></script>";
    std::fs::create_dir(dist.path().join("public")).unwrap();
    for name in ["index.html", "public/app.HTML"] {
        std::fs::write(dist.path().join(name), page).unwrap();
    }
    let output = inject(dist.path(), &["--json"]);
    let report: Value = serde_json::from_slice(&output.stdout).unwrap();
    let file = &report["files"][0];
    assert_eq!(file["bundle"], "./main.efbcacc41ec5b6ccc1e4.js");
    assert_eq!(file["map"], "./sourcemaps/main.a1858a884031fd5b819d.js.map");
    assert_eq!(file["changed"], true);
    assert_eq!(file["debug_id"].as_str().unwrap().len(), 36);
    let warnings = report["warnings"].to_string();
    assert!(
        warnings.contains("the hash in its name is of the content before"),
        "{warnings}"
    );
    for name in [
        "./index.html: names the integrity",
        "./public/app.HTML: names the integrity",
    ] {
        assert!(warnings.contains(name), "{warnings}");
    }
    // Nothing changed, so nothing is to be warned of.
    let output = inject(dist.path(), &["--json"]);
    let report: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(report["files"][0]["changed"], false);
    assert_eq!(report["warnings"], serde_json::json!([]));
}

#[test]
fn warnings_go_to_stderr() {
    let dist = build("hashed");
    let output = inject(dist.path(), &[]);
    assert!(
        stderr(&output).contains("warning: ./main.efbcacc41ec5b6ccc1e4.js: the hash"),
        "{output:?}"
    );
    assert!(!stdout(&output).contains("warning"));
    let plain = build("plain");
    assert_eq!(stderr(&inject(plain.path(), &[])), "");
}

#[test]
fn positions_stay_right_in_either_mode_and_from_one_to_the_other() {
    let dist = build("plain");
    let first_frame = |text: String| text.lines().nth(1).unwrap().to_owned();
    let place = "    at chargeCustomer (src/payment.js:12:11)";
    inject(dist.path(), &["--comment-only"]);
    assert_eq!(first_frame(resolved(dist.path(), &plain())), place);
    inject(dist.path(), &[]);
    let moved = plain().replace(":1:", ":2:");
    assert_eq!(first_frame(resolved(dist.path(), &moved)), place);
}

#[test]
fn a_map_within_the_bundle_stays_right() {
    let dist = build("plain");
    let bundle = dist.path().join("main.js");
    let map = dist.path().join("main.js.map");
    let url = STANDARD.encode(std::fs::read(&map).unwrap());
    std::fs::remove_file(&map).unwrap();
    let mut text = std::fs::read_to_string(&bundle).unwrap();
    text.push_str("\n//# sourceMappingURL=data:application/json;charset=utf-8;base64,");
    text.push_str(&url);
    std::fs::write(&bundle, &text).unwrap();
    let place = "    at chargeCustomer (src/payment.js:12:11)";
    assert!(resolved(dist.path(), &plain()).contains(place));

    inject(dist.path(), &[]);
    let line = std::fs::read_to_string(&bundle).unwrap();
    let line = 1 + line
        .lines()
        .position(|line| line.contains("(()=>{"))
        .unwrap();
    let moved = plain().replace(":1:", &format!(":{line}:"));
    assert!(resolved(dist.path(), &moved).contains(place));
}

#[test]
fn a_script_that_may_be_run_still_may() {
    use std::os::unix::fs::PermissionsExt as _;
    let dir = build("hashed");
    let bundle = dir.path().join("main.efbcacc41ec5b6ccc1e4.js");
    let mode = |path: &Path| std::fs::metadata(path).unwrap().permissions().mode() & 0o777;
    std::fs::set_permissions(&bundle, std::fs::Permissions::from_mode(0o750)).unwrap();
    let before = std::fs::read(&bundle).unwrap();
    assert!(inject(dir.path(), &[]).status.success());
    assert_ne!(std::fs::read(&bundle).unwrap(), before);
    assert_eq!(mode(&bundle), 0o750);
}

#[test]
fn what_an_interrupted_run_left_is_in_nobodys_way() {
    let dist = build("plain");
    std::fs::write(dist.path().join("main.js.backtrail-new"), "half").unwrap();
    inject(dist.path(), &[]);
    assert!(!dist.path().join("main.js.backtrail-new").exists());
}

#[test]
fn a_folder_without_a_bundle_and_one_that_is_not_there() {
    let empty = tempfile::TempDir::new().unwrap();
    assert_eq!(stdout(&inject(empty.path(), &[])), "no bundle was found\n");
    let output = run_in(empty.path(), &["sourcemaps", "inject", "dist"], &[]);
    assert_eq!(output.status.code(), Some(2));
    assert!(stderr(&output).contains("dist: "), "{output:?}");
}

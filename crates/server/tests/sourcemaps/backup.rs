//! Uploads are in a backup of the running server, and a check tells what is damaged of them.

use std::path::{Path, PathBuf};
use std::process::Output;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use tempfile::TempDir;

use crate::running::{Backtrail, Start, run_in};
use crate::service::{HASHED, SHOP, assert_healed, build, stack, stdout, upload};

fn data(args: &[&str]) -> Output {
    run_in(Path::new("/"), &[&["data"], args].concat(), &[])
}

fn back_up(data_dir: &Path, target: &Path) -> Output {
    let (data_dir, target) = (data_dir.to_str().unwrap(), target.to_str().unwrap());
    data(&["backup", "--data-dir", data_dir, target])
}

fn check(dir: &Path) -> Output {
    data(&["check", dir.to_str().unwrap()])
}

fn assert_whole(dir: &Path) {
    let output = check(dir);
    assert!(output.status.success(), "{}", stdout(&output));
    assert!(stdout(&output).ends_with("is whole\n"), "{output:?}");
}

fn bundles(server: &Backtrail) -> Vec<serde_json::Value> {
    let (status, body) = server.get("/api/v1/sourcemaps/organizations");
    assert_eq!(status, 200, "{body}");
    let organisations: serde_json::Value = serde_json::from_str(&body).unwrap();
    let mut found = Vec::new();
    for organisation in organisations["organizations"].as_array().unwrap() {
        let slug = organisation["slug"].as_str().unwrap();
        let path = format!("/api/v1/sourcemaps/organizations/{slug}/bundles");
        let (status, body) = server.get(&path);
        assert_eq!(status, 200, "{body}");
        let listed: serde_json::Value = serde_json::from_str(&body).unwrap();
        found.extend(listed["bundles"].as_array().unwrap().iter().cloned());
    }
    found
}

/// Files in a folder of the uploads.
fn kept(data_dir: &Path, folder: &str) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for prefix in std::fs::read_dir(data_dir.join("artifacts").join(folder)).unwrap() {
        for file in std::fs::read_dir(prefix.unwrap().path()).unwrap() {
            found.push(file.unwrap().path());
        }
    }
    found.sort();
    found
}

#[test]
fn a_restored_backup_lists_the_same_bundles_and_resolves_the_same_frames() {
    let dir = TempDir::new().unwrap();
    let (data_dir, target) = (dir.path().join("data"), dir.path().join("backup"));
    let server = Start::new().data_dir(&data_dir).start();
    let hashed = build("hashed");
    upload(&server, hashed.path(), &["--release", "1.0.0"]);
    SHOP.throws_stack(&server, 1, HASHED);
    let output = back_up(&data_dir, &target);
    assert!(output.status.success(), "{output:?}");
    assert!(
        stdout(&output).contains("1 bundles of source maps in 3 files, of which 0"),
        "{output:?}"
    );

    // The second one has the first one's files, and what came since: the scripts of both builds have the same text.
    let next = build("plain");
    upload(&server, next.path(), &["--release", "2.0.0"]);
    let before = bundles(&server);
    assert_eq!(before.len(), 2);
    let output = back_up(&data_dir, &target);
    assert!(
        stdout(&output).contains("2 bundles of source maps in 5 files, of which 3"),
        "{output:?}"
    );
    assert_whole(&target);
    server.kill();
    assert_whole(&data_dir);
    std::fs::remove_dir_all(&data_dir).unwrap();

    let restored = Start::new().data_dir(&target).start();
    assert_eq!(bundles(&restored), before);
    assert_healed(&stack(&restored, 1));
    SHOP.throws_stack(&restored, 2, HASHED);
    assert_healed(&stack(&restored, 2));
}

#[test]
fn a_backup_while_builds_are_uploaded_has_each_that_was_acknowledged() {
    let dir = TempDir::new().unwrap();
    let data_dir = dir.path().join("data");
    let server = Start::new().data_dir(&data_dir).start();
    let (uploads, stop) = (AtomicU64::new(0), AtomicBool::new(false));
    std::thread::scope(|scope| {
        scope.spawn(|| {
            let build = build("plain");
            while !stop.load(Ordering::Relaxed) {
                let number = uploads.load(Ordering::Relaxed) + 1;
                // Other bytes each time, so that it is another bundle.
                let more = build.path().join(format!("{number}.js"));
                std::fs::write(more, format!("run({number})")).unwrap();
                upload(
                    &server,
                    build.path(),
                    &["--release", &format!("1.{number}")],
                );
                uploads.store(number, Ordering::Release);
            }
        });
        for round in 0..4 {
            let due = uploads.load(Ordering::Acquire) + 1;
            while uploads.load(Ordering::Acquire) < due {
                std::thread::yield_now();
            }
            let target = dir.path().join(format!("backup {round}"));
            let output = back_up(&data_dir, &target);
            assert!(output.status.success(), "{output:?}");
            assert_whole(&target);
            assert_whole(&data_dir);
            let restored = Start::new().data_dir(&target).start();
            assert!(bundles(&restored).len() as u64 >= due, "round {round}");
            restored.kill();
        }
        stop.store(true, Ordering::Relaxed);
    });
}

#[test]
fn a_blob_that_is_damaged_or_missing_is_named_by_a_check_and_stops_a_backup() {
    let dir = TempDir::new().unwrap();
    let (data_dir, target) = (dir.path().join("data"), dir.path().join("backup"));
    let server = Start::new().data_dir(&data_dir).start();
    upload(&server, build("hashed").path(), &["--release", "1.0.0"]);
    assert!(back_up(&data_dir, &target).status.success());

    // Of the server's own, while it runs.
    let blob = kept(&data_dir, "blobs").remove(0);
    let bytes = std::fs::read(&blob).unwrap();
    let mut damaged = bytes.clone();
    let middle = damaged.len() / 2;
    damaged[middle] ^= 1;
    std::fs::write(&blob, damaged).unwrap();
    let output = check(&data_dir);
    assert_eq!(output.status.code(), Some(1));
    let expected = format!("damaged: {}: ", blob.display());
    assert!(stdout(&output).contains(&expected), "{output:?}");
    let refused = back_up(&data_dir, &dir.path().join("other"));
    assert_eq!(refused.status.code(), Some(1));
    let error = String::from_utf8(refused.stderr).unwrap();
    assert!(
        error.contains("the uploads are damaged, nothing was backed up"),
        "{error}"
    );
    assert!(error.contains(&*blob.to_string_lossy()), "{error}");
    assert!(!dir.path().join("other").exists());
    std::fs::write(&blob, bytes).unwrap();
    assert_whole(&data_dir);
    server.kill();

    // Of the backup.
    let chunk = kept(&target, "chunks").remove(0);
    std::fs::remove_file(&chunk).unwrap();
    let output = check(&target);
    assert_eq!(output.status.code(), Some(1));
    let expected = format!(
        "damaged: {}: it is missing, and the metadata names it",
        chunk.display()
    );
    assert!(stdout(&output).contains(&expected), "{output:?}");
    std::fs::remove_dir_all(target.join("artifacts")).unwrap();
    let output = check(&target);
    assert_eq!(output.status.code(), Some(1));
    assert!(
        stdout(&output).contains("artifacts/metadata.redb: it is missing"),
        "{output:?}"
    );
}

#[test]
fn what_an_interrupted_upload_left_is_noted_and_no_damage() {
    let dir = TempDir::new().unwrap();
    let data_dir = dir.path().join("data");
    let server = Start::new().data_dir(&data_dir).start();
    upload(&server, build("hashed").path(), &["--release", "1.0.0"]);
    server.kill();
    let stray = data_dir.join("artifacts/tmp/stray");
    std::fs::write(&stray, "1").unwrap();
    let output = check(&data_dir);
    assert!(output.status.success(), "{output:?}");
    let expected = format!("note: {} is named by no metadata", stray.display());
    assert!(stdout(&output).contains(&expected), "{output:?}");
    Start::new().data_dir(&data_dir).start().kill();
    assert!(!stdout(&check(&data_dir)).contains("note: "));
}

//! A data directory is checked and copied while a server writes it.

use std::path::Path;
use std::process::Output;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use prost::Message;
use tempfile::TempDir;

use crate::running::{Backtrail, Start, agent, otlp, run_in, try_post};

/// Everything happens early and often: flushes, merges, and segments of the log that go.
fn busy(dir: &Path) -> Backtrail {
    Start::new()
        .data_dir(dir)
        .arg("--storage-flush-interval-ms=20")
        .arg("--storage-trace-idle-ms=10")
        .arg("--storage-log-segment-bytes=64KiB")
        .start()
}

/// Sends traces of three spans, numbered from 1, until told to stop; says how many were acknowledged.
fn send(server: &Backtrail, next: &AtomicU64, acknowledged: &AtomicU64, stop: &AtomicBool) {
    let (agent, url) = (agent(), server.url("otlp-http", "/v1/traces"));
    while !stop.load(Ordering::Relaxed) {
        let trace = next.load(Ordering::Relaxed);
        let body = otlp::trace(trace.into(), 3).encode_to_vec();
        let headers = [("Content-Type", "application/x-protobuf")];
        let reply = try_post(&agent, &url, &headers, &body).unwrap();
        assert_eq!((reply.status, &reply.body[..]), (200, &b""[..]));
        acknowledged.store(trace, Ordering::Release);
        next.store(trace + 1, Ordering::Relaxed);
    }
}

/// Runs `work` while a sender keeps the server busy.
fn under_load<T>(server: &Backtrail, next: &AtomicU64, work: impl FnOnce(&AtomicU64) -> T) -> T {
    let (acknowledged, stop) = (AtomicU64::new(0), AtomicBool::new(false));
    std::thread::scope(|scope| {
        scope.spawn(|| send(server, next, &acknowledged, &stop));
        let edits = manifest_edits(server.data_dir()) + 3;
        while acknowledged.load(Ordering::Acquire) < 50 || manifest_edits(server.data_dir()) < edits
        {
            std::thread::sleep(std::time::Duration::from_millis(5));
        }
        let done = work(&acknowledged);
        stop.store(true, Ordering::Relaxed);
        done
    })
}

/// How many edits the manifest has seen: one at the start, and one for each flush and merge.
fn manifest_edits(data_dir: &Path) -> u64 {
    let names = std::fs::read_dir(data_dir.join("manifest")).unwrap();
    let numbers = names.filter_map(|entry| {
        let name = entry.unwrap().file_name().into_string().unwrap();
        name.split('.').next().unwrap().parse().ok()
    });
    numbers.max().unwrap_or(0)
}

fn data(args: &[&str]) -> Output {
    run_in(Path::new("/"), &[&["data"], args].concat(), &[])
}

fn stdout(output: &Output) -> String {
    String::from_utf8(output.stdout.clone()).unwrap()
}

fn repeats_and_spans(server: &Backtrail, trace: u64) -> (u64, u64) {
    let (status, body) = server.get(&format!("/api/v1/traces/{trace:032x}/skeleton"));
    assert_eq!(status, 200, "trace {trace}: {body}");
    let skeleton: serde_json::Value = serde_json::from_str(&body).unwrap();
    (
        skeleton["repeats"].as_u64().unwrap(),
        skeleton["span_count"].as_u64().unwrap(),
    )
}

#[test]
fn a_check_of_a_directory_in_use_finds_it_whole_again_and_again() {
    let dir = TempDir::new().unwrap();
    let data_dir = dir.path().join("data");
    let mut server = busy(&data_dir);
    let next = AtomicU64::new(1);
    let path = data_dir.to_str().unwrap();
    under_load(&server, &next, |_| {
        // Through flushes, and the merge that comes after eight of them.
        while manifest_edits(&data_dir) < 14 {
            let output = data(&["check", path]);
            assert!(output.status.success(), "{}", stdout(&output));
            assert!(stdout(&output).ends_with("is whole\n"), "{output:?}");
        }
    });
    let (status, log) = server.stop();
    assert!(status.success(), "{log}");
    let output = data(&["check", path]);
    assert!(output.status.success(), "{output:?}");
    let sent = 3 * (next.load(Ordering::Relaxed) - 1);
    assert!(
        stdout(&output).contains(&format!("with {sent} spans")),
        "{}",
        stdout(&output)
    );
}

#[test]
fn a_check_of_a_damaged_directory_names_file_and_place_and_fails() {
    let dir = TempDir::new().unwrap();
    let data_dir = dir.path().join("data");
    let mut server = busy(&data_dir);
    under_load(&server, &AtomicU64::new(1), |_| ());
    server.stop();
    let mut damaged = None;
    for window in std::fs::read_dir(data_dir.join("blocks/default")).unwrap() {
        for block in std::fs::read_dir(window.unwrap().path()).unwrap() {
            damaged = Some(block.unwrap().path().join("spans.parquet"));
        }
    }
    let damaged = damaged.unwrap();
    let mut bytes = std::fs::read(&damaged).unwrap();
    bytes[100] ^= 1;
    std::fs::write(&damaged, bytes).unwrap();
    let output = data(&["check", data_dir.to_str().unwrap()]);
    assert_eq!(output.status.code(), Some(1));
    let expected = format!(
        "damaged: {} at offset 0: the checksum of",
        damaged.display()
    );
    assert!(stdout(&output).contains(&expected), "{output:?}");

    let missing = data(&["check", dir.path().to_str().unwrap()]);
    assert_eq!(missing.status.code(), Some(1));
    assert!(
        String::from_utf8(missing.stderr)
            .unwrap()
            .contains("is no data directory")
    );
}

#[test]
fn a_backup_of_a_busy_server_has_what_was_acknowledged_once() {
    let dir = TempDir::new().unwrap();
    let (data_dir, target) = (dir.path().join("data"), dir.path().join("backup"));
    let server = busy(&data_dir);
    let next = AtomicU64::new(1);
    let args = [
        "backup",
        "--data-dir",
        data_dir.to_str().unwrap(),
        target.to_str().unwrap(),
    ];
    // The second and third are of the first's blocks and new ones.
    for round in 0..3 {
        let acknowledged = under_load(&server, &next, |acknowledged| {
            let before = acknowledged.load(Ordering::Acquire);
            let output = data(&args);
            assert!(output.status.success(), "{output:?}");
            before
        });
        let output = data(&["check", target.to_str().unwrap()]);
        assert!(
            output.status.success(),
            "round {round}: {}",
            stdout(&output)
        );

        // A server on a copy of it: one on the backup itself would make it a data directory of its own.
        let restored = dir.path().join(format!("restored {round}"));
        copy_dir(&target, &restored);
        let restored = Start::new().data_dir(&restored).start();
        for trace in 1..=acknowledged {
            assert_eq!(repeats_and_spans(&restored, trace), (0, 3), "trace {trace}");
        }
        assert_eq!(restored.stored_spans() % 3, 0);
        assert!(restored.stored_spans() >= 3 * acknowledged);
        restored.kill();
    }
    // A server that was killed leaves a directory that can be backed up too.
    server.kill();
    assert!(data(&args).status.success());
}

#[test]
fn a_backup_refuses_a_folder_that_holds_something_else() {
    let dir = TempDir::new().unwrap();
    let (data_dir, target) = (dir.path().join("data"), dir.path().join("target"));
    let server = busy(&data_dir);
    std::fs::create_dir(&target).unwrap();
    std::fs::write(target.join("note"), "mine").unwrap();
    let args = [
        "backup",
        "--data-dir",
        data_dir.to_str().unwrap(),
        target.to_str().unwrap(),
    ];
    let error = |output: Output| String::from_utf8(output.stderr).unwrap();
    assert!(error(data(&args)).contains("is neither empty nor an earlier backup"));
    assert_eq!(
        std::fs::read_to_string(target.join("note")).unwrap(),
        "mine"
    );
    std::fs::remove_file(target.join("note")).unwrap();
    assert!(data(&args).status.success(), "an empty folder will do");

    Start::new().data_dir(&target).start().kill();
    assert!(error(data(&args)).contains("a server has run on"));

    // What was interrupted is no data directory.
    std::fs::write(target.join("BACKUP-UNFINISHED"), "").unwrap();
    let (_, log) = Start::new().data_dir(&target).try_start().err().unwrap();
    assert!(log.contains("is a backup that was not finished"), "{log}");
    drop(server);
}

fn copy_dir(from: &Path, to: &Path) {
    std::fs::create_dir_all(to).unwrap();
    for entry in std::fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let to = to.join(entry.file_name());
        if entry.file_type().unwrap().is_dir() {
            copy_dir(&entry.path(), &to);
        } else {
            std::fs::copy(entry.path(), to).unwrap();
        }
    }
}

#[test]
fn a_backup_into_its_own_directory_is_refused_however_that_is_written() {
    let dir = TempDir::new().unwrap();
    let data_dir = dir.path().join("data");
    let server = Start::new().data_dir(&data_dir).start();
    let link = dir.path().join("link");
    std::os::unix::fs::symlink(&data_dir, &link).unwrap();
    for (from, target) in [
        (data_dir.clone(), link.join("backup")),
        (link.clone(), data_dir.join("backup")),
        (data_dir.clone(), dir.path().join("missing/../data/backup")),
    ] {
        let args = [
            "backup",
            "--data-dir",
            from.to_str().unwrap(),
            target.to_str().unwrap(),
        ];
        let output = data(&args);
        let error = String::from_utf8(output.stderr).unwrap();
        assert!(error.contains("one inside the other"), "{error}");
        assert!(!data_dir.join("backup").exists());
        assert!(!data_dir.join("backup.partial").exists());
    }
    drop(server);
}

#[test]
fn an_error_says_its_cause_once() {
    let dir = TempDir::new().unwrap();
    let file = dir.path().join("file");
    std::fs::write(&file, "").unwrap();
    let output = data(&["check", file.to_str().unwrap()]);
    let error = String::from_utf8(output.stderr).unwrap();
    assert_eq!(error.matches("Not a directory").count(), 1, "{error}");
}

//! `kill -9` proves no sync: the page cache survives it. So `fdatasync` itself is replaced, by one that fails and one that is slow.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

use tempfile::TempDir;

use crate::reading::stored;
use crate::running::{Backtrail, Start};
use crate::sending::{Protocol, Sender};

/// The library, built with the C compiler of the machine.
fn library(dir: &Path) -> PathBuf {
    let library = dir.join("fdatasync.so");
    let built = Command::new("cc")
        .args(["-shared", "-fPIC", "-O1", "-Wall", "-Werror", "-o"])
        .arg(&library)
        .arg("tests/preload/fdatasync.c")
        .arg("-ldl")
        .status()
        .expect("these tests need a C compiler named cc");
    assert!(built.success());
    library
}

fn start(dir: &Path, variable: &str, value: &Path) -> Backtrail {
    Start::new()
        .data_dir(&dir.join("data"))
        .env("LD_PRELOAD", library(dir))
        .env(variable, value)
        .start()
}

#[test]
fn no_request_succeeds_when_the_disk_fails() {
    let dir = TempDir::new().unwrap();
    let broken = dir.path().join("broken");
    let server = start(dir.path(), "PRELOAD_FAIL_WHEN", &broken);
    let senders: Vec<_> = Protocol::ALL
        .map(|protocol| Sender::new(protocol, &server))
        .into();
    for (trace, sender) in (1..).zip(&senders) {
        sender.send(trace, 10).unwrap();
    }
    assert_eq!(server.get("/readyz").0, 200);

    std::fs::write(&broken, "").unwrap();
    let mut trace = 100;
    for _ in 0..5 {
        for sender in &senders {
            trace += 1;
            let refusal = sender.send(trace, 10).unwrap_err();
            assert!(
                refusal.starts_with("503 ") || refusal.starts_with("UNAVAILABLE "),
                "{refusal}"
            );
        }
    }
    let (status, reason) = server.get("/readyz");
    assert_eq!(status, 503);
    assert!(reason.contains("the store takes no spans: "), "{reason}");
    assert_eq!(server.get("/healthz").0, 200);

    // After a failed sync the page cache lies: the disk that works again changes nothing.
    std::fs::remove_file(&broken).unwrap();
    let refusal = senders[0].send(200, 10).unwrap_err();
    assert!(refusal.starts_with("503 "), "{refusal}");

    // A restart does.
    server.kill();
    let again = start(dir.path(), "PRELOAD_FAIL_WHEN", &broken);
    for trace in 1..=senders.len() as u128 {
        assert_eq!(stored(&again, trace), Some(10), "trace {trace}");
    }
    Sender::new(Protocol::Protobuf, &again)
        .send(300, 10)
        .unwrap();
}

#[test]
fn durability_os_promises_the_end_of_the_process_and_waits_for_no_disk() {
    let dir = TempDir::new().unwrap();
    let broken = dir.path().join("broken");
    let start = || {
        Start::new()
            .data_dir(&dir.path().join("data"))
            .arg("--storage-durability=os")
            .env("LD_PRELOAD", library(dir.path()))
            .env("PRELOAD_FAIL_WHEN", &broken)
            .start()
    };
    let server = start();
    std::fs::write(&broken, "").unwrap();
    let sender = Sender::new(Protocol::Protobuf, &server);
    for trace in 1..=5 {
        sender.send(trace, 10).unwrap();
    }
    server.kill();

    std::fs::remove_file(&broken).unwrap();
    let again = start();
    for trace in 1..=5 {
        assert_eq!(stored(&again, trace), Some(10), "trace {trace}");
    }
}

#[test]
fn no_reply_leaves_before_the_disk_has_it() {
    const DELAY: Duration = Duration::from_millis(300);
    let dir = TempDir::new().unwrap();
    let server = start(dir.path(), "PRELOAD_DELAY_MS", Path::new("300"));
    std::thread::scope(|scope| {
        for (worker, protocol) in (0..).zip(Protocol::ALL.into_iter().cycle().take(8)) {
            let server = &server;
            scope.spawn(move || {
                let sender = Sender::new(protocol, server);
                for request in 1..=3 {
                    let sent = Instant::now();
                    sender.send(worker * 10 + request, 5).unwrap();
                    let took = sent.elapsed();
                    assert!(took >= DELAY, "{protocol:?} was answered after {took:?}");
                }
            });
        }
    });
    // Whoever waits for the same sync shares it: 24 requests, far fewer syncs.
    let syncs = server.metric("backtrail_log_sync_duration_seconds_count");
    assert!((3..20).contains(&syncs), "{syncs} syncs");
}

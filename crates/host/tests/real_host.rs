//! The real machine's clock, randomness and tasks.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, mpsc};
use std::time::Duration;

use host::{BlockingLost, Host, TasksExt};

#[test]
fn a_host_without_a_runtime_has_all_but_tasks() {
    let host = Host::real();
    // 2020: no machine that builds this has an older clock.
    assert!(host.clock.now_unix_nano() > 1_577_836_800_000_000_000);
    let before = host.clock.monotonic();
    assert!(host.clock.monotonic() >= before);
    assert_ne!(host.random.next_u64(), host.random.next_u64());
}

#[test]
#[should_panic(expected = "runtime")]
fn tasks_without_a_runtime_say_so() {
    drop(Host::real().tasks.sleep(Duration::ZERO));
}

#[tokio::test]
async fn spawned_tasks_and_sleep_run_on_the_runtime() {
    let host = Host::real();
    let (sender, receiver) = tokio::sync::oneshot::channel();
    let sleep = host.tasks.sleep(Duration::from_millis(1));
    host.tasks.spawn(
        "sender",
        Box::pin(async move {
            sleep.await;
            sender.send(7).unwrap();
        }),
    );
    assert_eq!(receiver.await, Ok(7));
}

#[tokio::test]
async fn blocking_work_runs_beside_the_runtime() {
    let host = Host::real();
    let (sender, receiver) = mpsc::channel();
    let waits = host.tasks.run_blocking(move || receiver.recv().unwrap());
    sender.send(5).unwrap();
    assert_eq!(waits.await, Ok(5));
}

#[tokio::test]
async fn blocking_work_is_done_though_nobody_waits() {
    let host = Host::real();
    let done = Arc::new(AtomicBool::new(false));
    let seen = done.clone();
    drop(
        host.tasks
            .run_blocking(move || seen.store(true, Ordering::Release)),
    );
    while !done.load(Ordering::Acquire) {
        host.tasks.sleep(Duration::from_millis(1)).await;
    }
}

#[tokio::test]
async fn work_that_panics_is_an_error_for_who_waits() {
    let lost = Host::real()
        .tasks
        .run_blocking(|| panic!("on purpose: the message in the test's output is right"));
    let result: Result<(), BlockingLost> = lost.await;
    assert_eq!(result, Err(BlockingLost));
}

#[test]
fn a_path_is_the_same_however_it_is_written() {
    let dir = tempfile::tempdir().unwrap();
    let top = dir.path().canonicalize().unwrap();
    std::fs::create_dir_all(top.join("data/blocks")).unwrap();
    std::os::unix::fs::symlink(top.join("data"), top.join("link")).unwrap();
    std::os::unix::fs::symlink("blocks", top.join("data/inner")).unwrap();
    let files = Host::real().files;
    for (written, real) in [
        ("data", "data"),
        ("data/../data/./blocks", "data/blocks"),
        ("link", "data"),
        ("link/missing/deeper", "data/missing/deeper"),
        ("link/inner/missing", "data/blocks/missing"),
        ("missing/../link/x", "data/x"),
        ("link/..", ""),
    ] {
        let found = files.real_path(&top.join(written)).unwrap();
        assert_eq!(
            found,
            top.join(real).components().collect::<std::path::PathBuf>(),
            "{written}"
        );
    }
    let here = std::env::current_dir().unwrap();
    let found = files
        .real_path(std::path::Path::new("nothing-here"))
        .unwrap();
    assert_eq!(found, here.canonicalize().unwrap().join("nothing-here"));
}

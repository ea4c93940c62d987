//! `kill -9` under load, at random instants, again and again on one directory.

use std::hash::{BuildHasher, RandomState};
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use tempfile::TempDir;

use crate::reading::stored;
use crate::running::{Backtrail, Start};
use crate::sending::{Protocol, Sender};

const KILLS: u64 = 20;
const MAX_LIFE_MS: u64 = 300;

/// A trace that was sent.
#[derive(Debug, Clone, Copy)]
struct Sent {
    trace: u128,
    spans: u64,
    acknowledged: bool,
}

/// Everything happens early and often: flushes, merges, and segments of the log that go.
fn start(dir: &TempDir) -> Backtrail {
    Start::new()
        .data_dir(dir.path())
        .arg("--storage-flush-interval-ms=20")
        .arg("--storage-trace-idle-ms=10")
        .arg("--storage-log-segment-bytes=64KiB")
        .start()
}

/// Sends traces until the server is gone.
fn send_until_killed(sender: &Sender, next_trace: &AtomicU64) -> Vec<Sent> {
    let mut all = Vec::new();
    loop {
        let trace = u128::from(next_trace.fetch_add(1, Ordering::Relaxed));
        let spans = 1 + (trace as u64 * 7) % 20;
        let acknowledged = sender.send(trace, spans).is_ok();
        all.push(Sent {
            trace,
            spans,
            acknowledged,
        });
        if !acknowledged {
            return all;
        }
    }
}

/// Every trace of `sent` is there whole, once, if it was acknowledged; whole or not at all if not.
fn check(server: &Backtrail, sent: &[Sent]) {
    for one in sent {
        match stored(server, one.trace) {
            Some(spans) => assert_eq!(spans, one.spans, "{one:?}"),
            None => assert!(!one.acknowledged, "{one:?} is lost"),
        }
    }
}

#[test]
fn what_was_acknowledged_is_there_once_after_kill_9_at_any_instant() {
    let seed = RandomState::new().hash_one("kill");
    println!("seed {seed}");
    let random = |round: u64| {
        // splitmix64
        let mut x = seed.wrapping_add(round.wrapping_mul(0x9e37_79b9_7f4a_7c15));
        x = (x ^ (x >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        x = (x ^ (x >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        x ^ (x >> 31)
    };
    let dir = TempDir::new().unwrap();
    let next_trace = AtomicU64::new(1);
    let mut sent: Vec<Sent> = Vec::new();
    let mut last_round: Vec<Sent> = Vec::new();

    for round in 0..KILLS {
        let server = start(&dir);
        check(&server, &last_round);
        last_round = std::thread::scope(|scope| {
            let workers = Protocol::ALL.map(|protocol| {
                let sender = Sender::new(protocol, &server);
                let next_trace = &next_trace;
                scope.spawn(move || send_until_killed(&sender, next_trace))
            });
            std::thread::sleep(Duration::from_millis(random(round) % MAX_LIFE_MS));
            server.kill();
            let sent = workers.map(|worker| worker.join().unwrap());
            sent.into_iter().flatten().collect()
        });
        sent.extend(&last_round);
    }

    let server = start(&dir);
    check(&server, &sent);
    let flushed = server.metric("backtrail_block_spans");
    // Nothing is in memory and in a block, or twice in either.
    let found: u64 = sent
        .iter()
        .filter_map(|one| stored(&server, one.trace))
        .sum();
    assert_eq!(server.stored_spans(), found);
    let acknowledged = sent.iter().filter(|one| one.acknowledged).count();
    println!(
        "{acknowledged} of {} traces acknowledged, {flushed} spans flushed",
        sent.len()
    );
    assert!(
        acknowledged > 100,
        "only {acknowledged} traces were acknowledged"
    );
    assert!(flushed > 0, "nothing was flushed before the end");
}

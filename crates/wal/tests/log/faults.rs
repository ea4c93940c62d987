//! The disk fails while the log runs.

use std::sync::Arc;

use host::sim::{Crash, Fault, OperationKind, SimHost};
use wal::{Wal, WalError, WalOptions};

use crate::machine::{
    Events, append, append_together, numbered, numbers, open, segment, small_segments,
};

/// Appends three records at once; says what was answered and which callbacks ran.
fn append_three(sim: &SimHost, wal: &Wal) -> (Vec<Result<u64, WalError>>, Vec<String>) {
    let events = Events::default();
    let appends = (2..=4).map(|number| {
        let seen = events.clone();
        wal.append(
            numbered(number, 100),
            Box::new(move |seq| seen.push(format!("{seq} is durable"))),
        )
    });
    let answers = sim.block_on(futures_util::future::join_all(appends));
    (answers, events.take())
}

#[test]
fn a_failed_write_or_sync_stops_the_log_for_good() {
    for (kind, fault) in [
        (OperationKind::SyncData, Fault::Io),
        (OperationKind::SyncData, Fault::Full),
        (OperationKind::Write, Fault::Io),
        (OperationKind::Write, Fault::Full),
        (OperationKind::Write, Fault::ShortWrite(70)),
    ] {
        let sim = SimHost::new(1);
        let (wal, _) = open(&sim, 1, WalOptions::default());
        append(&sim, &wal, numbered(1, 100)).unwrap();
        sim.disk().fail_nth(kind, 0, fault);

        let (answers, callbacks) = append_three(&sim, &wal);
        for answer in answers {
            let error = answer.unwrap_err();
            assert!(matches!(error, WalError::Stopped { .. }), "{error}");
            assert!(error.to_string().contains(&segment(1)), "{error}");
        }
        assert_eq!(callbacks, Vec::<String>::new());
        assert!(wal.stats().failed);
        assert_eq!(wal.stats().pending_bytes, 0);
        let reason = wal.stopped().unwrap();
        assert!(reason.starts_with("cannot "), "{reason}");

        // The disk is well again, and the log stays stopped.
        let error = append(&sim, &wal, numbered(5, 100)).unwrap_err();
        assert!(matches!(error, WalError::Stopped { .. }), "{error}");

        sim.crash(Crash::DropUnsynced);
        let (wal, replay) = open(&sim, 2, WalOptions::default());
        assert_eq!(numbers(&replay), [1]);
        assert_eq!(append(&sim, &wal, numbered(6, 100)).unwrap(), 2);
    }
}

#[test]
fn who_arrives_while_the_sync_fails_is_refused_too() {
    for seed in 0..20 {
        let sim = SimHost::new(seed);
        let (wal, _) = open(&sim, 1, WalOptions::default());
        append(&sim, &wal, numbered(1, 100)).unwrap();
        sim.disk().fail_nth(OperationKind::SyncData, 1, Fault::Io);
        let answers = Events::default();
        for number in 0..20 {
            let (wal, answers) = (wal.clone(), answers.clone());
            let client = async move {
                let seen = answers.clone();
                let on_durable = Box::new(move |seq| seen.push(format!("{seq} durable")));
                match wal.append(numbered(number, 10), on_durable).await {
                    Ok(seq) => answers.push(format!("{seq} acknowledged")),
                    Err(WalError::Stopped { .. }) => answers.push("stopped"),
                    Err(error) => panic!("{error}"),
                }
            };
            sim.host().tasks.spawn("client", Box::pin(client));
        }
        sim.run_for(std::time::Duration::from_secs(1));
        let answers = answers.take();
        let count = |what: &str| answers.iter().filter(|a| a.ends_with(what)).count();
        assert_eq!(count("acknowledged") + count("stopped"), 20);
        assert_eq!(count("acknowledged"), count("durable"));
    }
}

#[test]
fn what_replay_yields_after_a_failed_sync_and_a_restart_is_durable() {
    // The kernel holds the pages of the failed sync, counts them clean, and reads them back.
    let sim = SimHost::new(1);
    let (wal, _) = open(&sim, 1, WalOptions::default());
    append(&sim, &wal, numbered(1, 100)).unwrap();
    sim.disk().fail_nth(OperationKind::SyncData, 0, Fault::Io);
    append(&sim, &wal, numbered(2, 3000)).unwrap_err();

    sim.crash(Crash::KeepAll);
    let (wal, replay) = open(&sim, 2, WalOptions::default());
    assert_eq!(numbers(&replay), [1, 2]);
    append(&sim, &wal, numbered(3, 100)).unwrap();

    sim.crash(Crash::DropUnsynced);
    let (_, replay) = open(&sim, 3, WalOptions::default());
    assert_eq!(numbers(&replay), [1, 2, 3]);
}

#[test]
fn a_disk_without_room_for_a_segment_refuses_and_recovers() {
    let sim = SimHost::new(1);
    sim.disk().set_capacity(2048);
    let (wal, _) = open(&sim, 1, small_segments());
    for number in 1..=4 {
        append(&sim, &wal, numbered(number, 400)).unwrap();
    }
    let records = (5..=7).map(|number| numbered(number, 400)).collect();
    for answer in append_together(&sim, &wal, records) {
        let error = answer.unwrap_err();
        assert!(matches!(error, WalError::DiskFull { .. }), "{error}");
        assert!(
            error
                .to_string()
                .starts_with("no room for a new log segment: ")
        );
    }
    let stats = wal.stats();
    assert!(!stats.failed && stats.pending_bytes == 0, "{stats:?}");

    // The store has flushed: the oldest segment goes, and the log goes on by itself.
    wal.truncate_before(3).unwrap();
    assert_eq!(append(&sim, &wal, numbered(5, 400)).unwrap(), 5);
    sim.crash(Crash::DropUnsynced);
    let (_, replay) = open(&sim, 2, small_segments());
    let seqs: Vec<u64> = replay.read_from(3).map(|r| r.unwrap().seq).collect();
    assert_eq!(seqs, [3, 4, 5]);
}

#[test]
fn a_full_disk_does_not_cut_into_records_that_still_fit() {
    let sim = SimHost::new(1);
    sim.disk().set_capacity(1024);
    let (wal, _) = open(&sim, 1, small_segments());
    append(&sim, &wal, numbered(1, 400)).unwrap();
    append(&sim, &wal, numbered(2, 800)).unwrap_err();
    assert_eq!(append(&sim, &wal, numbered(3, 400)).unwrap(), 2);
    sim.crash(Crash::DropUnsynced);
    let (_, replay) = open(&sim, 2, small_segments());
    assert_eq!(numbers(&replay), [1, 3]);
}

#[test]
fn a_failure_to_make_a_segment_durable_stops_the_log() {
    for kind in [
        OperationKind::SyncAll,
        OperationKind::Rename,
        OperationKind::SyncDir,
    ] {
        let sim = SimHost::new(1);
        let (wal, _) = open(&sim, 1, small_segments());
        append(&sim, &wal, numbered(1, 800)).unwrap();
        sim.disk().fail_nth(kind, 0, Fault::Io);
        let error = append(&sim, &wal, numbered(2, 800)).unwrap_err();
        assert!(
            matches!(error, WalError::Stopped { .. }),
            "{kind:?}: {error}"
        );
        // The process restarts; the kernel goes on with what it holds.
        sim.crash(Crash::KeepAll);
        let (wal, replay) = open(&sim, 2, small_segments());
        assert_eq!(numbers(&replay), [1]);
        append(&sim, &wal, numbered(3, 800)).unwrap();
        sim.crash(Crash::DropUnsynced);
        let (_, replay) = open(&sim, 3, small_segments());
        assert_eq!(numbers(&replay), [1, 3], "{kind:?}");
    }
}

#[test]
fn a_disk_that_cannot_be_read_is_an_error_and_nothing_is_cut() {
    let sim = SimHost::new(1);
    let (wal, _) = open(&sim, 1, WalOptions::default());
    append(&sim, &wal, numbered(1, 100)).unwrap();
    sim.crash(Crash::KeepAll);
    // The header of the segment, the records, the group that is written again.
    for nth in 0..3 {
        sim.disk().fail_nth(OperationKind::Read, nth, Fault::Io);
        let error = crate::machine::try_open(&sim, 2, WalOptions::default()).unwrap_err();
        assert!(
            matches!(&error, WalError::Io { action: "read", .. }),
            "read {nth}: {error}"
        );
    }
    sim.disk().clear_faults();
    let (_, replay) = open(&sim, 2, WalOptions::default());
    assert_eq!(numbers(&replay), [1]);
}

#[test]
fn a_failure_to_settle_the_tail_is_an_error_of_opening() {
    for kind in [
        OperationKind::Write,
        OperationKind::SetLen,
        OperationKind::SyncAll,
    ] {
        let sim = SimHost::new(1);
        let (wal, _) = open(&sim, 1, WalOptions::default());
        append(&sim, &wal, numbered(1, 100)).unwrap();
        sim.crash(Crash::KeepAll);
        sim.disk().fail_nth(kind, 0, Fault::Io);
        let error = crate::machine::try_open(&sim, 2, WalOptions::default()).unwrap_err();
        assert!(matches!(error, WalError::Io { .. }), "{error}");
    }
}

#[test]
fn a_log_whose_runtime_ends_answers_those_who_wait() {
    let folder = tempfile::tempdir().unwrap();
    let wal = {
        let runtime = tokio::runtime::Runtime::new().unwrap();
        let _inside = runtime.enter();
        let host = host::Host::real();
        Arc::new(
            Wal::open(&host, folder.path(), 1, WalOptions::default())
                .unwrap()
                .0,
        )
    };
    let other = tokio::runtime::Runtime::new().unwrap();
    let error = other
        .block_on(wal.append(numbered(1, 10), crate::machine::ignore()))
        .unwrap_err();
    assert!(matches!(error, WalError::Stopped { .. }), "{error}");
    assert!(wal.stats().failed);
}

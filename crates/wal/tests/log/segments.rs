//! Segments: when they begin, when they go, and how the log goes on after a restart.

use std::path::Path;

use host::sim::{Crash, SimHost};
use wal::{Position, WalError, WalOptions};

use crate::machine::{
    append, append_together, names, numbered, numbers, open, replayed, segment, small_segments,
};

/// Three segments: records 1 and 2, 3 and 4, 5.
fn three_segments(sim: &SimHost) -> wal::Wal {
    let (wal, _) = open(sim, 1, small_segments());
    for number in 1..=5 {
        append(sim, &wal, numbered(number, 400)).unwrap();
    }
    assert_eq!(wal.stats().segments, 3);
    wal
}

#[test]
fn a_segment_is_named_by_its_first_record() {
    let sim = SimHost::new(1);
    three_segments(&sim);
    let expected = [1, 3, 5].map(|seq| format!("{seq:020}.wal"));
    assert_eq!(names(&sim), expected);
}

#[test]
fn a_group_may_span_segments() {
    let sim = SimHost::new(1);
    let (wal, _) = open(&sim, 1, small_segments());
    let records = (1..=9).map(|number| numbered(number, 300)).collect();
    for (answer, seq) in append_together(&sim, &wal, records).into_iter().zip(1..) {
        assert_eq!(answer.unwrap(), seq);
    }
    assert_eq!((wal.stats().segments, wal.stats().syncs), (5, 5));
    sim.crash(Crash::DropUnsynced);
    let (_, replay) = open(&sim, 2, small_segments());
    assert_eq!(numbers(&replay), [1, 2, 3, 4, 5, 6, 7, 8, 9]);
}

#[test]
fn a_record_longer_than_a_segment_gets_one_of_its_own_size() {
    let sim = SimHost::new(1);
    let (wal, _) = open(&sim, 1, small_segments());
    append(&sim, &wal, numbered(1, 10)).unwrap();
    append(&sim, &wal, numbered(2, 3 << 20)).unwrap();
    append(&sim, &wal, numbered(3, 10)).unwrap();
    assert_eq!(wal.stats().segments, 3);
    sim.crash(Crash::DropUnsynced);
    let (_, replay) = open(&sim, 2, small_segments());
    let records = replayed(&replay, 1).unwrap();
    let lens: Vec<usize> = records.iter().map(|record| record.payload.len()).collect();
    assert_eq!(lens, [10, 3 << 20, 10]);
    assert!(records[1].payload.iter().all(|byte| *byte == 2));
}

#[test]
fn a_full_segment_gives_reserved_room_back() {
    let sim = SimHost::new(1);
    let (wal, _) = open(&sim, 1, small_segments());
    append(&sim, &wal, numbered(1, 400)).unwrap();
    assert_eq!(sim.disk().read_file(segment(1)).unwrap().len(), 1024);
    append(&sim, &wal, numbered(2, 800)).unwrap();
    assert_eq!(sim.disk().read_file(segment(1)).unwrap().len(), 40 + 459);
    assert_eq!(wal.stats().bytes, 40 + 459 + 40 + 859);
}

#[test]
fn a_segment_can_end_before_it_is_full() {
    let sim = SimHost::new(1);
    let (wal, _) = open(&sim, 1, small_segments());
    wal.end_segment();
    append(&sim, &wal, numbered(1, 10)).unwrap();
    append(&sim, &wal, numbered(2, 10)).unwrap();
    wal.end_segment();
    assert_eq!(wal.stats().segments, 1, "the next record makes one");
    append(&sim, &wal, numbered(3, 10)).unwrap();
    append(&sim, &wal, numbered(4, 10)).unwrap();
    assert_eq!((wal.stats().segments, wal.stats().first_seq), (2, 1));
    assert_eq!(wal.truncate_before(3).unwrap(), 1);
    assert_eq!((wal.stats().segments, wal.stats().first_seq), (1, 3));
    sim.crash(Crash::DropUnsynced);
    let (_, replay) = open(&sim, 2, small_segments());
    let records = replayed(&replay, 3).unwrap();
    let numbers: Vec<u64> = records.iter().map(|record| record.seq).collect();
    assert_eq!(numbers, [3, 4]);
}

#[test]
fn only_segments_of_older_records_are_deleted() {
    for (before, deleted) in [(0, 0), (2, 0), (3, 1), (4, 1), (5, 2), (6, 2), (100, 2)] {
        let sim = SimHost::new(1);
        let wal = three_segments(&sim);
        assert_eq!(wal.truncate_before(before).unwrap(), deleted, "{before}");
        assert_eq!(wal.stats().segments, 3 - deleted);
        assert_eq!(names(&sim).len(), 3 - deleted);
        assert_eq!(wal.truncate_before(before).unwrap(), 0);
    }
}

#[test]
fn deleting_is_durable_and_the_log_goes_on() {
    let sim = SimHost::new(1);
    let wal = three_segments(&sim);
    wal.truncate_before(5).unwrap();
    sim.crash(Crash::DropUnsynced);
    let (wal, replay) = open(&sim, 2, small_segments());
    let records = replayed(&replay, 5).unwrap();
    assert_eq!(records.iter().map(|r| r.seq).collect::<Vec<_>>(), [5]);
    assert_eq!(append(&sim, &wal, numbered(6, 10)).unwrap(), 6);
}

#[test]
fn a_cut_while_segments_are_deleted_leaves_no_hole() {
    for seed in 0..40 {
        for operations in 0..=4 {
            let sim = SimHost::new(seed);
            let wal = three_segments(&sim);
            sim.disk().cut_power_after(operations);
            let deleted = wal.truncate_before(5);
            assert_eq!(deleted.is_ok(), operations == 4);
            sim.crash(Crash::Torn);
            let oldest = names(&sim)[0][..20].parse().unwrap();
            let (_, replay) = open(&sim, 2, small_segments());
            let records = replayed(&replay, oldest).unwrap();
            assert_eq!(records.len() as u64, 6 - oldest);
        }
    }
}

#[test]
fn replay_from_a_deleted_record_is_an_error() {
    let sim = SimHost::new(1);
    let wal = three_segments(&sim);
    wal.truncate_before(4).unwrap();
    sim.crash(Crash::KeepAll);
    let (_, replay) = open(&sim, 2, small_segments());
    assert_eq!(replayed(&replay, 3).unwrap().len(), 3);
    let error = replayed(&replay, 2).unwrap_err();
    assert_eq!(
        error.to_string(),
        "record 2 shall be replayed, but the log in wal begins after record 2"
    );
}

#[test]
fn replay_begins_where_it_is_asked_to() {
    let sim = SimHost::new(1);
    three_segments(&sim);
    sim.crash(Crash::KeepAll);
    let (_, replay) = open(&sim, 2, small_segments());
    for from in 0..8_u64 {
        let seqs: Vec<u64> = replayed(&replay, from)
            .unwrap()
            .iter()
            .map(|r| r.seq)
            .collect();
        assert_eq!(seqs, (from.max(1)..=5).collect::<Vec<_>>());
    }
}

#[test]
fn replay_gives_back_all_of_a_record() {
    let sim = SimHost::new(1);
    let (wal, _) = open(&sim, 3, WalOptions::default());
    let mut sent = numbered(9, 2);
    sent.kind = wal::RecordKind::Logs;
    sent.tenant = "tänant".into();
    sent.arrived_unix_nano = 1_451_606_400_000_000_001;
    append(&sim, &wal, sent.clone()).unwrap();
    sim.crash(Crash::DropUnsynced);
    let (_, replay) = open(&sim, 4, WalOptions::default());
    let expected = wal::Record {
        kind: sent.kind,
        codec: sent.codec,
        tenant: sent.tenant,
        epoch: 3,
        seq: 1,
        arrived_unix_nano: sent.arrived_unix_nano,
        payload: sent.payload,
        position: Position {
            segment: 1,
            offset: 40,
        },
    };
    assert_eq!(replayed(&replay, 1).unwrap(), [expected]);
}

#[test]
fn each_writer_begins_a_segment_of_its_own_epoch() {
    let sim = SimHost::new(1);
    for epoch in 1..=4 {
        let (wal, replay) = open(&sim, epoch, WalOptions::default());
        let records = replayed(&replay, 1).unwrap();
        let epochs: Vec<u64> = records.iter().map(|record| record.epoch).collect();
        assert_eq!(epochs, (1..epoch).collect::<Vec<_>>());
        append(&sim, &wal, numbered(1, 10)).unwrap();
        assert_eq!(wal.stats().segments as u64, epoch);
        sim.crash(Crash::DropUnsynced);
    }
}

#[test]
fn numbers_can_be_made_to_skip_ahead() {
    let sim = SimHost::new(1);
    let from = |min_next_seq| WalOptions {
        min_next_seq,
        ..WalOptions::default()
    };
    let (wal, _) = open(&sim, 1, from(100));
    assert_eq!(append(&sim, &wal, numbered(1, 10)).unwrap(), 100);
    sim.crash(Crash::DropUnsynced);

    let (wal, replay) = open(&sim, 2, from(50));
    assert_eq!(replay.last_seq(), 100);
    assert_eq!(append(&sim, &wal, numbered(2, 10)).unwrap(), 101);
    sim.crash(Crash::DropUnsynced);

    let (wal, _) = open(&sim, 3, from(200));
    assert_eq!(append(&sim, &wal, numbered(3, 10)).unwrap(), 200);
    sim.crash(Crash::DropUnsynced);

    let (_, replay) = open(&sim, 4, from(1));
    let seqs: Vec<u64> = replayed(&replay, 1)
        .unwrap()
        .iter()
        .map(|r| r.seq)
        .collect();
    assert_eq!(seqs, [100, 101, 200]);
    assert_eq!(replayed(&replay, 150).unwrap().len(), 1);
}

#[test]
fn a_segment_that_was_never_finished_is_removed() {
    let sim = SimHost::new(1);
    three_segments(&sim);
    sim.crash(Crash::KeepAll);
    sim.disk().write_file("wal/segment.tmp", b"half");
    sim.disk().write_file("wal/README", b"not ours");
    let (wal, _) = open(&sim, 2, small_segments());
    append(&sim, &wal, numbered(6, 10)).unwrap();
    assert!(!names(&sim).contains(&"segment.tmp".to_owned()));
    assert!(names(&sim).contains(&"README".to_owned()));
}

#[test]
fn a_segment_that_is_missing_in_the_middle_is_an_error() {
    let sim = SimHost::new(1);
    three_segments(&sim);
    sim.crash(Crash::KeepAll);
    let files = sim.host().files;
    files.remove_file(Path::new(&segment(3))).unwrap();
    let (_, replay) = open(&sim, 2, small_segments());
    let error = replayed(&replay, 1).unwrap_err();
    assert!(
        matches!(&error, WalError::Damaged { path, seq: 3, offset: 958, .. }
            if *path == Path::new(&segment(1))),
        "{error}"
    );
    // Nothing of it is needed any more.
    assert_eq!(replayed(&replay, 5).unwrap().len(), 1);
}

#[test]
fn a_renamed_segment_is_an_error() {
    let sim = SimHost::new(1);
    three_segments(&sim);
    sim.crash(Crash::KeepAll);
    let files = sim.host().files;
    files
        .rename(Path::new(&segment(5)), Path::new(&segment(6)))
        .unwrap();
    let error = crate::machine::try_open(&sim, 2, small_segments()).unwrap_err();
    assert!(
        error.to_string().contains("was the file renamed?"),
        "{error}"
    );

    files
        .rename(Path::new(&segment(6)), Path::new("wal/5.wal"))
        .unwrap();
    let error = crate::machine::try_open(&sim, 2, small_segments()).unwrap_err();
    assert!(
        error.to_string().contains("not that of a log segment"),
        "{error}"
    );
}

//! Bits turn over on the disk: what was acknowledged and is damaged is an error that names file and
//! offset, never a shorter log, unless it is the very end, where damage and a torn write
//! look alike; and then it is reported.

use std::path::Path;

use host::sim::{Crash, SimHost};
use wal::{NewRecord, Record, WalError};

use crate::machine::{
    append, append_together, numbered, numbers, open, record, replayed, segment, small_segments,
    try_open,
};

const SEGMENT_HEADER: u64 = 40;
const RECORD_HEADER: usize = 52;

/// Two segments. The first holds records 1 and 2; the second record 3, then 4 and 5 in one
/// group, each 159 bytes from byte 40 on.
fn five_records(seed: u64) -> SimHost {
    let sim = SimHost::new(seed);
    let (wal, _) = open(&sim, 1, small_segments());
    append(&sim, &wal, numbered(1, 400)).unwrap();
    append(&sim, &wal, numbered(2, 400)).unwrap();
    append(&sim, &wal, numbered(3, 100)).unwrap();
    append_together(&sim, &wal, vec![numbered(4, 100), numbered(5, 100)]);
    assert_eq!((wal.stats().segments, wal.stats().syncs), (2, 4));
    sim.crash(Crash::KeepAll);
    sim
}

fn open_and_replay(sim: &SimHost) -> Result<Vec<Record>, WalError> {
    let (_, replay) = try_open(sim, 2, small_segments())?;
    replayed(&replay, 1)
}

/// The error for damage of that file at or before that offset.
fn assert_names(error: &WalError, first_seq: u64, offset: u64) {
    let (WalError::Damaged {
        path, offset: at, ..
    }
    | WalError::UnknownFormat {
        path, offset: at, ..
    }) = error
    else {
        panic!("{error}");
    };
    assert_eq!(path, Path::new(&segment(first_seq)));
    assert!(*at <= offset, "{error}");
    let message = error.to_string();
    assert!(message.contains(&segment(first_seq)), "{message}");
    assert!(message.contains(&format!("offset {at}")), "{message}");
}

#[test]
fn a_bit_in_an_earlier_segment() {
    for offset in 0..SEGMENT_HEADER + 2 * 459 {
        let sim = five_records(1);
        sim.disk()
            .flip_bit(segment(1), offset, (offset % 8) as u8)
            .unwrap();
        let error = open_and_replay(&sim).unwrap_err();
        assert_names(&error, 1, offset);
    }
}

#[test]
fn a_bit_in_the_last_segment_before_its_last_group() {
    for offset in 0..SEGMENT_HEADER + 159 {
        let sim = five_records(1);
        sim.disk()
            .flip_bit(segment(3), offset, (offset % 8) as u8)
            .unwrap();
        let error = open_and_replay(&sim).unwrap_err();
        assert_names(&error, 3, offset);
    }
}

#[test]
fn a_bit_in_the_last_group_cuts_it_and_says_so() {
    let group = SEGMENT_HEADER + 159;
    for offset in group..group + 2 * 159 {
        let sim = five_records(1);
        sim.disk()
            .flip_bit(segment(3), offset, (offset % 8) as u8)
            .unwrap();
        let (wal, replay) = open(&sim, 2, small_segments());
        let good = if offset < group + 159 { 3 } else { 4 };
        let expected: Vec<u8> = (1..=good).collect();
        assert_eq!(numbers(&replay), expected);
        let torn = replay.torn_tail().unwrap();
        assert_eq!(torn.path, Path::new(&segment(3)));
        assert_eq!(torn.offset, SEGMENT_HEADER + 159 * (u64::from(good) - 2));
        assert_eq!(torn.bytes, 159 * (5 - u64::from(good)));
        assert_eq!(torn.seq, u64::from(good) + 1);
        assert_eq!(append(&sim, &wal, numbered(9, 1)).unwrap(), torn.seq);
    }
}

#[test]
fn a_bit_in_reserved_room_costs_nothing() {
    for offset in [517, 518, 600, 1023] {
        let sim = five_records(1);
        sim.disk().flip_bit(segment(3), offset, 3).unwrap();
        let (_, replay) = open(&sim, 2, small_segments());
        assert_eq!(numbers(&replay), [1, 2, 3, 4, 5]);
        let torn = replay.torn_tail().unwrap();
        assert_eq!((torn.offset, torn.bytes), (517, offset + 1 - 517));
    }
}

#[test]
fn a_whole_log_reports_no_torn_tail() {
    let sim = five_records(1);
    let (_, replay) = open(&sim, 2, small_segments());
    assert_eq!(replay.torn_tail(), None);
}

#[test]
fn zeros_in_the_middle() {
    // As a disk answers that lost a sector: of the first group of the last segment, then of the last.
    let zero = |sim: &SimHost, offset: usize| {
        let mut bytes = sim.disk().read_file(segment(3)).unwrap();
        bytes[offset..offset + 159].fill(0);
        sim.disk().write_file(segment(3), &bytes);
    };
    let sim = five_records(1);
    zero(&sim, 40);
    let error = open_and_replay(&sim).unwrap_err();
    assert_names(&error, 3, 40);
    assert!(
        error
            .to_string()
            .contains("there is nothing, and record 4 at offset 199"),
        "{error}"
    );

    let sim = five_records(1);
    zero(&sim, 199);
    assert_eq!(open_and_replay(&sim).unwrap().len(), 3);
}

#[test]
fn a_file_that_is_cut_short() {
    for len in 0..958 {
        let sim = five_records(1);
        let bytes = sim.disk().read_file(segment(1)).unwrap();
        assert_eq!(bytes.len(), 958);
        sim.disk().write_file(segment(1), &bytes[..len]);
        assert_names(&open_and_replay(&sim).unwrap_err(), 1, len as u64);
    }
}

#[test]
fn damage_in_what_is_not_replayed_does_no_harm() {
    let sim = five_records(1);
    sim.disk().flip_bit(segment(1), 300, 0).unwrap();
    let (_, replay) = open(&sim, 2, small_segments());
    assert_eq!(replayed(&replay, 3).unwrap().len(), 3);
}

#[test]
fn after_an_error_replay_yields_nothing_more() {
    let sim = five_records(1);
    sim.disk().flip_bit(segment(1), 600, 0).unwrap();
    let (_, replay) = open(&sim, 2, small_segments());
    let yielded: Vec<bool> = replay.read_from(1).map(|record| record.is_ok()).collect();
    assert_eq!(yielded, [true, false]);
}

#[test]
fn the_message_says_what_to_do() {
    let sim = five_records(1);
    sim.disk().flip_bit(segment(1), 600, 0).unwrap();
    assert_eq!(
        open_and_replay(&sim).unwrap_err().to_string(),
        "log segment wal/00000000000000000001.wal is damaged at offset 499, where record 2 belongs: \
         the record fails its checksum; restore the file from a backup, or move the log folder \
         away and lose what it holds"
    );
}

#[test]
fn an_unknown_version_of_the_segment_is_refused_by_name() {
    let sim = five_records(1);
    let mut bytes = sim.disk().read_file(segment(3)).unwrap();
    bytes[4..6].copy_from_slice(&7_u16.to_le_bytes());
    sim.disk().write_file(segment(3), &bytes);
    assert_eq!(
        open_and_replay(&sim).unwrap_err().to_string(),
        "wal/00000000000000000003.wal holds segment format version 7 at offset 4, and this build \
         reads log format 0: start the version that wrote it, let it flush, then upgrade again"
    );
}

#[test]
fn an_unknown_version_kind_or_codec_of_a_record_is_refused_and_not_cut() {
    for (at, what) in [
        (4, "record format version"),
        (5, "record kind"),
        (6, "payload codec"),
    ] {
        let sim = five_records(1);
        let mut bytes = sim.disk().read_file(segment(3)).unwrap();
        let salt = u32::from_le_bytes(bytes[32..36].try_into().unwrap());
        // The very last record, which could be cut, with checksums as the version to come would
        // write them.
        let last = &mut bytes[358..517];
        last[at] = 9;
        let header_crc = crc32c::crc32c_append(salt, &last[..44]);
        last[44..48].copy_from_slice(&header_crc.to_le_bytes());
        let crc = crc32c::crc32c_append(salt, &last[..48]);
        let crc = crc32c::crc32c_append(crc, &last[RECORD_HEADER..]);
        last[48..52].copy_from_slice(&crc.to_le_bytes());
        sim.disk().write_file(segment(3), &bytes);

        let message = open_and_replay(&sim).unwrap_err().to_string();
        assert!(
            message.contains(&format!("{what} 9 at offset 358")),
            "{message}"
        );
        assert_eq!(sim.disk().read_file(segment(3)).unwrap(), bytes);
    }
}

/// The bytes of the record that the log wrote last.
fn bytes_of_last_record(sim: &SimHost, path: &str, len: usize) -> Vec<u8> {
    let bytes = sim.disk().read_file(path).unwrap();
    let end = bytes.iter().rposition(|byte| *byte != 0).unwrap() + 1;
    bytes[end - len..end].to_vec()
}

#[test]
fn a_payload_that_looks_like_a_later_record_proves_nothing() {
    // Who sends spans can send the bytes of a log record in them. They must not be able to make a
    // torn tail look like damage, on which the server would refuse to start.
    let other = SimHost::new(2);
    let (wal, _) = open(&other, 1, small_segments());
    for number in 1..=5 {
        append(&other, &wal, numbered(number, 100)).unwrap();
    }
    let smuggled = bytes_of_last_record(&other, &segment(1), 159);

    let sim = SimHost::new(1);
    let (wal, _) = open(&sim, 1, small_segments());
    append(&sim, &wal, numbered(1, 10)).unwrap();
    append(&sim, &wal, record(smuggled)).unwrap();
    sim.crash(Crash::KeepAll);
    sim.disk().flip_bit(segment(1), 40 + 69 + 20, 0).unwrap();
    let (_, replay) = open(&sim, 2, small_segments());
    assert_eq!(numbers(&replay), [1]);
}

#[test]
fn bytes_of_another_segment_are_no_records() {
    // A recycled block: record 6 of another segment stands exactly where record 6 belongs.
    let sim = five_records(1);
    let (wal, _) = open(&sim, 2, small_segments());
    append(&sim, &wal, numbered(6, 100)).unwrap();
    sim.crash(Crash::KeepAll);
    let stale = bytes_of_last_record(&sim, &segment(6), 159);
    let mut bytes = sim.disk().read_file(segment(3)).unwrap();
    sim.host()
        .files
        .remove_file(Path::new(&segment(6)))
        .unwrap();
    bytes.extend_from_slice(&stale);
    sim.disk().write_file(segment(3), &bytes);
    let (_, replay) = open(&sim, 3, small_segments());
    assert_eq!(numbers(&replay), [1, 2, 3, 4, 5]);
    assert_eq!(replay.torn_tail().unwrap().bytes, 159);
}

#[test]
fn a_good_record_out_of_its_place_is_damage() {
    // Record 4 is gone and record 5 stands in its place: sectors written to the wrong address.
    let sim = five_records(1);
    let mut bytes = sim.disk().read_file(segment(3)).unwrap();
    bytes.copy_within(199..358, 40);
    sim.disk().write_file(segment(3), &bytes);
    let error = open_and_replay(&sim).unwrap_err();
    assert_names(&error, 3, 40);
    assert!(
        error
            .to_string()
            .contains("there is record 4 of epoch 1 instead"),
        "{error}"
    );
}

#[test]
fn every_record_of_a_long_group_is_searched_for_a_later_one() {
    // The later record lies across the windows in which the file is read.
    for len in (262_000..262_200).step_by(7) {
        let sim = SimHost::new(1);
        let options = wal::WalOptions::default();
        let (wal, _) = open(&sim, 1, options.clone());
        let records: [NewRecord; 2] = [record(vec![0; len]), numbered(2, 10)];
        for record in records {
            append(&sim, &wal, record).unwrap();
        }
        sim.crash(Crash::KeepAll);
        sim.disk().flip_bit(segment(1), 45, 0).unwrap();
        let error = try_open(&sim, 2, options).unwrap_err();
        assert_names(&error, 1, 45);
    }
}

//! Any bytes can be opened: the answer is records, a cut tail or an error, never a panic, and never
//! a record that was not written.

use std::sync::Arc;

use host::sim::{Crash, SimHost};
use proptest::prelude::*;
use wal::{NewRecord, PayloadCodec, Record, RecordKind, WalError, WalOptions};

use crate::machine::{append_together, open, replayed, segment, small_segments, try_open};

fn new_record() -> impl Strategy<Value = NewRecord> {
    let kind = prop_oneof![
        Just(RecordKind::Traces),
        Just(RecordKind::Logs),
        Just(RecordKind::Tombstone)
    ];
    let payload = prop_oneof![
        4 => prop::collection::vec(any::<u8>(), 0..600),
        1 => prop::collection::vec(any::<u8>(), 0..5000),
    ];
    (kind, "[a-zäß]{0,60}", any::<u64>(), payload).prop_map(
        |(kind, tenant, arrived_unix_nano, payload)| NewRecord {
            kind,
            codec: PayloadCodec::OtlpProtobuf,
            tenant: Arc::from(tenant),
            arrived_unix_nano,
            payload: payload.into(),
        },
    )
}

fn is_what_was_sent(record: &Record, sent: &NewRecord) -> bool {
    record.kind == sent.kind
        && record.codec == sent.codec
        && record.tenant == sent.tenant
        && record.arrived_unix_nano == sent.arrived_unix_nano
        && record.payload == sent.payload
}

/// Opens a log that holds the bytes as its only segment, and reads it.
fn read_back(bytes: &[u8]) -> Result<Vec<Record>, WalError> {
    let sim = SimHost::new(1);
    sim.disk().write_file(segment(1), bytes);
    let (_, replay) = try_open(&sim, 9, WalOptions::default())?;
    replayed(&replay, 1)
}

/// The bytes of a segment that holds these records, each in a group of its own when `alone`.
fn segment_bytes(records: &[NewRecord], alone: bool) -> Vec<u8> {
    let sim = SimHost::new(1);
    let (wal, _) = open(&sim, 1, WalOptions::default());
    for group in records.chunks(if alone { 1 } else { records.len().max(1) }) {
        for answer in append_together(&sim, &wal, group.to_vec()) {
            answer.unwrap();
        }
    }
    sim.crash(Crash::KeepAll);
    // Opening cuts reserved room.
    open(&sim, 2, WalOptions::default());
    sim.disk().read_file(segment(1)).unwrap()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    #[test]
    fn what_goes_in_comes_out(records in prop::collection::vec(new_record(), 0..30), seed: u64) {
        let sim = SimHost::new(seed);
        let (wal, _) = open(&sim, 1, small_segments());
        for answer in append_together(&sim, &wal, records.clone()) {
            answer.unwrap();
        }
        sim.crash(Crash::DropUnsynced);
        let (_, replay) = open(&sim, 2, small_segments());
        let read = replayed(&replay, 1).unwrap();
        prop_assert_eq!(read.len(), records.len());
        for ((record, sent), seq) in read.iter().zip(&records).zip(1..) {
            prop_assert_eq!(record.seq, seq);
            prop_assert!(is_what_was_sent(record, sent));
        }
    }

    #[test]
    fn any_bytes_are_no_segment(bytes in prop::collection::vec(any::<u8>(), 0..2000)) {
        let error = read_back(&bytes).unwrap_err();
        let is_damage = matches!(error, WalError::Damaged { .. });
        prop_assert!(is_damage, "{}", error);
    }

    #[test]
    fn any_bytes_behind_a_segment_header_are_no_records(
        bytes in prop::collection::vec(any::<u8>(), 0..2000),
    ) {
        let one = [small_record(0)];
        let segment = [&segment_bytes(&one, true)[..40], &bytes].concat();
        prop_assert_eq!(read_back(&segment).unwrap(), vec![]);
    }

    /// Overwrites, removes or repeats a part of a segment. What can still be read is a prefix of
    /// what was written.
    #[test]
    fn a_mangled_segment_yields_a_prefix_or_an_error(
        records in prop::collection::vec(new_record(), 1..8),
        alone: bool,
        at: prop::sample::Index,
        to: prop::sample::Index,
        mangle in 0..3_u8,
        noise in prop::collection::vec(any::<u8>(), 1..100),
    ) {
        let mut bytes = segment_bytes(&records, alone);
        let (at, to) = (at.index(bytes.len()), to.index(bytes.len()));
        let range = at.min(to)..at.max(to);
        match mangle {
            0 => {
                let end = bytes.len().min(at + noise.len());
                bytes[at..end].copy_from_slice(&noise[..end - at]);
            }
            1 => drop(bytes.drain(range)),
            _ => {
                let copy = bytes[range].to_vec();
                bytes.splice(at..at, copy);
            }
        }
        match read_back(&bytes) {
            Ok(read) => {
                prop_assert!(read.len() <= records.len());
                for (record, sent) in read.iter().zip(&records) {
                    prop_assert!(is_what_was_sent(record, sent));
                }
            }
            Err(WalError::Damaged { offset, .. } | WalError::UnknownFormat { offset, .. }) => {
                prop_assert!(offset <= bytes.len() as u64);
            }
            Err(error) => prop_assert!(false, "{}", error),
        }
    }
}

fn small_record(number: u8) -> NewRecord {
    crate::machine::numbered(number, 10)
}

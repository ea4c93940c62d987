//! A simulated machine with a log on it.

use std::path::Path;
use std::sync::{Arc, Mutex};

use futures_util::future::join_all;
use host::sim::SimHost;
use wal::{
    NewRecord, OnDurable, PayloadCodec, Record, RecordKind, Replay, Wal, WalError, WalOptions,
};

pub(crate) const DIR: &str = "wal";

/// Small segments, so that few records fill several.
pub(crate) fn small_segments() -> WalOptions {
    WalOptions {
        segment_bytes: 1024,
        ..WalOptions::default()
    }
}

pub(crate) fn record(payload: impl Into<Vec<u8>>) -> NewRecord {
    NewRecord {
        kind: RecordKind::Traces,
        codec: PayloadCodec::OtlpProtobuf,
        tenant: Arc::from("default"),
        arrived_unix_nano: 1_767_225_600_000_000_000,
        payload: payload.into().into(),
    }
}

/// A record whose payload is its number, repeated: 59 bytes of frame and name, `len` of payload.
pub(crate) fn numbered(number: u8, len: usize) -> NewRecord {
    record(vec![number; len])
}

pub(crate) fn open(sim: &SimHost, epoch: u64, options: WalOptions) -> (Wal, Replay) {
    try_open(sim, epoch, options).unwrap()
}

pub(crate) fn try_open(
    sim: &SimHost,
    epoch: u64,
    options: WalOptions,
) -> Result<(Wal, Replay), WalError> {
    Wal::open(&sim.host(), Path::new(DIR), epoch, options)
}

pub(crate) fn ignore() -> OnDurable {
    Box::new(|_| ())
}

/// Appends one record and waits for it, so that it is a group of its own.
pub(crate) fn append(sim: &SimHost, wal: &Wal, record: NewRecord) -> Result<u64, WalError> {
    sim.block_on(wal.append(record, ignore()))
}

/// Appends all at once, so that they make one group where a group and a segment hold them.
pub(crate) fn append_together(
    sim: &SimHost,
    wal: &Wal,
    records: Vec<NewRecord>,
) -> Vec<Result<u64, WalError>> {
    let appends = records
        .into_iter()
        .map(|record| wal.append(record, ignore()));
    sim.block_on(join_all(appends))
}

pub(crate) fn replayed(replay: &Replay, from: u64) -> Result<Vec<Record>, WalError> {
    replay.read_from(from).collect()
}

/// The first byte of each payload that replay yields.
pub(crate) fn numbers(replay: &Replay) -> Vec<u8> {
    replayed(replay, 1)
        .unwrap()
        .iter()
        .map(|record| record.payload[0])
        .collect()
}

/// The names in the log's folder.
pub(crate) fn names(sim: &SimHost) -> Vec<String> {
    let entries = sim.host().files.list(Path::new(DIR)).unwrap();
    entries.into_iter().map(|entry| entry.name).collect()
}

pub(crate) fn segment(first_seq: u64) -> String {
    format!("{DIR}/{first_seq:020}.wal")
}

/// What happened, in order.
#[derive(Clone, Default)]
pub(crate) struct Events(Arc<Mutex<Vec<String>>>);

impl Events {
    pub(crate) fn push(&self, event: impl Into<String>) {
        self.0.lock().unwrap().push(event.into());
    }

    pub(crate) fn take(&self) -> Vec<String> {
        std::mem::take(&mut self.0.lock().unwrap())
    }
}

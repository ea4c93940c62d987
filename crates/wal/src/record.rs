//! One record of the log.

use std::sync::Arc;

use bytes::Bytes;

/// What a record is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[repr(u8)]
pub enum RecordKind {
    /// Spans.
    Traces = 1,
    /// Log records with exceptions.
    Logs = 2,
    /// A deletion.
    Tombstone = 3,
}

impl RecordKind {
    pub(crate) fn from_byte(byte: u8) -> Option<Self> {
        match byte {
            1 => Some(Self::Traces),
            2 => Some(Self::Logs),
            3 => Some(Self::Tombstone),
            _ => None,
        }
    }
}

/// How a payload is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[repr(u8)]
pub enum PayloadCodec {
    /// An OTLP export request as protobuf.
    OtlpProtobuf = 1,
    /// JSON of the store's own making.
    Json = 2,
}

impl PayloadCodec {
    pub(crate) fn from_byte(byte: u8) -> Option<Self> {
        match byte {
            1 => Some(Self::OtlpProtobuf),
            2 => Some(Self::Json),
            _ => None,
        }
    }
}

/// What is to be appended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewRecord {
    /// What it is about.
    pub kind: RecordKind,
    /// How its payload is written.
    pub codec: PayloadCodec,
    /// Whose it is; at most [`MAX_TENANT_BYTES`](crate::MAX_TENANT_BYTES).
    pub tenant: Arc<str>,
    /// When it arrived: kept, so that replay files it where it was filed the first time.
    pub arrived_unix_nano: u64,
    /// What was admitted; at most [`MAX_PAYLOAD_BYTES`](crate::MAX_PAYLOAD_BYTES).
    pub payload: Bytes,
}

/// What replay yields.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Record {
    /// What it is about.
    pub kind: RecordKind,
    /// How its payload is written.
    pub codec: PayloadCodec,
    /// Whose it is.
    pub tenant: Arc<str>,
    /// The epoch of the writer that appended it.
    pub epoch: u64,
    /// Its number.
    pub seq: u64,
    /// When it arrived.
    pub arrived_unix_nano: u64,
    /// What was admitted.
    pub payload: Bytes,
    /// Where it is.
    pub position: Position,
}

/// A place in the log.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Position {
    /// The segment, by the number of its first record, which is its file's name.
    pub segment: u64,
    /// Offset of the record's header in the file.
    pub offset: u64,
}

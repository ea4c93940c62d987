//! The file `footer`: what is known of a block without reading its Parquet files.
//!
//! `magic "BTBF", version u16, reserved u16, len u32, crc32c u32` (of the payload), then JSON of `len` bytes. Little endian.

use std::path::Path;

use serde::{Deserialize, Serialize};

use crate::{BlockError, FORMAT_VERSION};

const MAGIC: [u8; 4] = *b"BTBF";
const HEADER_BYTES: usize = 16;

#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Footer {
    pub(crate) spans: u64,
    pub(crate) parts: Vec<Part>,
    pub(crate) partitions: Vec<Partition>,
    pub(crate) catalogue: Catalogue,
    /// `None` when the block has more than [`MAX_OPERATIONS`]: they are then read from the columns.
    pub(crate) operations: Option<Vec<Operation>>,
    /// The trace id, in hexadecimal, of every [`TRACE_INDEX_STEP`]th row of `traces.parquet`.
    pub(crate) trace_index: Vec<String>,
    pub(crate) traces: u64,
    /// `None` in blocks of builds that did not write it.
    pub(crate) lone_events: Option<LoneEvents>,
}

/// The events that came without their span.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub(crate) struct LoneEvents {
    pub(crate) events: u64,
    /// 0 also when one of them has no time.
    pub(crate) min_time_unix_nano: u64,
    pub(crate) max_time_unix_nano: u64,
}

/// More distinct operations than this are not listed.
pub(crate) const MAX_OPERATIONS: usize = 10_000;

/// Rows of `traces.parquet` between two entries of the index.
pub(crate) const TRACE_INDEX_STEP: usize = 1024;

#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Part {
    pub(crate) name: String,
    pub(crate) len: u64,
    /// CRC-32C of each 64 KiB.
    pub(crate) checksums: Vec<u32>,
}

#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Partition {
    pub(crate) first_row: u64,
    pub(crate) rows: u64,
    pub(crate) min_start_unix_nano: u64,
    pub(crate) max_start_unix_nano: u64,
}

/// Which attributes occur where. A scope that is not complete may have keys that are not listed.
#[derive(Debug, Default, Serialize, Deserialize)]
pub(crate) struct Catalogue {
    pub(crate) span: Vec<SpanKey>,
    pub(crate) span_complete: bool,
    pub(crate) resource: Keys,
    pub(crate) event: Keys,
    pub(crate) instrumentation: Keys,
}

#[derive(Debug, Default, Serialize, Deserialize)]
pub(crate) struct Keys {
    pub(crate) keys: Vec<String>,
    pub(crate) complete: bool,
}

#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct SpanKey {
    pub(crate) key: String,
    /// The columns of their own that the key has, one a type.
    pub(crate) columns: Vec<KeyColumn>,
    /// How many values are in the column `attributes` instead.
    pub(crate) residual: u64,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct KeyColumn {
    pub(crate) name: String,
    #[serde(rename = "type")]
    pub(crate) value_type: ValueType,
    pub(crate) values: u64,
    /// The number by which the column `attribute_order` refers to this column.
    pub(crate) ordinal: u32,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum ValueType {
    String,
    Int,
    Double,
    Bool,
}

#[derive(Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Operation {
    pub(crate) service: String,
    pub(crate) name: String,
    pub(crate) kind: i32,
    pub(crate) spans: u64,
}

impl Footer {
    pub(crate) fn encode(&self, path: &Path) -> Result<Vec<u8>, BlockError> {
        let payload = serde_json::to_vec(self).map_err(|error| BlockError::Damaged {
            path: path.to_owned(),
            reason: format!("footer can't be written: {error}"),
        })?;
        let mut bytes = Vec::with_capacity(HEADER_BYTES + payload.len());
        bytes.extend_from_slice(&MAGIC);
        bytes.extend_from_slice(&FORMAT_VERSION.to_le_bytes());
        bytes.extend_from_slice(&[0; 2]);
        bytes.extend_from_slice(&(payload.len() as u32).to_le_bytes());
        bytes.extend_from_slice(&crc32c::crc32c(&payload).to_le_bytes());
        bytes.extend_from_slice(&payload);
        Ok(bytes)
    }

    pub(crate) fn decode(path: &Path, bytes: &[u8]) -> Result<Self, BlockError> {
        let damaged = |reason: &str| BlockError::Damaged {
            path: path.to_owned(),
            reason: reason.to_owned(),
        };
        let Some((header, payload)) = bytes.split_first_chunk::<HEADER_BYTES>() else {
            return Err(damaged("shorter than its header"));
        };
        if header[..4] != MAGIC {
            return Err(damaged("does not begin with the magic of a block's footer"));
        }
        let found = u16::from_le_bytes([header[4], header[5]]);
        if found != FORMAT_VERSION {
            return Err(BlockError::UnknownFormat {
                path: path.to_owned(),
                found,
                known: FORMAT_VERSION,
            });
        }
        let number = |at: usize| {
            u32::from_le_bytes([header[at], header[at + 1], header[at + 2], header[at + 3]])
        };
        if payload.len() != number(8) as usize {
            return Err(damaged("its length is not the one in its header"));
        }
        if crc32c::crc32c(payload) != number(12) {
            return Err(damaged("its checksum differs"));
        }
        serde_json::from_slice(payload).map_err(|error| damaged(&error.to_string()))
    }
}

//! The bytes of segment and record headers. `docs/formats/log.md` draws them; change both together.

use crc32c::{crc32c, crc32c_append};

use crate::record::NewRecord;

/// The version of segments and records that this build writes, and the only one that it reads.
pub const FORMAT_VERSION: u16 = 0;

/// The longest payload of a record: 256 MiB.
pub const MAX_PAYLOAD_BYTES: usize = 256 << 20;

/// The longest name of a tenant.
pub const MAX_TENANT_BYTES: usize = u8::MAX as usize;

pub(crate) const SEGMENT_MAGIC: [u8; 4] = *b"BTWL";
pub(crate) const SEGMENT_HEADER_BYTES: usize = 40;

pub(crate) const RECORD_MAGIC: [u8; 4] = *b"BTWr";
pub(crate) const RECORD_HEADER_BYTES: usize = 52;

/// The start of every segment file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct SegmentHeader {
    pub(crate) epoch: u64,
    pub(crate) first_seq: u64,
    /// The last record before this segment, 0 when there is none. It is `first_seq - 1` unless
    /// numbers were skipped on purpose.
    pub(crate) prev_seq: u64,
    /// Random; the records' checksums start from it. So bytes that are not of this segment,
    /// left over or smuggled in by a payload, are no records of it.
    pub(crate) salt: u32,
}

/// Why bytes are no segment header.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum BadSegmentHeader {
    Magic,
    Version(u16),
    Checksum,
}

impl SegmentHeader {
    pub(crate) fn encode(&self) -> [u8; SEGMENT_HEADER_BYTES] {
        let mut bytes = [0; SEGMENT_HEADER_BYTES];
        bytes[0..4].copy_from_slice(&SEGMENT_MAGIC);
        bytes[4..6].copy_from_slice(&FORMAT_VERSION.to_le_bytes());
        // 6..8 are reserved and zero.
        bytes[8..16].copy_from_slice(&self.epoch.to_le_bytes());
        bytes[16..24].copy_from_slice(&self.first_seq.to_le_bytes());
        bytes[24..32].copy_from_slice(&self.prev_seq.to_le_bytes());
        bytes[32..36].copy_from_slice(&self.salt.to_le_bytes());
        let crc = crc32c(&bytes[..36]);
        bytes[36..40].copy_from_slice(&crc.to_le_bytes());
        bytes
    }

    /// The version is judged before the checksum: another version may lay it out differently.
    pub(crate) fn decode(bytes: &[u8; SEGMENT_HEADER_BYTES]) -> Result<Self, BadSegmentHeader> {
        if bytes[0..4] != SEGMENT_MAGIC {
            return Err(BadSegmentHeader::Magic);
        }
        let version = u16_at(bytes, 4);
        if version != FORMAT_VERSION {
            return Err(BadSegmentHeader::Version(version));
        }
        if u32_at(bytes, 36) != crc32c(&bytes[..36]) {
            return Err(BadSegmentHeader::Checksum);
        }
        Ok(Self {
            epoch: u64_at(bytes, 8),
            first_seq: u64_at(bytes, 16),
            prev_seq: u64_at(bytes, 24),
            salt: u32_at(bytes, 32),
        })
    }
}

/// The start of every record; tenant and payload follow.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct RecordHeader {
    pub(crate) version: u8,
    pub(crate) kind: u8,
    pub(crate) codec: u8,
    pub(crate) tenant_len: u8,
    pub(crate) epoch: u64,
    pub(crate) seq: u64,
    /// All records before this one were synced before this record was written. Under
    /// [`Durability::Sync`](crate::Durability::Sync) it is the first record of the group.
    pub(crate) group_seq: u64,
    pub(crate) arrived_unix_nano: u64,
    pub(crate) payload_len: u32,
    pub(crate) crc32c: u32,
}

impl RecordHeader {
    /// `None` when the bytes are no header of a record of the segment with this salt.
    pub(crate) fn decode(bytes: &[u8; RECORD_HEADER_BYTES], salt: u32) -> Option<Self> {
        let ours =
            bytes[0..4] == RECORD_MAGIC && u32_at(bytes, 44) == crc32c_append(salt, &bytes[..44]);
        ours.then(|| Self {
            version: bytes[4],
            kind: bytes[5],
            codec: bytes[6],
            tenant_len: bytes[7],
            epoch: u64_at(bytes, 8),
            seq: u64_at(bytes, 16),
            group_seq: u64_at(bytes, 24),
            arrived_unix_nano: u64_at(bytes, 32),
            payload_len: u32_at(bytes, 40),
            crc32c: u32_at(bytes, 48),
        })
    }

    /// Length of what follows the header.
    pub(crate) fn body_len(&self) -> u64 {
        u64::from(self.tenant_len) + u64::from(self.payload_len)
    }

    /// Whether the body belongs to the header that `bytes` are.
    pub(crate) fn matches(
        &self,
        bytes: &[u8; RECORD_HEADER_BYTES],
        body: &[u8],
        salt: u32,
    ) -> bool {
        crc32c_append(crc32c_append(salt, &bytes[..48]), body) == self.crc32c
    }
}

/// Bytes of the whole record.
pub(crate) fn record_len(record: &NewRecord) -> usize {
    RECORD_HEADER_BYTES + record.tenant.len() + record.payload.len()
}

/// What the segment and the group give to a record.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Placement {
    pub(crate) epoch: u64,
    pub(crate) seq: u64,
    pub(crate) group_seq: u64,
    pub(crate) salt: u32,
}

/// Appends the record's bytes to `out`. Tenant and payload are within their limits.
pub(crate) fn encode_record(record: &NewRecord, placement: Placement, out: &mut Vec<u8>) {
    let mut header = [0; RECORD_HEADER_BYTES];
    header[0..4].copy_from_slice(&RECORD_MAGIC);
    header[4] = FORMAT_VERSION as u8;
    header[5] = record.kind as u8;
    header[6] = record.codec as u8;
    header[7] = record.tenant.len() as u8;
    header[8..16].copy_from_slice(&placement.epoch.to_le_bytes());
    header[16..24].copy_from_slice(&placement.seq.to_le_bytes());
    header[24..32].copy_from_slice(&placement.group_seq.to_le_bytes());
    header[32..40].copy_from_slice(&record.arrived_unix_nano.to_le_bytes());
    header[40..44].copy_from_slice(&(record.payload.len() as u32).to_le_bytes());
    let header_crc = crc32c_append(placement.salt, &header[..44]);
    header[44..48].copy_from_slice(&header_crc.to_le_bytes());
    let crc = crc32c_append(placement.salt, &header[..48]);
    let crc = crc32c_append(crc, record.tenant.as_bytes());
    let crc = crc32c_append(crc, &record.payload);
    header[48..52].copy_from_slice(&crc.to_le_bytes());
    out.extend_from_slice(&header);
    out.extend_from_slice(record.tenant.as_bytes());
    out.extend_from_slice(&record.payload);
}

fn u16_at(bytes: &[u8], at: usize) -> u16 {
    u16::from_le_bytes(array_at(bytes, at))
}

fn u32_at(bytes: &[u8], at: usize) -> u32 {
    u32::from_le_bytes(array_at(bytes, at))
}

fn u64_at(bytes: &[u8], at: usize) -> u64 {
    u64::from_le_bytes(array_at(bytes, at))
}

fn array_at<const N: usize>(bytes: &[u8], at: usize) -> [u8; N] {
    let mut array = [0; N];
    array.copy_from_slice(&bytes[at..at + N]);
    array
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::record::{PayloadCodec, RecordKind};

    const SALT: u32 = 0x0403_0201;

    /// The example of `docs/formats/log.md`. Its checksums were computed by another program.
    const RECORD: &str = "\
        42 54 57 72 00 01 01 07 01 00 00 00 00 00 00 00 \
        01 00 00 00 00 00 00 00 01 00 00 00 00 00 00 00 \
        00 00 fa ed 51 72 86 18 05 00 00 00 \
        52 ce b1 cb ba 16 90 f5 \
        64 65 66 61 75 6c 74 68 65 6c 6c 6f";

    const SEGMENT: &str = "\
        42 54 57 4c 00 00 00 00 01 00 00 00 00 00 00 00 \
        01 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 \
        01 02 03 04 65 29 3f 49";

    fn hex(bytes: &[u8]) -> String {
        let digits: Vec<String> = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
        digits.join(" ")
    }

    #[test]
    fn a_record_is_written_as_documented() {
        let record = NewRecord {
            kind: RecordKind::Traces,
            codec: PayloadCodec::OtlpProtobuf,
            tenant: "default".into(),
            arrived_unix_nano: 1_767_225_600_000_000_000,
            payload: "hello".into(),
        };
        let placement = Placement {
            epoch: 1,
            seq: 1,
            group_seq: 1,
            salt: SALT,
        };
        let mut bytes = Vec::new();
        encode_record(&record, placement, &mut bytes);
        assert_eq!(hex(&bytes), RECORD);
        assert_eq!(bytes.len(), record_len(&record));
    }

    #[test]
    fn a_segment_header_is_written_as_documented_and_read_back() {
        let header = SegmentHeader {
            epoch: 1,
            first_seq: 1,
            prev_seq: 0,
            salt: SALT,
        };
        assert_eq!(hex(&header.encode()), SEGMENT);
        assert_eq!(SegmentHeader::decode(&header.encode()), Ok(header));
    }
}

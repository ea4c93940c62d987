//! Why bytes could not be read.

/// What is wrong with a message, in words for the one who sent it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum WireError {
    /// The bytes end inside a value.
    #[error("truncated: {needed} more bytes were expected")]
    Truncated {
        /// How many bytes are missing at least.
        needed: usize,
    },
    /// A varint of more than ten bytes.
    #[error("varint is longer than 10 bytes")]
    VarintTooLong,
    /// A field number of 0 or above 2^29 - 1.
    #[error("field number {0} is not allowed")]
    FieldNumber(u64),
    /// A wire type that proto3 does not use (groups) or that does not exist.
    #[error("wire type {wire_type} of field {field} is not allowed")]
    WireType {
        /// Number of the field.
        field: u32,
        /// The wire type found.
        wire_type: u8,
    },
    /// A known field with another wire type than its definition has.
    #[error("field {field} has the wrong wire type")]
    WrongWireType {
        /// Number of the field.
        field: u32,
    },
    /// A string field that is not UTF-8.
    #[error("field {field} is not valid UTF-8")]
    Utf8 {
        /// Number of the field.
        field: u32,
    },
    /// An attribute value nested deeper than allowed.
    #[error("attribute value is nested deeper than {limit} levels")]
    TooDeep {
        /// The number of levels that are allowed.
        limit: usize,
    },
}

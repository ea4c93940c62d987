//! What the manifest knows of a block.

use std::fmt;

use host::Random;

use crate::Window;

/// A block's name: 32 hexadecimal digits, random.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct BlockId(String);

impl BlockId {
    /// A name that nobody has.
    pub fn random(random: &dyn Random) -> Self {
        Self(format!(
            "{:016x}{:016x}",
            random.next_u64(),
            random.next_u64()
        ))
    }

    /// Takes a name from a manifest; `None` when it is none.
    pub fn parse(text: &str) -> Option<Self> {
        let well_formed = text.len() == 32 && text.bytes().all(|b| b.is_ascii_hexdigit());
        well_formed.then(|| Self(text.to_owned()))
    }

    /// The name, which is also that of the folder.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for BlockId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// When the spans of a block arrived.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ArrivedRange {
    /// The first arrival, nanoseconds since 1970.
    pub min_unix_nano: u64,
    /// The last arrival.
    pub max_unix_nano: u64,
}

impl ArrivedRange {
    /// The range that covers both.
    #[must_use]
    pub fn union(self, other: Self) -> Self {
        Self {
            min_unix_nano: self.min_unix_nano.min(other.min_unix_nano),
            max_unix_nano: self.max_unix_nano.max(other.max_unix_nano),
        }
    }
}

/// A block as the manifest lists it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BlockMeta {
    /// Its name.
    pub id: BlockId,
    /// Its window.
    pub window: Window,
    /// How many spans.
    pub spans: u64,
    /// Bytes of all its files.
    pub bytes: u64,
    /// When its spans arrived: retention counts from here.
    pub arrived: ArrivedRange,
    /// The earliest start of a span, nanoseconds since 1970.
    pub min_start_unix_nano: u64,
    /// The latest start of a span.
    pub max_start_unix_nano: u64,
    /// Checksum (CRC-32C) of the file `footer`, which holds those of the other files.
    pub footer_crc32c: u32,
}

//! Where everything lies in a cache file: docs/formats/source-map-cache.md in constants.

pub(super) const MAGIC: [u8; 4] = *b"BTSC";
pub(super) const VERSION: u16 = 1;
pub(super) const HEADER_BYTES: usize = 96;

pub(super) const FLAG_DEBUG_ID: u16 = 1;
pub(super) const FLAG_FIT: u16 = 2;

pub(super) const BLOCK_TOKENS: u32 = 16;
pub(super) const BLOCK_KEY_BYTES: usize = 8;
pub(super) const BLOCK_OFFSET_BYTES: usize = 4;
pub(super) const SOURCE_BYTES: usize = 32;
pub(super) const NAME_BYTES: usize = 4;
pub(super) const CHUNK_BYTES: usize = 24;
pub(super) const FUNCTION_BYTES: usize = 12;

pub(super) const SOURCE_IGNORED: u32 = 1;
pub(super) const SOURCE_HAS_CONTENT: u32 = 2;

/// A reference to no string; the name of no function; a line that nothing begins on.
pub(super) const NONE: u32 = u32::MAX;

/// Text that one chunk holds.
pub(super) const CHUNK_TEXT_BYTES: usize = 16 << 10;

/// Bits of a token's first byte. The three highest bits are the distance to the column of the token before, if it is 1 to 7 and the line the same.
pub(super) mod token {
    pub(in crate::cache) const NEW_LINE: u8 = 1;
    pub(in crate::cache) const MAPPED: u8 = 2;
    pub(in crate::cache) const NEW_SOURCE: u8 = 4;
    pub(in crate::cache) const NEW_ORIGINAL_LINE: u8 = 8;
    pub(in crate::cache) const NAMED: u8 = 16;
    pub(in crate::cache) const COLUMN_SHIFT: u8 = 5;
    pub(in crate::cache) const COLUMN_MAX: u32 = 7;
}

/// Numbers of the header, and from them where the parts begin.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Header {
    pub(super) flags: u16,
    pub(super) debug_id: [u8; 16],
    pub(super) tokens: u32,
    pub(super) blocks: u32,
    pub(super) sources: u32,
    pub(super) names: u32,
    pub(super) chunks: u32,
    pub(super) functions: u32,
    /// Reference to the string of `file`.
    pub(super) file: u32,
    pub(super) token_bytes: u32,
    pub(super) string_bytes: u32,
    pub(super) content_bytes: u64,
    /// Of the fit: tokens that are the same, that were compared, that lie outside of the text; and the weakest share in millionths.
    pub(super) fit: [u32; 4],
}

/// The parts of a file, as byte ranges.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Parts {
    pub(super) keys: (usize, usize),
    pub(super) offsets: (usize, usize),
    pub(super) sources: (usize, usize),
    pub(super) names: (usize, usize),
    pub(super) chunks: (usize, usize),
    pub(super) functions: (usize, usize),
    pub(super) tokens: (usize, usize),
    pub(super) strings: (usize, usize),
    pub(super) contents: (usize, usize),
}

impl Header {
    pub(super) fn write(&self, file_bytes: u64) -> [u8; HEADER_BYTES] {
        let mut out = [0; HEADER_BYTES];
        let mut put = |at: usize, bytes: &[u8]| out[at..at + bytes.len()].copy_from_slice(bytes);
        put(0, &MAGIC);
        put(4, &VERSION.to_le_bytes());
        put(6, &self.flags.to_le_bytes());
        put(8, &file_bytes.to_le_bytes());
        put(16, &self.debug_id);
        let numbers = [
            self.tokens,
            self.blocks,
            self.sources,
            self.names,
            self.chunks,
            self.functions,
            self.file,
            self.token_bytes,
            self.string_bytes,
        ];
        for (at, number) in numbers.iter().enumerate() {
            put(32 + 4 * at, &number.to_le_bytes());
        }
        put(72, &self.content_bytes.to_le_bytes());
        for (at, number) in self.fit.iter().enumerate() {
            put(80 + 4 * at, &number.to_le_bytes());
        }
        out
    }

    /// The header of a file whose magic and version were looked at, and the length that it says the file has.
    pub(super) fn read(bytes: &[u8; HEADER_BYTES]) -> (Self, u64) {
        let short = |at: usize| u16::from_le_bytes([bytes[at], bytes[at + 1]]);
        let number = |at: usize| {
            u32::from_le_bytes([bytes[at], bytes[at + 1], bytes[at + 2], bytes[at + 3]])
        };
        let long = |at: usize| u64::from(number(at)) | u64::from(number(at + 4)) << 32;
        let mut debug_id = [0; 16];
        debug_id.copy_from_slice(&bytes[16..32]);
        let header = Self {
            flags: short(6),
            debug_id,
            tokens: number(32),
            blocks: number(36),
            sources: number(40),
            names: number(44),
            chunks: number(48),
            functions: number(52),
            file: number(56),
            token_bytes: number(60),
            string_bytes: number(64),
            content_bytes: long(72),
            fit: [number(80), number(84), number(88), number(92)],
        };
        (header, long(8))
    }

    /// Where the parts lie, and how long the file is. `None` if that is more than memory can hold.
    pub(super) fn parts(&self) -> Option<(Parts, usize)> {
        let mut at = HEADER_BYTES;
        let mut part = |count: u64, bytes: usize| -> Option<(usize, usize)> {
            let start = at;
            let len = usize::try_from(count).ok()?.checked_mul(bytes)?;
            at = at.checked_add(len)?;
            Some((start, at))
        };
        let parts = Parts {
            keys: part(self.blocks.into(), BLOCK_KEY_BYTES)?,
            offsets: part(self.blocks.into(), BLOCK_OFFSET_BYTES)?,
            sources: part(self.sources.into(), SOURCE_BYTES)?,
            names: part(self.names.into(), NAME_BYTES)?,
            chunks: part(self.chunks.into(), CHUNK_BYTES)?,
            functions: part(self.functions.into(), FUNCTION_BYTES)?,
            tokens: part(self.token_bytes.into(), 1)?,
            strings: part(self.string_bytes.into(), 1)?,
            contents: part(self.content_bytes, 1)?,
        };
        Some((parts, at))
    }
}

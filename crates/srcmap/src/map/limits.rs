//! How much a map may be, and why one is not read.

/// How large a source map may be. Whoever meets a limit gets an error that names it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MapLimits {
    /// Bytes of JSON. It bounds the names and the contents of sources too.
    pub max_bytes: usize,
    /// Segments of `mappings`, over all sections. One takes 24 bytes of memory.
    pub max_segments: usize,
    /// Entries of `sources`, and of `sourcesContent` and `ignoreList`, over all sections.
    pub max_sources: usize,
    /// Entries of `names`, over all sections.
    pub max_names: usize,
    /// Entries of `sections`, over all depths.
    pub max_sections: usize,
    /// How deep index maps may lie in index maps. ECMA-426 allows one level; some tools write two.
    pub max_section_depth: usize,
}

impl Default for MapLimits {
    /// 256 MiB, 16 Mi segments, 1 Mi sources, 4 Mi names, 256 Ki sections, 4 deep: several times the largest maps that were seen.
    fn default() -> Self {
        Self {
            max_bytes: 256 << 20,
            max_segments: 16 << 20,
            max_sources: 1 << 20,
            max_names: 4 << 20,
            max_sections: 256 << 10,
            max_section_depth: 4,
        }
    }
}

/// Why a source map could not be read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum MapError {
    /// More bytes than allowed.
    #[error("the source map has {len_bytes} bytes; the limit is {limit}")]
    TooLarge {
        /// How many there are.
        len_bytes: usize,
        /// [`MapLimits::max_bytes`].
        limit: usize,
    },
    /// Not UTF-8, so not JSON.
    #[error("the source map is not UTF-8 at byte {offset}")]
    NotUtf8 {
        /// The first byte that is not.
        offset: usize,
    },
    /// Not JSON.
    #[error("the source map is not JSON: {reason}")]
    NotJson {
        /// What the parser says, with line and column.
        reason: String,
    },
    /// JSON, but no object.
    #[error("the source map is not a JSON object")]
    NotAnObject,
    /// `version` is a number other than 3.
    #[error("the source map has version {0}, not 3")]
    UnsupportedVersion(String),
    /// A field that nothing can be read without is missing or of another type.
    #[error("`{field}` {problem}")]
    Field {
        /// Where it is, as `sections[2].map.mappings`.
        field: String,
        /// "is missing", or what it should be.
        problem: &'static str,
    },
    /// `mappings` does not follow its grammar.
    #[error("`{field}`, generated line {line}, segment {segment}: {problem}")]
    Mappings {
        /// Where it is, as `sections[2].map.mappings`.
        field: String,
        /// Line of the generated code, counted from 0 in this `mappings`.
        line: u32,
        /// Segment of that line, counted from 0.
        segment: u32,
        /// What is wrong there.
        problem: String,
    },
    /// More than one of the other limits allows.
    #[error("the source map has more than {limit} {what}")]
    TooMany {
        /// What there is too much of.
        what: &'static str,
        /// The limit.
        limit: usize,
    },
}

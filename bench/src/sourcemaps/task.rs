//! What a contestant is asked, and what it answers.

use clap::ValueEnum;
use serde::{Deserialize, Serialize};

use super::inputs::Input;

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum, Serialize, Deserialize)]
pub(super) enum Name {
    /// Ours
    Backtrail,
    /// The crate `sourcemap`
    Sourcemap,
    /// The crate `symbolic-sourcemapcache`
    Symbolic,
    /// `@jridgewell/trace-mapping`, in Node
    TraceMapping,
}

impl Name {
    pub(super) fn title(self) -> &'static str {
        match self {
            Self::Backtrail => "Backtrail",
            Self::Sourcemap => "`sourcemap`",
            Self::Symbolic => "`symbolic-sourcemapcache`",
            Self::TraceMapping => "`@jridgewell/trace-mapping`",
        }
    }
}

#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Task {
    pub(super) name: Name,
    pub(super) map: String,
    pub(super) bundle: String,
    /// A file of line and column, 32 bits each, little endian.
    pub(super) positions: String,
    pub(super) slow_positions: usize,
    /// The answers to so many positions are compared.
    pub(super) compared: usize,
    pub(super) rounds: u32,
}

impl Task {
    pub(super) fn new(name: Name, input: &Input, rounds: u32) -> Self {
        let text = |path: &std::path::Path| path.to_string_lossy().into_owned();
        Self {
            name,
            map: text(&input.map),
            bundle: text(&input.bundle),
            positions: text(&input.positions),
            slow_positions: input.slow_positions,
            compared: 10 * input.slow_positions,
            rounds,
        }
    }
}

/// CPU time of the fastest round; memory that stayed resident beyond that of the input.
#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(default)]
pub(super) struct Figures {
    /// From JSON in memory to what can be asked.
    pub(super) parse_ns: Option<f64>,
    /// From that (or from JSON, for who has no step between) to the bytes of a cache.
    pub(super) build_ns: Option<f64>,
    pub(super) cache_bytes: Option<u64>,
    pub(super) open_ns: Option<f64>,
    pub(super) lookup_ns: f64,
    pub(super) lookup_lines_ns: Option<f64>,
    /// Read the file of the cache, open it, look one position up, and its lines.
    pub(super) first_ns: Option<f64>,
    pub(super) resident_bytes: u64,
    /// Original line and column of the first positions, as many as are compared.
    pub(super) answers: Vec<Option<(u32, u32)>>,
}

//! How much a question may cost.

/// The bounds of one question.
#[derive(Clone, Copy)]
pub struct Budget<'a> {
    /// Whether the time is over, or nobody waits any more. Asked between steps, each of which reads one partition or a bounded
    /// number of spans; a step that began is finished.
    pub is_over: &'a dyn Fn() -> bool,
    /// How many traces a search holds in memory to find the newest.
    pub max_candidates: usize,
    /// How many exceptions that came as log records a search considers, of those that meet its conditions; the newest parts' are.
    pub max_lone_events: usize,
    /// How many spans of one trace are read; the earliest are.
    pub max_spans_per_trace: usize,
}

impl Budget<'_> {
    /// Spans of a trace that are read at most, unless somebody says otherwise.
    pub const DEFAULT_MAX_SPANS_PER_TRACE: usize = 2_000_000;
    /// Traces that a search holds in memory at most, unless somebody says otherwise: some 100 MB.
    pub const DEFAULT_MAX_CANDIDATES: usize = 1_000_000;
    /// Exceptions from log records that a search considers, unless somebody says otherwise: some 50 MB.
    pub const DEFAULT_MAX_LONE_EVENTS: usize = 500_000;

    /// All the time there is, and the default bounds of memory.
    pub fn unlimited() -> Self {
        Self::until(&|| false)
    }
}

impl<'a> Budget<'a> {
    /// The default bounds of memory, and time until `is_over` says so.
    pub fn until(is_over: &'a dyn Fn() -> bool) -> Self {
        Self {
            is_over,
            max_candidates: Self::DEFAULT_MAX_CANDIDATES,
            max_lone_events: Self::DEFAULT_MAX_LONE_EVENTS,
            max_spans_per_trace: Self::DEFAULT_MAX_SPANS_PER_TRACE,
        }
    }
}

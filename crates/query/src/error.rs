//! Why there is no answer.

use model::{ScanError, WireError};

/// A question that could not be answered.
#[derive(Debug, Clone, thiserror::Error)]
#[non_exhaustive]
pub enum QueryError {
    /// A part of the data could not be read.
    #[error(transparent)]
    Scan(#[from] ScanError),
    /// A span that is kept can't be read.
    #[error("a span that is kept can't be read: {0}")]
    Span(#[from] WireError),
    /// A search of this many conditions: each costs a look at every span that those before it left.
    #[error("{found} conditions are too many for one search, which takes at most {max}")]
    TooManyConditions {
        /// How many there are.
        found: usize,
        /// How many there may be.
        max: usize,
    },
    /// The time was over, and a part of this answer would be wrong.
    #[error("the time that this query may take was over before the answer was whole")]
    OverBudget,
}

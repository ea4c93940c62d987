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
    /// The time was over, and a part of this answer would be wrong.
    #[error("the time that this query may take was over before the answer was whole")]
    OverBudget,
}

//! Lists in pages.

/// Which part of a list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Page {
    /// The `next` of the page before; none for the first.
    pub after: Option<String>,
    /// How many at most; never more than [`Page::MAX`].
    pub limit: usize,
}

impl Page {
    /// The largest page.
    pub const MAX: usize = 1000;

    /// The first page, of at most `limit`.
    pub fn first(limit: usize) -> Self {
        Self { after: None, limit }
    }

    pub(crate) fn limit(&self) -> usize {
        self.limit.clamp(1, Self::MAX)
    }

    /// Where a list that goes from high numbers to low ones goes on. A cursor that is none begins anew.
    pub(crate) fn below(&self) -> u64 {
        let after = self.after.as_ref();
        after
            .and_then(|after| after.parse().ok())
            .unwrap_or(u64::MAX)
    }
}

impl Default for Page {
    fn default() -> Self {
        Self::first(100)
    }
}

/// One page of a list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Listed<T> {
    /// What is on it.
    pub items: Vec<T>,
    /// For [`Page::after`] of the next page; none when this is the last.
    pub next: Option<String>,
}

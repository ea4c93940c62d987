//! What failed without harm to who asked: counted, and the last of it in words, until upkeep tells it.

use std::io;
use std::path::Path;
use std::sync::{Arc, Mutex};

use crate::error::Error;
use crate::store::{Artifacts, lock};

/// Files that could not be removed or read, and that nobody waits for: they stay, or are made anew.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mishap {
    /// How often that was.
    pub count: u64,
    /// The last one, in words.
    pub last: String,
}

#[derive(Clone, Default)]
pub(crate) struct Mishaps(Arc<Mutex<Option<Mishap>>>);

impl Artifacts {
    /// What failed without harm since this was called last. To be called after each [`sweep`](Self::sweep).
    pub fn take_mishaps(&self) -> Option<Mishap> {
        lock(&self.inner.mishaps.0).take()
    }
}

impl Mishaps {
    /// Counts a failure; that a file is not there is none.
    pub(crate) fn note<T>(&self, action: &'static str, path: &Path, result: io::Result<T>) {
        let Err(error) = result else {
            return;
        };
        if error.kind() == io::ErrorKind::NotFound {
            return;
        }
        let last = Error::io(action, path)(error).to_string();
        let mut noted = lock(&self.0);
        let count = noted.as_ref().map_or(0, |noted| noted.count) + 1;
        *noted = Some(Mishap { count, last });
    }
}

//! What became of the parts of a batch.

use super::Outcome;

/// Counts the spans of parts, and keeps the first thing that there is to say.
#[derive(Debug, Default)]
pub(super) struct Tally {
    is_any_accepted: bool,
    /// Of the parts that were accepted, and all of the others.
    rejected: u64,
    reason: Option<String>,
    /// Why the batch was divided.
    divided: Option<String>,
}

impl Tally {
    /// The other side has a part, but for some spans.
    pub(super) fn accept(&mut self, len: u64, rejected: u64, message: String) {
        self.is_any_accepted = true;
        self.rejected += rejected.min(len);
        if !message.is_empty() {
            self.reason.get_or_insert(message);
        }
    }

    /// The other side has nothing of a part.
    pub(super) fn lose(&mut self, len: u64, reason: String) {
        self.rejected += len;
        self.reason.get_or_insert(reason);
    }

    /// A part is sent in two.
    pub(super) fn divide(&mut self, reason: String) {
        self.divided.get_or_insert(reason);
    }

    /// A batch of which some spans arrived is accepted but for the others.
    pub(super) fn outcome(self) -> Outcome {
        let of_parts = self.divided.map(|reason| {
            format!("{reason}; the batch was sent in parts: smaller ones save a request each")
        });
        let message = self.reason.or(of_parts).unwrap_or_default();
        if self.is_any_accepted {
            Outcome::Accepted {
                rejected: self.rejected,
                message,
            }
        } else {
            Outcome::Failed(message)
        }
    }
}

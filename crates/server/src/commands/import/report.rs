//! What became of a file.

use std::collections::BTreeMap;
use std::fmt::{self, Display};
use std::path::{Path, PathBuf};

use backtrail_wire::Transcoded;

use super::Format;

/// Reasons that are printed; all are counted.
const MAX_REASONS: usize = 20;

pub(super) struct FileReport {
    path: PathBuf,
    documents: BTreeMap<&'static str, u64>,
    spans: u64,
    accepted: u64,
    rejected: u64,
    reasons: Vec<String>,
    more_reasons: u64,
    failure: Option<String>,
}

impl FileReport {
    pub(super) fn new(path: &Path) -> Self {
        Self {
            path: path.to_owned(),
            documents: BTreeMap::new(),
            spans: 0,
            accepted: 0,
            rejected: 0,
            reasons: Vec::new(),
            more_reasons: 0,
            failure: None,
        }
    }

    /// Whether all that was in the file was kept.
    pub(super) fn is_whole(&self) -> bool {
        self.failure.is_none() && self.reasons.is_empty() && self.accepted == self.spans
    }

    /// A document was read.
    pub(super) fn read(&mut self, format: Format, transcoded: &Transcoded) {
        *self.documents.entry(format.name()).or_default() += 1;
        let rejected = &transcoded.rejected;
        self.spans += (transcoded.accepted + rejected.count()) as u64;
        self.rejected += rejected.count() as u64;
        for (reason, count) in rejected.by_reason() {
            self.reason(format!("{count} {}", reason.as_str()));
        }
        for example in rejected.examples() {
            self.reason(example.clone());
        }
    }

    /// A document can't be read; how many spans it has is not known.
    pub(super) fn unreadable(&mut self, format: Format, number: u64, why: String) {
        *self.documents.entry(format.name()).or_default() += 1;
        self.reason(format!("document {number} was left out: {why}"));
    }

    /// The server has answered.
    pub(super) fn answered(&mut self, accepted: u64, rejected: u64, why: Option<String>) {
        self.accepted += accepted;
        self.rejected += rejected;
        if let Some(why) = why {
            self.reason(why);
        }
    }

    /// The file could not be sent to its end.
    pub(super) fn fail(&mut self, why: String) {
        self.failure = Some(why);
    }

    fn reason(&mut self, reason: String) {
        if self.reasons.len() < MAX_REASONS {
            self.reasons.push(reason);
        } else {
            self.more_reasons += 1;
        }
    }
}

impl Display for FileReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let formats: Vec<&str> = self.documents.keys().copied().collect();
        let documents: u64 = self.documents.values().sum();
        write!(f, "{}: ", self.path.display())?;
        if !formats.is_empty() {
            write!(f, "{}, ", formats.join(" and "))?;
        }
        let plural = if documents == 1 { "" } else { "s" };
        writeln!(
            f,
            "{documents} document{plural}: {} spans read, {} accepted, {} rejected",
            self.spans, self.accepted, self.rejected
        )?;
        for reason in &self.reasons {
            writeln!(f, "  {reason}")?;
        }
        if self.more_reasons > 0 {
            writeln!(f, "  and {} more", self.more_reasons)?;
        }
        if let Some(failure) = &self.failure {
            let unsent = self.spans - self.accepted - self.rejected;
            writeln!(
                f,
                "  stopped: {failure}; {unsent} spans that were read were not taken"
            )?;
        }
        Ok(())
    }
}

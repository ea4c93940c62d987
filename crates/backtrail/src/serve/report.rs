//! What became of the spans of a service that ends.

use std::fmt;
use std::io::{self, Write as _};

use crate::{Stats, TracingSystem};

/// What became of the spans, told at the end. Displayed it is one line.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct ShutdownReport {
    /// All counts. Nothing waits any more.
    pub stats: Stats,
    /// Why spans were rejected or failed, as the exporter said of the last ones; nothing when none were.
    pub reason: Option<String>,
}

impl ShutdownReport {
    pub(super) fn of(tracing: &TracingSystem) -> Self {
        let stats = tracing.stats();
        Self {
            stats,
            reason: (stats.rejected + stats.failed > 0)
                .then(|| tracing.last_failure())
                .flatten(),
        }
    }

    /// Whether every span that ended was exported.
    pub const fn is_complete(&self) -> bool {
        self.stats.lost() == 0
    }

    pub(super) fn print(&self) {
        // A service may have no stderr, and ends all the same.
        let _printed = writeln!(io::stderr(), "{self}");
    }
}

impl fmt::Display for ShutdownReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let stats = &self.stats;
        let exported = stats.exported;
        let lost = stats.lost();
        write!(
            f,
            "Tracing terminated: {exported} spans exported, {lost} lost"
        )?;
        if lost == 0 {
            return Ok(());
        }
        let counts = [
            (stats.dropped, "dropped"),
            (stats.rejected, "rejected"),
            (stats.failed, "failed"),
        ];
        let mut separator = " (";
        for (count, what) in counts.into_iter().filter(|(count, _)| *count > 0) {
            write!(f, "{separator}{count} {what}")?;
            separator = ", ";
        }
        if let Some(reason) = &self.reason {
            // One line is promised.
            let reason: String = reason.chars().filter(|c| !c.is_control()).collect();
            write!(f, ": {reason}")?;
        }
        f.write_str(")")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_line_says_what_was_lost_and_why() {
        let mut report = ShutdownReport {
            stats: Stats {
                exported: 1234,
                ..Stats::default()
            },
            reason: None,
        };
        assert_eq!(
            report.to_string(),
            "Tracing terminated: 1234 spans exported, 0 lost"
        );
        report.stats.dropped = 2;
        assert_eq!(
            report.to_string(),
            "Tracing terminated: 1234 spans exported, 2 lost (2 dropped)"
        );
        report.stats.failed = 5;
        report.reason = Some("no\nroute".to_owned());
        assert_eq!(
            report.to_string(),
            "Tracing terminated: 1234 spans exported, 7 lost (2 dropped, 5 failed: noroute)"
        );
    }
}

//! The last lines of a run: which part passed, failed or was left out, and how long it took.

use std::fmt;

use crate::process::{GREEN, RED, YELLOW, paint};

/// How a part went.
pub(super) enum Outcome {
    Passed,
    /// With the reason.
    Failed(String),
    Skipped,
}

#[derive(Default)]
pub(super) struct Report {
    rows: Vec<Row>,
}

struct Row {
    part: String,
    outcome: Outcome,
    seconds: f64,
}

impl Report {
    pub(super) fn add(&mut self, part: &str, outcome: Outcome, seconds: f64) {
        self.rows.push(Row {
            part: part.to_owned(),
            outcome,
            seconds,
        });
    }

    pub(super) fn has_failures(&self) -> bool {
        self.rows
            .iter()
            .any(|row| matches!(row.outcome, Outcome::Failed(_)))
    }

    fn skipped(&self) -> Vec<&str> {
        let skipped = self
            .rows
            .iter()
            .filter(|row| matches!(row.outcome, Outcome::Skipped));
        skipped.map(|row| row.part.as_str()).collect()
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let width = self
            .rows
            .iter()
            .map(|row| row.part.len())
            .max()
            .unwrap_or(0);
        for Row {
            part,
            outcome,
            seconds,
        } in &self.rows
        {
            let (style, word, reason) = match outcome {
                Outcome::Passed => (GREEN, "passed ", ""),
                Outcome::Failed(reason) => (RED, "failed ", reason.lines().next().unwrap_or("")),
                Outcome::Skipped => (YELLOW, "skipped", ""),
            };
            let seconds = if matches!(outcome, Outcome::Skipped) {
                String::new()
            } else {
                format!("{seconds:.1} s")
            };
            let line = format!(
                "{part:width$}  {}  {seconds:>8}  {reason}",
                paint(style, word)
            );
            writeln!(f, "{}", line.trim_end())?;
        }
        let total: f64 = self.rows.iter().map(|row| row.seconds).sum();
        let skipped = self.skipped();
        let left_out = if skipped.is_empty() {
            String::new()
        } else {
            format!("; NOT RUN: {}", skipped.join(", "))
        };
        let verdict = if self.has_failures() {
            paint(RED, "failed")
        } else {
            paint(GREEN, "passed")
        };
        writeln!(f, "test {verdict} in {total:.1} s{left_out}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_ends_with_the_verdict() {
        let mut report = Report::default();
        report.add("format", Outcome::Passed, 1.25);
        report.add("lints", Outcome::Passed, 100.0);
        assert!(!report.has_failures());
        assert_eq!(
            report.to_string(),
            "format  passed      1.2 s\n\
             lints   passed    100.0 s\n\
             test passed in 101.2 s\n"
        );
    }

    #[test]
    fn a_failure_shows_the_first_line_of_its_reason_and_fails_the_run() {
        let mut report = Report::default();
        report.add(
            "rust",
            Outcome::Failed("`cargo test` failed\nwith more".to_owned()),
            2.0,
        );
        assert!(report.has_failures());
        assert_eq!(
            report.to_string(),
            "rust  failed      2.0 s  `cargo test` failed\n\
             test failed in 2.0 s\n"
        );
    }

    #[test]
    fn what_was_left_out_is_said_in_the_last_line() {
        let mut report = Report::default();
        report.add("rust", Outcome::Passed, 2.0);
        report.add("page", Outcome::Skipped, 0.0);
        report.add("clients-python", Outcome::Skipped, 0.0);
        assert!(!report.has_failures());
        let text = report.to_string();
        assert!(text.contains("page            skipped\n"), "{text}");
        assert!(
            text.ends_with("test passed in 2.0 s; NOT RUN: page, clients-python\n"),
            "{text}"
        );
    }
}

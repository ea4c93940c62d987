//! The last lines of a run: which part passed, failed or was left out, and how long it took.

use std::fmt;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::Part;
use crate::process::{GREEN, RED, YELLOW, paint};

/// How a part went.
#[derive(Serialize, Deserialize)]
pub(super) enum Outcome {
    Passed,
    /// With the reason.
    Failed(String),
    Skipped,
}

#[derive(Serialize, Deserialize)]
pub(super) struct Row {
    pub(super) part: String,
    outcome: Outcome,
    seconds: f64,
}

impl Row {
    pub(super) fn new(part: &str, outcome: Outcome, seconds: f64) -> Self {
        Self {
            part: part.to_owned(),
            outcome,
            seconds,
        }
    }
}

pub(super) struct Report {
    rows: Vec<Row>,
    took: Duration,
}

impl Report {
    /// One row for each part; those that have none were skipped.
    pub(super) fn new(mut rows: Vec<Row>, parts: &[Part], took: Duration) -> Self {
        let mut in_order = Vec::new();
        for part in parts {
            let name = part.name();
            let row = rows.iter().position(|row| row.part == name);
            in_order.push(match row {
                Some(row) => rows.swap_remove(row),
                None => Row::new(&name, Outcome::Skipped, 0.0),
            });
        }
        Self {
            rows: in_order,
            took,
        }
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
        let took = self.took.as_secs_f64();
        writeln!(f, "test {verdict} in {took:.1} s{left_out}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TOOK: Duration = Duration::from_millis(101_200);

    #[test]
    fn the_table_is_in_the_order_of_the_parts_and_ends_with_the_verdict() {
        let rows = vec![
            Row::new("lints", Outcome::Passed, 100.0),
            Row::new("format", Outcome::Passed, 1.25),
        ];
        let report = Report::new(rows, &[Part::Format, Part::Lints], TOOK);
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
        let reason = "`cargo test` failed\nwith more".to_owned();
        let rows = vec![Row::new("rust", Outcome::Failed(reason), 2.0)];
        let report = Report::new(rows, &[Part::Rust], TOOK);
        assert!(report.has_failures());
        assert_eq!(
            report.to_string(),
            "rust  failed      2.0 s  `cargo test` failed\n\
             test failed in 101.2 s\n"
        );
    }

    #[test]
    fn what_was_left_out_is_said_in_the_last_line() {
        let rows = vec![Row::new("rust", Outcome::Passed, 2.0)];
        let parts = [Part::Rust, Part::Page, Part::ClientsPython];
        let report = Report::new(rows, &parts, TOOK);
        assert!(!report.has_failures());
        let text = report.to_string();
        assert!(text.contains("page            skipped\n"), "{text}");
        assert!(
            text.ends_with("test passed in 101.2 s; NOT RUN: page, clients-python\n"),
            "{text}"
        );
    }
}

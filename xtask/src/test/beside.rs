//! Parts that run beside others: in a process of their own, whose output is kept until they are over.
//!
//! The Rust tests wait as much as they compute (for a minute of load, for twenty kills), and so do browsers and clients.

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};

use anyhow::{Context as _, Result};
use tempfile::TempDir;

use super::Part;
use super::report::{Outcome, Row};

pub(super) struct Beside {
    process: Child,
    parts: Vec<Part>,
    /// Where it writes what it prints, and how its parts went.
    dir: TempDir,
}

impl Beside {
    pub(super) fn start(root: &Path, parts: Vec<Part>) -> Result<Self> {
        let dir = TempDir::new()?;
        let output = File::create(output_in(dir.path()))?;
        // Not the file that this process runs: the build may have put another one into its place.
        let program = std::env::args_os().next().context("no program's name")?;
        let mut command = Command::new(program);
        command.arg("test").current_dir(root);
        for part in &parts {
            command.args(["--only", &part.name()]);
        }
        command.arg("--report-to").arg(report_in(dir.path()));
        let process = command
            .stdin(Stdio::null())
            .stdout(output.try_clone()?)
            .stderr(output)
            .spawn()
            .context("can't start the parts that run beside others")?;
        give_way();
        Ok(Self {
            process,
            parts,
            dir,
        })
    }

    /// Waits for them, prints what they printed, and tells how they went.
    pub(super) fn finish(mut self) -> Vec<Row> {
        let ended = self.process.wait();
        match fs::read(output_in(self.dir.path())) {
            Ok(text) => print!("{}", String::from_utf8_lossy(&text)),
            Err(error) => println!("what they printed is lost: {error}"),
        }
        let report = fs::read_to_string(report_in(self.dir.path()));
        let report = report.unwrap_or_else(|error| format!("{error}; the process: {ended:?}"));
        rows(&self.parts, &report)
    }
}

/// What this process starts from now on, compilers among it, goes after the browsers and clients that are beside it: people do not click while two
/// compilers have the machine either.
fn give_way() {
    let pid = std::process::id().to_string();
    let given = Command::new("renice")
        .args(["-n", "5", "-p", &pid])
        .stdout(Stdio::null())
        .status();
    if !given.as_ref().is_ok_and(ExitStatus::success) {
        println!("the parts beside have no precedence, which is slower for them: renice {given:?}");
    }
}

/// A row for each of the parts: one that is not in the report has failed.
fn rows(parts: &[Part], report: &str) -> Vec<Row> {
    let (mut told, reason) = match serde_json::from_str::<Vec<Row>>(report) {
        Ok(rows) => (rows, "it is not in the report of its process".to_owned()),
        Err(_) => (Vec::new(), format!("its process left no report: {report}")),
    };
    let row = |part: &Part| {
        let name = part.name();
        match told.iter().position(|row| row.part == name) {
            Some(at) => told.swap_remove(at),
            None => Row::new(&name, Outcome::Failed(reason.clone()), 0.0),
        }
    };
    parts.iter().map(row).collect()
}

fn output_in(dir: &Path) -> PathBuf {
    dir.join("output.txt")
}

fn report_in(dir: &Path) -> PathBuf {
    dir.join("report.json")
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::test::report::Report;

    fn told(report: &str) -> String {
        let parts = [Part::Page, Part::ClientsGo];
        let report = Report::new(rows(&parts, report), &parts, Duration::ZERO);
        report.to_string()
    }

    #[test]
    fn a_part_of_which_nothing_is_told_has_failed() {
        let page = Row::new("page", Outcome::Passed, 1.0);
        let report = serde_json::to_string(&[page]).unwrap();
        assert_eq!(
            told(&report),
            "page        passed      1.0 s\n\
             clients-go  failed      0.0 s  it is not in the report of its process\n\
             test failed in 0.0 s\n"
        );
        assert_eq!(
            told("no such file"),
            "page        failed      0.0 s  its process left no report: no such file\n\
             clients-go  failed      0.0 s  its process left no report: no such file\n\
             test failed in 0.0 s\n"
        );
    }
}

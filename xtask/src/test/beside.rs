//! Parts that run beside others: in a process of their own, whose output is kept until they are over.
//!
//! The Rust tests wait as much as they compute (for a minute of load, for twenty kills), and so do browsers and clients.

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

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
        Ok(Self {
            process,
            parts,
            dir,
        })
    }

    /// Waits for them, prints what they printed, and tells how they went.
    pub(super) fn finish(mut self) -> Vec<Row> {
        let ended = self.process.wait();
        // What can't be read is missed below.
        let text = fs::read(output_in(self.dir.path())).unwrap_or_default();
        print!("{}", String::from_utf8_lossy(&text));
        let rows = fs::read_to_string(report_in(self.dir.path()))
            .map_err(anyhow::Error::from)
            .and_then(|text| Ok(serde_json::from_str::<Vec<Row>>(&text)?));
        match rows {
            Ok(rows) => rows
                .into_iter()
                .filter(|row| self.parts.iter().any(|part| part.name() == row.part))
                .collect(),
            Err(error) => {
                let reason = format!("there is no report ({error}); the process: {ended:?}");
                let failed =
                    |part: &Part| Row::new(&part.name(), Outcome::Failed(reason.clone()), 0.0);
                self.parts.iter().map(failed).collect()
            }
        }
    }
}

fn output_in(dir: &Path) -> PathBuf {
    dir.join("output.txt")
}

fn report_in(dir: &Path) -> PathBuf {
    dir.join("report.json")
}

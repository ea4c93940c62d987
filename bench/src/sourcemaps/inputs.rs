//! Real bundles, made by npm packages, and the positions that are looked up in them.

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context as _, Result, bail};
use srcmap::map::{MapLimits, SourceMap};
use tempfile::TempDir;

use crate::random::Random;

pub(super) struct Inputs {
    _folder: TempDir,
    all: Vec<Input>,
}

pub(super) struct Input {
    pub(super) name: &'static str,
    pub(super) bundle: PathBuf,
    pub(super) map: PathBuf,
    pub(super) positions: PathBuf,
    pub(super) slow_positions: usize,
}

impl Inputs {
    /// Installs the packages where they are not yet, and makes the bundles anew.
    pub(super) fn make(positions: usize, slow_positions: usize) -> Result<Self> {
        if !Path::new(FOLDER).join("node_modules").is_dir() {
            let mut npm = Command::new("npm");
            npm.args(["ci", "--no-audit", "--no-fund", "--silent"]);
            run(npm.current_dir(FOLDER))?;
        }
        let folder = tempfile::tempdir()?;
        run(&mut node(&["build.js", &folder.path().to_string_lossy()]))?;
        let mut all = Vec::new();
        for (name, file) in [("TypeScript", "typescript"), ("React", "react")] {
            let path = |extension: &str| folder.path().join(format!("{file}.{extension}"));
            let input = Input {
                name,
                bundle: path("js"),
                map: path("js.map"),
                positions: path("positions"),
                slow_positions,
            };
            write_positions(&input, positions)?;
            all.push(input);
        }
        Ok(Self {
            _folder: folder,
            all,
        })
    }

    pub(super) fn all(&self) -> &[Input] {
        &self.all
    }

    /// Some of what is compressed.
    pub(super) fn sample(&self) -> Result<Vec<u8>> {
        let input = self.all.first().context("there is no input")?;
        let mut bytes = std::fs::read(&input.map)?;
        bytes.truncate(1 << 20);
        Ok(bytes)
    }
}

const FOLDER: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/sourcemaps");

pub(super) fn node(args: &[&str]) -> Command {
    let mut command = Command::new("node");
    command.args(args).current_dir(FOLDER);
    command
}

fn run(command: &mut Command) -> Result<()> {
    let status = command
        .status()
        .with_context(|| format!("cannot start {}", command.get_program().display()))?;
    if !status.success() {
        bail!("{} ended with {status}", command.get_program().display());
    }
    Ok(())
}

/// Positions at tokens and a little behind them, as those of stack traces are.
fn write_positions(input: &Input, count: usize) -> Result<()> {
    let map = SourceMap::parse(&std::fs::read(&input.map)?, &MapLimits::default())?;
    let tokens = map.tokens();
    let mut random = Random::new(1);
    let mut bytes = Vec::with_capacity(8 * count);
    for _ in 0..count {
        let token = tokens[random.below(tokens.len() as u64) as usize];
        let column = token.column() + random.below(3) as u32;
        bytes.extend(token.line().to_le_bytes());
        bytes.extend(column.to_le_bytes());
    }
    std::fs::write(&input.positions, bytes)?;
    Ok(())
}

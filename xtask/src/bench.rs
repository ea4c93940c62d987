//! `cargo xtask bench`: hands over to `bench/`, which is outside the workspace because the competitors are its dependencies.

use std::path::Path;

use anyhow::{Result, bail};
use clap::Args;

use crate::process::Program;

/// What to measure.
#[derive(Args)]
pub(crate) struct Options {
    /// Arguments for the benchmark program: a benchmark's name and its options
    #[arg(
        trailing_var_arg = true,
        allow_hyphen_values = true,
        value_name = "ARGS"
    )]
    args: Vec<String>,
}

/// Builds `bench/` in release mode and runs it.
pub(crate) fn run(root: &Path, options: &Options) -> Result<()> {
    let manifest = root.join("bench/Cargo.toml");
    if !manifest.is_file() {
        bail!("there are no benchmarks yet: bench/Cargo.toml is missing");
    }
    let mut args = vec![
        "run",
        "--release",
        "--manifest-path",
        "bench/Cargo.toml",
        "--",
    ];
    args.extend(options.args.iter().map(String::as_str));
    Program::test("cargo", &args, root).run()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_checkout_without_benchmarks_says_so() {
        let dir = tempfile::tempdir().unwrap();
        let error = run(dir.path(), &Options { args: Vec::new() }).unwrap_err();
        assert!(
            error.to_string().contains("bench/Cargo.toml is missing"),
            "{error}"
        );
    }
}

//! `cargo xtask fuzz`: hands over to cargo-fuzz, which needs a nightly compiler and is therefore no part of the tests.

use std::fs;
use std::path::Path;

use anyhow::{Context, Result, bail};
use clap::Args;

use crate::process::Program;

/// What to fuzz.
#[derive(Args)]
pub(crate) struct Options {
    /// The target: a file of fuzz/fuzz_targets/ without its .rs
    target: String,
    /// How long to look for a failure
    #[arg(long, default_value_t = 60, value_name = "N")]
    seconds: u32,
}

/// Runs one fuzz target for a limited time.
pub(crate) fn run(root: &Path, options: &Options) -> Result<()> {
    let targets = targets(root)?;
    if !targets.contains(&options.target) {
        bail!(
            "there is no fuzz target {:?}; there are: {}",
            options.target,
            targets.join(", ")
        );
    }
    if Program::tool("cargo", &["fuzz", "--version"], root)
        .output()
        .is_none()
    {
        bail!(
            "cargo-fuzz is not installed; type: \
             cargo install cargo-fuzz --locked && rustup toolchain install nightly"
        );
    }
    let limit = format!("-max_total_time={}", options.seconds);
    let args = ["+nightly", "fuzz", "run", &options.target, "--", &limit];
    Program::test("cargo", &args, root).run()
}

fn targets(root: &Path) -> Result<Vec<String>> {
    let dir = root.join("fuzz/fuzz_targets");
    let entries =
        fs::read_dir(&dir).context("there are no fuzz targets: fuzz/fuzz_targets is missing")?;
    let mut names = Vec::new();
    for entry in entries {
        let name = entry?.file_name().to_string_lossy().into_owned();
        names.extend(name.strip_suffix(".rs").map(str::to_owned));
    }
    names.sort();
    Ok(names)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn options(target: &str) -> Options {
        Options {
            target: target.to_owned(),
            seconds: 1,
        }
    }

    #[test]
    fn an_unknown_target_is_refused_with_those_that_exist() {
        let dir = tempfile::tempdir().unwrap();
        let targets = dir.path().join("fuzz/fuzz_targets");
        fs::create_dir_all(&targets).unwrap();
        fs::write(targets.join("otlp_json.rs"), "").unwrap();
        fs::write(targets.join("jaeger.rs"), "").unwrap();
        fs::write(targets.join("notes.md"), "").unwrap();
        let error = run(dir.path(), &options("zipkin")).unwrap_err();
        assert_eq!(
            error.to_string(),
            "there is no fuzz target \"zipkin\"; there are: jaeger, otlp_json"
        );
    }

    #[test]
    fn a_checkout_without_targets_says_so() {
        let dir = tempfile::tempdir().unwrap();
        let error = run(dir.path(), &options("jaeger")).unwrap_err();
        assert!(
            error.to_string().contains("fuzz/fuzz_targets is missing"),
            "{error}"
        );
    }
}

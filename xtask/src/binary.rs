//! Builds the workspace once, as `cargo test` will, and finds the `backtrail` binary in what cargo reports.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use serde::Deserialize;

use crate::process::Program;

/// Binaries and tests together: cargo then picks the same features for both, and nothing is built twice.
const BUILD: &[&str] = &[
    "build",
    "--workspace",
    "--bins",
    "--tests",
    "--locked",
    "--message-format=json-render-diagnostics",
];

/// Builds all binaries and tests, and returns the path of `backtrail`, wherever the target directory is.
pub(crate) fn build(root: &Path) -> Result<PathBuf> {
    let mut binary = None;
    Program::test("cargo", BUILD, root).run_lines(|line| {
        if let Some(path) = backtrail_in(line) {
            binary = Some(path);
        }
    })?;
    binary.context("cargo built no binary with the name backtrail")
}

/// One line of cargo's report. Only what tells the binary from its unit tests is read.
#[derive(Deserialize)]
struct Artifact {
    target: Target,
    profile: Profile,
    executable: Option<PathBuf>,
}

#[derive(Deserialize)]
struct Target {
    name: String,
    kind: Vec<String>,
}

#[derive(Deserialize)]
struct Profile {
    test: bool,
}

fn backtrail_in(line: &str) -> Option<PathBuf> {
    // Lines about other things have other shapes.
    let artifact: Artifact = serde_json::from_str(line).ok()?;
    let is_binary = artifact.target.kind == ["bin"] && !artifact.profile.test;
    artifact
        .executable
        .filter(|_| is_binary && artifact.target.name == "backtrail")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn line(name: &str, kind: &str, test: bool) -> String {
        format!(
            r#"{{"reason":"compiler-artifact","target":{{"name":"{name}","kind":["{kind}"]}},
                "profile":{{"test":{test}}},"executable":"/target/debug/{name}"}}"#
        )
    }

    #[test]
    fn the_binary_is_told_from_its_tests_and_from_other_targets() {
        let found = backtrail_in(&line("backtrail", "bin", false));
        assert_eq!(found, Some(PathBuf::from("/target/debug/backtrail")));
        assert_eq!(
            backtrail_in(&line("backtrail", "bin", true)),
            None,
            "its unit tests"
        );
        assert_eq!(
            backtrail_in(&line("backtrail", "lib", false)),
            None,
            "the library"
        );
        assert_eq!(
            backtrail_in(&line("xtask", "bin", false)),
            None,
            "another binary"
        );
        assert_eq!(
            backtrail_in(r#"{"reason":"build-finished","success":true}"#),
            None
        );
    }
}

//! Builds the workspace once, as `cargo test` will, and finds the `backtrail` binary in what cargo reports.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use serde::Deserialize;

use crate::process::Program;

/// The features of the SDK that its users may turn on, for builds of the workspace.
pub(crate) const ALL_FEATURES: &str = "--features=backtrail/full";

/// Binaries and tests together: cargo then picks the same features for both, and nothing is built twice.
const BUILD: &[&str] = &[
    "build",
    "--workspace",
    "--bins",
    "--tests",
    "--locked",
    ALL_FEATURES,
    "--message-format=json-render-diagnostics",
];

/// Builds all binaries and tests, and returns the path of `backtrail`, wherever the target directory is.
pub(crate) fn build(root: &Path) -> Result<PathBuf> {
    built(Program::test("cargo", BUILD, root), "backtrail")
}

/// Runs a build that reports in JSON, and returns the path of the binary with this name.
pub(crate) fn built(cargo: Program, name: &str) -> Result<PathBuf> {
    let mut binary = None;
    cargo.run_lines(|line| {
        if let Some(path) = binary_in(line, name) {
            binary = Some(path);
        }
    })?;
    binary.with_context(|| format!("cargo built no binary with the name {name}"))
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

fn binary_in(line: &str, name: &str) -> Option<PathBuf> {
    // Lines about other things have other shapes.
    let artifact: Artifact = serde_json::from_str(line).ok()?;
    let is_binary = artifact.target.kind == ["bin"] && !artifact.profile.test;
    artifact
        .executable
        .filter(|_| is_binary && artifact.target.name == name)
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
        let found = binary_in(&line("backtrail", "bin", false), "backtrail");
        assert_eq!(found, Some(PathBuf::from("/target/debug/backtrail")));
        assert_eq!(
            binary_in(&line("backtrail", "bin", true), "backtrail"),
            None,
            "its unit tests"
        );
        assert_eq!(
            binary_in(&line("backtrail", "lib", false), "backtrail"),
            None,
            "the library"
        );
        assert_eq!(
            binary_in(&line("xtask", "bin", false), "backtrail"),
            None,
            "another binary"
        );
        assert_eq!(
            binary_in(r#"{"reason":"build-finished","success":true}"#, "backtrail"),
            None
        );
    }
}

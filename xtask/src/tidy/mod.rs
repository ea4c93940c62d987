//! `cargo xtask tidy`: what the compiler and clippy can't check, as a list of small checks.
//!
//! Each check is a function from a [`Tree`] to the violations that it found, and is tested on trees that break it.

mod boundaries;
mod dependencies;
mod leaks;
mod leftovers;
mod links;
mod lockfile;
mod manifests;
mod markdown;
mod reasons;
mod rust_source;
mod size;
mod tree;

use std::fmt;
use std::path::Path;
use std::time::Instant;

use anyhow::{Context, Result, bail};

use crate::process::{RED, paint};
use tree::Tree;

struct Check {
    name: &'static str,
    find: fn(&Tree) -> Result<Vec<Violation>>,
}

const CHECKS: &[Check] = &[
    Check {
        name: "manifests",
        find: manifests::check,
    },
    Check {
        name: "dependencies",
        find: dependencies::check,
    },
    Check {
        name: "reasons",
        find: reasons::check,
    },
    Check {
        name: "lockfile",
        find: lockfile::check,
    },
    Check {
        name: "boundaries",
        find: boundaries::check,
    },
    Check {
        name: "size",
        find: size::check,
    },
    Check {
        name: "leftovers",
        find: leftovers::check,
    },
    Check {
        name: "links",
        find: links::check,
    },
    Check {
        name: "leaks",
        find: leaks::check,
    },
];

/// Something that breaks a rule, and where.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Violation {
    file: String,
    line: usize,
    message: String,
}

impl Violation {
    fn new(file: &str, line: usize, message: impl Into<String>) -> Self {
        Self {
            file: file.to_owned(),
            line,
            message: message.into(),
        }
    }
}

impl fmt::Display for Violation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}: {}", self.file, self.line, self.message)
    }
}

/// Runs all checks on the checkout and prints every violation.
pub(crate) fn run(root: &Path) -> Result<()> {
    let started = Instant::now();
    let tree = Tree::of_checkout(root)?;
    let mut count = 0;
    for check in CHECKS {
        let mut violations =
            (check.find)(&tree).with_context(|| format!("the check {} failed", check.name))?;
        violations.sort();
        violations.dedup();
        count += violations.len();
        for violation in violations {
            println!("{} {violation} [{}]", paint(RED, "error:"), check.name);
        }
    }
    if count > 0 {
        bail!(
            "{count} {}",
            if count == 1 {
                "violation"
            } else {
                "violations"
            }
        );
    }
    println!(
        "tidy: {} checks on {} files in {:.1} s, no violation",
        CHECKS.len(),
        tree.files().len(),
        started.elapsed().as_secs_f64()
    );
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_violation_is_written_so_that_editors_can_open_it() {
        let violation = Violation::new("crates/wal/src/lib.rs", 7, "`todo!` is left over");
        assert_eq!(
            violation.to_string(),
            "crates/wal/src/lib.rs:7: `todo!` is left over"
        );
    }

    #[test]
    fn a_tree_that_breaks_a_rule_fails_the_run() {
        let dir = tempfile::tempdir().unwrap();
        let good = [
            ("Cargo.toml", "[workspace.dependencies]\n"),
            ("Cargo.lock", "version = 4\n"),
        ];
        for (file, text) in good {
            std::fs::write(dir.path().join(file), text).unwrap();
        }
        run(dir.path()).unwrap();
        std::fs::write(dir.path().join("notes.md"), "[gone](gone.md)\n").unwrap();
        let error = run(dir.path()).unwrap_err();
        assert_eq!(error.to_string(), "1 violation");
    }
}

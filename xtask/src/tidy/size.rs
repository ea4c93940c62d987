//! Files stay small enough to be read in one sitting.

use anyhow::Result;

use super::Violation;
use super::tree::{Tree, has_extension};

const SOURCES: &[&str] = &[".rs", ".js", ".mjs", ".cjs", ".css", ".py"];
const LINES_MAX: usize = 800;
/// Tests read as a list of cases, and are longer.
const TEST_LINES_MAX: usize = 1200;

pub(super) fn check(tree: &Tree) -> Result<Vec<Violation>> {
    let mut violations = Vec::new();
    for file in tree.own_files(SOURCES) {
        let lines = tree.read(file)?.lines().count();
        let lines_max = if is_test(file) {
            TEST_LINES_MAX
        } else {
            LINES_MAX
        };
        if lines > lines_max {
            let message =
                format!("{lines} lines, {lines_max} is the maximum: split it by what its parts do");
            violations.push(Violation::new(file, lines_max + 1, message));
        }
    }
    Ok(violations)
}

/// Whether a file holds nothing but tests.
pub(super) fn is_test(file: &str) -> bool {
    let (folder, name) = file.rsplit_once('/').unwrap_or(("", file));
    folder
        .split('/')
        .any(|part| part == "tests" || part == "test")
        || name == "tests.rs"
        || [".test.js", ".test.mjs", ".spec.js"]
            .iter()
            .any(|ending| name.ends_with(ending))
        || (name.starts_with("test_") && has_extension(name, "py"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tidy::tree::testing::violations;

    #[test]
    fn a_file_over_the_maximum_is_named() {
        let (fits, long) = ("\n".repeat(LINES_MAX), "\n".repeat(LINES_MAX + 1));
        let files = [
            ("crates/wal/src/lib.rs", &*fits),
            ("crates/wal/src/segment.rs", &*long),
            ("ui/style.css", &*long),
            ("ui/vendor/uplot.js", &*long),
            ("docs/storage.md", &*long),
        ];
        assert_eq!(
            violations(check, &files),
            [
                "crates/wal/src/segment.rs:801: 801 lines, 800 is the maximum: split it by what its parts do",
                "ui/style.css:801: 801 lines, 800 is the maximum: split it by what its parts do",
            ]
        );
    }

    #[test]
    fn tests_may_be_longer_but_not_endless() {
        let (fits, long) = ("\n".repeat(TEST_LINES_MAX), "\n".repeat(TEST_LINES_MAX + 1));
        let files = [
            ("crates/wal/tests/replay.rs", &*fits),
            ("crates/wal/src/segment/tests.rs", &*fits),
            ("ui/model/tree.test.js", &*fits),
            ("clients/python/test_otlp.py", &*fits),
            ("ui/tests/browser/trace.js", &*long),
        ];
        assert_eq!(
            violations(check, &files),
            [
                "ui/tests/browser/trace.js:1201: 1201 lines, 1200 is the maximum: split it by what its parts do"
            ]
        );
    }
}

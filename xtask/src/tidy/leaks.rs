//! Nothing of one developer's machine is committed: its paths, or where its package managers download from.

use anyhow::Result;

use super::Violation;
use super::tree::{Tree, is_vendored};

/// Folders in which people keep checkouts and homes. Meant where a path begins, not in the middle of one.
const PATHS: &[&str] = &["/home/", "/root/", "/work/", "/Users/"];

/// Settings that choose a registry, and addresses that a lock file got from one: it works with any registry when it names none.
const SETTINGS: &[(&str, &[&str])] = &[
    ("package-lock.json", &["\"resolved\": \"http"]),
    (".npmrc", &["registry"]),
    (
        ".txt",
        &[
            "--index-url",
            "--extra-index-url",
            "--find-links",
            "--trusted-host",
        ],
    ),
    (
        ".cargo/config.toml",
        &["[source", "[registr", "replace-with"],
    ),
];

/// This file has to name what it looks for.
const SELF: &str = "xtask/src/tidy/leaks.rs";

pub(super) fn check(tree: &Tree) -> Result<Vec<Violation>> {
    let mut violations = Vec::new();
    for file in tree
        .files()
        .iter()
        .filter(|file| *file != SELF && !is_vendored(file))
    {
        let Some(text) = tree.read_text(file)? else {
            continue;
        };
        for (index, line) in text.lines().enumerate() {
            let mut report = |message| violations.push(Violation::new(file, index + 1, message));
            if let Some(path) = PATHS.iter().find(|path| begins_in(line, path)) {
                report(format!("a path of one machine (`{path}…`)"));
            }
            for (ending, settings) in SETTINGS {
                if let Some(setting) = settings
                    .iter()
                    .find(|s| file.ends_with(ending) && line.contains(**s))
                    && !line.contains("omit-lockfile-registry-resolved")
                {
                    report(format!(
                        "a choice of registry (`{setting}`), which belongs to the machine; for npm, set omit-lockfile-registry-resolved"
                    ));
                }
            }
        }
    }
    Ok(violations)
}

/// Whether an absolute path with this beginning is in the line.
fn begins_in(line: &str, path: &str) -> bool {
    line.match_indices(path).any(|(at, _)| {
        let before = line[..at].chars().next_back();
        !before.is_some_and(|c| c.is_alphanumeric() || "/._-~{}$*<>%…".contains(c))
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tidy::tree::testing::violations;

    #[test]
    fn paths_of_a_machine_are_named_where_they_begin() {
        let files = [
            ("docs/a.md", "see /home/ann/backtrail\n"),
            (
                "docs/b.md",
                "GET https://example.com/home/x and ./work/y and crates/root/z, {dir}/work/\n",
            ),
            (
                "crates/wal/tests/data.json",
                "{\n\"dir\": \"/Users/ann/.cache\"}\n",
            ),
        ];
        assert_eq!(
            violations(check, &files),
            [
                "crates/wal/tests/data.json:2: a path of one machine (`/Users/…`)",
                "docs/a.md:1: a path of one machine (`/home/…`)",
            ]
        );
    }

    #[test]
    fn registries_are_named() {
        let files = [
            (
                "ui/package-lock.json",
                "\"resolved\": \"https://mirror.example/x.tgz\",\n\"integrity\": \"sha512\"\n",
            ),
            ("ui/.npmrc", "omit-lockfile-registry-resolved=true\n"),
            ("clients/node/.npmrc", "registry=https://mirror.example\n"),
            (
                "clients/python/requirements.txt",
                "--index-url https://mirror.example\npytest==9.0\n",
            ),
        ];
        let found = violations(check, &files);
        let places: Vec<_> = found
            .iter()
            .filter_map(|line| line.split(": ").next())
            .collect();
        assert_eq!(
            places,
            [
                "clients/node/.npmrc:1",
                "clients/python/requirements.txt:1",
                "ui/package-lock.json:1"
            ]
        );
    }

    #[test]
    fn files_that_are_not_text_are_left_alone() {
        let dir = tempfile::tempdir().unwrap();
        std::fs::write(dir.path().join("span.bin"), b"\0 /root/ \xff").unwrap();
        assert!(
            check(&Tree::of_checkout(dir.path()).unwrap())
                .unwrap()
                .is_empty()
        );
    }
}

//! The files that are checked: what git tracks, or, in an unpacked archive, what is neither built nor installed.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};

use crate::process::Program;

/// Folders that are never part of the sources.
const NOT_SOURCES: &[&str] = &[
    ".git",
    ".pytest_cache",
    ".venv",
    "__pycache__",
    "node_modules",
    "target",
];

/// Files of others that are kept as they came.
const VENDORED: &[&str] = &["ui/vendor/"];

/// A list of files below a root. Names are relative to it, with `/` between folders.
pub(super) struct Tree {
    root: PathBuf,
    files: Vec<String>,
}

impl Tree {
    pub(super) fn of_checkout(root: &Path) -> Result<Self> {
        let mut files = match tracked_files(root) {
            Some(files) => files,
            None => walk(root)?,
        };
        // A file may be deleted and the deletion not committed yet.
        files.retain(|file| root.join(file).is_file());
        files.sort();
        Ok(Self {
            root: root.to_owned(),
            files,
        })
    }

    pub(super) fn files(&self) -> &[String] {
        &self.files
    }

    /// Our own files whose names end so.
    pub(super) fn own_files<'a>(&'a self, endings: &'a [&str]) -> impl Iterator<Item = &'a str> {
        self.files.iter().map(String::as_str).filter(move |file| {
            endings.iter().any(|ending| file.ends_with(ending)) && !is_vendored(file)
        })
    }

    /// Whether there is a file or a folder with this name.
    pub(super) fn has(&self, name: &str) -> bool {
        let name = name.trim_end_matches('/');
        name.is_empty()
            || self.files.iter().any(|file| {
                file.strip_prefix(name)
                    .is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
            })
    }

    pub(super) fn read(&self, file: &str) -> Result<String> {
        fs::read_to_string(self.root.join(file)).with_context(|| format!("can't read {file}"))
    }

    /// `None` for a file that is not text.
    pub(super) fn read_text(&self, file: &str) -> Result<Option<String>> {
        let bytes = fs::read(self.root.join(file)).with_context(|| format!("can't read {file}"))?;
        Ok(String::from_utf8(bytes)
            .ok()
            .filter(|text| !text.contains('\0')))
    }

    /// The crates of the workspace: the name of each folder in `crates/` that has a manifest.
    pub(super) fn crates(&self) -> impl Iterator<Item = &str> {
        self.files.iter().filter_map(|file| {
            let name = file.strip_prefix("crates/")?.strip_suffix("/Cargo.toml")?;
            (!name.contains('/')).then_some(name)
        })
    }
}

pub(super) fn is_vendored(file: &str) -> bool {
    VENDORED.iter().any(|prefix| file.starts_with(prefix))
}

pub(super) fn has_extension(file: &str, extension: &str) -> bool {
    Path::new(file)
        .extension()
        .is_some_and(|found| found == extension)
}

fn tracked_files(root: &Path) -> Option<Vec<String>> {
    // Only a checkout's own root: a tree that was unpacked inside another checkout is not what that one tracks.
    if !root.join(".git").exists() {
        return None;
    }
    let listed = Program::tool("git", &["ls-files", "-z"], root).output()?;
    Some(listed.split_terminator('\0').map(str::to_owned).collect())
}

fn walk(root: &Path) -> Result<Vec<String>> {
    let mut files = Vec::new();
    let mut folders = vec![String::new()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(root.join(&folder))? {
            let entry = entry?;
            let name = entry.file_name().to_string_lossy().into_owned();
            let kind = entry.file_type()?;
            if kind.is_dir() && !NOT_SOURCES.contains(&name.as_str()) {
                folders.push(format!("{folder}{name}/"));
            } else if kind.is_file() {
                files.push(format!("{folder}{name}"));
            }
        }
    }
    Ok(files)
}

#[cfg(test)]
pub(super) mod testing {
    //! Trees for the tests of the checks.

    use super::*;
    use crate::tidy::Violation;

    /// Writes the files into a folder of their own and runs a check on them. Returns `file:line: message` of each violation.
    pub(in crate::tidy) fn violations(
        check: fn(&Tree) -> Result<Vec<Violation>>,
        files: &[(&str, &str)],
    ) -> Vec<String> {
        let dir = tempfile::tempdir().unwrap();
        for (file, text) in files {
            let path = dir.path().join(file);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, text).unwrap();
        }
        let tree = Tree::of_checkout(dir.path()).unwrap();
        let mut violations = check(&tree).unwrap();
        violations.sort();
        violations.iter().map(ToString::to_string).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn write(root: &Path, file: &str) {
        let path = root.join(file);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, "text").unwrap();
    }

    #[test]
    fn a_checkout_is_what_git_tracks() {
        let dir = tempfile::tempdir().unwrap();
        let root = dir.path();
        for file in [
            "b.md",
            "crates/wal/Cargo.toml",
            "untracked.md",
            "deleted.md",
        ] {
            write(root, file);
        }
        let git = |args: &[&str]| Program::tool("git", args, root).run().unwrap();
        git(&["init", "--quiet"]);
        git(&["add", "b.md", "crates", "deleted.md"]);
        fs::remove_file(root.join("deleted.md")).unwrap();
        let tree = Tree::of_checkout(root).unwrap();
        assert_eq!(tree.files(), ["b.md", "crates/wal/Cargo.toml"]);
    }

    #[test]
    fn an_unpacked_archive_is_all_but_what_was_built_or_installed() {
        let dir = tempfile::tempdir().unwrap();
        for file in [
            "a.md",
            "ui/app.js",
            "ui/node_modules/x/index.js",
            "target/debug/x.md",
        ] {
            write(dir.path(), file);
        }
        let tree = Tree::of_checkout(dir.path()).unwrap();
        assert_eq!(tree.files(), ["a.md", "ui/app.js"]);
    }

    #[test]
    fn files_and_folders_are_found_by_whole_names() {
        let files = vec![
            "crates/wal/Cargo.toml".to_owned(),
            "crates/wal/src/lib.rs".to_owned(),
        ];
        let tree = Tree {
            root: PathBuf::new(),
            files,
        };
        for name in ["crates", "crates/wal/", "crates/wal/src/lib.rs", ""] {
            assert!(tree.has(name), "{name}");
        }
        assert!(!tree.has("crates/wa"));
        assert_eq!(tree.crates().collect::<Vec<_>>(), ["wal"]);
    }
}

//! Every crate takes the workspace's lints and says in its crate doc what it is.

use anyhow::{Context, Result};
use toml::Table;

use super::Violation;
use super::tree::Tree;

/// What a crate's documentation is called before someone writes it.
const PLACEHOLDER: &str = "placeholder";

pub(super) fn check(tree: &Tree) -> Result<Vec<Violation>> {
    let mut violations = Vec::new();
    let folders = tree.crates().map(|name| format!("crates/{name}"));
    let xtask = tree.has("xtask/Cargo.toml").then(|| "xtask".to_owned());
    for folder in folders.chain(xtask) {
        let manifest = format!("{folder}/Cargo.toml");
        let table: Table = tree
            .read(&manifest)?
            .parse()
            .with_context(|| format!("can't parse {manifest}"))?;
        let lints = table.get("lints").and_then(|lints| lints.get("workspace"));
        if lints.and_then(toml::Value::as_bool) != Some(true) {
            let message =
                "the workspace's lints are missing; add `[lints]` with `workspace = true`";
            violations.push(Violation::new(&manifest, 1, message));
        }
        if let Some(source) = crate_root(tree, &folder)
            && !has_crate_doc(&tree.read(&source)?)
        {
            let message =
                "the crate doc is missing: say in `//!` what the crate is and what it is not for";
            violations.push(Violation::new(&source, 1, message));
        }
    }
    Ok(violations)
}

/// The library's root, or the binary's where there is no library.
fn crate_root(tree: &Tree, folder: &str) -> Option<String> {
    ["src/lib.rs", "src/main.rs"]
        .map(|file| format!("{folder}/{file}"))
        .into_iter()
        .find(|file| tree.has(file))
}

fn has_crate_doc(source: &str) -> bool {
    let mut doc = source
        .lines()
        .map_while(|line| line.strip_prefix("//!"))
        .map(str::trim);
    doc.any(|line| !line.is_empty() && !line.to_lowercase().starts_with(PLACEHOLDER))
        || source.starts_with("#![doc = include_str!(")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tidy::tree::testing::violations;

    const LINTS: &str = "[lints]\nworkspace = true\n";

    #[test]
    fn a_crate_with_lints_and_doc_passes() {
        let files = [
            ("crates/wal/Cargo.toml", LINTS),
            ("crates/wal/src/lib.rs", "//! The log.\n"),
            ("crates/server/Cargo.toml", LINTS),
            ("crates/server/src/main.rs", "//! The binary.\n"),
        ];
        assert!(violations(check, &files).is_empty());
    }

    #[test]
    fn a_crate_without_lints_or_doc_is_named() {
        let files = [
            ("crates/wal/Cargo.toml", "[package]\nname = \"wal\"\n"),
            ("crates/wal/src/lib.rs", "//! Placeholder\n"),
            ("crates/block/Cargo.toml", "[lints]\nworkspace = false\n"),
            ("crates/block/src/lib.rs", "// The blocks.\nmod a;\n"),
        ];
        let found = violations(check, &files);
        assert_eq!(found.len(), 4, "{found:?}");
        assert!(found[0].starts_with("crates/block/Cargo.toml:1: the workspace's lints"));
        assert!(found[1].starts_with("crates/block/src/lib.rs:1: the crate doc"));
        assert!(found[2].starts_with("crates/wal/Cargo.toml:1: the workspace's lints"));
        assert!(found[3].starts_with("crates/wal/src/lib.rs:1: the crate doc"));
    }
}

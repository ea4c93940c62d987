//! Links in Markdown files lead to files and headings that exist. Other hosts are not asked: a test needs no network.

use std::collections::{BTreeMap, BTreeSet};

use anyhow::Result;

use super::Violation;
use super::markdown::{anchors, links};
use super::tree::{Tree, has_extension};

pub(super) fn check(tree: &Tree) -> Result<Vec<Violation>> {
    let mut violations = Vec::new();
    let mut known = BTreeMap::new();
    for file in tree.own_files(&[".md"]) {
        for link in links(&tree.read(file)?) {
            if let Some(message) = objection(tree, file, &link.target, &mut known)? {
                violations.push(Violation::new(file, link.line, message));
            }
        }
    }
    Ok(violations)
}

type KnownAnchors = BTreeMap<String, BTreeSet<String>>;

fn objection(
    tree: &Tree,
    from: &str,
    target: &str,
    known: &mut KnownAnchors,
) -> Result<Option<String>> {
    if is_elsewhere(target) {
        return Ok(None);
    }
    let (path, anchor) = target
        .split_once('#')
        .map_or((target, None), |(path, anchor)| (path, Some(anchor)));
    let Some(file) = resolve(from, path) else {
        return Ok(Some(format!("the link `{target}` leaves the repository")));
    };
    if !tree.has(&file) {
        return Ok(Some(format!(
            "the link `{target}` leads to `{file}`, which is not there"
        )));
    }
    let Some(anchor) = anchor.filter(|_| has_extension(&file, "md")) else {
        return Ok(None);
    };
    if !known.contains_key(&file) {
        known.insert(file.clone(), anchors(&tree.read(&file)?));
    }
    let has_anchor = known
        .get(&file)
        .is_some_and(|anchors| anchors.contains(anchor));
    Ok((!has_anchor).then(|| format!("the link `{target}` names a heading that `{file}` has not")))
}

/// Whether a target has a scheme (`https:`, `mailto:`).
fn is_elsewhere(target: &str) -> bool {
    target.split_once(':').is_some_and(|(scheme, _)| {
        scheme.len() > 1
            && scheme
                .chars()
                .all(|c| c.is_ascii_alphanumeric() || "+-.".contains(c))
    }) || target.starts_with("//")
}

/// The file that a link of another file means, seen from the root. `None` above it.
fn resolve(from: &str, path: &str) -> Option<String> {
    if path.is_empty() {
        return Some(from.to_owned());
    }
    let mut parts: Vec<&str> = from.split('/').collect();
    parts.pop();
    // GitHub takes a leading slash as the repository's root.
    let path = path.strip_prefix('/').map_or(path, |rooted| {
        parts.clear();
        rooted
    });
    for part in path.split('/') {
        match part {
            "" | "." => {}
            ".." => {
                parts.pop()?;
            }
            part => parts.push(part),
        }
    }
    Some(parts.join("/"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tidy::tree::testing::violations;

    #[test]
    fn links_to_files_folders_and_headings_that_exist_pass() {
        let files = [
            (
                "README.md",
                "# Top\n[a](docs/api.md), [b](docs/), [c](docs/api.md#errors), [d](#top), [e](/LICENSE)\n",
            ),
            (
                "docs/api.md",
                "## Errors\n[f](../README.md#top) [g](https://example.com/x#y) [h](mailto:a@b.c)\n",
            ),
            ("docs/lib.rs", "code\n"),
            ("docs/x.md", "[i](lib.rs#L1)\n"),
            ("LICENSE", "text\n"),
        ];
        assert_eq!(violations(check, &files), Vec::<String>::new());
    }

    #[test]
    fn broken_links_are_named_with_their_line() {
        let files = [
            (
                "README.md",
                "# Top\n\n[a](docs/gone.md)\n[b](docs/api.md#gone)\n[c](#bottom)\n",
            ),
            ("docs/api.md", "[d](../../outside.md)\n"),
        ];
        assert_eq!(
            violations(check, &files),
            [
                "README.md:3: the link `docs/gone.md` leads to `docs/gone.md`, which is not there",
                "README.md:4: the link `docs/api.md#gone` names a heading that `docs/api.md` has not",
                "README.md:5: the link `#bottom` names a heading that `README.md` has not",
                "docs/api.md:1: the link `../../outside.md` leaves the repository",
            ]
        );
    }
}

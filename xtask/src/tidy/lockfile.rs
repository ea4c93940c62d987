//! Crates whose types cross our interfaces exist in one version: with two, equal names are different types,
//! and both are built and shipped.

use std::collections::BTreeMap;

use anyhow::Result;

use super::Violation;
use super::tree::Tree;

const LOCK: &str = "Cargo.lock";

/// A name stands for itself and for those that begin with it and `-` or `_`.
const ONE_VERSION: &[&str] = &[
    "arrow",
    "axum",
    "http",
    "hyper",
    "opentelemetry",
    "parquet",
    "prost",
    "tokio",
    "tonic",
    "zstd",
];

/// Versions that may stand beside another: the crate that brings them keeps their types to itself.
const BESIDE: &[Beside] = &[Beside {
    name: "http",
    version: "0.2.",
    reason: "actix-web's own; the SDK's middleware for it copies headers as text",
}];

struct Beside {
    name: &'static str,
    version: &'static str,
    #[expect(dead_code, reason = "read by people")]
    reason: &'static str,
}

pub(super) fn check(tree: &Tree) -> Result<Vec<Violation>> {
    let text = tree.read(LOCK)?;
    let mut versions: BTreeMap<&str, Vec<(usize, &str)>> = BTreeMap::new();
    let mut name = "";
    for (index, line) in text.lines().enumerate() {
        if let Some(value) = string_value(line, "name") {
            name = value;
        } else if let Some(version) = string_value(line, "version")
            && is_guarded(name)
            && !may_stand_beside(name, version)
        {
            versions.entry(name).or_default().push((index + 1, version));
        }
    }
    let violations = versions
        .into_iter()
        .filter(|(_, found)| found.len() > 1)
        .map(|(name, found)| {
            let list = found
                .iter()
                .map(|(_, version)| *version)
                .collect::<Vec<_>>()
                .join(" and ");
            let message =
                format!("`{name}` is here in versions {list}; see `cargo tree --duplicates`");
            Violation::new(LOCK, found[1].0, message)
        });
    Ok(violations.collect())
}

fn may_stand_beside(name: &str, version: &str) -> bool {
    BESIDE
        .iter()
        .any(|beside| beside.name == name && version.starts_with(beside.version))
}

fn string_value<'a>(line: &'a str, key: &str) -> Option<&'a str> {
    line.strip_prefix(key)?
        .strip_prefix(" = \"")?
        .strip_suffix('"')
}

fn is_guarded(name: &str) -> bool {
    ONE_VERSION.iter().any(|family| {
        name.strip_prefix(family)
            .is_some_and(|rest| rest.is_empty() || rest.starts_with(['-', '_']))
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tidy::tree::testing::violations;

    fn lock(packages: &[(&str, &str)]) -> String {
        let package = |(name, version): &(&str, &str)| {
            format!("[[package]]\nname = \"{name}\"\nversion = \"{version}\"\n")
        };
        packages.iter().map(package).collect()
    }

    #[test]
    fn one_version_of_each_passes_and_small_crates_may_differ() {
        let text = lock(&[
            ("arrow-array", "59.0.0"),
            ("hashbrown", "0.15.0"),
            ("hashbrown", "0.16.0"),
        ]);
        assert!(violations(check, &[("Cargo.lock", &text)]).is_empty());
    }

    #[test]
    fn a_second_version_of_a_core_crate_is_refused() {
        let text = lock(&[
            ("opentelemetry_sdk", "0.32.0"),
            ("opentelemetry_sdk", "0.33.0"),
            ("prost", "0.14.0"),
        ]);
        assert_eq!(
            violations(check, &[("Cargo.lock", &text)]),
            [
                "Cargo.lock:6: `opentelemetry_sdk` is here in versions 0.32.0 and 0.33.0; see `cargo tree --duplicates`"
            ]
        );
    }

    #[test]
    fn a_version_that_a_crate_keeps_to_itself_may_stand_beside() {
        let beside = lock(&[("http", "0.2.12"), ("http", "1.4.0")]);
        assert!(violations(check, &[("Cargo.lock", &beside)]).is_empty());
        let refused = lock(&[("http", "0.1.0"), ("http", "1.4.0")]);
        assert_eq!(violations(check, &[("Cargo.lock", &refused)]).len(), 1);
    }

    #[test]
    fn a_family_is_not_every_name_that_begins_alike() {
        assert!(is_guarded("tonic-health"));
        assert!(is_guarded("tonic"));
        assert!(!is_guarded("tonics"));
    }
}

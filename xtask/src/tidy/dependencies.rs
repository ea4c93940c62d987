//! Which of our crates may use which. The table is the one of ARCHITECTURE.md, as data.

use anyhow::{Context, Result};
use toml::Table;

use super::Violation;
use super::tree::Tree;

/// A crate of ours and what it may use of ours. Its tests (`[dev-dependencies]`) may use `testkit` besides, and what is further below.
struct Layer {
    name: &'static str,
    /// On crates.io: may use only what is published too.
    published: bool,
    uses: &'static [&'static str],
}

const LAYERS: &[Layer] = &[
    Layer {
        name: "backtrail-wire",
        published: true,
        uses: &[],
    },
    Layer {
        name: "backtrail-macros",
        published: true,
        uses: &[],
    },
    // The SDK runs in other people's processes: it uses only what is published, and nothing of the server.
    Layer {
        name: "backtrail",
        published: true,
        uses: &["backtrail-wire", "backtrail-macros"],
    },
    // Attribute lists are kept in OTLP's own encoding, so the model reads the wire's views.
    Layer {
        name: "model",
        published: false,
        uses: &["backtrail-wire"],
    },
    Layer {
        name: "codec",
        published: false,
        uses: &["model", "backtrail-wire"],
    },
    Layer {
        name: "host",
        published: false,
        uses: &[],
    },
    Layer {
        name: "wal",
        published: false,
        uses: &["host"],
    },
    Layer {
        name: "block",
        published: false,
        uses: &["backtrail-wire", "model", "host"],
    },
    Layer {
        name: "store",
        published: false,
        uses: &["model", "host", "wal", "block"],
    },
    Layer {
        name: "query",
        published: false,
        uses: &["model", "store"],
    },
    Layer {
        name: "srcmap",
        published: false,
        uses: &[],
    },
    Layer {
        name: "artifacts",
        published: false,
        uses: &["srcmap", "host"],
    },
    Layer {
        name: "server",
        published: false,
        uses: &[
            "srcmap",
            "artifacts",
            "backtrail-wire",
            "model",
            "codec",
            "host",
            "wal",
            "block",
            "store",
            "query",
        ],
    },
    Layer {
        name: "testkit",
        published: false,
        uses: &[
            "srcmap",
            "artifacts",
            "backtrail-wire",
            "model",
            "codec",
            "host",
            "wal",
            "block",
            "store",
            "query",
            "server",
        ],
    },
    Layer {
        name: "xtask",
        published: false,
        uses: &[],
    },
];

const TEST_ONLY: &str = "testkit";

pub(super) fn check(tree: &Tree) -> Result<Vec<Violation>> {
    let mut violations = Vec::new();
    for name in tree
        .crates()
        .chain(tree.has("xtask/Cargo.toml").then_some("xtask"))
    {
        let manifest = if name == "xtask" {
            "xtask/Cargo.toml".to_owned()
        } else {
            format!("crates/{name}/Cargo.toml")
        };
        let text = tree.read(&manifest)?;
        let Some(layer) = LAYERS.iter().find(|layer| layer.name == name) else {
            let message = format!(
                "the crate `{name}` is in no layer; add it to ARCHITECTURE.md and to xtask/src/tidy/dependencies.rs"
            );
            violations.push(Violation::new(&manifest, 1, message));
            continue;
        };
        let table: Table = text
            .parse()
            .with_context(|| format!("can't parse {manifest}"))?;
        let mut report = |needle: &str, message: String| {
            violations.push(Violation::new(&manifest, line_of(&text, needle), message));
        };
        check_name_and_publish(layer, &table, &mut report);
        for (section, dependency) in dependencies(&table) {
            if let Some(message) = objection(layer, section, dependency) {
                report(dependency, message);
            }
        }
    }
    Ok(violations)
}

fn check_name_and_publish(layer: &Layer, table: &Table, report: &mut impl FnMut(&str, String)) {
    let package = |key: &str| table.get("package").and_then(|package| package.get(key));
    if package("name").and_then(toml::Value::as_str) != Some(layer.name) {
        report(
            "name",
            format!("a crate bears the name of its folder, `{}`", layer.name),
        );
    }
    // The workspace's default is `publish = false`.
    let published = package("publish").and_then(toml::Value::as_bool) == Some(true);
    if published != layer.published {
        let expected = if layer.published {
            "is published"
        } else {
            "is not published"
        };
        report(
            "publish",
            format!("`{}` {expected}: `publish` says otherwise", layer.name),
        );
    }
}

/// All dependencies with the section that names them, also those of single platforms.
fn dependencies(table: &Table) -> Vec<(&'static str, &str)> {
    let platforms = table.get("target").and_then(toml::Value::as_table);
    let tables = platforms
        .into_iter()
        .flat_map(Table::values)
        .filter_map(toml::Value::as_table);
    let mut found = Vec::new();
    for table in std::iter::once(table).chain(tables) {
        for section in ["dependencies", "dev-dependencies", "build-dependencies"] {
            let entries = table.get(section).and_then(toml::Value::as_table);
            found.extend(entries.into_iter().flatten().map(|(key, value)| {
                let renamed = value.get("package").and_then(toml::Value::as_str);
                (section, renamed.unwrap_or(key))
            }));
        }
    }
    found
}

fn objection(layer: &Layer, section: &str, dependency: &str) -> Option<String> {
    let used = LAYERS.iter().find(|other| other.name == dependency)?;
    let is_test = section == "dev-dependencies";
    if is_test && used.name == TEST_ONLY {
        return None;
    }
    let name = layer.name;
    if used.name == TEST_ONLY {
        return Some(format!(
            "`{TEST_ONLY}` is for tests: name it in [dev-dependencies]"
        ));
    }
    if layer.published && !used.published && !is_test {
        return Some(format!(
            "`{name}` is published and may not use `{dependency}`, which is internal"
        ));
    }
    if layer.uses.contains(&used.name) || (is_test && is_below(layer, used)) {
        return None;
    }
    let allowed = if layer.uses.is_empty() {
        "none of ours".to_owned()
    } else {
        layer.uses.join(", ")
    };
    Some(format!(
        "`{name}` may not use `{dependency}`; it may use {allowed} (see ARCHITECTURE.md)"
    ))
}

/// Whether `used` is reached from `layer` through what each of them may use.
fn is_below(layer: &Layer, used: &Layer) -> bool {
    layer.uses.iter().any(|name| {
        *name == used.name
            || LAYERS
                .iter()
                .any(|other| other.name == *name && is_below(other, used))
    })
}

/// The line that begins with the key, for messages; the first line when there is none.
fn line_of(text: &str, key: &str) -> usize {
    let starts = |line: &str| {
        let rest = line.trim_start().strip_prefix(key);
        rest.is_some_and(|rest| rest.starts_with([' ', '.', '=']))
    };
    text.lines().position(starts).map_or(1, |index| index + 1)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tidy::tree::testing::violations;

    fn manifest(name: &str, rest: &str) -> String {
        format!("[package]\nname = \"{name}\"\npublish.workspace = true\n{rest}")
    }

    fn check_one(name: &str, rest: &str) -> Vec<String> {
        let file = format!("crates/{name}/Cargo.toml");
        violations(check, &[(&file, &manifest(name, rest))])
    }

    #[test]
    fn a_crate_may_use_what_its_layer_names() {
        let found = check_one(
            "wal",
            "[dependencies]\nhost.workspace = true\nbytes.workspace = true\n",
        );
        assert!(found.is_empty(), "{found:?}");
    }

    #[test]
    fn a_crate_may_not_use_one_above_it() {
        let found = check_one("wal", "[dependencies]\nstore.workspace = true\n");
        assert_eq!(
            found,
            [
                "crates/wal/Cargo.toml:5: `wal` may not use `store`; it may use host (see ARCHITECTURE.md)"
            ]
        );
    }

    #[test]
    fn a_dependency_of_one_platform_or_under_another_name_counts_too() {
        let rest = "[target.'cfg(unix)'.dependencies]\nlog = { package = \"store\", path = \"../store\" }\n";
        assert_eq!(check_one("wal", rest).len(), 1);
    }

    #[test]
    fn testkit_is_for_tests() {
        assert!(check_one("wal", "[dev-dependencies]\ntestkit.workspace = true\n").is_empty());
        let found = check_one("wal", "[dependencies]\ntestkit.workspace = true\n");
        assert_eq!(
            found,
            ["crates/wal/Cargo.toml:5: `testkit` is for tests: name it in [dev-dependencies]"]
        );
    }

    #[test]
    fn tests_may_use_what_is_further_below_but_nothing_above() {
        let below = "[dev-dependencies]\nbacktrail-wire.workspace = true\n";
        assert!(check_one("query", below).is_empty());
        assert_eq!(check_one("host", below).len(), 1);
        assert_eq!(check_one("query", &below.replace("dev-", "")).len(), 1);
        let above = "[dev-dependencies]\nserver.workspace = true\n";
        assert_eq!(check_one("query", above).len(), 1);
    }

    #[test]
    fn a_published_crate_uses_no_internal_one() {
        let manifest = "[package]\nname = \"backtrail-wire\"\npublish = true\n[dependencies]\nmodel.workspace = true\n";
        let found = violations(check, &[("crates/backtrail-wire/Cargo.toml", manifest)]);
        assert_eq!(found.len(), 1, "{found:?}");
        assert!(found[0].contains("is published and may not use `model`, which is internal"));
    }

    #[test]
    fn publish_and_name_agree_with_the_table() {
        let manifest = "[package]\nname = \"log\"\npublish = true\n";
        let found = violations(check, &[("crates/wal/Cargo.toml", manifest)]);
        assert_eq!(
            found,
            [
                "crates/wal/Cargo.toml:2: a crate bears the name of its folder, `wal`",
                "crates/wal/Cargo.toml:3: `wal` is not published: `publish` says otherwise",
            ]
        );
    }

    #[test]
    fn an_unknown_crate_must_be_given_a_layer() {
        let found = check_one("helpers", "");
        assert_eq!(found.len(), 1, "{found:?}");
        assert!(found[0].contains("the crate `helpers` is in no layer"));
    }

    #[test]
    fn the_table_has_no_circle() {
        for (index, layer) in LAYERS.iter().enumerate() {
            for used in layer.uses {
                let position = LAYERS.iter().position(|other| other.name == *used);
                assert!(
                    position.is_some_and(|position| position < index),
                    "{} uses {used}",
                    layer.name
                );
            }
        }
    }
}

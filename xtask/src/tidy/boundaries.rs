//! What may be touched where: files, clocks, randomness, tasks, the network and the environment go through the crate that
//! owns them, so that one seed replays one simulation and decoders stay pure.

use anyhow::Result;

use super::Violation;
use super::rust_source::{paths, tokens, without_tests};
use super::tree::Tree;

/// Paths that only some crates may name outside their tests.
struct Rule {
    name: &'static str,
    paths: &'static [&'static str],
    allowed_in: &'static [&'static str],
    instead: &'static str,
}

const RULES: &[Rule] = &[
    Rule {
        name: "files",
        paths: &[
            "std::fs",
            "std::os::unix::fs",
            "tokio::fs",
            "rustix::fs",
            "memmap2",
        ],
        allowed_in: &["backtrail", "host"],
        instead: "go through `host::Files`, which simulations replace",
    },
    Rule {
        name: "clock",
        paths: &[
            "std::time::SystemTime",
            "std::time::Instant",
            "tokio::time::Instant",
        ],
        allowed_in: &["backtrail", "host"],
        instead: "go through `host::Clock`, which simulations replace",
    },
    Rule {
        name: "randomness",
        paths: &[
            "rand",
            "getrandom",
            "fastrand",
            "std::hash::RandomState",
            "std::collections::hash_map::RandomState",
        ],
        allowed_in: &["host"],
        instead: "go through `host::Random`, which simulations seed",
    },
    Rule {
        name: "tasks",
        paths: &[
            "tokio::runtime",
            "tokio::spawn",
            "tokio::task",
            "tokio::time",
            "std::thread",
        ],
        allowed_in: &["backtrail", "host", "server"],
        instead: "go through `host::Tasks`, which simulations run in one thread",
    },
    Rule {
        name: "network",
        paths: &[
            "std::net::TcpListener",
            "std::net::TcpStream",
            "std::net::ToSocketAddrs",
            "std::net::UdpSocket",
            "tokio::net",
        ],
        allowed_in: &["backtrail", "server"],
        instead: "connections belong to the server",
    },
    Rule {
        name: "environment",
        paths: &["std::env"],
        allowed_in: &["backtrail", "server"],
        instead: "take it as a parameter; the server reads the environment",
    },
    Rule {
        name: "processes",
        paths: &["std::process"],
        allowed_in: &["backtrail", "server"],
        instead: "only the binary starts or ends processes",
    },
    Rule {
        name: "parquet",
        paths: &["parquet"],
        allowed_in: &["block"],
        instead: "the Parquet layout is the business of `block` alone",
    },
    Rule {
        name: "runtime",
        paths: &["tokio"],
        allowed_in: &[
            "backtrail",
            "host",
            "wal",
            "block",
            "store",
            "query",
            "server",
        ],
        instead: "decoders and the model do no I/O and start no task",
    },
];

/// A file that may break a rule, and why. One that is not needed any more is a violation.
struct Exception {
    file: &'static str,
    rule: &'static str,
    #[expect(dead_code, reason = "read by people")]
    reason: &'static str,
}

const EXCEPTIONS: &[Exception] = &[Exception {
    file: "crates/srcmap/src/functions/guard.rs",
    rule: "tasks",
    reason: "a parser that recurses gets a stack of its own; its caller waits, so nothing runs beside it",
}];

/// Tests, and programs for developers, may touch the machine.
const EXEMPT_CRATES: &[&str] = &["testkit"];

pub(super) fn check(tree: &Tree) -> Result<Vec<Violation>> {
    check_with(tree, EXCEPTIONS)
}

fn check_with(tree: &Tree, exceptions: &[Exception]) -> Result<Vec<Violation>> {
    let mut violations = Vec::new();
    let mut test_files = Vec::new();
    let mut used = vec![false; exceptions.len()];
    for (crate_name, file) in sources(tree) {
        let source = tree.read(file)?;
        let all = tokens(&source);
        let (code, modules) = without_tests(&all);
        test_files.extend(modules.into_iter().map(|module| module_path(file, module)));
        for named in paths(&code) {
            for rule in RULES
                .iter()
                .filter(|rule| rule.forbids(crate_name, &named.path))
            {
                let exception = exceptions
                    .iter()
                    .position(|e| e.file == file && e.rule == rule.name);
                if let Some(index) = exception {
                    used[index] = true;
                    continue;
                }
                let message = format!(
                    "`{}` in `{crate_name}` ({}): {}",
                    named.path, rule.name, rule.instead
                );
                violations.push(Violation::new(file, named.line, message));
            }
        }
    }
    violations.retain(|violation| !is_in_test_file(&violation.file, &test_files));
    for (exception, used) in exceptions.iter().zip(used) {
        // Trees of tests have few crates.
        let is_here = exception
            .file
            .split_once("/src/")
            .is_some_and(|(folder, _)| tree.has(folder));
        if !used && is_here {
            let message = format!(
                "the exception from `{}` is not needed any more; remove it",
                exception.rule
            );
            violations.push(Violation::new(exception.file, 1, message));
        }
    }
    Ok(violations)
}

/// The sources of our crates that are not tests, each with its crate.
fn sources(tree: &Tree) -> impl Iterator<Item = (&str, &str)> {
    tree.own_files(&[".rs"]).filter_map(|file| {
        let (crate_name, inner) = file.strip_prefix("crates/")?.split_once('/')?;
        let is_test =
            !inner.starts_with("src/") || inner.contains("/tests/") || inner.ends_with("/tests.rs");
        (!is_test && !EXEMPT_CRATES.contains(&crate_name)).then_some((crate_name, file))
    })
}

/// Where the module that a file declares is: without the `.rs` or `/mod.rs`.
fn module_path(file: &str, module: &str) -> String {
    let (folder, name) = file.rsplit_once('/').unwrap_or(("", file));
    match name {
        "lib.rs" | "main.rs" | "mod.rs" => format!("{folder}/{module}"),
        _ => format!("{folder}/{}/{module}", name.trim_end_matches(".rs")),
    }
}

fn is_in_test_file(file: &str, test_files: &[String]) -> bool {
    test_files.iter().any(|module| {
        file.strip_prefix(module.as_str())
            .is_some_and(|rest| rest == ".rs" || rest.starts_with('/'))
    })
}

impl Rule {
    fn forbids(&self, crate_name: &str, path: &str) -> bool {
        !self.allowed_in.contains(&crate_name)
            && self.paths.iter().any(|guarded| names(path, guarded))
    }
}

/// Whether a path is the guarded one, is inside it, or brings it in with `*`.
fn names(path: &str, guarded: &str) -> bool {
    let is_inside = |path: &str, outer: &str| {
        path.strip_prefix(outer)
            .is_some_and(|rest| rest.is_empty() || rest.starts_with("::"))
    };
    match path.strip_suffix("::*") {
        Some(module) => is_inside(guarded, module) || is_inside(module, guarded),
        None => is_inside(path, guarded),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tidy::tree::testing::violations;

    fn check_source(file: &str, source: &str) -> Vec<String> {
        violations(check, &[(file, source)])
    }

    #[test]
    fn each_rule_fails_outside_its_crates_and_passes_inside() {
        let cases = [
            ("use std::fs;", "store", "host"),
            ("use std::{collections::HashMap, fs::File};", "wal", "host"),
            (
                "fn now() -> u64 { std::time::SystemTime::now() }",
                "store",
                "host",
            ),
            ("use std::time::*;", "query", "host"),
            ("use tokio::time::Instant;", "server", "host"),
            ("let x = rand::rng();", "server", "host"),
            ("fn f() { tokio::spawn(x) }", "wal", "server"),
            ("use tokio::net::TcpListener;", "store", "server"),
            ("let home = std::env::var(\"HOME\");", "host", "server"),
            ("std::process::exit(1)", "query", "server"),
            ("use parquet::arrow::ArrowWriter;", "server", "block"),
            ("use tokio::sync::mpsc;", "codec", "store"),
        ];
        for (source, bad, good) in cases {
            let found = check_source(&format!("crates/{bad}/src/lib.rs"), source);
            assert_eq!(found.len(), 1, "{source} in {bad}: {found:?}");
            let found = check_source(&format!("crates/{good}/src/lib.rs"), source);
            assert!(found.is_empty(), "{source} in {good}: {found:?}");
        }
    }

    #[test]
    fn a_violation_names_what_to_do_instead() {
        let found = check_source("crates/wal/src/segment.rs", "\nuse std::fs::File;\n");
        assert_eq!(
            found,
            [
                "crates/wal/src/segment.rs:2: `std::fs::File` in `wal` (files): \
              go through `host::Files`, which simulations replace"
            ]
        );
    }

    #[test]
    fn tests_may_touch_the_machine() {
        let inline = "//! The log. `std::fs`\n#[cfg(test)]\nmod tests { use std::fs; }\n";
        assert!(check_source("crates/wal/src/lib.rs", inline).is_empty());
        assert!(check_source("crates/wal/tests/replay.rs", "use std::fs;").is_empty());
        assert!(check_source("crates/wal/src/segment/tests.rs", "use std::fs;").is_empty());
        assert!(check_source("crates/testkit/src/lib.rs", "use std::fs;").is_empty());
        let files = [
            ("crates/wal/src/lib.rs", "#[cfg(test)] mod torture;"),
            ("crates/wal/src/torture.rs", "use std::fs;"),
            ("crates/wal/src/torture/files.rs", "use std::fs;"),
        ];
        assert!(violations(check, &files).is_empty());
    }

    #[test]
    fn a_path_that_only_looks_alike_passes() {
        let source =
            "use crate::fs; use std::time::Duration; use parquets::x; let y = parquet_rows::z();";
        assert!(check_source("crates/store/src/lib.rs", source).is_empty());
    }

    const ONE: &[Exception] = &[Exception {
        file: "crates/server/src/main.rs",
        rule: "files",
        reason: "a test",
    }];

    #[test]
    fn an_exception_holds_for_its_file_and_rule_alone() {
        let files = [
            ("crates/server/src/main.rs", "use std::fs;\nuse rand::Rng;"),
            ("crates/server/src/other.rs", "use std::fs;"),
        ];
        let found = violations(|tree| check_with(tree, ONE), &files);
        assert_eq!(found.len(), 2, "{found:?}");
        assert!(found[0].starts_with("crates/server/src/main.rs:2: `rand::Rng`"));
        assert!(found[1].starts_with("crates/server/src/other.rs:1: `std::fs`"));
    }

    #[test]
    fn an_exception_that_nobody_needs_is_a_violation() {
        let found = violations(
            |tree| check_with(tree, ONE),
            &[("crates/server/src/main.rs", "")],
        );
        assert_eq!(
            found,
            [
                "crates/server/src/main.rs:1: the exception from `files` is not needed any more; remove it"
            ]
        );
    }
}

//! What each part runs. The steps of a part are independent: all run, and all that failed are named.

use std::path::Path;
use std::time::Duration;

use anyhow::{Result, bail};

use super::{Context, Part, package_target};
use crate::process::{Program, RED, paint};
use crate::{binary, packages, tidy};

/// For tests that wait for servers and browsers: one that waits for ever is stopped and fails.
const CLIENTS_LIMIT: Duration = Duration::from_mins(15);

/// All of the SDK. Everywhere the same, so that nothing is built twice.
const ALL_FEATURES: &str = binary::ALL_FEATURES;

const RUST_CLIENT: &str = "backtrail-client-rust";

pub(super) fn run(part: Part, context: &Context) -> Result<()> {
    match part {
        Part::Format => format(context),
        Part::Tidy => tidy::run(&context.root),
        // `bench` has a lock file of its own with other people's libraries, and takes as long to check as all else; the client and the example are
        // linted where they are tested.
        Part::Lints => lint(&context.root, &["--workspace", ALL_FEATURES]),
        Part::Rust => rust(context),
        Part::Docs => {
            let args = ["doc", "--no-deps", "--workspace", "--locked", ALL_FEATURES];
            cargo(context, &args)
                .env("RUSTDOCFLAGS", "-D warnings")
                .run()
        }
        Part::Packages => packages_alone(context),
        Part::Page => page(context),
        Part::ClientsNode => clients_node(context),
        Part::ClientsPython => clients_python(context),
        Part::ClientsJava => clients_java(context),
        Part::ClientsGo => clients_go(context),
        Part::ClientsRust => clients_rust(context),
        Part::ClientsSentry => clients_sentry(context),
        Part::ExampleBrowser => example_browser(context),
        Part::ExampleRust => example_rust(context),
        Part::ClientsTogether => clients_together(context),
    }
}

fn lint(dir: &Path, more: &[&str]) -> Result<()> {
    let args = ["clippy", "--all-targets", "--locked"];
    let args = [&args[..], more, &["--", "-D", "warnings"]].concat();
    Program::test("cargo", &args, dir).run()
}

fn format(context: &Context) -> Result<()> {
    cargo(context, &["fmt", "--all", "--check"]).run()?;
    for outside in [
        "fuzz/Cargo.toml",
        "bench/Cargo.toml",
        "clients/rust/Cargo.toml",
        "examples/rust-axum/Cargo.toml",
    ] {
        if context.root.join(outside).is_file() {
            cargo(context, &["fmt", "--manifest-path", outside, "--check"]).run()?;
        }
    }
    Ok(())
}

fn rust(context: &Context) -> Result<()> {
    context.binary()?;
    // One failing crate must not hide the failures of the next.
    cargo(
        context,
        &[
            "test",
            "--workspace",
            "--locked",
            "--no-fail-fast",
            ALL_FEATURES,
        ],
    )
    .run()
}

/// What is published is built as its users build it: with few features, and from the package alone.
fn packages_alone(context: &Context) -> Result<()> {
    let lint = |features: &'static [&'static str]| {
        let args = [&["clippy", "-p", "backtrail", "--locked"], features].concat();
        cargo(context, &[&args[..], &["--", "-D", "warnings"]].concat()).run()
    };
    let target = package_target::prepare(&context.root)?;
    // Whoever works on the crates has changes that are not committed.
    let package = [
        "package",
        "--locked",
        "--allow-dirty",
        "--target-dir",
        &target,
    ];
    let named = [
        "-p",
        "backtrail",
        "-p",
        "backtrail-macros",
        "-p",
        "backtrail-wire",
    ];
    all(&[&|| lint(&["--no-default-features"]), &|| lint(&[]), &|| {
        cargo(context, &[&package[..], &named].concat()).run()
    }])
}

fn page(context: &Context) -> Result<()> {
    let dir = context.root.join("ui");
    packages::npm_ci(&dir, &context.node()?)?;
    let browser_tests = || {
        Program::test("npm", &["run", "test:browser"], &dir)
            .env("BACKTRAIL_BIN", context.binary()?)
            .env("CHROMIUM", context.chromium()?)
            .within(CLIENTS_LIMIT)
            .run_node_tests()
    };
    all(&[
        &|| Program::test("npm", &["run", "typecheck"], &dir).run(),
        &|| Program::test("npm", &["run", "test:unit"], &dir).run_node_tests(),
        &browser_tests,
    ])
}

fn clients_node(context: &Context) -> Result<()> {
    let node = context.node()?;
    let clients = context.root.join("clients/node");
    packages::npm_ci(&clients, &node)?;
    packages::npm_ci(&context.root.join("examples/node-express"), &node)?;
    // One file waits for minutes and does nothing else, so that two at once are no more load than one.
    node_tests(context, "node", 2)?
        .env("CHROMIUM", context.chromium()?)
        .run_node_tests()
}

fn clients_python(context: &Context) -> Result<()> {
    let dir = context.root.join("clients/python");
    packages::pip_install(&dir, &context.python()?)?;
    Program::test(dir.join(".venv/bin/python"), &["-m", "pytest"], &dir)
        .env("BACKTRAIL_BIN", context.binary()?)
        .within(CLIENTS_LIMIT)
        .run()
}

fn clients_java(context: &Context) -> Result<()> {
    packages::maven_package(&context.root.join("clients/java"), &context.jdk()?)?;
    node_tests(context, "java", 1)?.run_node_tests()
}

fn clients_go(context: &Context) -> Result<()> {
    packages::go_build(&context.root.join("clients/go"), &context.go()?)?;
    node_tests(context, "go", 1)?.run_node_tests()
}

fn clients_rust(context: &Context) -> Result<()> {
    let dir = context.root.join("clients/rust");
    let client = packages::cargo_build(&dir, RUST_CLIENT)?;
    all(&[&|| lint(&dir, &[]), &|| {
        node_tests(context, "rust", 1)?
            .env("RUST_CLIENT", &client)
            .run_node_tests()
    }])
}

fn clients_sentry(context: &Context) -> Result<()> {
    let node = context.node()?;
    let clients = context.root.join("clients/sentry");
    for packages in [
        "",
        "plugins",
        "webpack-4",
        "webpack-5.60",
        "webpack-current",
    ] {
        packages::npm_ci(&clients.join(packages), &node)?;
    }
    node_tests(context, "sentry", 2)?.run_node_tests()
}

fn example_browser(context: &Context) -> Result<()> {
    let node = context.node()?;
    packages::npm_ci(&context.root.join("clients/node"), &node)?;
    let dir = context.root.join("examples/browser");
    packages::npm_ci(&dir, &node)?;
    Program::test("node", &["--test"], &dir.join("tests"))
        .env("BACKTRAIL_BIN", context.binary()?)
        .env("CHROMIUM", context.chromium()?)
        .within(CLIENTS_LIMIT)
        .run_node_tests()
}

fn example_rust(context: &Context) -> Result<()> {
    let node = context.node()?;
    packages::npm_ci(&context.root.join("clients/node"), &node)?;
    packages::npm_ci(&context.root.join("examples/node-express"), &node)?;
    let dir = context.root.join("examples/rust-axum");
    let shop = packages::cargo_build_with_tests(&dir, "shop")?;
    let tests = dir.join("tests");
    let end_to_end = || {
        Program::test("node", &["--test", "--test-concurrency=1"], &tests)
            .env("BACKTRAIL_BIN", context.binary()?)
            .env("CHROMIUM", context.chromium()?)
            .env("POSTGRES_BIN", context.postgres()?)
            .env("SHOP_BIN", &shop)
            .within(CLIENTS_LIMIT)
            .run_node_tests()
    };
    all(&[
        &|| lint(&dir, &[]),
        &|| Program::test("cargo", &["test", "--locked"], &dir).run(),
        &end_to_end,
    ])
}

fn clients_together(context: &Context) -> Result<()> {
    let clients = context.root.join("clients");
    packages::npm_ci(&clients.join("node"), &context.node()?)?;
    packages::pip_install(&clients.join("python"), &context.python()?)?;
    packages::maven_package(&clients.join("java"), &context.jdk()?)?;
    packages::go_build(&clients.join("go"), &context.go()?)?;
    let rust_client = packages::cargo_build(&clients.join("rust"), RUST_CLIENT)?;
    node_tests(context, "together", 1)?
        .env("RUST_CLIENT", rust_client)
        .env("CHROMIUM", context.chromium()?)
        .run_node_tests()
}

/// The tests of a folder of `clients/` that Node runs, whatever the language of the client.
fn node_tests(context: &Context, folder: &str, files_at_once: usize) -> Result<Program> {
    context.node()?;
    let dir = context.root.join("clients").join(folder);
    let concurrency = format!("--test-concurrency={files_at_once}");
    let program = Program::test("node", &["--test", &concurrency], &dir)
        .env("BACKTRAIL_BIN", context.binary()?)
        .within(CLIENTS_LIMIT);
    Ok(program)
}

fn cargo(context: &Context, args: &[&str]) -> Program {
    Program::test("cargo", args, &context.root)
}

/// Runs every step, also after one has failed.
fn all(steps: &[&dyn Fn() -> Result<()>]) -> Result<()> {
    let mut failures = Vec::new();
    for step in steps {
        if let Err(error) = step() {
            println!("{} {error:#}", paint(RED, "error:"));
            failures.push(format!("{error:#}"));
        }
    }
    if !failures.is_empty() {
        bail!(failures.join("; "));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;

    use anyhow::anyhow;

    use super::*;

    #[test]
    fn a_failing_step_does_not_hide_the_next() {
        let ran = Cell::new(0);
        let step = |outcome: Result<(), &'static str>| {
            ran.set(ran.get() + 1);
            outcome.map_err(|error| anyhow!(error))
        };
        let error = all(&[&|| step(Err("types")), &|| step(Ok(())), &|| {
            step(Err("browser"))
        }])
        .unwrap_err();
        assert_eq!(ran.get(), 3);
        assert_eq!(error.to_string(), "types; browser");
    }
}

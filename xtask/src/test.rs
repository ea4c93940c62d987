//! `cargo xtask test`: all parts, each to its end, and a table of how they went. Clients and examples run beside the Rust tests.

mod beside;
mod package_target;
mod parts;
mod report;

use std::cell::OnceCell;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Instant;

use anyhow::{Result, anyhow};
use clap::{Args, ValueEnum};

use crate::binary;
use crate::process::{BOLD, RED, paint};
use crate::runtimes::{self, Go, Jdk, Node, Python};
use beside::Beside;
use report::{Outcome, Report, Row};

/// Which parts to run.
#[derive(Args)]
pub(crate) struct Options {
    /// Leave a part out, for a machine that lacks its runtime; the last lines say so. Repeatable
    #[arg(long, value_name = "NAME", conflicts_with = "only")]
    skip: Vec<Part>,
    /// Run just this part. Repeatable
    #[arg(long, value_name = "NAME")]
    only: Vec<Part>,
    /// Writes how the parts went, for the process that started this one
    #[arg(long, value_name = "FILE", hide = true)]
    report_to: Option<PathBuf>,
}

/// A part of the tests, in the order in which they run: what is quick to fail comes first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Part {
    /// Rust sources are formatted
    Format,
    /// What `cargo xtask tidy` checks
    Tidy,
    /// Clippy without a warning
    Lints,
    /// All Rust tests
    Rust,
    /// The documentation of the crates builds without a warning
    Docs,
    /// The published crates, built alone as their users do
    Packages,
    /// Type check, unit tests and browser tests of the page
    Page,
    /// Node clients that nobody here wrote, against the real binary
    ClientsNode,
    /// Python clients, the same
    ClientsPython,
    /// OpenTelemetry's Java agent, the same
    ClientsJava,
    /// The OpenTelemetry SDK for Go, the same
    ClientsGo,
    /// The OpenTelemetry SDK for Rust, the same
    ClientsRust,
    /// Sentry's command lines and plugins: they upload source maps to the real binary, and traces show the sources
    ClientsSentry,
    /// The example of a page: its minified script throws in a browser, and the trace shows the sources
    ExampleBrowser,
    /// The example in Rust: its own tests, and its traces in the real binary
    ExampleRust,
    /// One trace through services in all these languages
    ClientsTogether,
}

impl Part {
    /// Whether it takes nothing but the built binary, and so can run beside the Rust tests. The page's tests do too, but hold it to its times
    /// for a frame, and so run alone.
    fn uses_the_binary(self) -> bool {
        !matches!(
            self,
            Self::Format
                | Self::Tidy
                | Self::Lints
                | Self::Rust
                | Self::Docs
                | Self::Packages
                | Self::Page
        )
    }

    pub(crate) fn name(self) -> String {
        self.to_possible_value()
            .map_or_else(String::new, |value| value.get_name().to_owned())
    }
}

impl Options {
    fn runs(&self, part: Part) -> bool {
        if self.only.is_empty() {
            !self.skip.contains(&part)
        } else {
            self.only.contains(&part)
        }
    }
}

/// What the parts share. Each is found or made when the first part asks for it, and its failure fails every part that does.
pub(crate) struct Context {
    root: PathBuf,
    node: OnceCell<Result<Node, String>>,
    python: OnceCell<Result<Python, String>>,
    jdk: OnceCell<Result<Jdk, String>>,
    go: OnceCell<Result<Go, String>>,
    chromium: OnceCell<Result<PathBuf, String>>,
    postgres: OnceCell<Result<PathBuf, String>>,
    binary: OnceCell<Result<PathBuf, String>>,
}

impl Context {
    fn new(root: &Path) -> Self {
        Self {
            root: root.to_owned(),
            node: OnceCell::new(),
            python: OnceCell::new(),
            jdk: OnceCell::new(),
            go: OnceCell::new(),
            chromium: OnceCell::new(),
            postgres: OnceCell::new(),
            binary: OnceCell::new(),
        }
    }

    pub(crate) fn node(&self) -> Result<Node> {
        shared(&self.node, runtimes::node)
    }

    pub(crate) fn python(&self) -> Result<Python> {
        shared(&self.python, runtimes::python)
    }

    pub(crate) fn jdk(&self) -> Result<Jdk> {
        shared(&self.jdk, runtimes::jdk)
    }

    pub(crate) fn go(&self) -> Result<Go> {
        shared(&self.go, runtimes::go)
    }

    pub(crate) fn chromium(&self) -> Result<PathBuf> {
        shared(&self.chromium, runtimes::chromium)
    }

    /// The folder of PostgreSQL's programs.
    pub(crate) fn postgres(&self) -> Result<PathBuf> {
        shared(&self.postgres, runtimes::postgres)
    }

    /// The built `backtrail`. The first call builds the workspace.
    pub(crate) fn binary(&self) -> Result<PathBuf> {
        shared(&self.binary, || binary::build(&self.root))
    }

    /// Looks for the runtimes of all parts before the long builds, so that nobody learns after ten minutes what is missing.
    fn find_runtimes(&self, options: &Options) {
        let node: Find = |c| c.node().map(drop);
        let chromium: Find = |c| c.chromium().map(drop);
        let postgres: Find = |c| c.postgres().map(drop);
        let python: Find = |c| c.python().map(drop);
        let jdk: Find = |c| c.jdk().map(drop);
        let go: Find = |c| c.go().map(drop);
        let needs: [(Part, &[Find]); 10] = [
            (Part::Page, &[node, chromium]),
            (Part::ClientsNode, &[node, chromium]),
            (Part::ClientsPython, &[python]),
            (Part::ClientsJava, &[node, jdk]),
            (Part::ClientsGo, &[node, go]),
            (Part::ClientsRust, &[node]),
            (Part::ClientsSentry, &[node]),
            (Part::ExampleBrowser, &[node, chromium]),
            (Part::ExampleRust, &[node, chromium, postgres]),
            (Part::ClientsTogether, &[node, chromium, python, jdk, go]),
        ];
        for (part, finds) in needs {
            if !options.runs(part) {
                continue;
            }
            for error in finds.iter().filter_map(|find| find(self).err()) {
                let message = format!(
                    "{name} will fail: {error:#}. To leave it out: --skip {name}",
                    name = part.name()
                );
                println!("{}", paint(RED, &message));
            }
        }
    }
}

type Find = fn(&Context) -> Result<()>;

fn shared<T: Clone>(
    cell: &OnceCell<Result<T, String>>,
    make: impl FnOnce() -> Result<T>,
) -> Result<T> {
    cell.get_or_init(|| make().map_err(|error| format!("{error:#}")))
        .clone()
        .map_err(|error| anyhow!(error))
}

/// Runs the parts and prints the table. Fails when any part failed.
pub(crate) fn run(root: &Path, options: &Options) -> Result<ExitCode> {
    let started = Instant::now();
    let context = Context::new(root);
    context.find_runtimes(options);
    let mut rows = Vec::new();
    let mut beside = None;
    let runs = |part: &Part| options.runs(*part);
    let (others, with_binary): (Vec<Part>, Vec<Part>) = Part::value_variants()
        .iter()
        .filter(|part| runs(part))
        .partition(|part| !part.uses_the_binary());
    let has_lanes = others.contains(&Part::Rust) && !with_binary.is_empty();
    for part in others {
        // What does not build fails below, where it is told.
        if has_lanes && part == Part::Rust && context.binary().is_ok() {
            beside = Some(Beside::start(root, with_binary.clone())?);
        }
        rows.push(run_part(part, &context));
    }
    match beside {
        Some(beside) => rows.append(&mut beside.finish()),
        None => rows.extend(with_binary.into_iter().map(|part| run_part(part, &context))),
    }
    if let Some(path) = &options.report_to {
        fs::write(path, serde_json::to_string(&rows)?)?;
    }
    let report = Report::new(rows, Part::value_variants(), started.elapsed());
    print!("\n{report}");
    Ok(if report.has_failures() {
        ExitCode::FAILURE
    } else {
        ExitCode::SUCCESS
    })
}

fn run_part(part: Part, context: &Context) -> Row {
    println!("\n{}", paint(BOLD, &format!("== {}", part.name())));
    let started = Instant::now();
    let outcome = match parts::run(part, context) {
        Ok(()) => Outcome::Passed,
        Err(error) => {
            println!(
                "{} {error:#}",
                paint(RED, &format!("{} failed:", part.name()))
            );
            Outcome::Failed(format!("{error:#}"))
        }
    };
    Row::new(&part.name(), outcome, started.elapsed().as_secs_f64())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn options(skip: &[Part], only: &[Part]) -> Options {
        Options {
            skip: skip.to_vec(),
            only: only.to_vec(),
            report_to: None,
        }
    }

    #[test]
    fn all_parts_run_unless_told_otherwise() {
        for &part in Part::value_variants() {
            assert!(options(&[], &[]).runs(part), "{}", part.name());
        }
    }

    #[test]
    fn skip_leaves_out_what_it_names_and_only_runs_what_it_names() {
        let skip = options(&[Part::Page], &[]);
        assert!(!skip.runs(Part::Page));
        assert!(skip.runs(Part::Rust));
        let only = options(&[], &[Part::Page]);
        assert!(only.runs(Part::Page));
        assert!(!only.runs(Part::Rust));
    }

    #[test]
    fn what_parts_share_is_made_once_also_when_it_fails() {
        let cell = OnceCell::new();
        let error = shared::<PathBuf>(
            &cell,
            || Err(anyhow!("no disk").context("the build failed")),
        );
        assert_eq!(error.unwrap_err().to_string(), "the build failed: no disk");
        let again = shared(&cell, || panic!("made twice"));
        assert_eq!(again.unwrap_err().to_string(), "the build failed: no disk");
    }
}

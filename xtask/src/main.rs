//! `cargo xtask …`: every command that a person or CI runs on this repository.
//!
//! `cargo xtask test` is all that CI calls; the others are its parts, or do by hand what it does not.

mod bench;
mod binary;
mod fuzz;
mod packages;
mod process;
mod runtimes;
mod test;
mod tidy;

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::{Parser, Subcommand};

use crate::process::{Program, RED, paint};

/// Every command that a person or CI runs on this repository.
#[derive(Parser)]
#[command(name = "cargo xtask", bin_name = "cargo xtask")]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Run all tests: format, tidy, lints, Rust, docs, the page, clients in Node, Python, Java, Go and Rust
    Test(test::Options),
    /// Check what the compiler can't: crate boundaries, file sizes, links, leftovers
    Tidy,
    /// Rebuild ui/vendor/ from the lock file of the page
    Vendor,
    /// Run a benchmark of bench/, in release mode; no name lists them
    Bench(bench::Options),
    /// Fuzz a decoder until it fails or the time is over
    Fuzz(fuzz::Options),
}

fn main() -> ExitCode {
    let cli = Cli::parse();
    let root = checkout();
    let result = match cli.command {
        Command::Test(options) => test::run(&root, &options),
        Command::Tidy => tidy::run(&root).map(|()| ExitCode::SUCCESS),
        Command::Vendor => vendor(&root).map(|()| ExitCode::SUCCESS),
        Command::Bench(options) => bench::run(&root, &options).map(|()| ExitCode::SUCCESS),
        Command::Fuzz(options) => fuzz::run(&root, &options).map(|()| ExitCode::SUCCESS),
    };
    result.unwrap_or_else(|error| {
        eprintln!("{} {error:#}", paint(RED, "error:"));
        ExitCode::FAILURE
    })
}

fn vendor(root: &Path) -> anyhow::Result<()> {
    let node = runtimes::node()?;
    packages::npm_ci(&root.join("ui"), &node)?;
    Program::tool("node", &["ui/vendor.mjs"], root).run()
}

/// The root of the checkout that cargo was called in.
fn checkout() -> PathBuf {
    let manifest_dir = std::env::var_os("CARGO_MANIFEST_DIR")
        .map_or_else(|| PathBuf::from(env!("CARGO_MANIFEST_DIR")), PathBuf::from);
    manifest_dir
        .parent()
        .map_or_else(|| PathBuf::from("."), Path::to_path_buf)
}

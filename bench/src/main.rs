//! Measures the real `backtrail` binary from outside: it is started on a temporary data directory,
//! spoken to over its ports, and watched through `/proc` and `/metrics`.
//!
//! `cargo run --release --manifest-path bench/Cargo.toml -- ingest` (or `cargo xtask bench ingest`)
//! prints a table in Markdown. What is sent is prepared beforehand, so the sender's work is not
//! part of what is measured; the server's own CPU time is, whatever else the machine does.
//!
//! `sdk` measures no binary but the crate that services link, `sourcemaps` the one that reads source maps, each beside its competitors.
//!
//! Not a load test: it finds out what a span costs, not how many clients a network carries.

mod client;
mod ingest;
mod latency;
mod load;
mod machine;
mod query;
mod random;
mod report;
mod scrape;
mod sdk;
mod server;
mod sourcemaps;
mod wire;
mod workload;

use std::path::PathBuf;

use anyhow::Result;
use clap::{Args, Parser, Subcommand};

/// Measures the real backtrail binary, and the SDK beside others
#[derive(Parser)]
struct Cli {
    #[command(subcommand)]
    benchmark: Benchmark,
}

#[derive(Subcommand)]
enum Benchmark {
    /// What receiving and keeping a span costs, by protocol; and memory at a steady rate
    Ingest {
        #[command(flatten)]
        common: Common,
        #[command(flatten)]
        options: ingest::Options,
    },
    /// How long a trace by id and several searches take
    Query {
        #[command(flatten)]
        common: Common,
        #[command(flatten)]
        options: query::Options,
    },
    /// Tracing SDKs side by side: what a span costs, what is lost at a high rate
    Sdk(sdk::Options),
    /// The sink of `sdk`, in a process of its own
    #[command(hide = true)]
    SdkSink(sdk::sink::Options),
    /// One measure of `sdk`, in a process of its own
    #[command(hide = true)]
    SdkChild(sdk::child::Options),
    /// Readers of source maps side by side: parse, cache, look up
    Sourcemaps(sourcemaps::Options),
    /// One contestant of `sourcemaps`, in a process of its own
    #[command(hide = true)]
    SourcemapsChild(sourcemaps::child::Options),
}

/// Options of all benchmarks.
#[derive(Args)]
struct Common {
    /// The binary to measure; built in release mode when it is not given
    #[arg(long, value_name = "PATH")]
    bin: Option<PathBuf>,
    /// Where data directories are made; on the disk that is to be measured
    #[arg(long, value_name = "DIR")]
    dir: Option<PathBuf>,
    /// Connections that send at one time
    #[arg(long, default_value_t = 4)]
    connections: usize,
}

fn main() -> Result<()> {
    match Cli::parse().benchmark {
        Benchmark::Ingest { common, options } => ingest::run(&common, &options),
        Benchmark::Query { common, options } => query::run(&common, &options),
        Benchmark::Sdk(options) => sdk::run(&options),
        Benchmark::SdkSink(options) => sdk::sink::run(&options),
        Benchmark::SdkChild(options) => sdk::child::run(&options),
        Benchmark::Sourcemaps(options) => sourcemaps::run(&options),
        Benchmark::SourcemapsChild(options) => sourcemaps::child::run(&options),
    }
}

//! SDKs for tracing, side by side: the same span, the same sink, in one run.
//!
//! What counts is CPU time, because it does not depend on what else the machine does as much as
//! wall time. Each figure comes from a process of its own; the sink is another one.

mod allocations;
pub(crate) mod child;
pub(crate) mod clock;
mod contestants;
mod costs;
mod count_spans;
mod handler;
mod losses;
mod measures;
mod process;
mod request;
pub(crate) mod sink;
mod task;

use anyhow::Result;
use clap::{Args, ValueEnum};

use self::task::Name;
use crate::machine;
use crate::report::count;
use crate::workload::Workload;

#[global_allocator]
static ALLOCATOR: allocations::Counting = allocations::Counting;

/// Spans of the sample by which the machine is described.
const SAMPLE_SPANS: u64 = 5_000;

#[derive(Args)]
pub(crate) struct Options {
    /// Less of everything, in less than a minute: for a look, not for a comparison
    #[arg(long)]
    quick: bool,
    /// Who is measured
    #[arg(
        long,
        value_delimiter = ',',
        default_value = "roofline,opentelemetry,opentelemetry-async,tracing,fastrace,backtrail"
    )]
    contestants: Vec<Name>,
    /// What is measured
    #[arg(long, value_delimiter = ',', default_value = "costs,losses,handler")]
    parts: Vec<Part>,
    /// Rounds of 1,500 spans of which the fastest and the middle one are reported [--quick: 50]
    #[arg(long, default_value_t = 200)]
    rounds: usize,
    /// Spans that are followed onto the wire, in five parts [--quick: 100,000]
    #[arg(long, default_value_t = 500_000)]
    spans: u64,
    /// Threads that offer spans, one run after the other [--quick: 2]
    #[arg(long, value_delimiter = ',', default_value = "1,2,8")]
    threads: Vec<usize>,
    /// How long the sink takes for an answer, in ms
    #[arg(long, value_delimiter = ',', default_value = "0,50")]
    delays_ms: Vec<u64>,
    /// Spans a second that all threads together offer
    #[arg(long, default_value_t = 500_000)]
    spans_per_second: u64,
    /// For how long they do [--quick: 1]
    #[arg(long, default_value_t = 10)]
    seconds: u64,
    /// For how long with the specification's defaults, by which spans are lost from the first
    /// moment on [--quick: 1]
    #[arg(long, default_value_t = 3)]
    default_queue_seconds: u64,
    /// How long a contestant may take afterwards to send what it has kept [--quick: 2]
    #[arg(long, default_value_t = 5)]
    drain_seconds: u64,
    /// A contestant that takes more memory is stopped, in MiB
    #[arg(long, default_value_t = 4_096)]
    memory_max_mib: u64,
    /// Requests to the handler [--quick: 20,000]
    #[arg(long, default_value_t = 200_000)]
    requests: usize,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Part {
    /// CPU time and allocations of a span
    Costs,
    /// Spans that do not arrive at a high rate
    Losses,
    /// What a layer adds to an HTTP handler
    Handler,
}

impl Options {
    /// With the values that `--quick` stands for.
    fn resolved(&self) -> Self {
        let mut options = Self {
            contestants: self.contestants.clone(),
            parts: self.parts.clone(),
            threads: self.threads.clone(),
            delays_ms: self.delays_ms.clone(),
            ..*self
        };
        if options.quick {
            options.rounds = 50;
            options.spans = 100_000;
            options.threads = vec![2];
            options.seconds = 1;
            options.default_queue_seconds = 1;
            options.drain_seconds = 2;
            options.requests = 20_000;
        }
        options
    }
}

pub(crate) fn run(options: &Options) -> Result<()> {
    let options = options.resolved();
    println!("{}", machine::describe(&sample(), None)?);
    println!(
        "An HTTP server span with {} attributes, created and ended; OTLP protobuf over HTTP/1.1 to a sink on loopback; every figure from a process of its own. Programs that wanted a processor before this began: {} (a contestant whose exporter does not get one loses spans).\n",
        count(request::ATTRIBUTES as f64),
        clock::load_average()?
    );
    for part in &options.parts {
        match part {
            Part::Costs => costs::run(&options)?,
            Part::Losses => losses::run(&options)?,
            Part::Handler => handler::run(&options)?,
        }
    }
    Ok(())
}

fn sample() -> Vec<u8> {
    use prost::Message as _;

    Workload::new(1, 0)
        .requests(SAMPLE_SPANS)
        .flat_map(|request| request.message.encode_to_vec())
        .collect()
}

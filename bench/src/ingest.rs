//! What receiving and keeping a span costs.

use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use anyhow::Result;
use clap::Args;

use crate::Common;
use crate::load::{Pace, send};
use crate::machine;
use crate::report::{Table, count, mebibytes};
use crate::scrape::wait_until_flushed;
use crate::server::{Server, binary};
use crate::wire::{Body, Wire};
use crate::workload::{ATTRIBUTES_PER_SPAN, Workload};

const SEED: u64 = 1;
const SAMPLE_EVERY: Duration = Duration::from_millis(500);

#[derive(Args)]
pub(crate) struct Options {
    /// Spans for each protocol
    #[arg(long, default_value_t = 500_000)]
    spans: u64,
    /// Protocols to measure
    #[arg(
        long,
        value_delimiter = ',',
        default_value = "otlp-protobuf,otlp-grpc,otlp-json,jaeger-thrift,jaeger-grpc,zipkin-json,zipkin-protobuf"
    )]
    wires: Vec<Wire>,
    /// Rate at which memory is measured
    #[arg(long, default_value_t = 10_000)]
    steady_spans_per_second: u64,
    /// For how long; 0 leaves it out
    #[arg(long, default_value_t = 120)]
    steady_seconds: u64,
    /// How long to wait until everything is in blocks
    #[arg(long, default_value_t = 300)]
    flush_timeout_seconds: u64,
}

pub(crate) fn run(common: &Common, options: &Options) -> Result<()> {
    let binary = binary(common)?;
    let sample = bodies(Wire::OtlpProtobuf, 5_000)?;
    let sample: Vec<u8> = sample
        .into_iter()
        .flat_map(|body| body.bytes.to_vec())
        .collect();
    let machine = machine::describe(&sample, common.dir.as_deref())?;

    let mut costs = Table::new(&[
        "protocol",
        "bytes per span on the wire",
        "spans per CPU second, until acknowledged",
        "spans per CPU second, until in blocks",
        "spans per second",
        "bytes per span on disk",
        "peak memory",
        "sent again",
    ]);
    for wire in &options.wires {
        let server = Server::start(&binary, common.dir.as_deref())?;
        costs.row(cost(&server, *wire, common, options)?);
        server.stop()?;
    }
    let mut memory = None;
    if options.steady_seconds > 0 {
        let server = Server::start(&binary, common.dir.as_deref())?;
        memory = Some(steady(&server, common, options)?);
        server.stop()?;
    }

    println!("{machine}");
    println!(
        "{} spans of {ATTRIBUTES_PER_SPAN} attributes for each protocol, {} connections, default settings (every reply waits for fdatasync).\n",
        count(options.spans as f64),
        common.connections
    );
    println!("{costs}");
    if let Some(memory) = memory {
        println!("{memory}");
    }
    Ok(())
}

/// Requests that begin now, as far as the server can tell.
fn bodies(wire: Wire, spans: u64) -> Result<Vec<Body>> {
    let now_ns = SystemTime::now().duration_since(UNIX_EPOCH)?.as_nanos() as u64;
    let start_ns = now_ns - Workload::seconds_of(spans) * 1_000_000_000;
    Workload::new(SEED, start_ns)
        .requests(spans)
        .map(|request| wire.encode(&request))
        .collect()
}

fn cost(server: &Server, wire: Wire, common: &Common, options: &Options) -> Result<Vec<String>> {
    eprintln!("{}: preparing {} spans …", wire.title(), options.spans);
    let bodies = bodies(wire, options.spans)?;
    let wire_bytes: u64 = bodies.iter().map(|body| body.bytes.len() as u64).sum();

    eprintln!(
        "{}: sending {:.0} MB …",
        wire.title(),
        wire_bytes as f64 / 1e6
    );
    let cpu_before = server.cpu_seconds()?;
    let bodies = bodies.into_iter().map(Ok);
    let sent = send(
        &server.addresses,
        wire,
        bodies,
        common.connections,
        Pace::Unbounded,
    )?;
    let cpu_acknowledged = server.cpu_seconds()? - cpu_before;

    eprintln!("{}: waiting for blocks …", wire.title());
    let timeout = Duration::from_secs(options.flush_timeout_seconds);
    let storage = wait_until_flushed(server, sent.spans, timeout)?;
    let cpu_flushed = server.cpu_seconds()? - cpu_before;
    let spans = sent.spans as f64;
    Ok(vec![
        wire.title().to_owned(),
        count(sent.bytes as f64 / spans),
        count(spans / cpu_acknowledged),
        count(spans / cpu_flushed),
        count(spans / sent.seconds),
        format!(
            "{:.1}",
            storage.block_bytes as f64 / storage.block_spans as f64
        ),
        mebibytes(server.peak_resident_bytes()?),
        sent.refusals.to_string(),
    ])
}

/// Memory and CPU while spans come at a steady rate.
fn steady(server: &Server, common: &Common, options: &Options) -> Result<Table> {
    let rate = options.steady_spans_per_second;
    let spans = rate * options.steady_seconds;
    eprintln!("steady: preparing {spans} spans …");
    let bodies = bodies(Wire::OtlpProtobuf, spans)?;
    let cpu_before = server.cpu_seconds()?;
    let started = Instant::now();
    eprintln!(
        "steady: {rate} spans per second for {} s …",
        options.steady_seconds
    );
    let (sent, resident) = std::thread::scope(|threads| {
        let sender = threads.spawn(|| {
            let pace = Pace::SpansPerSecond(rate as f64);
            let bodies = bodies.into_iter().map(Ok);
            send(
                &server.addresses,
                Wire::OtlpProtobuf,
                bodies,
                common.connections,
                pace,
            )
        });
        let mut resident = Vec::new();
        while !sender.is_finished() {
            resident.push(server.resident_bytes()?);
            std::thread::sleep(SAMPLE_EVERY);
        }
        let sent = sender
            .join()
            .map_err(|_| anyhow::anyhow!("the sender panicked"))??;
        anyhow::Ok((sent, resident))
    })?;
    let cores = (server.cpu_seconds()? - cpu_before) / started.elapsed().as_secs_f64();
    // The first half is warming up.
    let late = &resident[resident.len() / 2..];
    let mean = late.iter().sum::<u64>() / late.len().max(1) as u64;
    let mut table = Table::new(&[
        "OTLP protobuf at a steady rate",
        "spans per second",
        "resident memory, mean of the second half",
        "peak",
        "CPU, of one core",
        "data directory",
    ]);
    table.row([
        format!("{} s", options.steady_seconds),
        count(sent.spans as f64 / sent.seconds),
        mebibytes(mean),
        mebibytes(server.peak_resident_bytes()?),
        format!("{:.0} %", cores * 100.0),
        mebibytes(server.data_bytes()?),
    ]);
    Ok(table)
}

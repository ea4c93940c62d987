//! The tables of what is lost at a high rate.

use anyhow::{Result, bail};

use super::Options;
use super::process::{self, Sink};
use super::task::{Figures, Measure, Mode, Name, Offer, Pipeline, Task};
use crate::report::{Table, count, mebibytes};

pub(super) fn run(options: &Options) -> Result<()> {
    let contestants = options.contestants.iter().filter(|n| **n != Name::Roofline);
    let contestants: Vec<Name> = contestants.copied().collect();
    let explain = |pipeline: Pipeline, seconds| {
        println!(
            "{} spans a second offered for {seconds} s; queue {}, batches of {}, {} at once; {} s to send the rest.\n",
            count(options.spans_per_second as f64),
            count(pipeline.queue_spans as f64),
            count(pipeline.batch_spans as f64),
            pipeline.concurrent_exports,
            options.drain_seconds
        );
    };

    let large = Pipeline::LARGE;
    let runs = runs(&options.threads, &options.delays_ms);
    let table = table(&contestants, large, options.seconds, &runs, options)?;
    explain(large, options.seconds);
    println!(
        "fastrace has no such settings. opentelemetry_sdk exports one batch at a time, except with its async processor.\n"
    );
    println!("{table}");

    let specified = Pipeline::SPECIFIED;
    let seconds = options.default_queue_seconds;
    // One number of threads tells enough: the queue is full after 4 ms. Exports at once are not
    // part of these defaults, and without them the async processor is like the other.
    let runs = self::runs(&[2], &options.delays_ms);
    let synchronous = contestants.into_iter();
    let synchronous: Vec<Name> = synchronous
        .filter(|name| *name != Name::OpentelemetryAsync)
        .collect();
    let table = self::table(&synchronous, specified, seconds, &runs, options)?;
    explain(specified, seconds);
    println!("{table}");
    Ok(())
}

/// Threads and delays, each with each.
fn runs(threads: &[usize], delays_ms: &[u64]) -> Vec<(usize, u64)> {
    let of_one = |threads: &usize| delays_ms.iter().map(|delay| (*threads, *delay)).collect();
    threads
        .iter()
        .flat_map(|t| -> Vec<_> { of_one(t) })
        .collect()
}

fn table(
    contestants: &[Name],
    pipeline: Pipeline,
    seconds: u64,
    runs: &[(usize, u64)],
    options: &Options,
) -> Result<Table> {
    let mut table = Table::new(&[
        "",
        "threads",
        "sink answers after",
        "created",
        "arrived",
        "lost",
        "of them reported",
        "peak memory",
        "drained in",
    ]);
    for (threads, delay_ms) in runs {
        let offer = Offer {
            threads: *threads,
            spans_per_second: options.spans_per_second,
            seconds,
            drain_seconds: options.drain_seconds,
            memory_max_bytes: options.memory_max_mib << 20,
        };
        for name in contestants {
            table.row(row(*name, pipeline, offer, *delay_ms)?);
        }
    }
    Ok(table)
}

fn row(name: Name, pipeline: Pipeline, offer: Offer, delay_ms: u64) -> Result<Vec<String>> {
    let title = name.title();
    eprintln!(
        "{title}: queue {}, {} threads, sink at {delay_ms} ms …",
        pipeline.queue_spans, offer.threads
    );
    let sink = Sink::start(delay_ms)?;
    let figures = process::measure(&Task {
        name,
        mode: Mode::Record,
        pipeline,
        sink_port: sink.port,
        measure: Measure::Offer(offer),
    })?;
    let Figures::Offered(offered) = figures else {
        bail!("{title} answered with other figures: {figures:?}");
    };
    let received = sink.received()?;
    let lost = offered.created.saturating_sub(received.spans);
    let stopped = if offered.stopped_for_memory {
        ", stopped"
    } else {
        ""
    };
    Ok(vec![
        title.to_owned(),
        offer.threads.to_string(),
        format!("{delay_ms} ms"),
        count(offered.created as f64),
        count(received.spans as f64),
        share(lost, offered.created),
        offered
            .reported
            .map_or_else(|| "–".to_owned(), |reported| count(reported as f64)),
        format!("{}{stopped}", mebibytes(offered.peak_bytes)),
        format!("{:.1} s", offered.drain_seconds),
    ])
}

fn share(lost: u64, of: u64) -> String {
    if lost == 0 {
        return "0".to_owned();
    }
    let percent = lost as f64 * 100.0 / of as f64;
    format!("{} ({percent:.1} %)", count(lost as f64))
}

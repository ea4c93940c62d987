//! The table of what a layer adds to an HTTP handler.

use anyhow::{Result, bail};

use super::Options;
use super::process::{self, Sink};
use super::task::{Figures, Measure, Mode, Name, Pipeline, Task};
use crate::report::{Table, count};

/// Those with a layer, and its name.
const LAYERS: [(Name, &str); 2] = [
    (Name::Tracing, "axum-tracing-opentelemetry"),
    (Name::Backtrail, "backtrail"),
];

pub(super) fn run(options: &Options) -> Result<()> {
    let mut table = Table::new(&[
        "an axum handler, called in the process",
        "p50, µs",
        "p99, µs",
        "added to p50",
        "added to p99",
    ]);
    for (name, layer) in LAYERS {
        if !options.contestants.contains(&name) {
            continue;
        }
        eprintln!("{layer}: handler …");
        let sink = Sink::start(0)?;
        let figures = process::measure(&Task {
            name,
            mode: Mode::Record,
            pipeline: Pipeline::LARGE,
            sink_port: sink.port,
            measure: Measure::Handle {
                requests: options.requests,
            },
        })?;
        let Figures::Handled {
            spans,
            bare,
            layered,
        } = figures
        else {
            bail!("{layer} answered with other figures: {figures:?}");
        };
        let received = sink.received()?;
        if received.spans != spans {
            bail!("{layer} made {spans} spans, and {} arrived", received.spans);
        }
        let us = |nanoseconds: f64| format!("{:.1}", nanoseconds / 1e3);
        table.row([
            layer.to_owned(),
            us(layered.p50_ns),
            us(layered.p99_ns),
            us(layered.p50_ns - bare.p50_ns),
            us(layered.p99_ns - bare.p99_ns),
        ]);
    }
    println!(
        "{} requests each, one after the other, in turns with a router without a layer; wall time; a full pipeline with batches of 8,192 behind it.\n",
        count(options.requests as f64)
    );
    println!("{table}");
    Ok(())
}

//! The table of what a layer adds to an HTTP handler.

use anyhow::{Result, bail};

use super::Options;
use super::process::{self, Sink};
use super::task::{Figures, Measure, Mode, Name, Pipeline, Task};
use crate::report::{Table, count};

pub(super) fn run(options: &Options) -> Result<()> {
    let name = Name::Backtrail;
    if !options.contestants.contains(&name) {
        return Ok(());
    }
    eprintln!("{}: handler …", name.title());
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
    let Figures::Handled { bare, layered } = figures else {
        bail!("{} answered with other figures: {figures:?}", name.title());
    };
    let mut table = Table::new(&["an axum handler, called in the process", "p50", "p99"]);
    let us = |nanoseconds: f64| format!("{:.1} µs", nanoseconds / 1e3);
    for (what, percentiles) in [
        ("without a layer", bare),
        ("with backtrail's layer", layered),
    ] {
        table.row([
            what.to_owned(),
            us(percentiles.p50_ns),
            us(percentiles.p99_ns),
        ]);
    }
    table.row([
        "added".to_owned(),
        us(layered.p50_ns - bare.p50_ns),
        us(layered.p99_ns - bare.p99_ns),
    ]);
    println!(
        "{} requests each, one after the other, wall time.\n",
        count(options.requests as f64)
    );
    println!("{table}");
    Ok(())
}

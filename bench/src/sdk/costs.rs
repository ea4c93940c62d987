//! The table of what a span costs.

use anyhow::{Result, bail};

use super::Options;
use super::process::{self, Sink};
use super::request::{ATTRIBUTES, NAME};
use super::sink::Received;
use super::task::{Figures, Measure, Mode, Name, Pipeline, Spread, Task};
use crate::report::{Table, count};

/// Allocations do not vary, so a few rounds are enough.
const ALLOCATION_ROUNDS: usize = 5;
const SEND_PARTS: usize = 5;
/// `SPAN_KIND_SERVER`.
const SERVER: i32 = 2;

pub(super) fn run(options: &Options) -> Result<()> {
    let mut thread = Table::new(&[
        "the calling thread, for a span",
        "create and end, ns of CPU: least",
        "middle",
        "allocations",
        "bytes allocated",
        "sampled out, ns",
        "SDK off, ns",
    ]);
    let mut process = Table::new(&[
        "the whole process, from creation until the sink has answered, for a span",
        "batches of 8,192, ns of CPU: least",
        "middle",
        "batches of 512: least",
        "middle",
        "bytes on the wire",
    ]);
    for name in &options.contestants {
        eprintln!("{}: costs …", name.title());
        thread.row(of_thread(*name, options)?);
        process.row(of_process(*name, options)?);
    }
    println!(
        "Least and middle of {} rounds of 1,500 spans; everything is sent between two rounds. \"(roofline)\" reads the clock twice, makes 24 random bytes and copies an encoded span.\n",
        count(options.rounds as f64)
    );
    println!("{thread}");
    println!(
        "{} spans in {SEND_PARTS} parts, after one more that does not count; flushed after every 65,536 or 1,024 spans (3,000 or 1,024 with fastrace, which sends what it finds instead of batches). \"(roofline)\" writes the copied spans to a socket.\n",
        count(options.spans as f64)
    );
    println!("{process}");
    Ok(())
}

fn of_thread(name: Name, options: &Options) -> Result<Vec<String>> {
    let create = Measure::Create {
        rounds: options.rounds,
    };
    let spread = |mode| nanoseconds(measure(name, mode, Pipeline::LARGE, create)?.0);
    let recorded = spread(Mode::Record)?;
    let allocate = Measure::Allocate {
        rounds: ALLOCATION_ROUNDS,
    };
    let (
        Figures::Allocations {
            count_per_span,
            bytes_per_span,
        },
        _,
    ) = measure(name, Mode::Record, Pipeline::LARGE, allocate)?
    else {
        bail!("{} answered with other figures", name.title());
    };
    let mut row = vec![
        name.title().to_owned(),
        count(recorded.min),
        count(recorded.median),
        format!("{count_per_span:.1}"),
        count(bytes_per_span),
    ];
    // The copy has no sampler, and a processor is no part of an SDK that is off.
    let modes: [(Mode, &[Name]); 2] = [
        (Mode::SampleOut, &[Name::Roofline]),
        (Mode::Disable, &[Name::Roofline, Name::OpentelemetryAsync]),
    ];
    for (mode, without) in modes {
        row.push(if without.contains(&name) {
            "–".to_owned()
        } else {
            format!("{:.1}", spread(mode)?.min)
        });
    }
    Ok(row)
}

fn of_process(name: Name, options: &Options) -> Result<Vec<String>> {
    let send = Measure::Send {
        parts: SEND_PARTS,
        spans_per_part: options.spans / SEND_PARTS as u64,
    };
    let mut row = vec![name.title().to_owned()];
    let mut bytes_per_span = 0.0;
    for pipeline in [Pipeline::LARGE, Pipeline::SPECIFIED] {
        let (figures, received) = measure(name, Mode::Record, pipeline, send)?;
        let Figures::Sent { nanoseconds, spans } = figures else {
            bail!("{} answered with other figures", name.title());
        };
        check(name, spans, &received)?;
        row.extend([count(nanoseconds.min), count(nanoseconds.median)]);
        bytes_per_span = received.bytes as f64 / received.spans as f64;
    }
    row.push(count(bytes_per_span));
    Ok(row)
}

fn measure(
    name: Name,
    mode: Mode,
    pipeline: Pipeline,
    measure: Measure,
) -> Result<(Figures, Received)> {
    let sink = Sink::start(0)?;
    let figures = process::measure(&Task {
        name,
        mode,
        pipeline,
        sink_port: sink.port,
        measure,
    })?;
    Ok((figures, sink.received()?))
}

fn nanoseconds(figures: Figures) -> Result<Spread> {
    match figures {
        Figures::Nanoseconds(spread) => Ok(spread),
        other => bail!("these are other figures: {other:?}"),
    }
}

/// A cost is only one if all spans have arrived, and are what the others send too.
fn check(name: Name, created: u64, received: &Received) -> Result<()> {
    let title = name.title();
    if received.spans != created {
        bail!(
            "{title} created {created} spans, and {} arrived",
            received.spans
        );
    }
    match &received.first {
        Some(first)
            if first.name == NAME
                && first.kind == SERVER
                && first.attributes.len() == ATTRIBUTES =>
        {
            Ok(())
        }
        other => bail!("{title} sends another span: {other:?}"),
    }
}

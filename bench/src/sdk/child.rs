//! The process of one contestant and one measure.

use anyhow::Result;
use clap::Args;

use super::contestants::{
    Contestant, Fastrace, OpenTelemetry, OpenTelemetryAsync, Ours, Roofline, Tracing,
};
use super::measures;
use super::task::{Figures, Measure, Name, Task};

#[derive(Args)]
pub(crate) struct Options {
    /// A task in JSON
    task: String,
}

/// Prints the figures in JSON.
pub(crate) fn run(options: &Options) -> Result<()> {
    let task: Task = serde_json::from_str(&options.task)?;
    let figures = match task.name {
        Name::Roofline => of::<Roofline>(&task),
        Name::Opentelemetry => of::<OpenTelemetry>(&task),
        Name::OpentelemetryAsync => of::<OpenTelemetryAsync>(&task),
        Name::Tracing => of::<Tracing>(&task),
        Name::Fastrace => of::<Fastrace>(&task),
        Name::Backtrail => of::<Ours>(&task),
    }?;
    println!("{}", serde_json::to_string(&figures)?);
    Ok(())
}

fn of<C: Contestant>(task: &Task) -> Result<Figures> {
    let contestant = C::start(task)?;
    match task.measure {
        Measure::Create { rounds } => Ok(measures::create(&contestant, rounds)),
        Measure::Allocate { rounds } => Ok(measures::allocate(&contestant, rounds)),
        Measure::Send {
            parts,
            spans_per_part,
        } => Ok(measures::send(&contestant, task, parts, spans_per_part)),
        Measure::Offer(offer) => measures::offer(contestant, &offer),
        Measure::Handle { requests } => measures::handle(&contestant, requests),
    }
}

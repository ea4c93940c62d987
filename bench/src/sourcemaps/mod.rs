//! Readers of source maps, side by side: the same maps, the same positions, in one run.
//!
//! What counts is CPU time, as in `sdk`. Each figure comes from a process of its own, so that the memory of one is not that of another.

pub(crate) mod child;
mod contestants;
mod inputs;
mod task;

use std::process::{Command, Stdio};

use anyhow::{Context as _, Result, bail};
use clap::Args;

use self::inputs::{Input, Inputs};
use self::task::{Figures, Name, Task};
use crate::machine;
use crate::report::{Table, count, mebibytes};

#[derive(Args)]
pub(crate) struct Options {
    /// Who is measured
    #[arg(
        long,
        value_delimiter = ',',
        default_value = "backtrail,sourcemap,symbolic,trace-mapping"
    )]
    contestants: Vec<Name>,
    /// Rounds of which the fastest one is reported
    #[arg(long, default_value_t = 7)]
    rounds: u32,
    /// Positions that are looked up, at random
    #[arg(long, default_value_t = 200_000)]
    positions: usize,
    /// Positions that are looked up by who takes long for one, and those with lines of the source
    #[arg(long, default_value_t = 2_000)]
    slow_positions: usize,
}

pub(crate) fn run(options: &Options) -> Result<()> {
    let inputs = Inputs::make(options.positions, options.slow_positions)?;
    println!("{}", machine::describe(&inputs.sample()?, None)?);
    for input in inputs.all() {
        println!("{}\n", describe(input)?);
        let mut table = Table::new(&[
            "reader",
            "parse",
            "cache: build",
            "size",
            "open",
            "lookups/s",
            "with 11 lines of source",
            "first frame from the file",
            "memory",
        ]);
        let mut reference: Option<(Name, Vec<Answer>)> = None;
        let mut differences = Vec::new();
        for &name in &options.contestants {
            let task = Task::new(name, input, options.rounds);
            let figures = measure(&task)?;
            table.row(cells(name, &figures));
            match &reference {
                None => reference = Some((name, figures.answers)),
                Some((first, expected)) => {
                    differences.push(difference(*first, expected, name, &figures.answers));
                }
            }
        }
        println!("{table}");
        for difference in differences {
            println!("{difference}");
        }
        println!();
    }
    Ok(())
}

type Answer = Option<(u32, u32)>;

fn difference(first: Name, expected: &[Answer], name: Name, answers: &[Answer]) -> String {
    let pairs = expected.iter().zip(answers).enumerate();
    let mut differing = pairs.filter(|(_, (expected, answer))| expected != answer);
    let example = differing.next();
    let count = differing.count() + usize::from(example.is_some());
    let example = example.map_or_else(String::new, |(at, (expected, answer))| {
        format!(" The first one is number {at}: {answer:?}, not {expected:?}.")
    });
    format!(
        "{} answers differently from {} on {count} of {} positions.{example}",
        name.title(),
        first.title(),
        expected.len()
    )
}

fn describe(input: &Input) -> Result<String> {
    let megabytes = |path| -> Result<String> {
        Ok(format!(
            "{:.1} MB",
            std::fs::metadata(path)?.len() as f64 / 1e6
        ))
    };
    Ok(format!(
        "### {}: a map of {}, a bundle of {}",
        input.name,
        megabytes(&input.map)?,
        megabytes(&input.bundle)?
    ))
}

fn measure(task: &Task) -> Result<Figures> {
    let mut command = if task.name == Name::TraceMapping {
        inputs::node(&[
            "trace-mapping.js",
            &task.map,
            &task.positions,
            &task.rounds.to_string(),
            &task.compared.to_string(),
        ])
    } else {
        let mut command = Command::new(std::env::current_exe()?);
        command.args(["sourcemaps-child", &serde_json::to_string(task)?]);
        command
    };
    let output = command
        .stderr(Stdio::inherit())
        .output()
        .with_context(|| format!("cannot start {:?}", task.name))?;
    if !output.status.success() {
        bail!("{:?} ended with {}", task.name, output.status);
    }
    serde_json::from_slice(&output.stdout)
        .with_context(|| format!("{:?} did not answer with figures", task.name))
}

fn cells(name: Name, figures: &Figures) -> Vec<String> {
    let none = || "–".to_owned();
    let time = |nanoseconds: Option<f64>| nanoseconds.map_or_else(none, duration);
    let rate = |nanoseconds: Option<f64>| {
        nanoseconds.map_or_else(none, |nanoseconds| count(1e9 / nanoseconds))
    };
    vec![
        name.title().to_owned(),
        time(figures.parse_ns),
        time(figures.build_ns),
        figures
            .cache_bytes
            .map_or_else(none, |bytes| format!("{:.1} MB", bytes as f64 / 1e6)),
        time(figures.open_ns),
        rate(Some(figures.lookup_ns)),
        rate(figures.lookup_lines_ns),
        time(figures.first_ns),
        mebibytes(figures.resident_bytes),
    ]
}

fn duration(nanoseconds: f64) -> String {
    match nanoseconds {
        0.0..1e3 => format!("{nanoseconds:.0} ns"),
        1e3..1e6 => format!("{:.1} µs", nanoseconds / 1e3),
        _ => format!("{:.1} ms", nanoseconds / 1e6),
    }
}

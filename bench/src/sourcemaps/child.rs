//! The process of one contestant and one map.

use std::fs;
use std::hint::black_box;

use anyhow::{Context as _, Result, bail};
use clap::Args;

use super::contestants::{Given, Ours, Reader, Sourcemap, Symbolic};
use super::task::{Figures, Name, Task};
use crate::sdk::clock::{process_cpu_ns, resident_bytes};

#[derive(Args)]
pub(crate) struct Options {
    /// A task in JSON
    task: String,
}

/// Prints the figures in JSON.
pub(crate) fn run(options: &Options) -> Result<()> {
    let task: Task = serde_json::from_str(&options.task)?;
    let figures = match task.name {
        Name::Backtrail => of::<Ours>(&task),
        Name::Sourcemap => of::<Sourcemap>(&task),
        Name::Symbolic => of::<Symbolic>(&task),
        Name::TraceMapping => bail!("it runs in Node"),
    }?;
    println!("{}", serde_json::to_string(&figures)?);
    Ok(())
}

fn of<R: Reader>(task: &Task) -> Result<Figures> {
    let given = Given {
        json: fs::read(&task.map)?,
        bundle: fs::read_to_string(&task.bundle)?,
    };
    let positions = positions(task)?;
    let before = resident_bytes()?;
    let mut figures = Figures::default();
    let parsed = R::parse(&given)?;
    let cache = R::build(&parsed, &given)?;
    let after = resident_bytes()?;
    if R::HAS_PARSE {
        figures.parse_ns = Some(fastest(task.rounds, || R::parse(&given))?);
    }
    if R::HAS_CACHE {
        figures.build_ns = Some(fastest(task.rounds, || R::build(&parsed, &given))?);
        figures.cache_bytes = Some(cache.len() as u64);
        // A single one is shorter than the clock's step.
        let open = fastest(task.rounds, || {
            for _ in 0..1000 {
                black_box(R::open(&parsed, black_box(&cache))?);
            }
            Ok(())
        })?;
        figures.open_ns = Some(open / 1000.0);
        figures.first_ns = Some(first::<R>(task, &parsed, &cache, &positions)?);
    }
    let opened = R::open(&parsed, &cache)?;
    figures.answers = positions[..task.compared.min(positions.len())]
        .iter()
        .map(|&(line, column)| R::look_up(&opened, line, column))
        .collect();
    let (some, rest) = positions.split_at(task.slow_positions.min(positions.len()));
    let per_lookup = |positions: &[(u32, u32)]| -> Result<f64> {
        let time = fastest(task.rounds, || {
            for &(line, column) in positions {
                black_box(R::look_up(&opened, line, column));
            }
            Ok(())
        })?;
        Ok(time / positions.len() as f64)
    };
    // Who takes long for one is not asked for all.
    figures.lookup_ns = per_lookup(some)?;
    if figures.lookup_ns < 20_000.0 && !rest.is_empty() {
        figures.lookup_ns = per_lookup(rest)?;
    }
    let lines = fastest(task.rounds, || {
        for &(line, column) in some {
            black_box(R::lines(&opened, line, column));
        }
        Ok(())
    })?;
    figures.lookup_lines_ns = Some(lines / some.len() as f64);
    figures.resident_bytes = after.saturating_sub(before);
    Ok(figures)
}

/// One frame from a file that the kernel has in memory, with nothing of it in this process.
fn first<R: Reader>(
    task: &Task,
    parsed: &R::Parsed,
    cache: &[u8],
    positions: &[(u32, u32)],
) -> Result<f64> {
    let path = format!("{}.cache", task.map);
    fs::write(&path, cache)?;
    let &(line, column) = positions.first().context("there are no positions")?;
    fastest(task.rounds, || {
        let bytes = fs::read(&path)?;
        let opened = R::open(parsed, &bytes)?;
        black_box(R::lines(&opened, line, column));
        Ok(())
    })
}

fn fastest<T>(rounds: u32, mut work: impl FnMut() -> Result<T>) -> Result<f64> {
    let mut best = u64::MAX;
    for _ in 0..rounds {
        let start = process_cpu_ns();
        let made = black_box(work()?);
        best = best.min(process_cpu_ns() - start);
        drop(made);
    }
    Ok(best as f64)
}

fn positions(task: &Task) -> Result<Vec<(u32, u32)>> {
    let bytes = fs::read(&task.positions)?;
    let (numbers, _) = bytes.as_chunks::<4>();
    let (pairs, _) = numbers.as_chunks::<2>();
    let number = |bytes: [u8; 4]| u32::from_le_bytes(bytes);
    Ok(pairs
        .iter()
        .map(|&[line, column]| (number(line), number(column)))
        .collect())
}

//! What this machine can do at best, measured in the same run: figures of two machines can only be
//! compared beside it.

use std::fs::{File, read_to_string};
use std::hint::black_box;
use std::io::Write as _;
use std::path::Path;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result};

use crate::report::{Table, count};

const COPY_BYTES: usize = 128 << 20;
const COPY_TIMES: usize = 8;
const SYNC_FOR: Duration = Duration::from_secs(2);
const SYNC_BYTES: usize = 4096;
const COMPRESS_FOR: Duration = Duration::from_secs(1);
const COMPRESSION_LEVEL: i32 = 3;

/// Measures and describes the machine. `sample` is what the server gets to see, `dir` is on the
/// disk that it writes to.
pub(crate) fn describe(sample: &[u8], dir: Option<&Path>) -> Result<String> {
    let mut table = Table::new(&["this machine", "measured"]);
    table.row([
        "processor".to_owned(),
        format!(
            "{}, {} threads",
            processor(),
            std::thread::available_parallelism()?
        ),
    ]);
    table.row([
        "memory copy, one thread".to_owned(),
        format!("{:.1} GB/s", copy_gb_per_second()),
    ]);
    table.row([
        format!("zstd level {COMPRESSION_LEVEL} of OTLP protobuf, one thread"),
        format!("{:.0} MB/s", compress_mb_per_second(sample)?),
    ]);
    table.row([
        "appends of 4 KiB with fdatasync, one thread".to_owned(),
        format!("{} per second", count(syncs_per_second(dir)?)),
    ]);
    Ok(table.to_string())
}

fn processor() -> String {
    let unknown = || "unknown".to_owned();
    let Ok(text) = read_to_string("/proc/cpuinfo") else {
        return unknown();
    };
    text.lines()
        .find_map(|line| line.strip_prefix("model name")?.split_once(": "))
        .map_or_else(unknown, |(_, name)| name.trim().to_owned())
}

/// Bytes read and written, each counted once, by the fastest of several copies.
fn copy_gb_per_second() -> f64 {
    let source = vec![1_u8; COPY_BYTES];
    let mut target = vec![0_u8; COPY_BYTES];
    let fastest = (0..COPY_TIMES)
        .map(|_| {
            let started = Instant::now();
            target.copy_from_slice(black_box(&source));
            black_box(&mut target);
            started.elapsed()
        })
        .min()
        .unwrap_or_default();
    COPY_BYTES as f64 / fastest.as_secs_f64() / 1e9
}

fn compress_mb_per_second(sample: &[u8]) -> Result<f64> {
    let started = Instant::now();
    let mut bytes = 0;
    while started.elapsed() < COMPRESS_FOR {
        black_box(zstd::bulk::compress(sample, COMPRESSION_LEVEL)?);
        bytes += sample.len();
    }
    Ok(bytes as f64 / started.elapsed().as_secs_f64() / 1e6)
}

fn syncs_per_second(dir: Option<&Path>) -> Result<f64> {
    let mut file: File = match dir {
        Some(dir) => tempfile::tempfile_in(dir),
        None => tempfile::tempfile(),
    }
    .context("cannot create a file")?;
    let page = [7; SYNC_BYTES];
    let started = Instant::now();
    let mut syncs = 0;
    while started.elapsed() < SYNC_FOR {
        file.write_all(&page)?;
        file.sync_data()?;
        syncs += 1;
    }
    Ok(f64::from(syncs) / started.elapsed().as_secs_f64())
}

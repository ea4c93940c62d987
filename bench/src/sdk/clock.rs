//! CPU time and memory of this process, and how busy the machine is.

use std::fs::read_to_string;

use anyhow::{Context as _, Result};
use rustix::time::{ClockId, Timespec, clock_gettime};

/// Of the calling thread alone.
pub(super) fn thread_cpu_ns() -> u64 {
    nanoseconds(clock_gettime(ClockId::ThreadCPUTime))
}

/// Of all threads, those that have ended too, and of the kernel on their behalf.
pub(crate) fn process_cpu_ns() -> u64 {
    nanoseconds(clock_gettime(ClockId::ProcessCPUTime))
}

fn nanoseconds(time: Timespec) -> u64 {
    time.tv_sec as u64 * 1_000_000_000 + time.tv_nsec as u64
}

/// How many threads of the whole machine wanted a processor, on average over the last minute.
pub(super) fn load_average() -> Result<String> {
    let text = read_to_string("/proc/loadavg").context("cannot read /proc/loadavg")?;
    Ok(text.split(' ').next().unwrap_or_default().to_owned())
}

/// Memory that is resident now.
pub(crate) fn resident_bytes() -> Result<u64> {
    status_bytes("VmRSS:")
}

/// The most that was ever resident.
pub(super) fn peak_bytes() -> Result<u64> {
    status_bytes("VmHWM:")
}

fn status_bytes(key: &str) -> Result<u64> {
    let status = read_to_string("/proc/self/status").context("cannot read /proc/self/status")?;
    let kibibytes = status
        .lines()
        .find_map(|line| line.strip_prefix(key)?.strip_suffix(" kB"))
        .with_context(|| format!("/proc/self/status has no {key}"))?;
    Ok(kibibytes.trim().parse::<u64>()? * 1024)
}

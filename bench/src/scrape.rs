//! `/metrics`, read by machine.

use std::thread::sleep;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, bail};

use crate::server::Server;

/// The sum of a metric's samples over all labels; `None` when there is none.
fn value_of(text: &str, name: &str) -> Option<f64> {
    let mut found = None;
    for line in text.lines().filter(|line| !line.starts_with('#')) {
        let (series, value) = line.rsplit_once(' ')?;
        if series.split('{').next() == Some(name) {
            found = Some(found.unwrap_or(0.0) + value.parse::<f64>().ok()?);
        }
    }
    found
}

/// What the server says about its storage.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Storage {
    pub(crate) memtable_spans: u64,
    pub(crate) block_spans: u64,
    pub(crate) block_bytes: u64,
    /// Flushes and compactions that are due or running.
    pub(crate) pending: u64,
}

pub(crate) fn storage(server: &Server) -> Result<Storage> {
    let text = server.get("/metrics")?;
    let read = |name: &str| {
        let value = value_of(&text, name).with_context(|| format!("/metrics has no {name}"))?;
        anyhow::Ok(value as u64)
    };
    Ok(Storage {
        memtable_spans: read("backtrail_memtable_spans")?,
        block_spans: read("backtrail_block_spans")?,
        block_bytes: read("backtrail_block_bytes")?,
        pending: read("backtrail_flush_pending")? + read("backtrail_compaction_pending")?,
    })
}

/// Waits until all of at least `spans` spans are in blocks and nothing is left to be done.
pub(crate) fn wait_until_flushed(
    server: &Server,
    spans: u64,
    timeout: Duration,
) -> Result<Storage> {
    let started = Instant::now();
    loop {
        let now = storage(server)?;
        if now.memtable_spans == 0 && now.pending == 0 && now.block_spans >= spans {
            return Ok(now);
        }
        if started.elapsed() > timeout {
            bail!("{spans} spans were not in blocks after {timeout:?}: {now:?}");
        }
        sleep(Duration::from_millis(100));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn samples_are_summed_over_their_labels() {
        let text = "# TYPE a gauge\na 1\nab 5\nb_total{protocol=\"x\"} 2\nb_total{protocol=\"y z\"} 3.5\n# EOF\n";
        assert_eq!(value_of(text, "a"), Some(1.0));
        assert_eq!(value_of(text, "b_total"), Some(5.5));
        assert_eq!(value_of(text, "c"), None);
    }
}

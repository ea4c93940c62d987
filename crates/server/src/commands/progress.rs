//! One line that says how far a command is, on a terminal only.

use std::io::{IsTerminal, Write};
use std::sync::Arc;
use std::time::Duration;

use host::Clock;

/// Faster than this nobody reads.
const INTERVAL: Duration = Duration::from_millis(100);
const BAR_CELLS: u64 = 30;

pub(super) struct ProgressLine {
    clock: Arc<dyn Clock>,
    is_shown: bool,
    last: Option<Duration>,
}

impl ProgressLine {
    pub(super) fn new(clock: Arc<dyn Clock>) -> Self {
        Self {
            clock,
            is_shown: std::io::stderr().is_terminal(),
            last: None,
        }
    }

    /// Shows that `done` of `total` bytes are done, and `text` behind it.
    pub(super) fn show(&mut self, done: u64, total: u64, text: impl FnOnce() -> String) {
        let now = self.clock.monotonic();
        let is_too_soon = self.last.is_some_and(|last| now < last + INTERVAL);
        if !self.is_shown || is_too_soon {
            return;
        }
        self.last = Some(now);
        write(&format!("\r{} {}\x1b[K", bar(done, total), text()));
    }

    /// Makes room for what is printed next.
    pub(super) fn clear(&mut self) {
        if self.last.take().is_some() {
            write("\r\x1b[K");
        }
    }
}

/// A terminal that is gone is no reason to stop the work.
fn write(text: &str) {
    let mut stderr = std::io::stderr().lock();
    let _gone = stderr
        .write_all(text.as_bytes())
        .and_then(|()| stderr.flush());
}

fn bar(done: u64, total: u64) -> String {
    if total == 0 {
        return bytes(done);
    }
    let done = done.min(total);
    let full = (u128::from(done) * u128::from(BAR_CELLS) / u128::from(total)) as usize;
    let empty = BAR_CELLS as usize - full;
    let percent = u128::from(done) * 100 / u128::from(total);
    format!("[{}{}] {percent:3} %", "#".repeat(full), " ".repeat(empty))
}

/// Bytes for people.
pub(super) fn bytes(bytes: u64) -> String {
    const UNITS: [&str; 4] = ["KiB", "MiB", "GiB", "TiB"];
    if bytes < 1024 {
        return format!("{bytes} bytes");
    }
    let mut value = bytes as f64;
    let mut unit = "";
    for next in UNITS {
        if value < 1024.0 {
            break;
        }
        value /= 1024.0;
        unit = next;
    }
    format!("{value:.1} {unit}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bar_is_as_full_as_the_work_is_done() {
        assert_eq!(bar(0, 10), format!("[{}]   0 %", " ".repeat(30)));
        assert_eq!(
            bar(5, 10),
            format!("[{}{}]  50 %", "#".repeat(15), " ".repeat(15))
        );
        // A file that grew while it was read.
        assert_eq!(bar(11, 10), format!("[{}] 100 %", "#".repeat(30)));
        assert_eq!(bar(2048, 0), "2.0 KiB");
    }

    #[test]
    fn bytes_are_told_in_the_unit_that_fits() {
        assert_eq!(bytes(1023), "1023 bytes");
        assert_eq!(bytes(1536), "1.5 KiB");
        assert_eq!(bytes(5 << 40), "5.0 TiB");
    }
}

//! A bar that says how far a command is, on a terminal only.

use std::borrow::Cow;
use std::time::Duration;

use indicatif::{BinaryBytes, ProgressBar, ProgressDrawTarget, ProgressStyle};

/// The bar moves while one step takes long.
const TICK: Duration = Duration::from_millis(100);
const WITH_TOTAL: &str =
    "{spinner} [{bar:30}] {percent:>3} % of {binary_total_bytes}, {eta} left  {wide_msg}";
const WITHOUT_TOTAL: &str = "{spinner} {binary_bytes} in {elapsed}  {wide_msg}";

pub(super) struct Progress {
    bar: ProgressBar,
    has_total: bool,
}

impl Progress {
    /// A bar for `what`, such as a file's name. It begins to move at once.
    pub(super) fn new(what: impl Into<Cow<'static, str>>) -> Self {
        Self::on(ProgressDrawTarget::stderr(), what)
    }

    fn on(target: ProgressDrawTarget, what: impl Into<Cow<'static, str>>) -> Self {
        let bar = ProgressBar::with_draw_target(None, target)
            .with_style(style(WITHOUT_TOTAL))
            .with_message(what);
        // A hidden bar needs no thread that moves it.
        if !bar.is_hidden() {
            bar.enable_steady_tick(TICK);
        }
        Self {
            bar,
            has_total: false,
        }
    }

    /// Shows that `done` bytes are done, of `total` where that is known.
    pub(super) fn show(&mut self, done: u64, total: Option<u64>) {
        if let Some(total) = total {
            if !self.has_total {
                self.bar.set_style(style(WITH_TOTAL));
                self.has_total = true;
            }
            // A file may grow while it is read.
            self.bar.set_length(total.max(done));
        }
        self.bar.set_position(done);
    }

    /// Shows what is worked on now.
    pub(super) fn say(&self, what: impl Into<Cow<'static, str>>) {
        self.bar.set_message(what);
    }

    /// Runs `print` where the bar was.
    pub(super) fn suspend(&self, print: impl FnOnce()) {
        self.bar.suspend(print);
    }

    /// Makes room for what is printed next.
    pub(super) fn clear(&self) {
        self.bar.finish_and_clear();
    }
}

fn style(template: &str) -> ProgressStyle {
    ProgressStyle::with_template(template)
        .unwrap_or_else(|_| ProgressStyle::default_bar())
        .progress_chars("=> ")
}

/// Bytes for people.
pub(super) fn bytes(bytes: u64) -> String {
    BinaryBytes(bytes).to_string()
}

#[cfg(test)]
mod tests {
    use indicatif::{InMemoryTerm, TermLike};

    use super::*;

    #[test]
    fn a_bar_is_as_full_as_the_work_is_done() {
        let terminal = InMemoryTerm::new(3, 80);
        let target = ProgressDrawTarget::term_like(Box::new(terminal.clone()));
        let mut progress = Progress::on(target, "spans.json");
        progress.bar.disable_steady_tick();
        progress.show(1 << 20, Some(4 << 20));
        progress.bar.tick();
        let shown = terminal.contents();
        assert!(shown.contains("[=======>"), "{shown}");
        assert!(shown.contains(" 25 % of 4.00 MiB"), "{shown}");
        assert!(shown.ends_with("spans.json"), "{shown}");
        assert_eq!(terminal.height(), 3);
        progress.clear();
        assert_eq!(terminal.contents(), "");
    }

    #[test]
    fn without_a_total_it_says_how_much_is_done() {
        let terminal = InMemoryTerm::new(3, 80);
        let target = ProgressDrawTarget::term_like(Box::new(terminal.clone()));
        let mut progress = Progress::on(target, "export");
        progress.bar.disable_steady_tick();
        progress.show(1536, None);
        progress.bar.tick();
        assert!(terminal.contents().contains("1.50 KiB in "));
    }
}

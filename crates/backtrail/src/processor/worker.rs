//! The thread that has batches exported.

use std::collections::{BTreeSet, VecDeque};
use std::mem;
use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;
use std::time::Duration;

use tokio::task::JoinSet;
use tokio::time::{Instant, sleep_until, timeout};

use super::batch::{Batch, Chunk};
use super::command::{Command, FlushError, Reply};
use super::queue::{Queue, batches};
use crate::config::BatchSettings;
use crate::export::{Export, Outcome};
use crate::report::Report;

pub(super) struct Worker {
    queue: Arc<Queue>,
    exporter: Arc<dyn Export>,
    settings: BatchSettings,
    /// Chunks that are no batch yet.
    loose: Vec<Chunk>,
    /// Batches that wait for one of the concurrent exports.
    pending: VecDeque<(u64, Batch)>,
    exports: JoinSet<Exported>,
    /// The numbers of all batches that are pending or being exported.
    outstanding: BTreeSet<u64>,
    next_number: u64,
    waiting: Vec<Waiting>,
    due: Instant,
    last_failure: String,
    report: Report,
}

struct Exported {
    number: u64,
    len: u64,
    outcome: Outcome,
}

/// A caller who waits until the batches up to a number are done.
struct Waiting {
    upto: u64,
    deadline: Instant,
    timeout: Duration,
    lost_before: u64,
    is_shutdown: bool,
    reply: Reply,
}

impl Worker {
    pub(super) fn new(
        queue: Arc<Queue>,
        exporter: Arc<dyn Export>,
        settings: BatchSettings,
    ) -> Self {
        Self {
            queue,
            exporter,
            settings,
            loose: Vec::new(),
            pending: VecDeque::new(),
            exports: JoinSet::new(),
            outstanding: BTreeSet::new(),
            next_number: 0,
            waiting: Vec::new(),
            due: Instant::now() + settings.schedule_delay,
            last_failure: String::new(),
            report: Report::default(),
        }
    }

    /// Works until a shutdown is done or its time is over.
    pub(super) async fn run(mut self) {
        loop {
            self.start_exports();
            let deadlines = self.waiting.iter().map(|waiting| waiting.deadline);
            let wake_at = deadlines.fold(self.due, Instant::min);
            tokio::select! {
                () = self.queue.wake.notified() => {}
                () = sleep_until(wake_at) => {}
                Some(exported) = self.exports.join_next(), if !self.exports.is_empty() => {
                    self.count(exported);
                }
            }
            for command in self.queue.commands() {
                self.accept(command);
            }
            if Instant::now() >= self.due {
                self.batch_all();
            }
            if self.answer() {
                return;
            }
        }
    }

    /// Fills the concurrent exports. What there is no room for stays in the queue, where it counts.
    fn start_exports(&mut self) {
        while self.exports.len() < self.settings.max_concurrent_exports {
            if self.pending.is_empty() {
                self.batch_full();
            }
            let Some((number, batch)) = self.pending.pop_front() else {
                return;
            };
            self.queue.release(&batch);
            let exporter = Arc::clone(&self.exporter);
            let queue = Arc::clone(&self.queue);
            let limit = self.settings.export_timeout;
            self.exports.spawn(async move {
                let len = batch.len() as u64;
                let export = exporter.export(batch, queue);
                let outcome = timeout(limit, export).await.unwrap_or_else(|_| {
                    Outcome::Failed(format!("not done within {} ms", limit.as_millis()))
                });
                Exported {
                    number,
                    len,
                    outcome,
                }
            });
        }
    }

    /// Makes batches of what has gathered, as far as it fills them.
    fn batch_full(&mut self) {
        if !self.queue.has_batch() {
            return;
        }
        self.loose.append(&mut self.queue.take(false));
        let loose: usize = self.loose.iter().map(|chunk| chunk.spans.len()).sum();
        if loose < self.queue.max_batch_spans {
            self.loose.append(&mut self.queue.take(true));
        }
        let mut batches = batches(mem::take(&mut self.loose), self.queue.max_batch_spans);
        let is_last_full = batches.len() > 1 || !self.queue.has_batch();
        if is_last_full
            && let Some(last) = batches.pop_if(|batch| batch.len() < self.queue.max_batch_spans)
        {
            self.loose = last.chunks;
        }
        for batch in batches {
            self.enqueue(batch);
        }
    }

    /// Makes batches of everything: the time of the schedule has come, or somebody flushes.
    fn batch_all(&mut self) {
        self.due = Instant::now() + self.settings.schedule_delay;
        self.loose.append(&mut self.queue.take(true));
        for batch in batches(mem::take(&mut self.loose), self.queue.max_batch_spans) {
            self.enqueue(batch);
        }
    }

    fn enqueue(&mut self, batch: Batch) {
        self.outstanding.insert(self.next_number);
        self.pending.push_back((self.next_number, batch));
        self.next_number += 1;
    }

    fn accept(&mut self, command: Command) {
        if command.is_shutdown {
            // What is asked after this is refused where it is asked.
            for late in self.queue.last_commands() {
                (late.reply)(Err(FlushError::ShutDown));
            }
        }
        self.batch_all();
        let stats = self.queue.stats();
        self.waiting.push(Waiting {
            upto: self.next_number,
            deadline: Instant::now() + command.timeout,
            timeout: command.timeout,
            lost_before: stats.failed + stats.rejected,
            is_shutdown: command.is_shutdown,
            reply: command.reply,
        });
    }

    fn count(&mut self, exported: Result<Exported, tokio::task::JoinError>) {
        let exported = match exported {
            Ok(exported) => exported,
            // An exporter that panics or was aborted has lost its batch, and nothing else: `settle` counts it.
            Err(error) => {
                self.last_failure = format!("the exporter stopped: {error}");
                return;
            }
        };
        self.outstanding.remove(&exported.number);
        let counts = &self.queue.counts;
        counts.exporting.fetch_sub(exported.len, Relaxed);
        match exported.outcome {
            Outcome::Accepted { rejected, message } => {
                let rejected = rejected.min(exported.len);
                counts.exported.fetch_add(exported.len - rejected, Relaxed);
                if rejected > 0 {
                    counts.rejected.fetch_add(rejected, Relaxed);
                    self.report.rejected(rejected, &message);
                    self.last_failure = message;
                }
            }
            Outcome::Failed(reason) => {
                counts.failed.fetch_add(exported.len, Relaxed);
                self.report.failed(exported.len, &reason);
                self.last_failure = reason;
            }
        }
    }

    /// Answers those whose batches are done or whose time is over. True when the worker is done.
    fn answer(&mut self) -> bool {
        self.settle();
        let now = Instant::now();
        let done_upto = self.outstanding.first().copied().unwrap_or(u64::MAX);
        let mut is_over = false;
        for waiting in mem::take(&mut self.waiting) {
            let is_done = waiting.upto <= done_upto;
            if !is_done && now < waiting.deadline {
                self.waiting.push(waiting);
                continue;
            }
            is_over |= waiting.is_shutdown;
            let result = if is_done {
                self.lost_since(waiting.lost_before)
            } else {
                let stats = self.queue.stats();
                Err(FlushError::Timeout {
                    pending: stats.queued + stats.exporting,
                    timeout: waiting.timeout,
                })
            };
            if waiting.is_shutdown {
                self.give_up_the_rest();
            }
            (waiting.reply)(result);
        }
        is_over
    }

    /// Exports that panicked leave no number behind: when nothing runs and nothing waits, nothing is outstanding.
    fn settle(&mut self) {
        if self.exports.is_empty() && self.pending.is_empty() && !self.outstanding.is_empty() {
            self.outstanding.clear();
            let counts = &self.queue.counts;
            let lost = counts.exporting.swap(0, Relaxed);
            counts.failed.fetch_add(lost, Relaxed);
            let reason = self.last_failure.clone();
            self.report.failed(lost, &reason);
        }
    }

    fn lost_since(&self, lost_before: u64) -> Result<(), FlushError> {
        let stats = self.queue.stats();
        match (stats.failed + stats.rejected).saturating_sub(lost_before) {
            0 => Ok(()),
            lost => Err(FlushError::Lost {
                lost,
                reason: self.last_failure.clone(),
            }),
        }
    }

    /// The deadline of a shutdown has come, or a span came in while the queue was closing: what is left is lost, and counted.
    fn give_up_the_rest(&mut self) {
        self.exports.abort_all();
        self.batch_all();
        for (_, batch) in mem::take(&mut self.pending) {
            self.queue.release(&batch);
        }
        let counts = &self.queue.counts;
        let lost = counts.exporting.swap(0, Relaxed);
        counts.failed.fetch_add(lost, Relaxed);
        self.outstanding.clear();
    }
}

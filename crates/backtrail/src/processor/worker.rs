//! The thread that has batches exported.

use std::collections::{BTreeSet, VecDeque};
use std::mem;
use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;
use std::time::Duration;

use tokio::time::{Instant, sleep_until, timeout_at};

use super::batch::Batch;
use super::command::{Command, FlushError, Reply};
use super::exports::{Exported, Exports};
use super::queue::Queue;
use crate::config::BatchSettings;
use crate::deadline;
use crate::export::encode::EncodedSpans;
use crate::export::{Export, Outcome};
use crate::report::Report;

/// A schedule that is shorter would have the worker turn without end.
const MIN_SCHEDULE_DELAY: Duration = Duration::from_millis(1);

pub(super) struct Worker {
    queue: Arc<Queue>,
    exporter: Arc<dyn Export>,
    max_concurrent_exports: usize,
    schedule_delay: Duration,
    /// Chunks that are no batch yet.
    loose: Vec<EncodedSpans>,
    /// Batches that wait for one of the concurrent exports.
    pending: VecDeque<(u64, Batch)>,
    exports: Exports,
    /// The numbers of all batches that are pending or being exported.
    outstanding: BTreeSet<u64>,
    next_number: u64,
    waiting: Vec<Waiting>,
    /// Those who asked for the shutdown that is over, with their answers.
    over: Vec<(Waiting, Result<(), FlushError>)>,
    due: Instant,
    report: Report,
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
        settings: &BatchSettings,
    ) -> Self {
        let exports = Exports::new(
            Arc::clone(&queue),
            Arc::clone(&exporter),
            settings.export_timeout,
        );
        let schedule_delay = settings.schedule_delay.max(MIN_SCHEDULE_DELAY);
        Self {
            queue,
            exporter,
            max_concurrent_exports: settings.max_concurrent_exports,
            schedule_delay,
            loose: Vec::new(),
            pending: VecDeque::new(),
            exports,
            outstanding: BTreeSet::new(),
            next_number: 0,
            waiting: Vec::new(),
            over: Vec::new(),
            due: deadline::after(schedule_delay),
            report: Report::default(),
        }
    }

    /// Works until a shutdown is done or its time is over.
    pub(super) async fn run(mut self) {
        while self.over.is_empty() {
            self.turn().await;
        }
        self.give_up_the_rest();
        self.close_exporter().await;
        self.queue.end();
        for (waiting, result) in mem::take(&mut self.over) {
            self.queue.answer(waiting.reply, result);
        }
    }

    async fn turn(&mut self) {
        self.start_exports();
        let deadlines = self.waiting.iter().map(|waiting| waiting.deadline);
        let wake_at = deadlines.fold(self.due, Instant::min);
        tokio::select! {
            () = self.queue.wake.notified() => {}
            () = sleep_until(wake_at) => {}
            exported = self.exports.next() => self.count(exported),
        }
        for command in self.queue.commands() {
            self.accept(command);
        }
        if Instant::now() >= self.due {
            self.batch_all();
            self.report.dropped(self.queue.stats().dropped);
        }
        self.answer();
    }

    /// Fills the concurrent exports. What there is no room for stays in the queue, where it counts.
    fn start_exports(&mut self) {
        while self.exports.len() < self.max_concurrent_exports {
            if self.pending.is_empty() {
                self.batch_full();
            }
            let Some((number, batch)) = self.pending.pop_front() else {
                return;
            };
            self.queue.release(&batch);
            self.exports.start(number, batch);
        }
    }

    /// Makes batches of what has gathered, as far as it fills them.
    fn batch_full(&mut self) {
        if !self.queue.has_batch() {
            return;
        }
        self.loose.append(&mut self.queue.take(false));
        let loose: usize = self.loose.iter().map(EncodedSpans::len).sum();
        if loose < self.queue.max_batch_spans {
            self.loose.append(&mut self.queue.take(true));
        }
        let mut batches = self.queue.batches(mem::take(&mut self.loose));
        // A single batch is exported although chunks do not fill it: there was enough for one.
        if batches.len() > 1
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
        self.due = deadline::after(self.schedule_delay);
        self.loose.append(&mut self.queue.take(true));
        for batch in self.queue.batches(mem::take(&mut self.loose)) {
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
                self.queue.answer(late.reply, Err(FlushError::ShutDown));
            }
        }
        self.batch_all();
        let stats = self.queue.stats();
        self.waiting.push(Waiting {
            upto: self.next_number,
            deadline: deadline::after(command.timeout),
            timeout: command.timeout,
            lost_before: stats.failed + stats.rejected,
            is_shutdown: command.is_shutdown,
            reply: command.reply,
        });
    }

    fn count(&mut self, exported: Exported) {
        self.outstanding.remove(&exported.number);
        let counts = &self.queue.counts;
        match exported.outcome {
            Outcome::Accepted { rejected, message } => {
                let rejected = rejected.min(exported.len);
                counts.exported.fetch_add(exported.len - rejected, Relaxed);
                counts.rejected.fetch_add(rejected, Relaxed);
                if rejected > 0 {
                    self.report.rejected(rejected, &message);
                    counts.set_last_failure(message);
                } else if !message.is_empty() {
                    self.report.warned(&message);
                }
            }
            Outcome::Failed(reason) => {
                counts.failed.fetch_add(exported.len, Relaxed);
                self.report.failed(exported.len, &reason);
                counts.set_last_failure(reason);
            }
        }
        counts.exporting.fetch_sub(exported.len, Relaxed);
    }

    /// Answers those whose batches are done or whose time is over. Who waits for a shutdown is answered when the exporter is closed.
    fn answer(&mut self) {
        let now = Instant::now();
        let done_upto = self.outstanding.first().copied().unwrap_or(u64::MAX);
        for waiting in mem::take(&mut self.waiting) {
            let is_done = waiting.upto <= done_upto;
            if !is_done && now < waiting.deadline {
                self.waiting.push(waiting);
                continue;
            }
            let result = if is_done {
                self.lost_since(waiting.lost_before)
            } else {
                Err(FlushError::Timeout {
                    pending: self.queue.stats().pending(),
                    timeout: waiting.timeout,
                })
            };
            if waiting.is_shutdown {
                self.over.push((waiting, result));
            } else {
                self.queue.answer(waiting.reply, result);
            }
        }
    }

    fn lost_since(&self, lost_before: u64) -> Result<(), FlushError> {
        let stats = self.queue.stats();
        match (stats.failed + stats.rejected).saturating_sub(lost_before) {
            0 => Ok(()),
            lost => Err(FlushError::Lost {
                lost,
                reason: self.queue.counts.last_failure(),
            }),
        }
    }

    /// The deadline of a shutdown has come, or a span came in while the queue was closing: what is left is lost, and counted.
    fn give_up_the_rest(&mut self) {
        while let Some(exported) = self.exports.try_next() {
            self.count(exported);
        }
        self.exports.abort();
        self.batch_all();
        for (_, batch) in mem::take(&mut self.pending) {
            self.queue.release(&batch);
        }
        self.outstanding.clear();
        let counts = &self.queue.counts;
        let lost = counts.exporting.load(Relaxed);
        counts.failed.fetch_add(lost, Relaxed);
        counts.exporting.fetch_sub(lost, Relaxed);
        if lost > 0 {
            let trouble = self.exporter.trouble();
            let reason = trouble.unwrap_or_else(|| "the shutdown's time was over".to_owned());
            self.report.failed(lost, &reason);
            counts.set_last_failure(reason);
        }
        self.report.dropped(self.queue.stats().dropped);
        self.report.finish();
    }

    async fn close_exporter(&self) {
        let deadlines = self.over.iter().map(|(waiting, _)| waiting.deadline);
        let Some(deadline) = deadlines.min() else {
            return;
        };
        let left = deadline.saturating_duration_since(Instant::now());
        // One that does not end in time is left alone: everything it had is counted.
        let _closed = timeout_at(deadline, self.exporter.close(left)).await;
    }
}

impl Drop for Worker {
    /// Also when the thread panics: nobody waits for a worker that is gone.
    fn drop(&mut self) {
        for late in self.queue.last_commands() {
            self.queue.answer(late.reply, Err(FlushError::ShutDown));
        }
        self.queue.end();
    }
}

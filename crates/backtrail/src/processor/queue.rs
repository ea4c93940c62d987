//! The queue between the threads that end spans and the worker.

use std::cell::Cell;
use std::mem;
use std::sync::atomic::Ordering::Relaxed;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize};
use std::sync::{Mutex, MutexGuard, PoisonError};

use opentelemetry::InstrumentationScope;
use tokio::sync::Notify;

use super::Stats;
use super::batch::Batch;
use super::command::{Command, FlushError, MAX_WAITING, Reply};
use super::waiting::{Load, Waiting};
use crate::config::BatchSettings;
use crate::export::encode::EncodedSpans;

/// Threads are spread over this many places, so that they seldom wait for each other.
const SHARDS: usize = 16;
/// A chunk is handed on when it has this many spans, so that the list of full chunks is locked seldom.
const MAX_CHUNK_SPANS: usize = 128;
/// Or this many bytes, so that a batch can be bounded by whole chunks.
const MAX_CHUNK_BYTES: usize = 256 * 1024;
/// The worker is told when so many bytes more wait, though they may be few spans.
const WAKE_BYTES: usize = 16 * 1024 * 1024;
/// Bytes of the spans of a batch. Receivers commonly refuse a gRPC message of more than 4 MiB.
const MAX_BATCH_BYTES: usize = 4 * 1024 * 1024;
/// Empty chunks that are kept for the next spans, and the bytes that each may have room for.
const MAX_FREE_CHUNKS: usize = 256;
const MAX_FREE_CHUNK_BYTES: usize = 128 * 1024;

/// Bounded by spans and bytes. What does not fit is dropped and counted. Spans wait as OTLP, each encoded by the thread that ends it, which has it
/// in its caches and gets its memory back.
pub(crate) struct Queue {
    shards: [Shard; SHARDS],
    full: Mutex<Vec<EncodedSpans>>,
    free: Mutex<Vec<EncodedSpans>>,
    waiting: Waiting,
    max_chunk_spans: usize,
    pub(super) max_batch_spans: usize,
    wake_bytes: usize,
    is_closed: AtomicBool,
    /// The worker is gone: what still waits will not be exported.
    is_ended: AtomicBool,
    commands: Mutex<Vec<Command>>,
    /// Those who asked for something and have no answer yet.
    askers: AtomicUsize,
    pub(super) wake: Notify,
    pub(super) counts: Counts,
}

/// On a cache line of its own, so that counting on one thread does not slow another.
#[derive(Default)]
#[repr(align(128))]
struct Shard {
    open: Mutex<Open>,
    created: AtomicU64,
    dropped: AtomicU64,
}

/// What a thread changes for each of its spans.
#[derive(Default)]
struct Open {
    /// Spans that ended on a thread one after another.
    chunk: Option<EncodedSpans>,
    /// Spans that were taken in.
    taken: u64,
}

#[derive(Default)]
pub(super) struct Counts {
    pub(super) exported: AtomicU64,
    pub(super) rejected: AtomicU64,
    pub(super) failed: AtomicU64,
    pub(super) exporting: AtomicU64,
    /// What the exporter said of the last batch that it lost, or lost in part.
    last_failure: Mutex<String>,
}

impl Counts {
    pub(super) fn last_failure(&self) -> String {
        lock(&self.last_failure).clone()
    }

    pub(super) fn set_last_failure(&self, reason: String) {
        *lock(&self.last_failure) = reason;
    }
}

impl Queue {
    pub(super) fn new(settings: &BatchSettings) -> Self {
        let max_bytes = settings.queue_bytes();
        let waiting = Waiting::new(Load {
            spans: settings.max_queue_spans as u64,
            bytes: max_bytes as u64,
        });
        // A batch that the queue cannot hold would never be full.
        let max_queue_spans = usize::try_from(waiting.max().spans).unwrap_or(usize::MAX);
        let max_batch_spans = settings.max_batch_spans.min(max_queue_spans);
        Self {
            shards: Default::default(),
            full: Mutex::default(),
            free: Mutex::default(),
            waiting,
            max_chunk_spans: chunk_spans(max_batch_spans),
            max_batch_spans,
            // Half of a small queue, so that it is not full before the worker begins to empty it.
            wake_bytes: WAKE_BYTES.min(max_bytes / 2).max(1),
            is_closed: AtomicBool::new(false),
            is_ended: AtomicBool::new(false),
            commands: Mutex::default(),
            askers: AtomicUsize::new(0),
            wake: Notify::new(),
            counts: Counts::default(),
        }
    }

    #[inline]
    pub(crate) fn count_created(&self) {
        self.shards[shard_index()].created.fetch_add(1, Relaxed);
    }

    /// Takes in a span that `write` writes, as a field of a `ScopeSpans` of this scope and exactly so many bytes; or drops it when there is no
    /// room. Never waits for the worker.
    #[inline]
    pub(crate) fn offer(
        &self,
        scope: &InstrumentationScope,
        len_bytes: usize,
        write: impl FnOnce(&mut Vec<u8>),
    ) {
        let shard = &self.shards[shard_index()];
        let room = if self.is_closed.load(Relaxed) {
            None
        } else {
            self.waiting.add(len_bytes as u64)
        };
        let Some(before) = room else {
            shard.dropped.fetch_add(1, Relaxed);
            return;
        };
        let mut open = lock(&shard.open);
        open.taken += 1;
        let chunk = open.chunk.get_or_insert_with(|| self.empty_chunk());
        chunk.push(scope, len_bytes, write);
        let is_full = chunk.len() >= self.max_chunk_spans || chunk.len_bytes() >= MAX_CHUNK_BYTES;
        let ready = is_full.then(|| mem::replace(chunk, self.empty_chunk()));
        drop(open);
        if let Some(ready) = ready {
            lock(&self.full).push(ready);
        }
        self.wake_for(before, len_bytes);
    }

    /// Drops a span that is not worth encoding, because the queue is full or closed. Whether it did.
    pub(crate) fn refuses(&self) -> bool {
        let is_refused = self.is_closed.load(Relaxed) || self.waiting.is_full();
        if is_refused {
            self.shards[shard_index()].dropped.fetch_add(1, Relaxed);
        }
        is_refused
    }

    /// Tells the worker when there is enough for a batch, and again whenever about as much has come again: it may have looked just before a span
    /// that is counted was there to be taken. Powers of two stand for "as much", because to divide takes longer than all else here.
    #[inline]
    fn wake_for(&self, before: Load, len_bytes: usize) {
        let has_come = |before: u64, more: usize, enough: usize| {
            let (after, enough) = (before + more as u64, enough as u64);
            let step = enough.ilog2();
            after >= enough && (before < enough || before >> step != after >> step)
        };
        if has_come(before.spans, 1, self.max_batch_spans)
            || has_come(before.bytes, len_bytes, self.wake_bytes)
        {
            self.wake.notify_one();
        }
    }

    fn empty_chunk(&self) -> EncodedSpans {
        let free = lock(&self.free).pop();
        free.unwrap_or_default()
    }

    /// Takes what waits, oldest chunks first: full chunks only, or all.
    pub(super) fn take(&self, all: bool) -> Vec<EncodedSpans> {
        let mut chunks = mem::take(&mut *lock(&self.full));
        if all {
            for shard in &self.shards {
                let chunk = lock(&shard.open).chunk.take();
                chunks.extend(chunk.filter(|chunk| chunk.len() > 0));
            }
        }
        chunks
    }

    /// Chunks as batches: whole chunks, as many as fit.
    pub(super) fn batches(&self, chunks: Vec<EncodedSpans>) -> Vec<Batch> {
        let mut batches = Vec::new();
        let mut batch = Batch::default();
        for chunk in chunks {
            let fits = batch.len + chunk.len() <= self.max_batch_spans
                && batch.len_bytes + chunk.len_bytes() <= MAX_BATCH_BYTES;
            if !fits && !batch.is_empty() {
                batches.push(mem::take(&mut batch));
            }
            batch.push(chunk);
        }
        if !batch.is_empty() {
            batches.push(batch);
        }
        batches
    }

    /// Whether there is enough for a batch, also when it is spread over chunks that are not full.
    pub(super) fn has_batch(&self) -> bool {
        let waiting = self.waiting.load();
        waiting.spans >= self.max_batch_spans as u64 || waiting.bytes >= self.wake_bytes as u64
    }

    /// Spans that wait.
    fn len(&self) -> u64 {
        self.waiting.load().spans
    }

    /// Makes room: the batch is with the exporter now.
    pub(super) fn release(&self, batch: &Batch) {
        self.counts.exporting.fetch_add(batch.len as u64, Relaxed);
        self.waiting.remove(Load {
            spans: batch.len as u64,
            bytes: batch.len_bytes as u64,
        });
    }

    /// From now on what ends is dropped.
    pub(super) fn close(&self) {
        self.is_closed.store(true, Relaxed);
    }

    /// From now on nothing that waits is exported any more.
    pub(super) fn end(&self) {
        self.close();
        self.is_ended.store(true, Relaxed);
    }

    pub(super) fn ask(&self, command: Command) -> Result<(), FlushError> {
        let mut commands = lock(&self.commands);
        if self.is_closed.load(Relaxed) {
            return Err(FlushError::ShutDown);
        }
        if self.askers.load(Relaxed) >= MAX_WAITING && !command.is_shutdown {
            return Err(FlushError::Busy);
        }
        self.askers.fetch_add(1, Relaxed);
        commands.push(command);
        drop(commands);
        self.wake.notify_one();
        Ok(())
    }

    pub(super) fn answer(&self, reply: Reply, result: Result<(), FlushError>) {
        self.askers.fetch_sub(1, Relaxed);
        reply(result);
    }

    pub(super) fn commands(&self) -> Vec<Command> {
        mem::take(&mut *lock(&self.commands))
    }

    /// No command is taken any more; these came just before.
    pub(super) fn last_commands(&self) -> Vec<Command> {
        let mut commands = lock(&self.commands);
        self.close();
        mem::take(&mut *commands)
    }

    pub(super) fn stats(&self) -> Stats {
        let sum = |count: fn(&Shard) -> &AtomicU64| {
            let counts = self.shards.iter().map(|shard| count(shard).load(Relaxed));
            counts.sum()
        };
        let taken = self.shards.iter().map(|shard| lock(&shard.open).taken);
        let taken: u64 = taken.sum();
        let dropped = sum(|shard| &shard.dropped);
        let waiting = self.len();
        // A span that came in just when the worker ended: nobody will take it.
        let stranded = if self.is_ended.load(Relaxed) {
            waiting
        } else {
            0
        };
        Stats {
            created: sum(|shard| &shard.created),
            ended: taken + dropped,
            dropped: dropped + stranded,
            exported: self.counts.exported.load(Relaxed),
            rejected: self.counts.rejected.load(Relaxed),
            failed: self.counts.failed.load(Relaxed),
            queued: waiting - stranded,
            exporting: self.counts.exporting.load(Relaxed),
        }
    }
}

/// Who takes back the memory of spans that have been encoded.
pub(crate) trait Recycle: Send + Sync {
    fn recycle(&self, batch: Batch);
}

impl Recycle for Queue {
    fn recycle(&self, batch: Batch) {
        for chunk in batch.chunks {
            let Some(chunk) = chunk.cleared(MAX_FREE_CHUNK_BYTES) else {
                continue;
            };
            let mut free = lock(&self.free);
            if free.len() < MAX_FREE_CHUNKS {
                free.push(chunk);
            }
        }
    }
}

impl std::fmt::Debug for Queue {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Queue")
            .field("stats", &self.stats())
            .finish_non_exhaustive()
    }
}

/// As large as chunks may be, and so that they fill a batch as far as whole numbers let them.
fn chunk_spans(max_batch_spans: usize) -> usize {
    max_batch_spans / max_batch_spans.div_ceil(MAX_CHUNK_SPANS)
}

/// What a panic in another thread left behind is whole: each critical section is one push or one swap, and what is left of a span that was not
/// encoded to its end is cut off before the next.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

fn shard_index() -> usize {
    static NEXT: AtomicUsize = AtomicUsize::new(0);
    thread_local! {
        static INDEX: Cell<usize> = const { Cell::new(usize::MAX) };
    }
    // A thread that is ending has no index any more, and takes the first.
    INDEX
        .try_with(|index| {
            if index.get() == usize::MAX {
                index.set(NEXT.fetch_add(1, Relaxed) % SHARDS);
            }
            index.get()
        })
        .unwrap_or(0)
}

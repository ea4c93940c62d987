//! Group commit: whoever arrives while the disk is busy joins the next write.

use std::collections::VecDeque;
use std::path::Path;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use host::{Host, TasksExt};
use tokio::sync::oneshot;

use crate::error::WalError;
use crate::frame::{MAX_PAYLOAD_BYTES, MAX_TENANT_BYTES, record_len};
use crate::options::{WalOptions, WalStats};
use crate::record::NewRecord;
use crate::recover::{SegmentInfo, recover};
use crate::replay::Replay;
use crate::writer::{Writer, Written};

/// Called with a record's number once it is durable, in the order of the numbers, before the
/// append that brought it resolves. It runs on a thread for blocking work, and the next group
/// waits for it.
pub type OnDurable = Box<dyn FnOnce(u64) + Send>;

/// The log. Clones are the same log.
#[derive(Clone)]
pub struct Wal {
    shared: Arc<Shared>,
}

struct Shared {
    host: Host,
    options: WalOptions,
    queue: Mutex<Queue>,
    /// Held by the one task that writes.
    writer: Mutex<Writer>,
    /// Held for a moment only; file access happens outside.
    segments: Mutex<Vec<SegmentInfo>>,
    /// Held while segments are deleted.
    truncation: Mutex<()>,
}

#[derive(Default)]
struct Queue {
    pending: VecDeque<Pending>,
    next_seq: u64,
    /// Of `pending` and of the group that is being written.
    pending_bytes: usize,
    pending_records: usize,
    /// Whether a task writes.
    writing: bool,
    stopped: Option<Arc<str>>,
    syncs: u64,
    synced_bytes: u64,
    appended_records: u64,
}

struct Pending {
    seq: u64,
    record: NewRecord,
    on_durable: OnDurable,
    answer: oneshot::Sender<Result<u64, Refusal>>,
}

/// Why a record that had its number is not in the log.
#[derive(Clone)]
enum Refusal {
    DiskFull(Arc<str>),
    Stopped(Arc<str>),
}

impl From<Refusal> for WalError {
    fn from(refusal: Refusal) -> Self {
        match refusal {
            Refusal::DiskFull(reason) => Self::DiskFull { reason },
            Refusal::Stopped(reason) => Self::Stopped { reason },
        }
    }
}

impl Wal {
    /// Opens the log in `dir`, which is created where it is missing, for a writer of `epoch`. A torn
    /// tail is cut, and what is left is made durable, before anything can be replayed. It
    /// blocks. It refuses a log that holds a newer epoch; the caller sees to it that there
    /// is one writer at a time.
    pub fn open(
        host: &Host,
        dir: &Path,
        epoch: u64,
        options: WalOptions,
    ) -> Result<(Self, Replay), WalError> {
        let recovered = recover(host, dir, epoch)?;
        let replay = Replay {
            files: Arc::clone(&host.files),
            dir: dir.to_owned(),
            segments: recovered.segments.clone(),
            torn: recovered.torn,
        };
        if let Some(torn) = replay.torn_tail() {
            tracing::warn!(
                segment = %torn.path.display(),
                offset = torn.offset,
                bytes = torn.bytes,
                seq = torn.seq,
                reason = torn.reason,
                "the log ended in a record that was not whole, as after a crash; it was cut"
            );
        }
        let last_seq = replay.last_seq();
        let writer = Writer::new(
            host.clone(),
            dir,
            epoch,
            options.segment_bytes,
            options.durability,
            last_seq,
        );
        let queue = Queue {
            next_seq: options.min_next_seq.max(last_seq + 1),
            ..Queue::default()
        };
        let shared = Shared {
            host: host.clone(),
            options,
            queue: Mutex::new(queue),
            writer: Mutex::new(writer),
            segments: Mutex::new(recovered.segments),
            truncation: Mutex::new(()),
        };
        let shared = Arc::new(shared);
        Ok((Self { shared }, replay))
    }

    /// Appends a record and resolves to its number once it is acknowledged under the configured
    /// durability; `on_durable` has run by then. A future that is dropped before it resolves
    /// leaves open whether the record gets into the log; `on_durable` runs if it does.
    pub async fn append(&self, record: NewRecord, on_durable: OnDurable) -> Result<u64, WalError> {
        let answer = self.shared.enqueue(record, on_durable)?;
        match answer.await {
            Ok(result) => result.map_err(WalError::from),
            Err(_) => Err(self.shared.stopped_error()),
        }
    }

    /// Deletes the segments that hold only records before `seq`, oldest first, and says how
    /// many. The newest always stays, so that the log keeps its place in the numbers. It
    /// blocks.
    pub fn truncate_before(&self, seq: u64) -> Result<usize, WalError> {
        let shared = &self.shared;
        let _one_at_a_time = lock(&shared.truncation);
        let mut deleted = 0;
        while let Some(path) = shared.oldest_before(seq) {
            let files = &shared.host.files;
            files
                .remove_file(&path)
                .map_err(WalError::io("remove", &path))?;
            lock(&shared.segments).remove(0);
            deleted += 1;
            // Each on its own: were two to go at once, a power cut could bring back the older one
            // alone, and the log would have a hole.
            let dir = path.parent().unwrap_or(Path::new("."));
            files.sync_dir(dir).map_err(WalError::io("sync", dir))?;
        }
        Ok(deleted)
    }

    /// The next record begins a segment, so that the ones before it can go by [`truncate_before`](Self::truncate_before) however much room the segment still has. It blocks while
    /// a group is written.
    pub fn end_segment(&self) {
        lock(&self.shared.writer).end_segment();
    }

    /// The log at this instant.
    pub fn stats(&self) -> WalStats {
        let (segments, bytes, first_seq) = {
            let segments = lock(&self.shared.segments);
            let bytes = segments.iter().map(|segment| segment.bytes).sum();
            let first_seq = segments.first().map(|segment| segment.first_seq);
            (segments.len(), bytes, first_seq)
        };
        let queue = self.shared.queue();
        WalStats {
            segments,
            bytes,
            first_seq: first_seq.unwrap_or(queue.next_seq),
            next_seq: queue.next_seq,
            pending_bytes: queue.pending_bytes,
            pending_records: queue.pending_records,
            syncs: queue.syncs,
            synced_bytes: queue.synced_bytes,
            appended_records: queue.appended_records,
            failed: queue.stopped.is_some(),
        }
    }

    /// Why the log has stopped, when it has. Only opening it again, in a new process, mends that.
    pub fn stopped(&self) -> Option<Arc<str>> {
        self.shared.queue().stopped.clone()
    }
}

impl std::fmt::Debug for Wal {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Wal").field("stats", &self.stats()).finish()
    }
}

impl Shared {
    /// Gives the record its number and a place in the queue, and sees to it that a task writes.
    fn enqueue(
        self: &Arc<Self>,
        record: NewRecord,
        on_durable: OnDurable,
    ) -> Result<oneshot::Receiver<Result<u64, Refusal>>, WalError> {
        check_limits(&record)?;
        let (sender, answer) = oneshot::channel();
        let must_start = {
            let mut queue = self.queue();
            queue.admit(record_len(&record), self.options.max_pending_bytes)?;
            let seq = queue.next_seq;
            queue.next_seq += 1;
            queue.pending.push_back(Pending {
                seq,
                record,
                on_durable,
                answer: sender,
            });
            !std::mem::replace(&mut queue.writing, true)
        };
        if must_start {
            let writing = write_all_pending(StopUnlessDone(Some(Arc::clone(self))));
            self.host.tasks.spawn("log writer", Box::pin(writing));
        }
        Ok(answer)
    }

    /// What the next write takes along; `None` when nothing waits, and then nobody writes.
    fn next_group(&self) -> Option<VecDeque<Pending>> {
        let mut queue = self.queue();
        let mut group = VecDeque::new();
        let mut bytes = 0;
        while let Some(first) = queue.pending.front() {
            bytes += record_len(&first.record);
            if !group.is_empty() && bytes > self.options.max_group_bytes {
                break;
            }
            group.extend(queue.pending.pop_front());
        }
        queue.writing = !group.is_empty();
        (!group.is_empty()).then_some(group)
    }

    /// Writes a group, in parts where a segment ends within it, and answers those who wait. It blocks.
    fn commit(&self, mut group: VecDeque<Pending>) {
        let mut writer = lock(&self.writer);
        while let Some(first) = group.front() {
            if !writer.has_room(&first.record) {
                match writer.begin_segment(first.seq, &first.record) {
                    Ok(info) => self.add_segment(info),
                    Err(error) if error.is_disk_full() => return self.refuse(group, &error),
                    Err(error) => return self.stop(group, &error.to_string()),
                }
            }
            let mut part = Vec::new();
            while let Some(next) = group.front()
                && writer.has_room(&next.record)
            {
                writer.stage(next.seq, &next.record);
                part.extend(group.pop_front());
            }
            match writer.write_staged() {
                Ok(written) => self.acknowledge(part, &written),
                Err(error) => {
                    part.extend(group);
                    return self.stop(part.into(), &error.to_string());
                }
            }
        }
    }

    fn add_segment(&self, info: SegmentInfo) {
        let mut segments = lock(&self.segments);
        // One that was begun before a restart and got no record has just been replaced.
        segments.retain(|segment| segment.path != info.path);
        segments.push(info);
    }

    fn acknowledge(&self, part: Vec<Pending>, written: &Written) {
        let records = part.len();
        if let (Some(duration), Some(on_sync)) = (written.sync, &self.options.on_sync) {
            on_sync(duration, records, written.bytes);
        }
        if let (Some(segment), Some(last)) = (lock(&self.segments).last_mut(), part.last()) {
            segment.last_seq = last.seq;
            segment.bytes += written.bytes as u64;
        }
        let mut answers = Vec::with_capacity(records);
        for pending in part {
            (pending.on_durable)(pending.seq);
            answers.push((pending.answer, pending.seq));
        }
        self.queue().account(records, written);
        for (answer, seq) in answers {
            // Whoever no longer waits has dropped the future.
            let _ = answer.send(Ok(seq));
        }
    }

    /// There was no room for a new segment, and nothing was written: those who wait are refused,
    /// their numbers are free again, and the log goes on.
    fn refuse(&self, group: VecDeque<Pending>, error: &WalError) {
        let refusal = Refusal::DiskFull(error.to_string().into());
        let refused = {
            let mut queue = self.queue();
            if let Some(first) = group.front() {
                queue.next_seq = first.seq;
            }
            queue.drain_after(group)
        };
        refuse_all(refused, &refusal);
    }

    /// Ends the log for good: `group` and all who wait are refused, and all who come.
    fn stop(&self, group: VecDeque<Pending>, reason: &str) {
        tracing::error!(
            reason,
            "the log has stopped and takes nothing more until a restart"
        );
        let reason: Arc<str> = reason.into();
        let refused = {
            let mut queue = self.queue();
            queue.stopped.get_or_insert_with(|| Arc::clone(&reason));
            queue.drain_after(group)
        };
        refuse_all(refused, &Refusal::Stopped(reason));
    }

    /// The oldest segment, when all of it is before `seq` and it is not the only one.
    fn oldest_before(&self, seq: u64) -> Option<std::path::PathBuf> {
        let segments = lock(&self.segments);
        let oldest = segments.first().filter(|_| segments.len() > 1)?;
        (oldest.last_seq < seq).then(|| oldest.path.clone())
    }

    fn stopped_error(&self) -> WalError {
        let reason = self.queue().stopped.clone();
        WalError::Stopped {
            reason: reason.unwrap_or_else(|| "the log's writer has ended".into()),
        }
    }

    fn queue(&self) -> MutexGuard<'_, Queue> {
        lock(&self.queue)
    }
}

impl Queue {
    fn admit(&mut self, bytes: usize, limit: usize) -> Result<(), WalError> {
        if let Some(reason) = &self.stopped {
            let reason = Arc::clone(reason);
            return Err(WalError::Stopped { reason });
        }
        let pending_bytes = self.pending_bytes;
        if pending_bytes > 0 && pending_bytes + bytes > limit {
            return Err(WalError::Overloaded {
                pending_bytes,
                limit,
            });
        }
        self.pending_bytes += bytes;
        self.pending_records += 1;
        Ok(())
    }

    fn account(&mut self, records: usize, written: &Written) {
        self.pending_bytes = self.pending_bytes.saturating_sub(written.bytes);
        self.pending_records = self.pending_records.saturating_sub(records);
        self.appended_records += records as u64;
        if written.sync.is_some() {
            self.syncs += 1;
            self.synced_bytes += written.bytes as u64;
        }
    }

    /// The rest of a group and all that wait behind it; nothing is pending any more.
    fn drain_after(&mut self, mut group: VecDeque<Pending>) -> VecDeque<Pending> {
        group.append(&mut self.pending);
        self.pending_bytes = 0;
        self.pending_records = 0;
        group
    }
}

/// The task that writes, as long as something waits.
async fn write_all_pending(mut guard: StopUnlessDone) {
    while let Some(shared) = &guard.0 {
        let Some(group) = shared.next_group() else {
            guard.0 = None;
            return;
        };
        let writing = Arc::clone(shared);
        let written = shared
            .host
            .tasks
            .run_blocking(move || writing.commit(group));
        if let Err(lost) = written.await {
            shared.stop(VecDeque::new(), &format!("its writer failed: {lost}"));
        }
    }
}

/// A writing task that ends early, or never begins, as when its runtime shuts down, would leave
/// those who wait without an answer.
struct StopUnlessDone(Option<Arc<Shared>>);

impl Drop for StopUnlessDone {
    fn drop(&mut self) {
        if let Some(shared) = &self.0 {
            shared.stop(VecDeque::new(), "its writer was ended with the runtime");
        }
    }
}

fn refuse_all(refused: VecDeque<Pending>, refusal: &Refusal) {
    for pending in refused {
        // Whoever no longer waits has dropped the future.
        let _ = pending.answer.send(Err(refusal.clone()));
    }
}

fn check_limits(record: &NewRecord) -> Result<(), WalError> {
    let (bytes, limit) = (record.payload.len(), MAX_PAYLOAD_BYTES);
    if bytes > limit {
        return Err(WalError::PayloadTooLarge { bytes, limit });
    }
    let (bytes, limit) = (record.tenant.len(), MAX_TENANT_BYTES);
    if bytes > limit {
        return Err(WalError::TenantTooLong { bytes, limit });
    }
    Ok(())
}

/// A thread that panicked while it held one of our locks has stopped the log; the figures are
/// still good to read.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

//! The memtable: spans that are in the log and not yet in a block.

use std::sync::Arc;

use model::{Scan, SpanBatch, SpanBatchBuilder, TraceId};

use crate::MemoryScan;
use crate::deletion::{Deleted, Deletion};

/// Batches smaller than this are joined, so that clients which send one span at a time do not leave a thousand tables to search.
const SMALL_ROWS: usize = 512;
/// How many small batches in a row are joined at once. Each span is so copied three times at most.
const JOIN_AT: usize = 8;

/// Rows of a chunk that came in one record of the log.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Origin {
    pub(crate) spans: usize,
    pub(crate) lone_events: usize,
    pub(crate) seq: u64,
    pub(crate) arrived_unix_nano: u64,
}

impl Origin {
    /// Notes that so many rows of this origin follow in a chunk. Spans and lone events are each noted in the order of their rows.
    pub(crate) fn note(self, origins: &mut Vec<Self>, spans: usize, lone_events: usize) {
        match origins.last_mut() {
            Some(last) if last.seq == self.seq => {
                last.spans += spans;
                last.lone_events += lone_events;
            }
            _ => origins.push(Self {
                spans,
                lone_events,
                ..self
            }),
        }
    }
}

/// Spans that are read as one table. It does not change.
#[derive(Debug)]
pub(crate) struct Chunk {
    scan: Arc<MemoryScan>,
    origins: Vec<Origin>,
    bytes: usize,
}

impl Chunk {
    pub(crate) fn new(batch: SpanBatch, origins: Vec<Origin>) -> Self {
        let bytes = batch.memory_bytes();
        Self {
            scan: Arc::new(MemoryScan::new(batch)),
            origins,
            bytes,
        }
    }

    pub(crate) fn batch(&self) -> &SpanBatch {
        self.scan.batch()
    }

    fn rows(&self) -> usize {
        self.batch().len() + self.batch().event_columns().lone_rows().len()
    }

    fn count(&self, deletion: &Deletion) -> Deleted {
        let columns = self.batch().columns();
        let events = &columns.events;
        let spans = (0..columns.len()).filter(|row| deletion.takes_span(&columns, *row));
        let lone_rows = events.lone_rows();
        let lone_events = lone_rows.filter(|row| deletion.takes_lone_event(events, *row));
        Deleted {
            spans: spans.count() as u64,
            events: lone_events.count() as u64,
        }
    }

    /// The rows that a deletion leaves.
    fn without(&self, deletion: &Deletion) -> Self {
        let columns = self.batch().columns();
        let mut builder = SpanBatchBuilder::new();
        let mut origins: Vec<Origin> = Vec::new();
        for (row, (_, origin)) in self.spans().enumerate() {
            if !deletion.takes_span(&columns, row) {
                builder.push_row(&columns, row);
                origin.note(&mut origins, 1, 0);
            }
        }
        for (event_row, _, origin) in self.lone_events() {
            if !deletion.takes_lone_event(&columns.events, event_row) {
                builder.push_lone_event_row(&columns, event_row);
                origin.note(&mut origins, 0, 1);
            }
        }
        Self::new(builder.finish(), origins)
    }

    /// The trace and origin of each span, by row.
    pub(crate) fn spans(&self) -> impl Iterator<Item = (TraceId, Origin)> + '_ {
        let columns = self.batch().columns();
        let origins = self
            .origins
            .iter()
            .flat_map(|origin| std::iter::repeat_n(*origin, origin.spans));
        (0..columns.len())
            .zip(origins)
            .map(move |(row, origin)| (columns.trace_id(row), origin))
    }

    /// The row, trace and origin of each event that came without its span.
    pub(crate) fn lone_events(&self) -> impl Iterator<Item = (usize, TraceId, Origin)> + '_ {
        let events = self.batch().event_columns();
        let origins = self
            .origins
            .iter()
            .flat_map(|origin| std::iter::repeat_n(*origin, origin.lone_events));
        events
            .lone_rows()
            .zip(origins)
            .map(move |(row, origin)| (row, events.trace_id(row), origin))
    }
}

/// Chunks in the order of their arrival.
#[derive(Debug, Clone, Default)]
pub(crate) struct Memtable {
    chunks: Vec<Arc<Chunk>>,
    bytes: usize,
    spans: usize,
    first_arrived_unix_nano: Option<u64>,
}

impl Memtable {
    pub(crate) fn chunks(&self) -> &[Arc<Chunk>] {
        &self.chunks
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.chunks.is_empty()
    }

    pub(crate) fn bytes(&self) -> usize {
        self.bytes
    }

    pub(crate) fn spans(&self) -> usize {
        self.spans
    }

    /// When the first of its spans arrived.
    pub(crate) fn first_arrived_unix_nano(&self) -> Option<u64> {
        self.first_arrived_unix_nano
    }

    /// The chunks as tables, the newest first.
    pub(crate) fn scans(&self) -> impl Iterator<Item = Arc<dyn Scan>> + '_ {
        self.chunks
            .iter()
            .rev()
            .map(|chunk| Arc::clone(&chunk.scan) as Arc<dyn Scan>)
    }

    /// Adds the rows of one record.
    pub(crate) fn insert(&mut self, batch: SpanBatch, seq: u64, arrived_unix_nano: u64) {
        if batch.is_empty() {
            return;
        }
        let origin = Origin {
            spans: batch.len(),
            lone_events: batch.event_columns().lone_rows().len(),
            seq,
            arrived_unix_nano,
        };
        self.push(Arc::new(Chunk::new(batch, vec![origin])));
        self.join_small();
    }

    /// What a deletion takes of it.
    pub(crate) fn count(&self, deletion: &Deletion) -> Deleted {
        let taken = self.chunks.iter().map(|chunk| chunk.count(deletion));
        taken.fold(Deleted::default(), Deleted::plus)
    }

    /// Removes what a deletion takes. Chunks that are in a snapshot stay as they are there.
    pub(crate) fn remove(&mut self, deletion: &Deletion) -> Deleted {
        let mut deleted = Deleted::default();
        for chunk in std::mem::take(self).chunks {
            let taken = chunk.count(deletion);
            if taken.is_nothing() {
                self.push(chunk);
                continue;
            }
            deleted = deleted.plus(taken);
            let rest = chunk.without(deletion);
            if rest.rows() > 0 {
                self.push(Arc::new(rest));
            }
        }
        deleted
    }

    /// Puts what a flush left behind before everything else.
    pub(crate) fn prepend(&mut self, older: Self) {
        let newer = std::mem::replace(self, older);
        newer.chunks.into_iter().for_each(|chunk| self.push(chunk));
    }

    pub(crate) fn push(&mut self, chunk: Arc<Chunk>) {
        self.bytes += chunk.bytes;
        self.spans += chunk.batch().len();
        for origin in &chunk.origins {
            let first = self
                .first_arrived_unix_nano
                .get_or_insert(origin.arrived_unix_nano);
            *first = origin.arrived_unix_nano.min(*first);
        }
        self.chunks.push(chunk);
    }

    /// Joins the last chunks when enough of them are of about one size and small.
    fn join_small(&mut self) {
        while let Some(from) = self.chunks.len().checked_sub(JOIN_AT) {
            let size_class = |chunk: &Chunk| chunk.rows().max(1).ilog(JOIN_AT);
            let tail = &self.chunks[from..];
            let first = size_class(&tail[0]);
            let joined = tail
                .iter()
                .all(|chunk| chunk.rows() < SMALL_ROWS && size_class(chunk) <= first);
            if !joined {
                return;
            }
            let mut builder = SpanBatchBuilder::new();
            let mut origins = Vec::new();
            for chunk in self.chunks.split_off(from) {
                self.bytes -= chunk.bytes;
                self.spans -= chunk.batch().len();
                builder.push_batch(chunk.batch());
                origins.extend_from_slice(&chunk.origins);
            }
            self.push(Arc::new(Chunk::new(builder.finish(), origins)));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use backtrail_wire::{otlp, protobuf};

    fn batch(id: u8) -> SpanBatch {
        let mut request = Vec::new();
        protobuf::put_message(&mut request, 1, |out| {
            protobuf::put_message(out, 2, |out| {
                protobuf::put_message(out, 2, |out| {
                    let fields = otlp::SpanFields {
                        trace_id: &[id; 16],
                        span_id: &[id; 8],
                        ..Default::default()
                    };
                    otlp::put_span(out, &fields, |_| Ok(())).unwrap();
                });
            });
        });
        SpanBatch::from_otlp(&request).unwrap()
    }

    #[test]
    fn single_spans_are_joined_and_keep_where_they_came_from() {
        let mut memtable = Memtable::default();
        for seq in 1..=200 {
            memtable.insert(batch(seq as u8), seq, 1000 + seq);
        }
        assert!(
            memtable.chunks().len() <= 3 * JOIN_AT,
            "{}",
            memtable.chunks().len()
        );
        assert_eq!(memtable.spans(), 200);
        let rows: Vec<_> = memtable
            .chunks()
            .iter()
            .flat_map(|chunk| chunk.spans())
            .map(|(id, origin)| (id, origin.seq, origin.arrived_unix_nano))
            .collect();
        let expected: Vec<_> = (1..=200u64)
            .map(|seq| (TraceId([seq as u8; 16]), seq, 1000 + seq))
            .collect();
        assert_eq!(rows, expected);
        let held: usize = memtable.chunks().iter().map(|chunk| chunk.bytes).sum();
        assert_eq!(memtable.bytes(), held);
        assert_eq!(memtable.first_arrived_unix_nano(), Some(1001));
    }
}

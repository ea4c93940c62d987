//! Checks a block against everything that it says of itself.
//!
//! The order is from the outside in: the footer against the manifest, each file's length and each 64 KiB against the footer, and only when all of that
//! holds the rows against each other: what a reader takes from the footer, the bloom filter or the table of traces must be what the rows say. For that the
//! rows are in memory at once, as they are when the block is merged.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use arrow_array::cast::AsArray;
use arrow_array::types::{Int32Type, UInt32Type};
use arrow_array::{Array, RecordBatch};
use host::Host;
use model::{RowSet, Scan, ScanError, SpanBatch, SpanColumns};

use crate::checksum::PIECE_BYTES;
use crate::footer::{Footer, Keys, TRACE_INDEX_STEP};
use crate::read::{Block, read_all};
use crate::write::{
    EVENTS_FILE, FOOTER_FILE, Parents, RowOrder, SPANS_FILE, TRACES_FILE, all_traces,
    envelope_keys, event_keys, lone_events, operations, trace_rows,
};
use crate::{BlockError, BlockMeta, Window};

const HOUR_NANO: u64 = 3_600_000_000_000;

/// What is wrong with a block.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BlockDefect {
    /// The file.
    pub path: PathBuf,
    /// Where in it, as far as one place can be named.
    pub offset: Option<u64>,
    /// What is wrong.
    pub what: String,
}

/// What a check of a block came to.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct BlockCheck {
    /// Bytes that were read from its files.
    pub bytes: u64,
    /// Spans.
    pub spans: u64,
    /// Events, those without span included.
    pub events: u64,
    /// Traces.
    pub traces: u64,
    /// Everything that is wrong. The counts are complete only when there is nothing.
    pub defects: Vec<BlockDefect>,
}

/// Checks the block that [`crate::write()`] made below `window_dir`. Writes nothing. `on_bytes` is told how many bytes were read, again and again.
pub fn check(
    host: &Host,
    window_dir: &Path,
    meta: &BlockMeta,
    on_bytes: &mut dyn FnMut(u64),
) -> BlockCheck {
    let mut checker = Checker {
        host,
        dir: window_dir.join(meta.id.as_str()),
        meta,
        on_bytes,
        found: BlockCheck::default(),
    };
    if let Some(footer) = checker.footer() {
        checker.parts(&footer);
        if checker.found.defects.is_empty()
            && let Err(error) = checker.rows(window_dir)
        {
            let path = PathBuf::from(error.source_name);
            checker.defect(path, None, error.reason);
        }
    }
    checker.found
}

struct Checker<'a> {
    host: &'a Host,
    dir: PathBuf,
    meta: &'a BlockMeta,
    on_bytes: &'a mut dyn FnMut(u64),
    found: BlockCheck,
}

impl Checker<'_> {
    fn defect(&mut self, path: PathBuf, offset: Option<u64>, what: String) {
        self.found.defects.push(BlockDefect { path, offset, what });
    }

    /// Of a file of the block as a whole.
    fn defect_of(&mut self, name: &str, what: String) {
        self.defect(self.dir.join(name), None, what);
    }

    fn count_bytes(&mut self, bytes: u64) {
        self.found.bytes += bytes;
        (self.on_bytes)(bytes);
    }

    fn footer(&mut self) -> Option<Footer> {
        let path = self.dir.join(FOOTER_FILE);
        let bytes = match read_all(self.host, &path) {
            Ok(bytes) => bytes,
            Err(error) => {
                self.defect(path, None, reason(&error));
                return None;
            }
        };
        self.count_bytes(bytes.len() as u64);
        let footer = match Footer::decode(&path, &bytes) {
            Ok(footer) => footer,
            Err(error) => {
                self.defect(path, Some(0), reason(&error));
                return None;
            }
        };
        if crc32c::crc32c(&bytes) != self.meta.footer_crc32c {
            let what = "its checksum is not the one in the manifest".to_owned();
            self.defect(path, Some(0), what);
            return None;
        }
        let all_bytes = footer.parts.iter().map(|part| part.len).sum::<u64>() + bytes.len() as u64;
        for (what, manifest, found) in [
            ("spans", self.meta.spans, footer.spans),
            ("bytes", self.meta.bytes, all_bytes),
        ] {
            if manifest != found {
                let what = format!("it says {found} {what} and the manifest says {manifest}");
                self.defect(path.clone(), None, what);
            }
        }
        Some(footer)
    }

    fn parts(&mut self, footer: &Footer) {
        for name in [SPANS_FILE, EVENTS_FILE, TRACES_FILE] {
            match footer.parts.iter().find(|part| part.name == name) {
                Some(part) => {
                    if let Err(error) = self.part(name, part.len, &part.checksums) {
                        self.defect_of(name, reason(&error));
                    }
                }
                None => self.defect_of(FOOTER_FILE, format!("it does not list {name}")),
            }
        }
    }

    fn part(&mut self, name: &str, len: u64, checksums: &[u32]) -> Result<(), BlockError> {
        let path = self.dir.join(name);
        let io = |source| BlockError::Io {
            path: path.clone(),
            source,
        };
        let file = self.host.files.open(&path).map_err(io)?;
        let found = file.len().map_err(io)?;
        if found != len || checksums.len() as u64 != len.div_ceil(PIECE_BYTES as u64) {
            let what = format!(
                "it has {found} bytes and was written with {len}, in {} pieces of 64 KiB",
                checksums.len()
            );
            self.defect(path, Some(found.min(len)), what);
            return Ok(());
        }
        let mut piece = Vec::new();
        for (index, checksum) in checksums.iter().enumerate() {
            let offset = (index * PIECE_BYTES) as u64;
            piece.resize((len - offset).min(PIECE_BYTES as u64) as usize, 0);
            file.read_exact_at(&mut piece, offset).map_err(io)?;
            self.count_bytes(piece.len() as u64);
            if crc32c::crc32c(&piece) != *checksum {
                let what = format!(
                    "the checksum of the {} bytes from here differs",
                    piece.len()
                );
                self.defect(path.clone(), Some(offset), what);
            }
        }
        Ok(())
    }

    fn rows(&mut self, window_dir: &Path) -> Result<(), ScanError> {
        let block = match Block::open(self.host, window_dir, self.meta) {
            Ok(block) => block,
            Err(error) => {
                self.defect(self.dir.clone(), None, reason(&error));
                return Ok(());
            }
        };
        self.found.spans = block.footer.spans;
        self.found.traces = block.footer.traces;
        self.found.events = block.events.rows() as u64;
        for (name, rows, said) in [
            (SPANS_FILE, block.spans.rows() as u64, block.footer.spans),
            (TRACES_FILE, block.traces.rows() as u64, block.footer.traces),
        ] {
            if rows != said {
                self.defect_of(
                    name,
                    format!("it has {rows} rows and the footer says {said}"),
                );
                return Ok(());
            }
        }
        if !self.lone_events(&block)? {
            return Ok(());
        }
        let whole = whole(&block)?;
        let columns = whole.columns();
        self.starts(&block, &columns);
        self.events(&block, &columns)?;
        self.traces(&block, &columns)?;
        self.catalogue(&block, &whole)
    }

    /// The ranges of time in manifest and footer, and the window.
    fn starts(&mut self, block: &Block, columns: &SpanColumns<'_>) {
        let starts = columns.starts.values();
        let min_max = |starts: &[u64]| {
            let (min, max) = (starts.iter().min(), starts.iter().max());
            (
                min.copied().unwrap_or_default(),
                max.copied().unwrap_or_default(),
            )
        };
        let said = (self.meta.min_start_unix_nano, self.meta.max_start_unix_nano);
        let found = min_max(starts);
        if said != found {
            self.defect_of(
                SPANS_FILE,
                format!("its spans start in {found:?} and the manifest says {said:?}"),
            );
        }
        if let Window::Hour(hour) = self.meta.window
            && let Some(row) = starts.iter().position(|start| start / HOUR_NANO != hour)
        {
            let what = format!(
                "row {row} starts at {} and does not belong into window {}",
                starts[row], self.meta.window
            );
            self.defect_of(SPANS_FILE, what);
        }
        let mut next_row = 0;
        for partition in &block.partitions {
            let rows = partition.rows.clone();
            let said = (partition.min_start_unix_nano, partition.max_start_unix_nano);
            let in_place = rows.start == next_row && rows.end <= starts.len();
            if !in_place || min_max(&starts[rows.clone()]) != said {
                let what = format!("its partition of rows {rows:?} does not describe these rows");
                self.defect_of(FOOTER_FILE, what);
                return;
            }
            next_row = rows.end;
        }
        if next_row != starts.len() {
            let what = format!(
                "its partitions cover {next_row} rows and there are {}",
                starts.len()
            );
            self.defect_of(FOOTER_FILE, what);
        }
    }

    /// Whether there are as many events without span as the footer says: a reader finds them by that number.
    fn lone_events(&mut self, block: &Block) -> Result<bool, ScanError> {
        let all = RowSet::range(0..block.events.rows());
        let batch = block.events.columns(&["span_row"], &all)?;
        let found = batch
            .column_by_name("span_row")
            .map_or(0, Array::null_count);
        if found != block.lone_event_count() {
            let said = block.lone_event_count();
            let what = format!("it says {said} events without span and there are {found}");
            self.defect_of(FOOTER_FILE, what);
        }
        Ok(found == block.lone_event_count())
    }

    /// Each event's ids are those of the span that it refers to.
    fn events(&mut self, block: &Block, columns: &SpanColumns<'_>) -> Result<(), ScanError> {
        let all = RowSet::range(0..block.events.rows());
        let batch = block
            .events
            .columns(&["trace_id", "span_id", "span_row"], &all)?;
        let column = |name: &str| {
            batch
                .column_by_name(name)
                .ok_or_else(|| block.events.error(format!("it has no column {name}")))
        };
        let trace_ids = column("trace_id")?.as_fixed_size_binary();
        let span_ids = column("span_id")?.as_fixed_size_binary();
        let span_rows = column("span_row")?.as_primitive::<UInt32Type>();
        let mut last = 0;
        for event in 0..batch.num_rows() {
            if span_rows.is_null(event) {
                last = usize::MAX;
                continue;
            }
            let row = span_rows.value(event) as usize;
            let what = if row < last || last == usize::MAX {
                format!("event {event} of span row {row} is out of order")
            } else if row >= columns.len() {
                format!(
                    "event {event} refers to span row {row} of {}",
                    columns.len()
                )
            } else if trace_ids.value(event) != columns.trace_id(row).0
                || span_ids.value(event) != columns.span_id(row).0
            {
                format!("event {event} has other ids than the span in row {row}")
            } else {
                last = row;
                continue;
            };
            self.defect_of(EVENTS_FILE, what);
            return Ok(());
        }
        Ok(())
    }

    /// The order of rows, the parents, the table of traces, its index and its bloom filter.
    fn traces(&mut self, block: &Block, columns: &SpanColumns<'_>) -> Result<(), ScanError> {
        let order = RowOrder::new(columns);
        if let Some((row, _)) = (0..).zip(&order.rows).find(|(row, found)| row != *found) {
            self.defect_of(SPANS_FILE, format!("row {row} is out of order"));
            return Ok(());
        }
        self.parents(block, columns, &order)?;

        let traces = all_traces(columns, &order);
        let expected =
            trace_rows(columns, &order, &traces).map_err(|error| block.traces.error(error))?;
        let all = RowSet::range(0..block.traces.rows());
        let found = block.traces.all_columns(&all)?;
        if let Some(difference) = difference(&expected, &found) {
            self.defect_of(
                TRACES_FILE,
                format!("it differs from the spans in {difference}"),
            );
            return Ok(());
        }
        let index: Vec<_> = traces
            .iter()
            .step_by(TRACE_INDEX_STEP)
            .map(|(trace_id, _)| *trace_id)
            .collect();
        if index != block.trace_index {
            let what = "its index of traces does not list every 1024th trace".to_owned();
            self.defect_of(FOOTER_FILE, what);
        }
        if let Some((trace_id, _)) = traces
            .iter()
            .find(|(trace_id, _)| !block.may_contain_trace(trace_id))
        {
            let what = format!("its bloom filter denies trace {trace_id}, which is here");
            self.defect_of(TRACES_FILE, what);
        }
        Ok(())
    }

    fn parents(
        &mut self,
        block: &Block,
        columns: &SpanColumns<'_>,
        order: &RowOrder,
    ) -> Result<(), ScanError> {
        let all = RowSet::range(0..columns.len());
        let batch = block.spans.columns(&["parent_delta"], &all)?;
        let found = batch
            .column_by_name("parent_delta")
            .ok_or_else(|| block.spans.error("it has no column parent_delta"))?;
        let found = found.as_primitive::<Int32Type>();
        let expected = Parents::new(columns, order).deltas;
        if let Some(row) = (0..columns.len())
            .find(|row| found.is_valid(*row).then(|| found.value(*row)) != expected[*row])
        {
            let what = format!("row {row} refers to its parent by another row than the parent's");
            self.defect_of(SPANS_FILE, what);
        }
        Ok(())
    }

    /// What the footer lists must be there, for what it does not list is not looked for.
    fn catalogue(&mut self, block: &Block, whole: &SpanBatch) -> Result<(), ScanError> {
        let columns = whole.columns();
        let said = &block.footer.catalogue;
        let error = |error| block.spans.error(error);
        let envelopes = envelope_keys(&columns).map_err(error)?;
        for (scope, said, found) in [
            ("resource", &said.resource, envelopes.resource),
            (
                "instrumentation scope",
                &said.instrumentation,
                envelopes.instrumentation,
            ),
            ("event", &said.event, event_keys(&columns).map_err(error)?),
        ] {
            if let Some(key) = missing(said, &found) {
                let what = format!("it does not list {scope} attribute {key:?}, which is here");
                self.defect_of(FOOTER_FILE, what);
            }
        }

        let mut counts: BTreeMap<&str, u64> = BTreeMap::new();
        for row in 0..columns.len() {
            for attribute in columns.attributes(row).iter() {
                *counts.entry(attribute.map_err(error)?.key).or_default() += 1;
            }
        }
        let listed: BTreeMap<&str, u64> = said
            .span
            .iter()
            .map(|key| {
                let in_columns: u64 = key.columns.iter().map(|column| column.values).sum();
                (key.key.as_str(), in_columns + key.residual)
            })
            .collect();
        let wrong = counts.iter().find(|(key, count)| {
            let said_count = listed.get(*key);
            said_count.map_or(said.span_complete, |said_count| said_count != *count)
        });
        if let Some((key, count)) = wrong {
            let what =
                format!("its count of span attribute {key:?} is not {count}, which are here");
            self.defect_of(FOOTER_FILE, what);
        }
        let times = block.footer.lone_events;
        if times.is_some_and(|times| times != lone_events(whole)) {
            let what = "its times of events without span are not theirs".to_owned();
            self.defect_of(FOOTER_FILE, what);
        }
        if operations(whole) != block.footer.operations {
            let what = "its operations are not those of the spans".to_owned();
            self.defect_of(FOOTER_FILE, what);
        }
        Ok(())
    }
}

/// All rows of a block, with the events that came without their span.
fn whole(block: &Block) -> Result<SpanBatch, ScanError> {
    let spans = block.read(&RowSet::range(0..block.spans.rows()))?;
    if block.lone_event_count() == 0 {
        return Ok(spans);
    }
    let mut builder = model::SpanBatchBuilder::new();
    builder.push_batch(&spans);
    for events in block.lone_event_batches() {
        builder.push_batch(&events?);
    }
    Ok(builder.finish())
}

/// The first column and row in which two tables differ.
fn difference(expected: &RecordBatch, found: &RecordBatch) -> Option<String> {
    for (field, expected) in expected
        .schema_ref()
        .fields()
        .iter()
        .zip(expected.columns())
    {
        let name = field.name();
        let Some(found) = found.column_by_name(name) else {
            return Some(format!("column {name}, which is missing"));
        };
        if **expected != **found {
            let rows = 0..expected.len().min(found.len());
            let row = rows
                .clone()
                .find(|row| *expected.slice(*row, 1) != *found.slice(*row, 1))
                .unwrap_or(rows.end);
            return Some(format!("column {name} of row {row}"));
        }
    }
    None
}

/// A key that is here and that a complete list lacks.
fn missing<'a>(said: &Keys, found: &'a Keys) -> Option<&'a String> {
    if !said.complete {
        return None;
    }
    found
        .keys
        .iter()
        .find(|key| said.keys.binary_search(key).is_err())
}

/// The error without its file, which the defect names.
fn reason(error: &BlockError) -> String {
    match error {
        BlockError::Io { source, .. } => source.to_string(),
        BlockError::Damaged { reason, .. } => reason.clone(),
        BlockError::UnknownFormat { found, known, .. } => {
            format!("block format {found} is not known; this version reads format {known}")
        }
        BlockError::Parquet { source, .. } => source.to_string(),
        BlockError::Wire { source, .. } => source.to_string(),
    }
}

//! Writes a block.

use std::path::Path;
use std::sync::Arc;

use arrow_array::builder::{
    FixedSizeBinaryBuilder, Int32Builder, StringBuilder, UInt32Builder, UInt64Builder,
};
use arrow_array::{Array, ArrayRef, RecordBatch, UInt32Array};
use arrow_schema::{DataType, Field, Schema, SchemaRef};
use arrow_select::take::{take, take_record_batch};
use hashbrown::{HashMap, HashSet};
use host::Host;
use model::{SpanBatch, SpanColumns, SpanId, TraceId};
use parquet::arrow::ArrowWriter;
use parquet::basic::{Compression, Encoding, ZstdLevel};
use parquet::file::metadata::KeyValue;
use parquet::file::properties::{EnabledStatistics, WriterProperties, WriterPropertiesBuilder};
use parquet::schema::types::ColumnPath;

use crate::attributes::{KeyCounter, Splitter};
use crate::checksum::ChecksumWriter;
use crate::footer::{
    Catalogue, Footer, Keys, LoneEvents, MAX_OPERATIONS, Operation, Part, Partition, SpanKey,
    TRACE_INDEX_STEP,
};
use crate::{ArrivedRange, BlockError, BlockId, BlockMeta, FORMAT_VERSION, Window};

/// Spans of a row group.
const PARTITION_ROWS: usize = 64 << 10;
/// Rows of a page: what is decoded to read one row.
const PAGE_ROWS: usize = 4 << 10;
/// Distinct resource, event or scope keys that are listed.
const MAX_KEYS: usize = 10_000;

pub(crate) const SPANS_FILE: &str = "spans.parquet";
pub(crate) const EVENTS_FILE: &str = "events.parquet";
pub(crate) const TRACES_FILE: &str = "traces.parquet";
pub(crate) const FOOTER_FILE: &str = "footer";

/// Writes the block `id` into a folder of its own below `window_dir` and makes it durable, its folder included. Nobody sees it before a manifest names it.
///
/// The rows of `batch` may stand in any order.
pub fn write(
    host: &Host,
    window_dir: &Path,
    id: &BlockId,
    window: Window,
    arrived: ArrivedRange,
    batch: &SpanBatch,
) -> Result<BlockMeta, BlockError> {
    let dir = window_dir.join(id.as_str());
    let io = |source| BlockError::Io {
        path: dir.clone(),
        source,
    };
    host.files.create_dir_all(&dir).map_err(io)?;
    let writer = Writer { host, dir: &dir };

    let rows = RowOrder::new(&batch.columns());
    let (spans, partitions, keys) = writer.spans(batch, &rows)?;
    let events = writer.events(batch, &rows)?;
    let (traces, trace_index, trace_count) = writer.traces(batch, &rows)?;
    let footer = Footer {
        spans: batch.len() as u64,
        parts: vec![spans, events, traces],
        partitions,
        catalogue: writer.catalogue(batch, keys)?,
        operations: operations(batch),
        trace_index,
        traces: trace_count,
        lone_events: Some(lone_events(batch)),
    };

    let path = dir.join(FOOTER_FILE);
    let encoded = footer.encode(&path)?;
    let io = |source| BlockError::Io {
        path: path.clone(),
        source,
    };
    let file = host.files.create_new(&path).map_err(io)?;
    file.write_all_at(&encoded, 0).map_err(io)?;
    file.sync_data().map_err(io)?;
    host.files.sync_dir(&dir).map_err(io)?;
    host.files.sync_dir(window_dir).map_err(io)?;

    let starts = batch.columns().starts.values();
    Ok(BlockMeta {
        id: id.clone(),
        window,
        spans: footer.spans,
        bytes: footer.parts.iter().map(|part| part.len).sum::<u64>() + encoded.len() as u64,
        arrived,
        min_start_unix_nano: starts.iter().copied().min().unwrap_or(0),
        max_start_unix_nano: starts.iter().copied().max().unwrap_or(0),
        footer_crc32c: crc32c::crc32c(&encoded),
    })
}

/// The order of rows: traces by their earliest start, the spans of a trace by theirs.
pub(crate) struct RowOrder {
    pub(crate) rows: Vec<u32>,
    /// The rows of each trace, as a range of `rows`, in their order.
    traces: Vec<(TraceId, std::ops::Range<usize>)>,
    /// The new row of each old one.
    new_rows: Vec<u32>,
}

impl RowOrder {
    pub(crate) fn new(columns: &SpanColumns<'_>) -> Self {
        let mut first_start: HashMap<TraceId, u64> = HashMap::new();
        for row in 0..columns.len() {
            let start = columns.starts.value(row);
            first_start
                .entry(columns.trace_id(row))
                .and_modify(|first| *first = start.min(*first))
                .or_insert(start);
        }
        let mut keyed: Vec<(u64, TraceId, u64, u32)> = (0..columns.len())
            .map(|row| {
                let trace_id = columns.trace_id(row);
                (
                    first_start[&trace_id],
                    trace_id,
                    columns.starts.value(row),
                    row as u32,
                )
            })
            .collect();
        keyed.sort_unstable();

        let mut traces: Vec<(TraceId, std::ops::Range<usize>)> =
            Vec::with_capacity(first_start.len());
        let mut new_rows = vec![0; keyed.len()];
        for (new_row, (_, trace_id, _, row)) in keyed.iter().enumerate() {
            new_rows[*row as usize] = new_row as u32;
            match traces.last_mut() {
                Some((last, range)) if last == trace_id => range.end += 1,
                _ => traces.push((*trace_id, new_row..new_row + 1)),
            }
        }
        Self {
            rows: keyed.into_iter().map(|(.., row)| row).collect(),
            traces,
            new_rows,
        }
    }
}

/// The attribute keys of the spans, and whether these are all.
struct SpanKeys {
    keys: Vec<SpanKey>,
    complete: bool,
}

struct Writer<'a> {
    host: &'a Host,
    dir: &'a Path,
}

impl Writer<'_> {
    fn parquet_error(
        &self,
        name: &str,
    ) -> impl Fn(parquet::errors::ParquetError) -> BlockError + use<> {
        let path = self.dir.join(name);
        move |source| BlockError::Parquet {
            path: path.clone(),
            source,
        }
    }

    fn wire_error(&self, name: &str) -> impl Fn(model::WireError) -> BlockError + use<> {
        let path = self.dir.join(name);
        move |source| BlockError::Wire {
            path: path.clone(),
            source,
        }
    }

    fn open(
        &self,
        name: &str,
        schema: SchemaRef,
        properties: WriterPropertiesBuilder,
    ) -> Result<ArrowWriter<ChecksumWriter>, BlockError> {
        let path = self.dir.join(name);
        let file = self
            .host
            .files
            .create_new(&path)
            .map_err(|source| BlockError::Io {
                path: path.clone(),
                source,
            })?;
        let version = KeyValue::new("backtrail.format".to_owned(), FORMAT_VERSION.to_string());
        let properties = properties
            .set_key_value_metadata(Some(vec![version]))
            .set_created_by(concat!("backtrail ", env!("CARGO_PKG_VERSION")).to_owned())
            .set_data_page_row_count_limit(PAGE_ROWS)
            .set_write_batch_size(PAGE_ROWS)
            .build();
        ArrowWriter::try_new(ChecksumWriter::new(file), schema, Some(properties))
            .map_err(|source| BlockError::Parquet { path, source })
    }

    fn close(&self, name: &str, writer: ArrowWriter<ChecksumWriter>) -> Result<Part, BlockError> {
        let sink = writer.into_inner().map_err(self.parquet_error(name))?;
        let (len, checksums) = sink.finish().map_err(|source| BlockError::Io {
            path: self.dir.join(name),
            source,
        })?;
        Ok(Part {
            name: name.to_owned(),
            len,
            checksums,
        })
    }

    fn spans(
        &self,
        batch: &SpanBatch,
        order: &RowOrder,
    ) -> Result<(Part, Vec<Partition>, SpanKeys), BlockError> {
        let columns = batch.columns();
        let mut counter = KeyCounter::default();
        for row in 0..columns.len() {
            counter
                .add(columns.attributes(row))
                .map_err(self.wire_error(SPANS_FILE))?;
        }
        let (keys, complete) = counter.plan();
        let mut splitter = Splitter::new(keys);
        let schema = Arc::new(Schema::new([span_fields(), splitter.fields()].concat()));
        let mut writer = self.open(SPANS_FILE, schema.clone(), span_properties())?;
        let parents = Parents::new(&columns, order);

        let mut partitions = Vec::new();
        for (index, rows) in order.rows.chunks(PARTITION_ROWS).enumerate() {
            let first_row = index * PARTITION_ROWS;
            for row in rows {
                splitter
                    .push(columns.attributes(*row as usize))
                    .map_err(self.wire_error(SPANS_FILE))?;
            }
            let mut arrays = span_arrays(batch, rows, &parents.of(first_row, rows))
                .map_err(self.parquet_error(SPANS_FILE))?;
            arrays.extend(splitter.take());
            let record_batch = RecordBatch::try_new(schema.clone(), arrays)
                .map_err(|error| self.parquet_error(SPANS_FILE)(error.into()))?;
            writer
                .write(&record_batch)
                .map_err(self.parquet_error(SPANS_FILE))?;
            writer.flush().map_err(self.parquet_error(SPANS_FILE))?;
            let starts = rows.iter().map(|row| columns.starts.value(*row as usize));
            partitions.push(Partition {
                first_row: first_row as u64,
                rows: rows.len() as u64,
                min_start_unix_nano: starts.clone().min().unwrap_or(0),
                max_start_unix_nano: starts.max().unwrap_or(0),
            });
        }
        let keys = SpanKeys {
            keys: splitter.into_keys(),
            complete,
        };
        Ok((self.close(SPANS_FILE, writer)?, partitions, keys))
    }

    fn events(&self, batch: &SpanBatch, order: &RowOrder) -> Result<Part, BlockError> {
        let columns = batch.columns();
        let event_count = columns.events.len();
        let mut rows: Vec<u32> = Vec::with_capacity(event_count);
        for row in &order.rows {
            rows.extend(columns.event_rows(*row as usize).map(|event| event as u32));
        }
        rows.extend(columns.events.lone_rows().map(|event| event as u32));
        let mut span_rows = UInt32Builder::with_capacity(event_count);
        for event in &rows {
            let old = columns.events.span_rows;
            let event = *event as usize;
            span_rows.append_option(
                old.is_valid(event)
                    .then(|| order.new_rows[old.value(event) as usize]),
            );
        }
        let error = |error: arrow_schema::ArrowError| self.parquet_error(EVENTS_FILE)(error.into());
        let taken = take_record_batch(batch.events(), &UInt32Array::from(rows)).map_err(error)?;
        let mut arrays = taken.columns().to_vec();
        arrays[2] = Arc::new(span_rows.finish());
        let sorted = RecordBatch::try_new(taken.schema(), arrays).map_err(error)?;
        let mut writer = self.open(EVENTS_FILE, sorted.schema(), event_properties())?;
        writer
            .write(&sorted)
            .map_err(self.parquet_error(EVENTS_FILE))?;
        self.close(EVENTS_FILE, writer)
    }

    fn traces(
        &self,
        batch: &SpanBatch,
        order: &RowOrder,
    ) -> Result<(Part, Vec<String>, u64), BlockError> {
        let columns = batch.columns();
        let traces = all_traces(&columns, order);
        let record_batch = trace_rows(&columns, order, &traces)
            .map_err(|error| self.parquet_error(TRACES_FILE)(error.into()))?;
        let properties = plain_properties()
            .set_max_row_group_row_count(None)
            .set_data_page_row_count_limit(TRACE_INDEX_STEP)
            .set_column_dictionary_enabled(ColumnPath::from("trace_id"), false)
            .set_column_bloom_filter_enabled(ColumnPath::from("trace_id"), true)
            .set_column_bloom_filter_fpp(ColumnPath::from("trace_id"), 0.001)
            .set_column_bloom_filter_max_ndv(
                ColumnPath::from("trace_id"),
                traces.len().max(1) as u64,
            );
        let mut writer = self.open(TRACES_FILE, record_batch.schema(), properties)?;
        writer
            .write(&record_batch)
            .map_err(self.parquet_error(TRACES_FILE))?;
        let index = traces
            .iter()
            .step_by(TRACE_INDEX_STEP)
            .map(|(id, _)| id.to_string())
            .collect();
        Ok((self.close(TRACES_FILE, writer)?, index, traces.len() as u64))
    }

    fn catalogue(&self, batch: &SpanBatch, span: SpanKeys) -> Result<Catalogue, BlockError> {
        let columns = batch.columns();
        let envelopes = envelope_keys(&columns).map_err(self.wire_error(SPANS_FILE))?;
        let event = event_keys(&columns).map_err(self.wire_error(EVENTS_FILE))?;
        Ok(Catalogue {
            span: span.keys,
            span_complete: span.complete,
            resource: envelopes.resource,
            event,
            instrumentation: envelopes.instrumentation,
        })
    }
}

/// The traces by id, with the rows of each: also those that only have events which came without their span.
pub(crate) fn all_traces(
    columns: &SpanColumns<'_>,
    order: &RowOrder,
) -> Vec<(TraceId, std::ops::Range<usize>)> {
    let mut traces = order.traces.clone();
    let known: HashSet<TraceId> = traces.iter().map(|(trace_id, _)| *trace_id).collect();
    let lone: HashSet<TraceId> = columns
        .events
        .lone_rows()
        .map(|event| columns.events.trace_id(event))
        .filter(|trace_id| !known.contains(trace_id))
        .collect();
    traces.extend(lone.into_iter().map(|trace_id| (trace_id, 0..0)));
    traces.sort_unstable_by_key(|(trace_id, _)| *trace_id);
    traces
}

/// The attribute keys of resources and scopes.
pub(crate) struct EnvelopeKeys {
    pub(crate) resource: Keys,
    pub(crate) instrumentation: Keys,
}

pub(crate) fn envelope_keys(columns: &SpanColumns<'_>) -> Result<EnvelopeKeys, model::WireError> {
    let mut resource = KeySet::default();
    let mut list = Vec::new();
    for envelope in columns.resource_envelopes.iter().flatten() {
        list.clear();
        let view = backtrail_wire::otlp::ResourceSpans::new(envelope);
        view.put_attributes(&mut list)?;
        resource.add(&list)?;
    }
    let mut instrumentation = KeySet::default();
    for envelope in columns.scope_envelopes.iter().flatten() {
        list.clear();
        let view = backtrail_wire::otlp::ScopeSpans::new(envelope);
        view.put_attributes(&mut list)?;
        instrumentation.add(&list)?;
    }
    instrumentation
        .keys
        .extend(["name".to_owned(), "version".to_owned()]);
    Ok(EnvelopeKeys {
        resource: resource.finish(),
        instrumentation: instrumentation.finish(),
    })
}

pub(crate) fn event_keys(columns: &SpanColumns<'_>) -> Result<Keys, model::WireError> {
    let mut event = KeySet::default();
    for attributes in columns.events.attributes.iter().flatten() {
        event.add(attributes)?;
    }
    Ok(event.finish())
}

#[derive(Default)]
struct KeySet {
    keys: HashSet<String>,
    overflow: bool,
}

impl KeySet {
    fn add(&mut self, list: &[u8]) -> Result<(), model::WireError> {
        for attribute in model::Attributes::new(list).iter() {
            let key = attribute?.key;
            if self.keys.contains(key) {
                continue;
            }
            if self.keys.len() >= MAX_KEYS {
                self.overflow = true;
                return Ok(());
            }
            self.keys.insert(key.to_owned());
        }
        Ok(())
    }

    fn finish(self) -> Keys {
        let mut keys: Vec<String> = self.keys.into_iter().collect();
        keys.sort();
        Keys {
            keys,
            complete: !self.overflow,
        }
    }
}

pub(crate) fn lone_events(batch: &SpanBatch) -> LoneEvents {
    let events = batch.event_columns();
    let times = || events.lone_rows().map(|row| events.times.value(row));
    LoneEvents {
        events: events.lone_rows().len() as u64,
        min_time_unix_nano: times().min().unwrap_or(0),
        max_time_unix_nano: times().max().unwrap_or(0),
    }
}

pub(crate) fn operations(batch: &SpanBatch) -> Option<Vec<Operation>> {
    let columns = batch.columns();
    let mut counts: HashMap<(&str, &str, i32), u64> = HashMap::new();
    for row in 0..columns.len() {
        let key = (
            columns.service(row),
            columns.names.value(row),
            columns.kinds.value(row),
        );
        *counts.entry(key).or_default() += 1;
        if counts.len() > MAX_OPERATIONS {
            return None;
        }
    }
    let mut operations: Vec<Operation> = counts
        .into_iter()
        .map(|((service, name, kind), spans)| Operation {
            service: service.to_owned(),
            name: name.to_owned(),
            kind,
            spans,
        })
        .collect();
    operations.sort_by(|a, b| (&a.service, &a.name, a.kind).cmp(&(&b.service, &b.name, b.kind)));
    Some(operations)
}

/// How far a span's parent is above it, where the parent is a span of the same trace in the same block: ids are random bytes that
/// nothing compresses, and a distance costs a byte.
pub(crate) struct Parents {
    pub(crate) deltas: Vec<Option<i32>>,
}

impl Parents {
    pub(crate) fn new(columns: &SpanColumns<'_>, order: &RowOrder) -> Self {
        let mut deltas = vec![None; order.rows.len()];
        let mut by_id: HashMap<SpanId, usize> = HashMap::new();
        for (_, range) in &order.traces {
            by_id.clear();
            for new_row in range.clone() {
                by_id
                    .entry(columns.span_id(order.rows[new_row] as usize))
                    .or_insert(new_row);
            }
            for new_row in range.clone() {
                deltas[new_row] = columns
                    .parent_span_id(order.rows[new_row] as usize)
                    .and_then(|parent| by_id.get(&parent))
                    .map(|parent| (new_row as i64 - *parent as i64) as i32);
            }
        }
        Self { deltas }
    }

    fn of(&self, first_row: usize, rows: &[u32]) -> Vec<Option<i32>> {
        self.deltas[first_row..first_row + rows.len()].to_vec()
    }
}

pub(crate) fn span_fields() -> Vec<Field> {
    let dictionary =
        |value: DataType| DataType::Dictionary(Box::new(DataType::Int32), Box::new(value));
    vec![
        Field::new("trace_id", DataType::FixedSizeBinary(16), false),
        Field::new("span_id", DataType::FixedSizeBinary(8), false),
        // The parent's id only where `parent_delta` can't say it.
        Field::new("parent_span_id", DataType::FixedSizeBinary(8), true),
        Field::new("parent_delta", DataType::Int32, true),
        Field::new("start_unix_nano", DataType::UInt64, false),
        // Null when the end is before the start or missing: `end_unix_nano` has it then.
        Field::new("duration_nano", DataType::UInt64, true),
        Field::new("end_unix_nano", DataType::UInt64, true),
        Field::new("name", DataType::Utf8, false),
        Field::new("kind", DataType::Int32, false),
        Field::new("status_code", DataType::Int32, true),
        Field::new("status_message", DataType::Utf8, true),
        Field::new("service", dictionary(DataType::Utf8), false),
        Field::new("resource", dictionary(DataType::Binary), false),
        Field::new("scope", dictionary(DataType::Binary), false),
        Field::new("dropped_attributes_count", DataType::UInt32, false),
        Field::new("dropped_events_count", DataType::UInt32, false),
        Field::new("links", DataType::Binary, true),
        Field::new("dropped_links_count", DataType::UInt32, false),
        Field::new("trace_state", DataType::Utf8, true),
        Field::new("flags", DataType::UInt32, false),
    ]
}

fn span_arrays(
    batch: &SpanBatch,
    rows: &[u32],
    parent_deltas: &[Option<i32>],
) -> Result<Vec<ArrayRef>, parquet::errors::ParquetError> {
    let columns = batch.columns();
    let mut parent_span_id = FixedSizeBinaryBuilder::new(8);
    let mut parent_delta = Int32Builder::new();
    let mut duration = UInt64Builder::new();
    let mut end = UInt64Builder::new();
    for (row, delta) in rows.iter().map(|row| *row as usize).zip(parent_deltas) {
        parent_delta.append_option(*delta);
        match columns.parent_span_id(row) {
            Some(parent) if delta.is_none() => parent_span_id.append_value(parent.0)?,
            _ => parent_span_id.append_null(),
        }
        let ended = columns
            .ends
            .value(row)
            .checked_sub(columns.starts.value(row));
        duration.append_option(ended);
        end.append_option(ended.is_none().then(|| columns.ends.value(row)));
    }
    let indices = UInt32Array::from(rows.to_vec());
    let taken = |name: &str| -> Result<ArrayRef, parquet::errors::ParquetError> {
        let index = batch.spans().schema_ref().index_of(name)?;
        Ok(take(batch.spans().column(index), &indices, None)?)
    };
    Ok(vec![
        taken("trace_id")?,
        taken("span_id")?,
        Arc::new(parent_span_id.finish()),
        Arc::new(parent_delta.finish()),
        taken("start_unix_nano")?,
        Arc::new(duration.finish()),
        Arc::new(end.finish()),
        taken("name")?,
        taken("kind")?,
        taken("status_code")?,
        taken("status_message")?,
        taken("service")?,
        taken("resource")?,
        taken("scope")?,
        taken("dropped_attributes_count")?,
        taken("dropped_events_count")?,
        taken("links")?,
        taken("dropped_links_count")?,
        taken("trace_state")?,
        taken("flags")?,
    ])
}

pub(crate) fn trace_rows(
    columns: &SpanColumns<'_>,
    order: &RowOrder,
    traces: &[(TraceId, std::ops::Range<usize>)],
) -> Result<RecordBatch, arrow_schema::ArrowError> {
    let mut trace_id = FixedSizeBinaryBuilder::with_capacity(traces.len(), 16);
    let mut first_row = UInt32Builder::new();
    let mut spans = UInt32Builder::new();
    let mut errors = UInt32Builder::new();
    let mut start = UInt64Builder::new();
    let mut end = UInt64Builder::new();
    let mut root_service = StringBuilder::new();
    let mut root_name = StringBuilder::new();
    for (id, range) in traces {
        let rows = || order.rows[range.clone()].iter().map(|row| *row as usize);
        let root = rows().find(|row| columns.parent_span_id(*row).is_none_or(|id| id.is_zero()));
        trace_id.append_value(id.0)?;
        first_row.append_value(range.start as u32);
        spans.append_value(range.len() as u32);
        errors.append_value(rows().filter(|row| columns.status_code(*row) == 2).count() as u32);
        start.append_value(
            rows()
                .map(|row| columns.starts.value(row))
                .min()
                .unwrap_or(0),
        );
        end.append_value(rows().map(|row| columns.ends.value(row)).max().unwrap_or(0));
        root_service.append_option(root.map(|row| columns.service(row)));
        root_name.append_option(root.map(|row| columns.names.value(row)));
    }
    let schema = Schema::new(vec![
        Field::new("trace_id", DataType::FixedSizeBinary(16), false),
        Field::new("first_row", DataType::UInt32, false),
        Field::new("spans", DataType::UInt32, false),
        Field::new("errors", DataType::UInt32, false),
        Field::new("start_unix_nano", DataType::UInt64, false),
        Field::new("end_unix_nano", DataType::UInt64, false),
        Field::new("root_service", DataType::Utf8, true),
        Field::new("root_name", DataType::Utf8, true),
    ]);
    let arrays: Vec<ArrayRef> = vec![
        Arc::new(trace_id.finish()),
        Arc::new(first_row.finish()),
        Arc::new(spans.finish()),
        Arc::new(errors.finish()),
        Arc::new(start.finish()),
        Arc::new(end.finish()),
        Arc::new(root_service.finish()),
        Arc::new(root_name.finish()),
    ];
    RecordBatch::try_new(Arc::new(schema), arrays)
}

fn plain_properties() -> WriterPropertiesBuilder {
    WriterProperties::builder()
        .set_compression(Compression::ZSTD(ZstdLevel::default()))
        .set_statistics_enabled(EnabledStatistics::Chunk)
}

fn span_properties() -> WriterPropertiesBuilder {
    let path = ColumnPath::from;
    let mut properties = plain_properties()
        .set_max_row_group_row_count(Some(PARTITION_ROWS))
        // Two traces rarely share an id, so a dictionary page holds every id once and each span a run of its index.
        .set_column_dictionary_page_size_limit(path("trace_id"), 2 << 20)
        .set_column_dictionary_enabled(path("span_id"), false)
        .set_column_compression(path("span_id"), Compression::UNCOMPRESSED)
        .set_column_dictionary_enabled(path("parent_span_id"), false);
    for column in ["start_unix_nano", "duration_nano", "parent_delta"] {
        properties = properties
            .set_column_dictionary_enabled(path(column), false)
            .set_column_encoding(path(column), Encoding::DELTA_BINARY_PACKED);
    }
    properties
}

fn event_properties() -> WriterPropertiesBuilder {
    let path = ColumnPath::from;
    let mut properties = plain_properties()
        .set_max_row_group_row_count(Some(PARTITION_ROWS))
        .set_column_dictionary_enabled(path("span_id"), false);
    for column in ["span_row", "time_unix_nano"] {
        properties = properties
            .set_column_dictionary_enabled(path(column), false)
            .set_column_encoding(path(column), Encoding::DELTA_BINARY_PACKED);
    }
    properties
}

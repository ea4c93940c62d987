//! Writes a block.

mod keys;
mod order;
mod properties;
mod rows;
mod summary;

use std::path::Path;
use std::sync::Arc;

use arrow_array::builder::UInt32Builder;
use arrow_array::{Array, RecordBatch, UInt32Array};
use arrow_schema::{Schema, SchemaRef};
use arrow_select::take::take_record_batch;
use host::Host;
use model::SpanBatch;
use parquet::arrow::ArrowWriter;
use parquet::file::metadata::KeyValue;
use parquet::file::properties::WriterPropertiesBuilder;
use parquet::schema::types::ColumnPath;

use self::properties::{event_properties, plain_properties, span_properties};
use self::rows::span_arrays;
use crate::attributes::{KeyCounter, Splitter};
use crate::checksum::ChecksumWriter;
use crate::footer::{Catalogue, Footer, Part, Partition, SpanKey, TRACE_INDEX_STEP};
use crate::{ArrivedRange, BlockError, BlockId, BlockMeta, FORMAT_VERSION, Window};

pub(crate) use self::keys::{envelope_keys, event_keys};
pub(crate) use self::order::{Parents, RowOrder, all_traces};
pub(crate) use self::rows::{span_fields, trace_rows};
pub(crate) use self::summary::{lone_events, operations};

/// Spans of a row group.
const PARTITION_ROWS: usize = 64 << 10;
/// Rows of a page: what is decoded to read one row.
const PAGE_ROWS: usize = 4 << 10;
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

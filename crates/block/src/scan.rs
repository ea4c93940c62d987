//! A block answers as a [`Scan`].

use std::sync::Arc;

use arrow_array::builder::{FixedSizeBinaryBuilder, UInt64Builder};
use arrow_array::cast::AsArray;
use arrow_array::types::{Int32Type, UInt32Type, UInt64Type};
use arrow_array::{
    Array, ArrayRef, BinaryArray, DictionaryArray, RecordBatch, UInt32Array, new_null_array,
};
use arrow_buffer::{BooleanBuffer, BooleanBufferBuilder};
use hashbrown::{HashMap, HashSet};
use model::batch::filter::{attribute_matches, resource_matches, scope_matches};
use model::batch::schema;
use model::{
    AttributeScope, AttributeValue, Attributes, Field, OperationCount, PartitionSummary, RowSet,
    Scan, ScanError, SpanBatch, SpanId, TraceId, WireError,
};

use crate::attributes::{Joiner, value_at};
use crate::footer::{Keys, SpanKey, TRACE_INDEX_STEP};
use crate::read::{Block, ParquetPart};

/// Lone events whose attributes are in memory at one time.
const LONE_EVENTS_AT_ONCE: usize = 16 << 10;

type Test<'a> = &'a dyn Fn(AttributeValue<'_>) -> bool;

impl Scan for Block {
    fn len(&self) -> usize {
        self.footer.spans as usize
    }

    fn partitions(&self) -> &[PartitionSummary] {
        &self.partitions
    }

    fn may_have_attribute(&self, scope: AttributeScope, key: &str) -> bool {
        let listed = |keys: &Keys| {
            !keys.complete
                || keys
                    .keys
                    .binary_search_by(|known| known.as_str().cmp(key))
                    .is_ok()
        };
        let catalogue = &self.footer.catalogue;
        match scope {
            AttributeScope::Span => !catalogue.span_complete || self.span_key(key).is_some(),
            AttributeScope::Resource => listed(&catalogue.resource),
            AttributeScope::Event => listed(&catalogue.event),
            AttributeScope::Instrumentation => listed(&catalogue.instrumentation),
        }
    }

    fn may_contain_trace(&self, trace_id: &TraceId) -> bool {
        self.footer.traces > 0
            && self
                .trace_bloom
                .as_ref()
                .is_none_or(|bloom| bloom.check(&trace_id.0[..]))
    }

    fn trace_rows(&self, trace_id: &TraceId) -> Result<RowSet, ScanError> {
        if !self.may_contain_trace(trace_id) {
            return Ok(RowSet::default());
        }
        let after = self.trace_index.partition_point(|first| first <= trace_id);
        let Some(page) = after.checked_sub(1) else {
            return Ok(RowSet::default());
        };
        let from = page * TRACE_INDEX_STEP;
        let to = (from + TRACE_INDEX_STEP).min(self.traces.rows());
        let batch = self.traces.columns(
            &["trace_id", "first_row", "spans"],
            &RowSet::range(from..to),
        )?;
        let ids = column(&self.traces, &batch, "trace_id")?.as_fixed_size_binary();
        let Some(row) = (0..ids.len()).find(|row| ids.value(*row) == trace_id.0) else {
            return Ok(RowSet::default());
        };
        let number = |name: &str| -> Result<usize, ScanError> {
            Ok(column(&self.traces, &batch, name)?
                .as_primitive::<UInt32Type>()
                .value(row) as usize)
        };
        let first = number("first_row")?;
        Ok(RowSet::range(first..first + number("spans")?))
    }

    fn column(&self, field: Field, rows: &RowSet) -> Result<ArrayRef, ScanError> {
        let name = match field {
            Field::TraceId => "trace_id",
            Field::SpanId => "span_id",
            Field::Start => "start_unix_nano",
            Field::Name => "name",
            Field::Kind => "kind",
            Field::StatusCode => "status_code",
            Field::Service => "service",
            Field::ParentSpanId => {
                let batch = self
                    .spans
                    .columns(&["parent_span_id", "parent_delta"], rows)?;
                return self.parents(&batch, rows);
            }
            Field::End => {
                let names = ["start_unix_nano", "duration_nano", "end_unix_nano"];
                return self.ends(&self.spans.columns(&names, rows)?);
            }
        };
        let batch = self.spans.columns(&[name], rows)?;
        column(&self.spans, &batch, name).cloned()
    }

    fn filter_attribute(
        &self,
        scope: AttributeScope,
        key: &str,
        rows: &RowSet,
        test: Test<'_>,
    ) -> Result<RowSet, ScanError> {
        if rows.is_empty() || !self.may_have_attribute(scope, key) {
            return Ok(RowSet::default());
        }
        let mask = match scope {
            AttributeScope::Span => self.span_mask(key, rows, test)?,
            AttributeScope::Event => return self.filter_by_event(key, rows, test),
            AttributeScope::Resource => self.envelope_mask("resource", rows, &|envelope| {
                resource_matches(envelope, key, test)
            })?,
            AttributeScope::Instrumentation => self.envelope_mask("scope", rows, &|envelope| {
                scope_matches(envelope, key, test)
            })?,
        };
        Ok(rows.filter(&mask))
    }

    fn filter_event_name(&self, name: &str, rows: &RowSet) -> Result<RowSet, ScanError> {
        if rows.is_empty() {
            return Ok(RowSet::default());
        }
        let (events, span_rows) = self.events_of(rows)?;
        let batch = self.events.columns(&["name"], &events)?;
        let names = column(&self.events, &batch, "name")?.as_string::<i32>();
        let matching: HashSet<usize> = span_rows
            .iter()
            .enumerate()
            .filter(|(event, _)| names.value(*event) == name)
            .map(|(_, span_row)| *span_row as usize)
            .collect();
        let mask: BooleanBuffer = rows.iter().map(|row| matching.contains(&row)).collect();
        Ok(rows.filter(&mask))
    }

    fn read(&self, rows: &RowSet) -> Result<SpanBatch, ScanError> {
        if rows.is_empty() {
            return Ok(SpanBatch::empty());
        }
        let spans = self.read_spans(rows)?;
        let events = self.read_events(rows)?;
        Ok(SpanBatch::new(spans, events))
    }

    fn lone_events(&self, trace_id: &TraceId) -> Result<SpanBatch, ScanError> {
        let lone = self.lone_event_rows();
        if lone.is_empty() || !self.may_contain_trace(trace_id) {
            return Ok(SpanBatch::empty());
        }
        let batch = self.events.columns(&["trace_id"], &lone)?;
        let ids = column(&self.events, &batch, "trace_id")?.as_fixed_size_binary();
        let mask: BooleanBuffer = (0..ids.len())
            .map(|row| ids.value(row) == trace_id.0)
            .collect();
        self.read_lone_events(&lone.filter(&mask))
    }

    fn spans_of_lone_events(
        &self,
        key: &str,
        since_unix_nano: u64,
        test: Test<'_>,
    ) -> Result<Vec<(TraceId, SpanId)>, ScanError> {
        let all_before = self.footer.lone_events.is_some_and(|lone| {
            lone.min_time_unix_nano > 0 && lone.max_time_unix_nano < since_unix_nano
        });
        if all_before || !self.may_have_attribute(AttributeScope::Event, key) {
            return Ok(Vec::new());
        }
        let mut found = Vec::new();
        for events in self.lone_event_batches() {
            found.extend(
                events?
                    .spans_of_lone_events(key, since_unix_nano, test)
                    .map_err(|error| self.events.error(error))?,
            );
        }
        Ok(found)
    }

    fn operations(&self) -> Result<Vec<OperationCount>, ScanError> {
        if let Some(operations) = &self.footer.operations {
            let count = |operation: &crate::footer::Operation| OperationCount {
                service: operation.service.clone(),
                name: operation.name.clone(),
                kind: operation.kind,
                spans: operation.spans,
            };
            return Ok(operations.iter().map(count).collect());
        }
        self.scan_operations()
    }
}

impl Block {
    fn span_key(&self, key: &str) -> Option<&SpanKey> {
        let keys = &self.footer.catalogue.span;
        let position = keys
            .binary_search_by(|known| known.key.as_str().cmp(key))
            .ok()?;
        keys.get(position)
    }

    /// All events that came without their span, some at a time, as batches without spans.
    pub fn lone_event_batches(&self) -> impl Iterator<Item = Result<SpanBatch, ScanError>> + '_ {
        let rows = self.lone_event_rows();
        let pieces: Vec<RowSet> = rows.pieces(LONE_EVENTS_AT_ONCE).collect();
        pieces.into_iter().map(|rows| self.read_lone_events(&rows))
    }

    fn lone_event_rows(&self) -> RowSet {
        let events = self.events.rows();
        RowSet::range(events - self.lone_events.min(events)..events)
    }

    fn read_lone_events(&self, events: &RowSet) -> Result<SpanBatch, ScanError> {
        if events.is_empty() {
            return Ok(SpanBatch::empty());
        }
        let events = self.events_like_schema(self.events.all_columns(events)?, None)?;
        Ok(SpanBatch::new(
            RecordBatch::new_empty(schema::SPANS.clone()),
            events,
        ))
    }

    /// Reads one partition after the other, so that memory does not grow with the block.
    fn scan_operations(&self) -> Result<Vec<OperationCount>, ScanError> {
        let mut counts: HashMap<(String, String, i32), u64> = HashMap::new();
        for partition in &self.partitions {
            let rows = RowSet::range(partition.rows.clone());
            let batch = self.spans.columns(&["name", "kind", "service"], &rows)?;
            let names = column(&self.spans, &batch, "name")?.as_string::<i32>();
            let kinds = column(&self.spans, &batch, "kind")?.as_primitive::<Int32Type>();
            let services = column(&self.spans, &batch, "service")?.as_dictionary::<Int32Type>();
            let service_names = services.values().as_string::<i32>();
            for row in 0..batch.num_rows() {
                let service = service_names.value(services.keys().value(row) as usize);
                let key = (
                    service.to_owned(),
                    names.value(row).to_owned(),
                    kinds.value(row),
                );
                *counts.entry(key).or_default() += 1;
            }
        }
        let count = |((service, name, kind), spans)| OperationCount {
            service,
            name,
            kind,
            spans,
        };
        Ok(counts.into_iter().map(count).collect())
    }

    fn span_mask(
        &self,
        key: &str,
        rows: &RowSet,
        test: Test<'_>,
    ) -> Result<BooleanBuffer, ScanError> {
        let entry = self.span_key(key);
        let columns = entry.map_or(&[][..], |entry| &entry.columns);
        // A key that is not listed in an incomplete catalogue can only be in the residual.
        let in_residual = entry.is_none_or(|entry| entry.residual > 0);
        let mut names: Vec<&str> = columns.iter().map(|column| column.name.as_str()).collect();
        if in_residual {
            names.push("attributes");
        }
        let batch = self.spans.columns(&names, rows)?;
        let mut matched = vec![false; rows.len()];
        for typed in columns {
            let array = column(&self.spans, &batch, &typed.name)?;
            for (row, matched) in matched.iter_mut().enumerate() {
                *matched |= value_at(array, typed.value_type, row).is_some_and(test);
            }
        }
        if in_residual {
            let residual: &BinaryArray = column(&self.spans, &batch, "attributes")?.as_binary();
            for (row, matched) in matched.iter_mut().enumerate() {
                if !*matched && residual.is_valid(row) {
                    *matched = attribute_matches(Attributes::new(residual.value(row)), key, test)
                        .map_err(|error| self.spans.error(error))?;
                }
            }
        }
        Ok(BooleanBuffer::from(matched))
    }

    fn envelope_mask(
        &self,
        name: &str,
        rows: &RowSet,
        test: &dyn Fn(&[u8]) -> Result<bool, WireError>,
    ) -> Result<BooleanBuffer, ScanError> {
        let batch = self.spans.columns(&[name], rows)?;
        let dictionary: &DictionaryArray<Int32Type> =
            column(&self.spans, &batch, name)?.as_dictionary();
        let envelopes: &BinaryArray = dictionary.values().as_binary();
        let matching = (0..envelopes.len())
            .map(|index| test(envelopes.value(index)))
            .collect::<Result<Vec<_>, _>>()
            .map_err(|error| self.spans.error(error))?;
        Ok(dictionary
            .keys()
            .values()
            .iter()
            .map(|key| matching[*key as usize])
            .collect())
    }

    fn filter_by_event(
        &self,
        key: &str,
        rows: &RowSet,
        test: Test<'_>,
    ) -> Result<RowSet, ScanError> {
        let (events, span_rows) = self.events_of(rows)?;
        let batch = self.events.columns(&["attributes"], &events)?;
        let attributes: &BinaryArray = column(&self.events, &batch, "attributes")?.as_binary();
        let mut matching = HashSet::new();
        for (event, span_row) in span_rows.iter().enumerate() {
            let attributes = Attributes::new(attributes.value(event));
            if attribute_matches(attributes, key, test).map_err(|error| self.events.error(error))? {
                matching.insert(*span_row as usize);
            }
        }
        let mut mask = BooleanBufferBuilder::new(rows.len());
        rows.iter()
            .for_each(|row| mask.append(matching.contains(&row)));
        Ok(rows.filter(&mask.finish()))
    }

    fn event_span_rows(&self, events: &RowSet) -> Result<UInt32Array, ScanError> {
        let batch = self.events.columns(&["span_row"], events)?;
        Ok(column(&self.events, &batch, "span_row")?
            .as_primitive::<UInt32Type>()
            .clone())
    }

    /// The rows of the events that belong to `rows`, and the span's row of each.
    fn events_of(&self, rows: &RowSet) -> Result<(RowSet, Vec<u32>), ScanError> {
        let span_rows = self.event_span_rows(&RowSet::range(0..self.events.rows()))?;
        let with_span = &span_rows.values()[..span_rows.len() - span_rows.null_count()];
        let mut events = Vec::new();
        let mut span_rows_of_events = Vec::new();
        for range in rows.ranges() {
            let from = with_span.partition_point(|row| (*row as usize) < range.start);
            let to = with_span.partition_point(|row| (*row as usize) < range.end);
            events.extend(from..to);
            span_rows_of_events.extend_from_slice(&with_span[from..to]);
        }
        Ok((RowSet::from_sorted(events), span_rows_of_events))
    }

    fn read_events(&self, rows: &RowSet) -> Result<RecordBatch, ScanError> {
        let (events, span_rows) = self.events_of(rows)?;
        if events.is_empty() {
            return Ok(RecordBatch::new_empty(schema::EVENTS.clone()));
        }
        // The row of a span in the answer is its place among the rows that were asked for.
        let mut places = rows.iter().enumerate().peekable();
        let mut answered = Vec::with_capacity(span_rows.len());
        for span_row in span_rows {
            while places
                .next_if(|(_, row)| *row < span_row as usize)
                .is_some()
            {}
            let place = places.peek().map(|(place, _)| *place as u32);
            answered.push(
                place.ok_or_else(|| self.events.error("an event's span row is out of order"))?,
            );
        }
        let answered = UInt32Array::from(answered);
        self.events_like_schema(self.events.all_columns(&events)?, Some(answered))
    }

    fn events_like_schema(
        &self,
        batch: RecordBatch,
        span_rows: Option<UInt32Array>,
    ) -> Result<RecordBatch, ScanError> {
        let mut arrays: Vec<ArrayRef> = Vec::new();
        for field in schema::EVENTS.fields() {
            let array = batch.column_by_name(field.name()).cloned();
            arrays.push(match field.name().as_str() {
                // Blocks of earlier builds lack it.
                "scope" => {
                    array.unwrap_or_else(|| new_null_array(field.data_type(), batch.num_rows()))
                }
                name => {
                    array.ok_or_else(|| self.events.error(format!("it has no column {name}")))?
                }
            });
        }
        if let Some(span_rows) = span_rows {
            arrays[2] = Arc::new(span_rows);
        }
        RecordBatch::try_new(schema::EVENTS.clone(), arrays)
            .map_err(|error| self.events.error(error))
    }

    fn read_spans(&self, rows: &RowSet) -> Result<RecordBatch, ScanError> {
        let batch = self.spans.all_columns(rows)?;
        let mut arrays: Vec<ArrayRef> = Vec::new();
        for field in schema::SPANS.fields() {
            arrays.push(match field.name().as_str() {
                "parent_span_id" => self.parents(&batch, rows)?,
                "end_unix_nano" => self.ends(&batch)?,
                "attributes" => self.attributes(&batch)?,
                name => column(&self.spans, &batch, name)?.clone(),
            });
        }
        RecordBatch::try_new(schema::SPANS.clone(), arrays).map_err(|error| self.spans.error(error))
    }

    fn attributes(&self, batch: &RecordBatch) -> Result<ArrayRef, ScanError> {
        let damaged = || {
            self.spans
                .error("the columns of attributes contradict each other")
        };
        let joiner = Joiner::new(&self.footer.catalogue.span, batch).ok_or_else(damaged)?;
        let mut builder = arrow_array::builder::BinaryBuilder::new();
        let mut scratch = Vec::new();
        for row in 0..batch.num_rows() {
            scratch.clear();
            joiner.put_row(row, &mut scratch).ok_or_else(damaged)?;
            builder.append_value(&scratch);
        }
        Ok(Arc::new(builder.finish()))
    }

    fn ends(&self, batch: &RecordBatch) -> Result<ArrayRef, ScanError> {
        let number = |name: &str| -> Result<_, ScanError> {
            Ok(column(&self.spans, batch, name)?.as_primitive::<UInt64Type>())
        };
        let (starts, durations) = (number("start_unix_nano")?, number("duration_nano")?);
        let explicit = number("end_unix_nano")?;
        let mut ends = UInt64Builder::with_capacity(batch.num_rows());
        for row in 0..batch.num_rows() {
            ends.append_value(if durations.is_valid(row) {
                starts.value(row).wrapping_add(durations.value(row))
            } else {
                explicit.value(row)
            });
        }
        Ok(Arc::new(ends.finish()))
    }

    /// Parents' ids; `batch` has the columns `parent_span_id` and `parent_delta` of `rows`.
    fn parents(&self, batch: &RecordBatch, rows: &RowSet) -> Result<ArrayRef, ScanError> {
        let explicit = column(&self.spans, batch, "parent_span_id")?.as_fixed_size_binary();
        let deltas = column(&self.spans, batch, "parent_delta")?.as_primitive::<Int32Type>();
        let parent_row = |row: usize, delta: i32| {
            usize::try_from(row as i64 - i64::from(delta))
                .ok()
                .filter(|parent| *parent < self.spans.rows())
        };
        let mut parent_rows = Vec::new();
        for (index, row) in rows.iter().enumerate() {
            if deltas.is_valid(index) {
                let parent = parent_row(row, deltas.value(index));
                parent_rows.push(
                    parent
                        .ok_or_else(|| self.spans.error("a parent's row is outside the block"))?,
                );
            }
        }
        parent_rows.sort_unstable();
        parent_rows.dedup();
        let wanted = RowSet::from_sorted(parent_rows.iter().copied());
        let ids = self.spans.columns(&["span_id"], &wanted)?;
        let ids = column(&self.spans, &ids, "span_id")?.as_fixed_size_binary();

        let mut parents = FixedSizeBinaryBuilder::with_capacity(rows.len(), 8);
        let append = |builder: &mut FixedSizeBinaryBuilder, id: &[u8]| {
            builder
                .append_value(id)
                .map_err(|error| self.spans.error(error))
        };
        for (index, row) in rows.iter().enumerate() {
            if deltas.is_valid(index) {
                let parent = parent_row(row, deltas.value(index)).unwrap_or_default();
                let place = parent_rows.binary_search(&parent).unwrap_or_default();
                append(&mut parents, ids.value(place))?;
            } else if explicit.is_valid(index) {
                append(&mut parents, explicit.value(index))?;
            } else {
                parents.append_null();
            }
        }
        Ok(Arc::new(parents.finish()))
    }
}

fn column<'a>(
    part: &ParquetPart,
    batch: &'a RecordBatch,
    name: &str,
) -> Result<&'a ArrayRef, ScanError> {
    batch
        .column_by_name(name)
        .ok_or_else(|| part.error(format!("it has no column {name}")))
}

//! `/traces/{trace_id}/skeleton`: what a waterfall needs, in columns.

use std::collections::HashMap;

use axum::extract::{Path, State};
use model::{SpanColumns, TraceId};
use query::Trace;
use serde::{Serialize, Serializer};

use super::{Answer, Hex, UnixNano, find_trace};
use crate::api::{Api, Json, READ_TIMEOUT};

pub(super) async fn skeleton(State(api): State<Api>, Path(trace_id): Path<String>) -> Answer {
    let trace_id = super::trace_id(&trace_id)?;
    let answer = api.ask(READ_TIMEOUT, move |question| {
        let trace = find_trace(question, trace_id)?;
        Json::write(&Skeleton::of(&trace))
    });
    Ok(answer.await?)
}

#[derive(Serialize)]
struct Skeleton<'a> {
    trace_id: Hex<TraceId>,
    start_unix_nano: UnixNano,
    duration_nano: u64,
    span_count: usize,
    incomplete: bool,
    truncated: bool,
    repeats: u64,
    services: Vec<&'a str>,
    names: Vec<&'a str>,
    columns: Columns<'a>,
}

impl<'a> Skeleton<'a> {
    fn of(trace: &'a Trace) -> Self {
        let spans = trace.batch.columns();
        let start_unix_nano = trace.start_unix_nano();
        let services = Numbered::new((0..spans.len()).map(|row| spans.service(row)));
        let names = Numbered::new((0..spans.len()).map(|row| spans.names.value(row)));
        Self {
            trace_id: Hex(trace.trace_id),
            start_unix_nano: UnixNano(start_unix_nano),
            duration_nano: trace.duration_nano(),
            span_count: spans.len(),
            incomplete: trace.tree.is_incomplete(),
            truncated: trace.truncated,
            repeats: trace.repeats,
            services: services.values,
            names: names.values,
            columns: Columns {
                trace,
                spans,
                start_unix_nano,
                services: services.numbers,
                names: names.numbers,
            },
        }
    }
}

/// Values once, and the place of each row's.
struct Numbered<'a> {
    values: Vec<&'a str>,
    numbers: Vec<u32>,
}

impl<'a> Numbered<'a> {
    fn new(rows: impl Iterator<Item = &'a str>) -> Self {
        let mut places: HashMap<&str, u32> = HashMap::new();
        let mut values = Vec::new();
        let numbers = rows.map(|value| {
            *places.entry(value).or_insert_with(|| {
                values.push(value);
                values.len() as u32 - 1
            })
        });
        let numbers = numbers.collect();
        Self { values, numbers }
    }
}

/// Written straight from the Arrow arrays: a trace of 100,000 spans makes no objects.
struct Columns<'a> {
    trace: &'a Trace,
    spans: SpanColumns<'a>,
    start_unix_nano: u64,
    services: Vec<u32>,
    names: Vec<u32>,
}

impl Serialize for Columns<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        use serde::ser::SerializeStruct;
        let (spans, tree) = (&self.spans, &self.trace.tree);
        let rows = spans.len();
        let parent = |row| tree.parent(row).map_or(-1, |parent| parent as i64);
        let offset = |row| spans.starts.value(row) - self.start_unix_nano;

        let mut columns = serializer.serialize_struct("Columns", 10)?;
        columns.serialize_field("span_id", &Column(rows, |row| Hex(spans.span_id(row))))?;
        columns.serialize_field("parent", &Column(rows, parent))?;
        columns.serialize_field("start_offset_nano", &Column(rows, offset))?;
        columns.serialize_field(
            "duration_nano",
            &Column(rows, |row| spans.duration_nano(row)),
        )?;
        columns.serialize_field("service", &self.services)?;
        columns.serialize_field("name", &self.names)?;
        columns.serialize_field("kind", &Column(rows, |row| spans.kinds.value(row)))?;
        columns.serialize_field("status", &Column(rows, |row| spans.status_code(row)))?;
        columns.serialize_field(
            "event_count",
            &Column(rows, |row| spans.event_rows(row).len()),
        )?;
        columns.serialize_field("flags", &Column(rows, |row| tree.flags(row).bits()))?;
        columns.end()
    }
}

/// A value for each row.
struct Column<F>(usize, F);

impl<T: Serialize, F: Fn(usize) -> T> Serialize for Column<F> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let Self(rows, value) = self;
        serializer.collect_seq((0..*rows).map(value))
    }
}

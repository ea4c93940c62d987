//! `/traces/{trace_id}/spans/{span_id}`: everything about one span.

use arrow_array::{Array, StringArray};
use axum::extract::{Path, State};
use backtrail_wire::otlp::{Link, ResourceSpans, ScopeSpans};
use model::{Attributes, SpanColumns, SpanId, TraceId, WireError};
use serde::Serialize;

use super::attributes::{AttributeList, OwnedAttributes};
use super::exception::ExceptionBody;
use super::source_lines::SourceLines;
use super::{Answer, Hex, UnixNano, find_trace};
use crate::api::failure::Failure;
use crate::api::names::{kind_name, status_name};
use crate::api::stacks::{ExceptionEvent, Stacks, resource_of};
use crate::api::{Api, Json, READ_TIMEOUT};

/// Exceptions of one span whose stacks are resolved; the others are there raw.
const MAX_RESOLVED: usize = 50;

pub(super) async fn span(
    State(api): State<Api>,
    Path((trace_id, span_id)): Path<(String, String)>,
    lines: SourceLines,
) -> Answer {
    #[derive(Serialize)]
    struct Body<'a> {
        spans: Vec<Detail<'a>>,
    }
    let trace_id = super::trace_id(&trace_id)?;
    let span_id = super::span_id(&span_id)?;
    let answer = api.ask(READ_TIMEOUT, move |question| {
        let trace = find_trace(question, trace_id)?;
        let columns = trace.batch.columns();
        let rows = trace.rows_of(span_id);
        let spans: Result<Vec<_>, _> = rows
            .map(|row| Detail::of(&columns, row, question.stacks, lines))
            .collect();
        let spans = spans?;
        if spans.is_empty() {
            let message = format!("span {span_id} is not in trace {trace_id}");
            return Err(Failure::NotFound(message));
        }
        Json::write(&Body { spans })
    });
    Ok(answer.await?)
}

#[derive(Serialize)]
struct Detail<'a> {
    trace_id: Hex<TraceId>,
    span_id: Hex<SpanId>,
    parent_span_id: Option<Hex<SpanId>>,
    service: &'a str,
    name: &'a str,
    kind: &'static str,
    status: &'static str,
    status_message: &'a str,
    start_unix_nano: UnixNano,
    end_unix_nano: UnixNano,
    duration_nano: u64,
    trace_state: &'a str,
    flags: u32,
    attributes: AttributeList<'a>,
    dropped_attributes_count: u32,
    events: Vec<Event<'a>>,
    dropped_events_count: u32,
    links: Vec<SpanLink<'a>>,
    dropped_links_count: u32,
    resource: Resource<'a>,
    scope: Scope<'a>,
}

impl<'a> Detail<'a> {
    fn of(
        columns: &SpanColumns<'a>,
        row: usize,
        stacks: &Stacks,
        lines: SourceLines,
    ) -> Result<Self, Failure> {
        let mut resolved = 0;
        let events = columns.event_rows(row).map(|event| {
            let (name, attributes) = (
                columns.events.names.value(event),
                columns.events.attributes(event),
            );
            let resource = resource_of(columns, row, event);
            let exception = ExceptionEvent::of(
                name,
                attributes,
                columns.service(row),
                resource,
                columns.attributes(row),
            )?;
            let exception = match exception {
                Some(exception) if resolved < MAX_RESOLVED => {
                    resolved += 1;
                    Some(ExceptionBody::of(&exception, stacks, lines)?)
                }
                _ => None,
            };
            Ok(Event {
                time_unix_nano: UnixNano(columns.events.times.value(event)),
                name,
                attributes: AttributeList(attributes),
                dropped_attributes_count: columns.events.dropped_attributes_counts.value(event),
                exception,
            })
        });
        let events = events.collect::<Result<_, Failure>>()?;
        // `Attributes` reads any message whose field 1 is repeated, and so the list of links.
        let links = Attributes::new(columns.links(row));
        let links = links.raw_entries().map(|link| SpanLink::of(link?));
        Ok(Self {
            trace_id: Hex(columns.trace_id(row)),
            span_id: Hex(columns.span_id(row)),
            parent_span_id: columns.parent_span_id(row).map(Hex),
            service: columns.service(row),
            name: columns.names.value(row),
            kind: kind_name(columns.kinds.value(row)),
            status: status_name(columns.status_code(row)),
            status_message: text(columns.status_messages, row),
            start_unix_nano: UnixNano(columns.starts.value(row)),
            end_unix_nano: UnixNano(columns.ends.value(row)),
            duration_nano: columns.duration_nano(row),
            trace_state: text(columns.trace_states, row),
            flags: columns.flags.value(row),
            attributes: AttributeList(columns.attributes(row)),
            dropped_attributes_count: columns.dropped_attributes_counts.value(row),
            events,
            dropped_events_count: columns.dropped_events_counts.value(row),
            links: links.collect::<Result<_, _>>()?,
            dropped_links_count: columns.dropped_links_counts.value(row),
            resource: Resource::of(columns.resource(row))?,
            scope: Scope::of(columns.scope(row))?,
        })
    }
}

/// Empty where there is none.
fn text(column: &StringArray, row: usize) -> &str {
    if column.is_valid(row) {
        column.value(row)
    } else {
        ""
    }
}

#[derive(Serialize)]
struct Event<'a> {
    time_unix_nano: UnixNano,
    name: &'a str,
    attributes: AttributeList<'a>,
    dropped_attributes_count: u32,
    #[serde(skip_serializing_if = "Option::is_none")]
    exception: Option<ExceptionBody>,
}

#[derive(Serialize)]
struct SpanLink<'a> {
    trace_id: Hex<TraceId>,
    span_id: Hex<SpanId>,
    trace_state: &'a str,
    flags: u32,
    attributes: OwnedAttributes,
    dropped_attributes_count: u32,
}

impl<'a> SpanLink<'a> {
    fn of(link: &'a [u8]) -> Result<Self, WireError> {
        let link = Link::parse(link)?;
        let mut attributes = Vec::new();
        link.put_attributes(&mut attributes)?;
        Ok(Self {
            trace_id: Hex(TraceId::from_slice(link.trace_id).unwrap_or_default()),
            span_id: Hex(SpanId::from_slice(link.span_id).unwrap_or_default()),
            trace_state: link.trace_state,
            flags: link.flags,
            attributes: OwnedAttributes(attributes),
            dropped_attributes_count: link.dropped_attributes_count,
        })
    }
}

#[derive(Serialize)]
struct Resource<'a> {
    attributes: OwnedAttributes,
    dropped_attributes_count: u32,
    schema_url: &'a str,
}

impl<'a> Resource<'a> {
    fn of(envelope: &'a [u8]) -> Result<Self, WireError> {
        let resource = ResourceSpans::new(envelope);
        let mut attributes = Vec::new();
        resource.put_attributes(&mut attributes)?;
        Ok(Self {
            attributes: OwnedAttributes(attributes),
            dropped_attributes_count: resource.dropped_attributes_count()?,
            schema_url: resource.schema_url()?,
        })
    }
}

#[derive(Serialize)]
struct Scope<'a> {
    name: &'a str,
    version: &'a str,
    attributes: OwnedAttributes,
    dropped_attributes_count: u32,
    schema_url: &'a str,
}

impl<'a> Scope<'a> {
    fn of(envelope: &'a [u8]) -> Result<Self, WireError> {
        let scope = ScopeSpans::new(envelope);
        let mut attributes = Vec::new();
        scope.put_attributes(&mut attributes)?;
        Ok(Self {
            name: scope.name()?,
            version: scope.version()?,
            attributes: OwnedAttributes(attributes),
            dropped_attributes_count: scope.dropped_attributes_count()?,
            schema_url: scope.schema_url()?,
        })
    }
}

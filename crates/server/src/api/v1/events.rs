//! `/traces/{trace_id}/events-without-span`: exceptions that came as log records, while their span is not here.

use axum::extract::{Path, State};
use model::SpanId;
use serde::Serialize;

use super::attributes::AttributeList;
use super::exception::ExceptionBody;
use super::source_lines::SourceLines;
use super::{Answer, Hex, UnixNano};
use crate::api::failure::Failure;
use crate::api::stacks::ExceptionEvent;
use crate::api::{Api, Json, READ_TIMEOUT};

/// An exception may have a stack of many kilobytes.
const MAX_EVENTS: usize = 1000;
/// Exceptions whose stacks are resolved; the others are there raw.
const MAX_RESOLVED: usize = 50;

pub(super) async fn without_span(
    State(api): State<Api>,
    Path(trace_id): Path<String>,
    lines: SourceLines,
) -> Answer {
    #[derive(Serialize)]
    struct Body<'a> {
        events: Vec<Event<'a>>,
        truncated: bool,
    }
    #[derive(Serialize)]
    struct Event<'a> {
        span_id: Option<Hex<SpanId>>,
        service: &'a str,
        time_unix_nano: UnixNano,
        name: &'a str,
        attributes: AttributeList<'a>,
        dropped_attributes_count: u32,
        #[serde(skip_serializing_if = "Option::is_none")]
        exception: Option<ExceptionBody>,
    }
    let trace_id = super::trace_id(&trace_id)?;
    let answer = api.ask(READ_TIMEOUT, move |question| {
        let found = query::events_without_span(question.snapshot, trace_id, &question.budget)?;
        let columns = found.event_columns();
        let mut resolved = 0;
        let events = columns.lone_rows().take(MAX_EVENTS).map(|row| {
            let exception = ExceptionEvent::without_span(&columns, row)?;
            let exception = exception.filter(|_| resolved < MAX_RESOLVED);
            resolved += usize::from(exception.is_some());
            let exception =
                exception.map(|exception| ExceptionBody::of(&exception, question.stacks, lines));
            Ok(Event {
                span_id: Some(columns.span_id(row))
                    .filter(|id| !id.is_zero())
                    .map(Hex),
                service: columns.service(row),
                time_unix_nano: UnixNano(columns.times.value(row)),
                name: columns.names.value(row),
                attributes: AttributeList(columns.attributes(row)),
                dropped_attributes_count: columns.dropped_attributes_counts.value(row),
                exception: exception.transpose()?,
            })
        });
        Json::write(&Body {
            events: events.collect::<Result<_, Failure>>()?,
            truncated: columns.len() > MAX_EVENTS,
        })
    });
    Ok(answer.await?)
}

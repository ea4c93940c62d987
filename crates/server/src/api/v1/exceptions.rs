//! `/traces/{trace_id}/exceptions`: all exceptions of a trace, those of spans and those from log records, with their stacks resolved.

use axum::extract::{Path, State};
use model::SpanId;
use serde::Serialize;

use super::exception::ExceptionBody;
use super::source_lines::SourceLines;
use super::{Answer, Hex, UnixNano};
use crate::api::failure::Failure;
use crate::api::stacks::{ExceptionEvent, Stacks, resource_of};
use crate::api::{Api, Json, Question, READ_TIMEOUT};

/// An exception may have a stack of many kilobytes, and each frame lines of source.
const MAX_EXCEPTIONS: usize = 200;

#[derive(Serialize)]
struct Body {
    exceptions: Vec<Entry>,
    truncated: bool,
}

#[derive(Serialize)]
struct Entry {
    span_id: Option<Hex<SpanId>>,
    service: String,
    time_unix_nano: UnixNano,
    event_name: String,
    #[serde(flatten)]
    exception: ExceptionBody,
}

pub(super) async fn exceptions(
    State(api): State<Api>,
    Path(trace_id): Path<String>,
    lines: SourceLines,
) -> Answer {
    let trace_id = super::trace_id(&trace_id)?;
    let answer = api.ask(READ_TIMEOUT, move |question| {
        let mut found = Body {
            exceptions: Vec::new(),
            truncated: false,
        };
        let trace = query::trace(question.snapshot, trace_id, &question.budget)?;
        if let Some(trace) = &trace {
            of_spans(trace, question.stacks, lines, &mut found)?;
        }
        of_log_records(question, trace_id, lines, &mut found)?;
        if trace.is_none() && found.exceptions.is_empty() {
            return Err(Failure::NotFound(format!("trace {trace_id} is not here")));
        }
        Json::write(&found)
    });
    Ok(answer.await?)
}

fn of_spans(
    trace: &query::Trace,
    stacks: &Stacks,
    lines: SourceLines,
    found: &mut Body,
) -> Result<(), Failure> {
    let columns = trace.batch.columns();
    for row in 0..columns.len() {
        for event in columns.event_rows(row) {
            let name = columns.events.names.value(event);
            let attributes = columns.events.attributes(event);
            let resource = resource_of(&columns, row, event);
            let service = columns.service(row);
            let Some(exception) =
                ExceptionEvent::of(name, attributes, service, resource, columns.attributes(row))?
            else {
                continue;
            };
            if found.exceptions.len() == MAX_EXCEPTIONS {
                found.truncated = true;
                return Ok(());
            }
            found.exceptions.push(Entry {
                span_id: Some(Hex(columns.span_id(row))),
                service: service.to_owned(),
                time_unix_nano: UnixNano(columns.events.times.value(event)),
                event_name: name.to_owned(),
                exception: ExceptionBody::of(&exception, stacks, lines)?,
            });
        }
    }
    Ok(())
}

/// Those whose span is not here.
fn of_log_records(
    question: &Question<'_>,
    trace_id: model::TraceId,
    lines: SourceLines,
    found: &mut Body,
) -> Result<(), Failure> {
    let lone = query::events_without_span(question.snapshot, trace_id, &question.budget)?;
    let columns = lone.event_columns();
    for row in columns.lone_rows() {
        let exception = ExceptionEvent::without_span(&columns, row)?;
        let Some(exception) = exception else {
            continue;
        };
        if found.exceptions.len() == MAX_EXCEPTIONS {
            found.truncated = true;
            return Ok(());
        }
        found.exceptions.push(Entry {
            span_id: Some(columns.span_id(row))
                .filter(|id| !id.is_zero())
                .map(Hex),
            service: columns.service(row).to_owned(),
            time_unix_nano: UnixNano(columns.times.value(row)),
            event_name: columns.names.value(row).to_owned(),
            exception: ExceptionBody::of(&exception, question.stacks, lines)?,
        });
    }
    Ok(())
}

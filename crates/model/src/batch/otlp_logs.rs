//! Span batches from OTLP logs: a log record that carries an exception is an event that came without its span.

use backtrail_wire::WireError;
use backtrail_wire::otlp::{AnyValue, LogRecord, LogsData, put_key_value};
use backtrail_wire::protobuf::{put_bytes, put_message, put_str};

use super::{LoneEvent, SpanBatch, SpanBatchBuilder};
use crate::{Attributes, SpanId, TraceId};

/// The name of an exception's event, as OpenTelemetry's conventions for spans have it.
const EXCEPTION_EVENT: &str = "exception";
/// What was logged beside the exception, often what a person wrote about it. An event has no place of its own for it, and the conventions no name.
const BODY: &str = "log.body";
/// How bad it was, in the words of who logged it.
const SEVERITY_TEXT: &str = "log.severity_text";

impl SpanBatch {
    /// Reads a `LogsData` (or `ExportLogsServiceRequest`) that was admitted before, such as a record of the log: each of its log records is an event that came without
    /// its span. Nothing is checked but that it can be read; a log record that belongs to no trace can't be found by anything, and is left out.
    pub fn from_otlp_logs(payload: &[u8]) -> Result<Self, WireError> {
        let mut builder = SpanBatchBuilder::new();
        let (mut resource, mut scope, mut attributes) = (Vec::new(), Vec::new(), Vec::new());
        for resource_logs in LogsData::new(payload).resource_logs() {
            let resource_logs = resource_logs?;
            resource.clear();
            resource_logs.put_envelope(&mut resource)?;
            for scope_logs in resource_logs.scope_logs() {
                let scope_logs = scope_logs?;
                scope.clear();
                scope_logs.put_envelope(&mut scope)?;
                for record in scope_logs.raw_log_records() {
                    let record = LogRecord::parse(record?)?;
                    let trace_id = TraceId::from_slice(record.trace_id).unwrap_or_default();
                    if trace_id.is_zero() {
                        continue;
                    }
                    attributes.clear();
                    record.put_attributes(&mut attributes)?;
                    put_log_attributes(&record, &mut attributes);
                    builder.push_lone_event(&LoneEvent {
                        trace_id,
                        span_id: SpanId::from_slice(record.span_id).unwrap_or_default(),
                        time_unix_nano: time_of(&record),
                        name: name_of(&record),
                        attributes: Attributes::new(&attributes),
                        dropped_attributes_count: record.dropped_attributes_count,
                        resource: &resource,
                        scope: &scope,
                    });
                }
            }
        }
        Ok(builder.finish())
    }
}

/// Appends to an attribute list what else the log record says.
fn put_log_attributes(record: &LogRecord<'_>, out: &mut Vec<u8>) {
    if !record.body.is_empty() {
        put_message(out, 1, |attribute| {
            put_str(attribute, 1, BODY);
            put_bytes(attribute, 2, record.body);
        });
    }
    if !record.severity_text.is_empty() {
        put_key_value(
            out,
            1,
            SEVERITY_TEXT,
            AnyValue::String(record.severity_text),
        );
    }
}

/// When it happened; when it was collected where that is all that is known.
fn time_of(record: &LogRecord<'_>) -> u64 {
    if record.time_unix_nano == 0 {
        record.observed_time_unix_nano
    } else {
        record.time_unix_nano
    }
}

fn name_of<'a>(record: &LogRecord<'a>) -> &'a str {
    if record.event_name.is_empty() {
        EXCEPTION_EVENT
    } else {
        record.event_name
    }
}

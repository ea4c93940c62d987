//! Spans as `jaeger.api_v2.Span` (`model.proto`), by the same rules as in JSON.

use backtrail_wire::protobuf::{put_bytes, put_double, put_int, put_message, put_str, put_uint};
use query::Trace;

use super::parts::MAX_PART_BYTES;
use crate::api::Question;
use crate::api::failure::Failure;
use crate::api::jaeger::tags::{Tag, TagValue};
use crate::api::jaeger::trace::{
    JaegerSpan, JaegerTrace, Log, Process, Reference, ReferenceKind, Resources,
};

const NANO_PER_S: u64 = 1_000_000_000;

/// A trace as `SpansResponseChunk`s. Each span brings its process.
pub(super) fn write(trace: &Trace, question: &Question<'_>) -> Result<Vec<Vec<u8>>, Failure> {
    let resources = Resources::of(trace).map_err(Failure::internal)?;
    let trace = JaegerTrace::of(trace, &resources, question.stacks_for_jaeger)
        .map_err(Failure::internal)?;
    let mut chunks = vec![Vec::new()];
    for span in &trace.spans {
        if chunks
            .last()
            .is_some_and(|chunk| chunk.len() >= MAX_PART_BYTES)
        {
            chunks.push(Vec::new());
        }
        if let Some(chunk) = chunks.last_mut() {
            let process = trace.processes.get(&span.process_id);
            put_message(chunk, 1, |out| put_span(out, span, process));
        }
    }
    Ok(chunks)
}

fn put_span(out: &mut Vec<u8>, span: &JaegerSpan<'_>, process: Option<&Process<'_>>) {
    put_bytes(out, 1, &span.trace_id.0);
    put_bytes(out, 2, &span.span_id.0);
    put_str(out, 3, span.operation_name);
    for reference in &span.references {
        put_message(out, 4, |out| put_reference(out, reference));
    }
    put_uint(out, 5, u64::from(span.flags));
    put_message(out, 6, |out| put_nano(out, span.start_unix_nano));
    put_message(out, 7, |out| put_nano(out, span.duration_nano));
    put_tags(out, 8, &span.tags);
    for log in &span.logs {
        put_message(out, 9, |out| put_log(out, log));
    }
    if let Some(process) = process {
        put_message(out, 10, |out| {
            put_str(out, 1, process.service_name);
            put_tags(out, 2, &process.tags);
        });
    }
    for warning in span.warnings.iter().flatten() {
        put_str(out, 12, warning);
    }
}

fn put_reference(out: &mut Vec<u8>, reference: &Reference) {
    put_bytes(out, 1, &reference.trace_id.0);
    put_bytes(out, 2, &reference.span_id.0);
    let kind = match reference.ref_type {
        ReferenceKind::ChildOf => 0,
        ReferenceKind::FollowsFrom => 1,
    };
    put_uint(out, 3, kind);
}

fn put_log(out: &mut Vec<u8>, log: &Log<'_>) {
    put_message(out, 1, |out| put_nano(out, log.time_unix_nano));
    put_tags(out, 2, &log.fields);
}

/// A `google.protobuf.Timestamp` or `Duration`.
fn put_nano(out: &mut Vec<u8>, nano: u64) {
    put_uint(out, 1, nano / NANO_PER_S);
    put_uint(out, 2, nano % NANO_PER_S);
}

fn put_tags(out: &mut Vec<u8>, number: u32, tags: &[Tag<'_>]) {
    for tag in tags {
        put_message(out, number, |out| put_tag(out, tag));
    }
}

/// A `KeyValue`: the type, and the value in the field of that type.
fn put_tag(out: &mut Vec<u8>, tag: &Tag<'_>) {
    put_str(out, 1, tag.key);
    match &tag.value {
        TagValue::String(value) => put_str(out, 3, value),
        TagValue::Bool(value) => {
            put_uint(out, 2, 1);
            put_uint(out, 4, u64::from(*value));
        }
        TagValue::Int(value) => {
            put_uint(out, 2, 2);
            put_int(out, 5, *value);
        }
        TagValue::Float(value) => {
            put_uint(out, 2, 3);
            put_double(out, 6, *value);
        }
        TagValue::Binary(value) => {
            put_uint(out, 2, 4);
            put_bytes(out, 7, value);
        }
    }
}

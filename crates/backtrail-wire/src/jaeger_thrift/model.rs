//! Thrift's views in the words that Jaeger's encodings share.

use std::marker::PhantomData;

use super::views::{self, Tag};
use crate::jaeger::{Fault, Log, Model, Process, Span, SpanRef, utf8};
use crate::otlp::AnyValue;
use crate::thrift::{List, Read};

/// Jaeger's model as the reader `R` reads it.
pub(super) struct Thrift<R>(PhantomData<R>);

impl<'a, R: Read<'a>> Model<'a> for Thrift<R> {
    type List = List<R>;

    fn key_values(
        list: Self::List,
    ) -> impl Iterator<Item = Result<(&'a str, AnyValue<'a>), Fault>> {
        list.iter(Tag::read).map(|tag| key_value(&tag?))
    }

    fn logs(list: Self::List) -> impl Iterator<Item = Result<Log<'a, Self>, Fault>> {
        list.iter(views::Log::read).map(|log| {
            let log = log?;
            Ok(Log {
                time_unix_nano: unix_nano("time of a log", log.timestamp_micros)?,
                fields: log.fields,
            })
        })
    }

    fn references(list: Self::List) -> impl Iterator<Item = Result<Option<SpanRef>, Fault>> {
        list.iter(views::SpanRef::read)
            .map(|reference| Ok(span_ref(&reference?)))
    }
}

/// A span whose times and name are good.
pub(super) fn span<'a, R: Read<'a>>(
    span: &views::Span<'a, R>,
) -> Result<Span<'a, Thrift<R>>, Fault> {
    let start_unix_nano = unix_nano("start", span.start_time_micros)?;
    if span.duration_micros < 0 {
        let found = micros(span.duration_micros);
        return Err(Fault::NegativeDuration { found });
    }
    let end_unix_nano = unix_nano("duration", span.duration_micros)?
        .checked_add(start_unix_nano)
        .ok_or_else(|| Fault::Time {
            what: "duration",
            found: micros(span.duration_micros),
        })?;
    Ok(Span {
        trace_id: trace_id(span.trace_id_high, span.trace_id_low),
        span_id: span.span_id as u64,
        parent_span_id: span.parent_span_id as u64,
        operation_name: utf8(span.operation_name, "the operation's name")?,
        references: span.references,
        flags: span.flags as u32,
        start_unix_nano,
        end_unix_nano,
        tags: span.tags,
        logs: span.logs,
        warnings: None,
    })
}

/// A process whose name is good.
pub(super) fn process<'a, R: Read<'a>>(
    process: &views::Process<'a, R>,
) -> Result<Process<'a, Thrift<R>>, Fault> {
    Ok(Process {
        service_name: utf8(process.service_name, "the service's name")?,
        tags: process.tags,
    })
}

fn key_value<'a>(tag: &Tag<'a>) -> Result<(&'a str, AnyValue<'a>), Fault> {
    let (Some(key), Some(v_type)) = (tag.key, tag.v_type) else {
        return Err(Fault::IncompleteTag);
    };
    let key = utf8(key, "a tag's key")?;
    let value = match v_type {
        0 => AnyValue::String(utf8(tag.v_str, "a tag's value")?),
        1 => AnyValue::Double(tag.v_double),
        2 => AnyValue::Bool(tag.v_bool),
        3 => AnyValue::Int(tag.v_long),
        4 => AnyValue::Bytes(tag.v_binary),
        _ => return Err(Fault::tag_type(key, v_type.into())),
    };
    Ok((key, value))
}

fn span_ref(reference: &views::SpanRef) -> Option<SpanRef> {
    Some(SpanRef {
        ref_type: reference.ref_type.into(),
        trace_id: trace_id(reference.trace_id_high?, reference.trace_id_low?),
        span_id: reference.span_id? as u64,
    })
}

fn trace_id(high: i64, low: i64) -> u128 {
    u128::from(high as u64) << 64 | u128::from(low as u64)
}

fn unix_nano(what: &'static str, time_micros: i64) -> Result<u64, Fault> {
    let nanos = u64::try_from(time_micros)
        .ok()
        .and_then(|micros| micros.checked_mul(1000));
    nanos.ok_or_else(|| Fault::Time {
        what,
        found: micros(time_micros),
    })
}

fn micros(micros: i64) -> String {
    format!("{micros} microseconds")
}

//! Spans of version 1 as JSON.

use std::borrow::Cow;

use serde_json::value::RawValue;

use super::endpoint::Endpoint;
use super::fault::Fault;
use super::json_v2::{Ids, endpoint, read_spans};
use super::json_value::{Result, boolean, elements, members, micros, text, text_of_any};
use super::to_otlp::Request;
use super::v1::{AnnotationV1, BinaryAnnotation, SpanV1, convert};
use crate::otlp::SpanLimits;
use crate::{JsonError, Transcoded};

/// Reads a list of spans and writes them as an OTLP `TracesData`, without those that can't be told truly or break OTLP's rules.
pub fn to_otlp(
    json: &[u8],
    limits: &SpanLimits,
    received_unix_nano: u64,
) -> std::result::Result<Transcoded, JsonError> {
    let mut request = Request::new(limits);
    read_spans(json, limits, |index, json| {
        let spans = json.and_then(read).and_then(|span| Ok(convert(&span)?));
        request.put_all(index, spans);
    })?;
    Ok(request.finish(received_unix_nano))
}

fn read(json: &RawValue) -> Result<SpanV1<'_>> {
    let mut span = SpanV1::default();
    let mut ids = Ids::default();
    members(json, |name, value| {
        if ids.read(name, value)? {
            return Ok(());
        }
        match &**name {
            "name" => span.name = text(value)?,
            "timestamp" => span.timestamp_micros = micros(value)?,
            "duration" => span.duration_micros = micros(value)?,
            "annotations" => elements(value, |_, value| {
                span.annotations.push(annotation(value)?);
                Ok(())
            })?,
            "binaryAnnotations" => elements(value, |_, value| {
                span.binary_annotations.push(binary_annotation(value)?);
                Ok(())
            })?,
            "debug" => span.debug = boolean(value)?,
            _ => {}
        }
        Ok(())
    })?;
    (span.trace_id, span.id, span.parent_id) = ids.finish()?;
    Ok(span)
}

fn some_endpoint(json: &RawValue) -> Result<Option<Endpoint<'_>>> {
    let endpoint = endpoint(json)?;
    Ok((endpoint != Endpoint::default()).then_some(endpoint))
}

fn annotation(json: &RawValue) -> Result<AnnotationV1<'_>> {
    let (mut timestamp, mut annotated, mut endpoint) = (None, None, None);
    members(json, |name, value| {
        match &**name {
            "timestamp" => timestamp = Some(micros(value)?),
            "value" => annotated = Some(text(value)?),
            "endpoint" => endpoint = some_endpoint(value)?,
            _ => {}
        }
        Ok(())
    })?;
    Ok(AnnotationV1 {
        timestamp_micros: timestamp.ok_or(Fault::Missing("timestamp"))?,
        value: annotated.ok_or(Fault::Missing("value"))?,
        endpoint,
    })
}

fn binary_annotation(json: &RawValue) -> Result<BinaryAnnotation<'_>> {
    let (mut key, mut annotated, mut endpoint) = (None, None, None);
    members(json, |name, value| {
        match &**name {
            "key" => key = Some(text(value)?),
            "value" if value.get() == "true" => annotated = Some(None),
            "value" => annotated = Some(Some(text_of_any(value)?)),
            "endpoint" => endpoint = some_endpoint(value)?,
            _ => {}
        }
        Ok(())
    })?;
    Ok(BinaryAnnotation {
        key: key.ok_or(Fault::Missing("key"))?,
        value: annotated.unwrap_or(Some(Cow::Borrowed(""))),
        endpoint,
    })
}

//! The same spans as Jaeger's `Batch`, as OpenTelemetry's exporter for Jaeger translates them.

use anyhow::{Context as _, Result};
use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use opentelemetry_proto::tonic::common::v1::any_value::Value;
use opentelemetry_proto::tonic::common::v1::{AnyValue, KeyValue};
use opentelemetry_proto::tonic::trace::v1::span::Event;
use opentelemetry_proto::tonic::trace::v1::{ResourceSpans, Span};
use thrift::protocol::{
    TBinaryOutputProtocol, TFieldIdentifier, TListIdentifier, TOutputProtocol, TStructIdentifier,
    TType,
};

/// `TagType`.
const TAG_STRING: i32 = 0;
const TAG_BOOL: i32 = 2;
const TAG_LONG: i32 = 3;

/// A request of one resource.
pub(super) fn encode(request: &ExportTraceServiceRequest) -> Result<Vec<u8>> {
    let resource_spans = request.resource_spans.first().context("no spans")?;
    let mut bytes = Vec::new();
    let mut batch = Batch(TBinaryOutputProtocol::new(&mut bytes, true));
    batch.put(resource_spans)?;
    Ok(bytes)
}

struct Batch<P>(P);

impl<P: TOutputProtocol> Batch<P> {
    fn put(&mut self, spans: &ResourceSpans) -> Result<()> {
        let no_attributes = Vec::new();
        let attributes = spans
            .resource
            .as_ref()
            .map_or(&no_attributes, |resource| &resource.attributes);
        self.begin()?;
        self.field(TType::Struct, 1)?;
        self.begin()?;
        let name = attributes.iter().find(|kv| kv.key == "service.name");
        self.string(1, name.and_then(text).unwrap_or_default())?;
        self.tags(2, attributes.iter().filter(|kv| kv.key != "service.name"))?;
        self.end()?;
        let spans: Vec<&Span> = spans.scope_spans.iter().flat_map(|s| &s.spans).collect();
        self.list(2, spans.len())?;
        for span in spans {
            self.span(span)?;
        }
        self.end()
    }

    fn span(&mut self, span: &Span) -> Result<()> {
        self.begin()?;
        self.i64(1, number(&span.trace_id[8..]))?;
        self.i64(2, number(&span.trace_id[..8]))?;
        self.i64(3, number(&span.span_id))?;
        self.i64(4, number(&span.parent_span_id))?;
        self.string(5, &span.name)?;
        self.i32(7, 1)?;
        self.i64(8, micros(span.start_time_unix_nano))?;
        self.i64(
            9,
            micros(span.end_time_unix_nano - span.start_time_unix_nano),
        )?;
        let mut tags = vec![tag(
            "span.kind",
            Value::StringValue(kind(span.kind).to_owned()),
        )];
        if span.status.as_ref().is_some_and(|status| status.code == 2) {
            tags.push(tag("error", Value::BoolValue(true)));
        }
        self.tags(10, span.attributes.iter().chain(&tags))?;
        if !span.events.is_empty() {
            self.list(11, span.events.len())?;
            for event in &span.events {
                self.log(event)?;
            }
        }
        self.end()
    }

    fn log(&mut self, event: &Event) -> Result<()> {
        let name = tag("event", Value::StringValue(event.name.clone()));
        self.begin()?;
        self.i64(1, micros(event.time_unix_nano))?;
        self.tags(2, std::iter::once(&name).chain(&event.attributes))?;
        self.end()
    }

    fn tags<'a>(&mut self, number: i16, tags: impl Iterator<Item = &'a KeyValue>) -> Result<()> {
        let tags: Vec<_> = tags.collect();
        self.list(number, tags.len())?;
        for tag in tags {
            self.begin()?;
            self.string(1, &tag.key)?;
            match tag.value.as_ref().and_then(|value| value.value.as_ref()) {
                Some(Value::IntValue(value)) => {
                    self.i32(2, TAG_LONG)?;
                    self.i64(6, *value)?;
                }
                Some(Value::BoolValue(value)) => {
                    self.i32(2, TAG_BOOL)?;
                    self.field(TType::Bool, 5)?;
                    self.0.write_bool(*value)?;
                }
                _ => {
                    self.i32(2, TAG_STRING)?;
                    self.string(3, text(tag).unwrap_or_default())?;
                }
            }
            self.end()?;
        }
        Ok(())
    }

    fn begin(&mut self) -> Result<()> {
        Ok(self.0.write_struct_begin(&TStructIdentifier::new(""))?)
    }

    fn end(&mut self) -> Result<()> {
        self.0.write_field_stop()?;
        Ok(self.0.write_struct_end()?)
    }

    fn field(&mut self, kind: TType, number: i16) -> Result<()> {
        let field = TFieldIdentifier::new("", kind, number);
        Ok(self.0.write_field_begin(&field)?)
    }

    fn list(&mut self, number: i16, len: usize) -> Result<()> {
        self.field(TType::List, number)?;
        let list = TListIdentifier::new(TType::Struct, i32::try_from(len)?);
        Ok(self.0.write_list_begin(&list)?)
    }

    fn string(&mut self, number: i16, value: &str) -> Result<()> {
        self.field(TType::String, number)?;
        Ok(self.0.write_string(value)?)
    }

    fn i32(&mut self, number: i16, value: i32) -> Result<()> {
        self.field(TType::I32, number)?;
        Ok(self.0.write_i32(value)?)
    }

    fn i64(&mut self, number: i16, value: i64) -> Result<()> {
        self.field(TType::I64, number)?;
        Ok(self.0.write_i64(value)?)
    }
}

fn tag(key: &str, value: Value) -> KeyValue {
    KeyValue {
        key: key.to_owned(),
        value: Some(AnyValue { value: Some(value) }),
        ..KeyValue::default()
    }
}

fn text(attribute: &KeyValue) -> Option<&str> {
    match attribute.value.as_ref()?.value.as_ref()? {
        Value::StringValue(value) => Some(value),
        _ => None,
    }
}

/// Ids are bytes in OTLP and numbers in Jaeger; an absent parent is 0.
fn number(id: &[u8]) -> i64 {
    id.iter()
        .fold(0, |number: i64, byte| (number << 8) | i64::from(*byte))
}

fn micros(nanos: u64) -> i64 {
    (nanos / 1000) as i64
}

fn kind(kind: i32) -> &'static str {
    match kind {
        2 => "server",
        3 => "client",
        4 => "producer",
        5 => "consumer",
        _ => "internal",
    }
}

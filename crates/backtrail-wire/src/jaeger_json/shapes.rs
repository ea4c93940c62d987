//! Spans as they stand in the JSON, in the words that Jaeger's encodings share.

use std::borrow::Cow;

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use serde::Deserialize;
use serde_json::{Number, Value};

use crate::RejectReason;
use crate::jaeger::{self, Fault, Model, SpanRef};
use crate::otlp::AnyValue;

const NANOS_PER_MICRO: u64 = 1000;

/// Jaeger's model as JSON.
pub(super) struct Json;

#[derive(Clone, Copy)]
pub(super) enum List<'a> {
    Tags(&'a [Tag]),
    Logs(&'a [Log]),
    References(&'a [SpanRef]),
    Warnings(&'a [String]),
}

impl<'a> Model<'a> for Json {
    type List = List<'a>;

    fn key_values(list: List<'a>) -> impl Iterator<Item = Result<(&'a str, AnyValue<'a>), Fault>> {
        let tags = match list {
            List::Tags(tags) => tags,
            _ => &[],
        };
        tags.iter().map(|tag| Ok((&*tag.key, tag.value.as_otlp())))
    }

    fn logs(list: List<'a>) -> impl Iterator<Item = Result<jaeger::Log<'a, Self>, Fault>> {
        let logs = match list {
            List::Logs(logs) => logs,
            _ => &[],
        };
        logs.iter().map(|log| {
            Ok(jaeger::Log {
                time_unix_nano: log.time_unix_nano,
                fields: List::Tags(&log.fields),
            })
        })
    }

    fn references(list: List<'a>) -> impl Iterator<Item = Result<Option<SpanRef>, Fault>> {
        let references = match list {
            List::References(references) => references,
            _ => &[],
        };
        references.iter().map(|reference| Ok(Some(*reference)))
    }

    fn warnings(list: List<'a>) -> impl Iterator<Item = Result<&'a str, Fault>> {
        let warnings = match list {
            List::Warnings(warnings) => warnings,
            _ => &[],
        };
        warnings.iter().map(|warning| Ok(warning.as_str()))
    }
}

/// A span that was read. Everything in it is good but for OTLP's own rules.
#[expect(
    clippy::struct_field_names,
    reason = "the names are those of Jaeger's model"
)]
pub(super) struct Span {
    trace_id: u128,
    span_id: u64,
    parent_span_id: u64,
    operation_name: String,
    references: Vec<SpanRef>,
    flags: u32,
    start_unix_nano: u64,
    end_unix_nano: u64,
    tags: Vec<Tag>,
    logs: Vec<Log>,
    warnings: Vec<String>,
    pub(super) process_id: String,
    /// Its own process, where it has one and names none.
    pub(super) process: Option<Process>,
}

impl Span {
    pub(super) fn read(json: &str) -> Result<Self, Fault> {
        let wire: WireSpan<'_> = from_str(json)?;
        let start_unix_nano = wire
            .start_time
            .map_or(Ok(0), |time| nanos("start", &time))?;
        let duration = wire.duration.unwrap_or(Number::from(0));
        if duration.as_f64().is_some_and(|duration| duration < 0.0) {
            return Err(Fault::NegativeDuration {
                found: format!("{duration} microseconds"),
            });
        }
        let end_unix_nano = nanos("duration", &duration)?
            .checked_add(start_unix_nano)
            .ok_or_else(|| out_of_range("duration", &duration))?;
        let warnings = wire.warnings.unwrap_or_default().into_iter();
        let references = wire.references.unwrap_or_default().into_iter();
        let logs = wire.logs.unwrap_or_default().into_iter();
        Ok(Self {
            trace_id: hex(&wire.trace_id, 32, "trace id", RejectReason::InvalidTraceId)?,
            span_id: hex(&wire.span_id, 16, "span id", RejectReason::InvalidSpanId)? as u64,
            parent_span_id: match wire.parent_span_id.as_deref() {
                None | Some("") => 0,
                Some(id) => hex(id, 16, "parent span id", RejectReason::InvalidParentId)? as u64,
            },
            operation_name: wire.operation_name.unwrap_or_default().into_owned(),
            references: references.map(read_reference).collect::<Result<_, _>>()?,
            flags: wire.flags.unwrap_or_default(),
            start_unix_nano,
            end_unix_nano,
            tags: read_tags(wire.tags)?,
            logs: logs.map(Log::read).collect::<Result<_, _>>()?,
            warnings: warnings.map(Cow::into_owned).collect(),
            process_id: wire.process_id.unwrap_or_default().into_owned(),
            process: wire.process.map(Process::of).transpose()?,
        })
    }

    pub(super) fn view(&self) -> jaeger::Span<'_, Json> {
        jaeger::Span {
            trace_id: self.trace_id,
            span_id: self.span_id,
            parent_span_id: self.parent_span_id,
            operation_name: &self.operation_name,
            references: List::References(&self.references),
            flags: self.flags,
            start_unix_nano: self.start_unix_nano,
            end_unix_nano: self.end_unix_nano,
            tags: List::Tags(&self.tags),
            logs: List::Logs(&self.logs),
            warnings: Some(List::Warnings(&self.warnings)),
        }
    }
}

/// What sends spans.
#[derive(Default)]
pub(super) struct Process {
    service_name: String,
    tags: Vec<Tag>,
}

impl Process {
    pub(super) fn read(json: &str) -> Result<Self, Fault> {
        from_str(json).and_then(Self::of)
    }

    fn of(wire: WireProcess<'_>) -> Result<Self, Fault> {
        Ok(Self {
            service_name: wire.service_name.unwrap_or_default().into_owned(),
            tags: read_tags(wire.tags)?,
        })
    }

    pub(super) fn view(&self) -> jaeger::Process<'_, Json> {
        jaeger::Process {
            service_name: &self.service_name,
            tags: List::Tags(&self.tags),
        }
    }
}

pub(super) struct Log {
    time_unix_nano: u64,
    fields: Vec<Tag>,
}

impl Log {
    fn read(wire: WireLog<'_>) -> Result<Self, Fault> {
        let time = wire.timestamp.unwrap_or(Number::from(0));
        Ok(Self {
            time_unix_nano: nanos("time of a log", &time)?,
            fields: read_tags(wire.fields)?,
        })
    }
}

pub(super) struct Tag {
    key: String,
    value: TagValue,
}

enum TagValue {
    Text(String),
    Bool(bool),
    Int(i64),
    Double(f64),
    Bytes(Vec<u8>),
}

impl TagValue {
    fn as_otlp(&self) -> AnyValue<'_> {
        match self {
            Self::Text(text) => AnyValue::String(text),
            Self::Bool(value) => AnyValue::Bool(*value),
            Self::Int(value) => AnyValue::Int(*value),
            Self::Double(value) => AnyValue::Double(*value),
            Self::Bytes(bytes) => AnyValue::Bytes(bytes),
        }
    }

    /// The value as its type says, where it can be read so.
    fn typed(kind: &str, value: &Value) -> Option<Self> {
        let text = value.as_str();
        match kind {
            "bool" => value
                .as_bool()
                .or_else(|| text?.parse().ok())
                .map(Self::Bool),
            "int64" => value.as_i64().or_else(|| text?.parse().ok()).map(Self::Int),
            "float64" => value
                .as_f64()
                .or_else(|| text?.parse().ok())
                .map(Self::Double),
            "binary" => BASE64_STANDARD.decode(text?).ok().map(Self::Bytes),
            _ => None,
        }
    }

    /// The value as what it is in JSON.
    fn plain(value: Value) -> Self {
        match value {
            Value::Null => Self::Text(String::new()),
            Value::String(text) => Self::Text(text),
            Value::Bool(value) => Self::Bool(value),
            Value::Number(number) => match (number.as_i64(), number.as_f64()) {
                (Some(int), _) => Self::Int(int),
                (None, Some(double)) => Self::Double(double),
                (None, None) => Self::Text(number.to_string()),
            },
            Value::Array(_) | Value::Object(_) => Self::Text(value.to_string()),
        }
    }
}

fn read_tags(wire: Option<Vec<WireTag<'_>>>) -> Result<Vec<Tag>, Fault> {
    let tags = wire.unwrap_or_default().into_iter();
    tags.map(|tag| {
        let key = tag.key.ok_or(Fault::IncompleteTag)?.into_owned();
        let typed = TagValue::typed(tag.kind.as_deref().unwrap_or_default(), &tag.value);
        let value = typed.unwrap_or_else(|| TagValue::plain(tag.value));
        Ok(Tag { key, value })
    })
    .collect()
}

fn read_reference(wire: WireReference<'_>) -> Result<SpanRef, Fault> {
    let (Some(trace_id), Some(span_id)) = (wire.trace_id, wire.span_id) else {
        return Err(Fault::IncompleteReference);
    };
    let ref_type = match wire.ref_type.as_deref() {
        None | Some("CHILD_OF") => SpanRef::CHILD_OF,
        Some("FOLLOWS_FROM") => SpanRef::FOLLOWS_FROM,
        Some(other) => {
            return Err(Fault::json(format_args!(
                "a reference has type {other:?}, which Jaeger does not define"
            )));
        }
    };
    let reason = RejectReason::InvalidLink;
    Ok(SpanRef {
        ref_type,
        trace_id: hex(&trace_id, 32, "a reference's trace id", reason)?,
        span_id: hex(&span_id, 16, "a reference's span id", reason)? as u64,
    })
}

fn hex(
    text: &str,
    max_digits: usize,
    what: &'static str,
    reason: RejectReason,
) -> Result<u128, Fault> {
    let is_hex = (1..=max_digits).contains(&text.len())
        && text.bytes().all(|digit| digit.is_ascii_hexdigit());
    let id = u128::from_str_radix(text, 16).ok().filter(|_| is_hex);
    id.ok_or_else(|| Fault::id(what, text, reason))
}

/// Microseconds as nanoseconds. Some tools write fractions.
fn nanos(what: &'static str, micros: &Number) -> Result<u64, Fault> {
    let nanos = if micros.is_f64() {
        let nanos = micros.as_f64().map(|micros| (micros * 1000.0).round());
        // The first double that is too large is 2^64.
        nanos
            .filter(|nanos| (0.0..18_446_744_073_709_551_616.0).contains(nanos))
            .map(|nanos| nanos as u64)
    } else {
        let micros = micros.as_u64();
        micros.and_then(|micros| micros.checked_mul(NANOS_PER_MICRO))
    };
    nanos.ok_or_else(|| out_of_range(what, micros))
}

fn out_of_range(what: &'static str, micros: &Number) -> Fault {
    Fault::Time {
        what,
        found: format!("{micros} microseconds"),
    }
}

fn from_str<'a, T: Deserialize<'a>>(json: &'a str) -> Result<T, Fault> {
    serde_json::from_str(json).map_err(Fault::json)
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct WireSpan<'a> {
    #[serde(rename = "traceID", borrow)]
    trace_id: Cow<'a, str>,
    #[serde(rename = "spanID", borrow)]
    span_id: Cow<'a, str>,
    #[serde(rename = "parentSpanID", borrow, default)]
    parent_span_id: Option<Cow<'a, str>>,
    #[serde(borrow, default)]
    operation_name: Option<Cow<'a, str>>,
    #[serde(borrow, default)]
    references: Option<Vec<WireReference<'a>>>,
    #[serde(default)]
    flags: Option<u32>,
    #[serde(default)]
    start_time: Option<Number>,
    #[serde(default)]
    duration: Option<Number>,
    #[serde(borrow, default)]
    tags: Option<Vec<WireTag<'a>>>,
    #[serde(borrow, default)]
    logs: Option<Vec<WireLog<'a>>>,
    #[serde(rename = "processID", borrow, default)]
    process_id: Option<Cow<'a, str>>,
    #[serde(borrow, default)]
    process: Option<WireProcess<'a>>,
    #[serde(borrow, default)]
    warnings: Option<Vec<Cow<'a, str>>>,
}

#[derive(Deserialize)]
struct WireReference<'a> {
    #[serde(rename = "refType", borrow, default)]
    ref_type: Option<Cow<'a, str>>,
    #[serde(rename = "traceID", borrow, default)]
    trace_id: Option<Cow<'a, str>>,
    #[serde(rename = "spanID", borrow, default)]
    span_id: Option<Cow<'a, str>>,
}

#[derive(Deserialize)]
struct WireLog<'a> {
    #[serde(default)]
    timestamp: Option<Number>,
    #[serde(borrow, default)]
    fields: Option<Vec<WireTag<'a>>>,
}

#[derive(Deserialize)]
struct WireTag<'a> {
    #[serde(borrow, default)]
    key: Option<Cow<'a, str>>,
    #[serde(rename = "type", borrow, default)]
    kind: Option<Cow<'a, str>>,
    #[serde(default)]
    value: Value,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct WireProcess<'a> {
    #[serde(borrow, default)]
    service_name: Option<Cow<'a, str>>,
    #[serde(borrow, default)]
    tags: Option<Vec<WireTag<'a>>>,
}

//! Views of `jaeger.api_v2` messages in the words that Jaeger's encodings share.

use crate::WireError;
use crate::jaeger::{Fault, Log, Model, Process, Span, SpanRef, utf8};
use crate::otlp::{AnyValue, SpanFault};
use crate::protobuf::{Field, Fields};

const NANOS_PER_SECOND: u64 = 1_000_000_000;

/// Jaeger's model as protobuf.
pub(super) struct Proto;

/// The elements of a repeated field: those of `message` with this number.
#[derive(Clone, Copy)]
pub(super) struct Repeated<'a> {
    message: &'a [u8],
    number: u32,
}

impl<'a> Repeated<'a> {
    fn iter(self) -> impl Iterator<Item = Result<&'a [u8], WireError>> {
        Fields::new(self.message)
            .filter(move |field| !matches!(field, Ok(field) if field.number != self.number))
            .map(|field| field?.bytes())
    }
}

impl<'a> Model<'a> for Proto {
    type List = Repeated<'a>;

    fn key_values(
        list: Self::List,
    ) -> impl Iterator<Item = Result<(&'a str, AnyValue<'a>), Fault>> {
        list.iter().map(|message| key_value(message?))
    }

    fn logs(list: Self::List) -> impl Iterator<Item = Result<Log<'a, Self>, Fault>> {
        list.iter().map(|message| log(message?))
    }

    fn references(list: Self::List) -> impl Iterator<Item = Result<Option<SpanRef>, Fault>> {
        list.iter().map(|message| reference(message?))
    }

    fn warnings(list: Self::List) -> impl Iterator<Item = Result<&'a str, Fault>> {
        list.iter().map(|text| utf8(text?, "a warning"))
    }
}

/// A span and, when it has one of its own, its process.
pub(super) fn span(message: &[u8]) -> Result<(Span<'_, Proto>, Option<&[u8]>), Fault> {
    let mut trace_id = 0;
    let mut span_id = 0;
    let mut operation_name = "";
    let mut flags = 0;
    let mut start_unix_nano = 0;
    let mut duration = Time::default();
    let mut process = None;
    for field in Fields::new(message) {
        let field = field?;
        match field.number {
            1 => trace_id = read_trace_id(field.bytes()?)?,
            2 => span_id = read_span_id(field.bytes()?)?,
            3 => operation_name = text(&field, "the operation's name")?,
            5 => flags = field.varint()? as u32,
            6 => start_unix_nano = Time::read(field.bytes()?)?.nanos("start")?,
            7 => duration = Time::read(field.bytes()?)?,
            10 => process = Some(field.bytes()?),
            _ => {}
        }
    }
    if duration.seconds < 0 || duration.nanos < 0 {
        return Err(Fault::NegativeDuration {
            found: duration.to_string(),
        });
    }
    let end_unix_nano = duration
        .nanos("duration")?
        .checked_add(start_unix_nano)
        .ok_or_else(|| Fault::Time {
            what: "duration",
            found: duration.to_string(),
        })?;
    let repeated = |number| Repeated { message, number };
    let span = Span {
        trace_id,
        span_id,
        parent_span_id: 0,
        operation_name,
        references: repeated(4),
        flags,
        start_unix_nano,
        end_unix_nano,
        tags: repeated(8),
        logs: repeated(9),
        warnings: Some(repeated(12)),
    };
    Ok((span, process))
}

/// A process; of one that was left out, `message` is empty.
pub(super) fn process(message: &[u8]) -> Result<Process<'_, Proto>, Fault> {
    let mut service_name = "";
    for field in Fields::new(message) {
        let field = field?;
        if field.number == 1 {
            service_name = text(&field, "the service's name")?;
        }
    }
    Ok(Process {
        service_name,
        tags: Repeated { message, number: 2 },
    })
}

fn key_value(message: &[u8]) -> Result<(&str, AnyValue<'_>), Fault> {
    let mut key = "";
    let mut v_type = 0;
    let mut v_str: &[u8] = &[];
    let mut v_bool = false;
    let mut v_int = 0;
    let mut v_float = 0.0;
    let mut v_binary: &[u8] = &[];
    for field in Fields::new(message) {
        let field = field?;
        match field.number {
            1 => key = text(&field, "a tag's key")?,
            2 => v_type = field.varint()? as i64,
            3 => v_str = field.bytes()?,
            4 => v_bool = field.varint()? != 0,
            5 => v_int = field.varint()? as i64,
            6 => v_float = f64::from_bits(field.fixed64()?),
            7 => v_binary = field.bytes()?,
            _ => {}
        }
    }
    let value = match v_type {
        0 => AnyValue::String(utf8(v_str, "a tag's value")?),
        1 => AnyValue::Bool(v_bool),
        2 => AnyValue::Int(v_int),
        3 => AnyValue::Double(v_float),
        4 => AnyValue::Bytes(v_binary),
        _ => return Err(Fault::tag_type(key, v_type)),
    };
    Ok((key, value))
}

fn log(message: &[u8]) -> Result<Log<'_, Proto>, Fault> {
    let mut time_unix_nano = 0;
    for field in Fields::new(message) {
        let field = field?;
        if field.number == 1 {
            time_unix_nano = Time::read(field.bytes()?)?.nanos("time of a log")?;
        }
    }
    Ok(Log {
        time_unix_nano,
        fields: Repeated { message, number: 2 },
    })
}

fn reference(message: &[u8]) -> Result<Option<SpanRef>, Fault> {
    let (mut trace_id, mut span_id, mut ref_type) = (None, None, 0);
    for field in Fields::new(message) {
        let field = field?;
        match field.number {
            1 => trace_id = Some(read_trace_id(field.bytes()?)?),
            2 => span_id = Some(read_span_id(field.bytes()?)?),
            3 => ref_type = field.varint()? as i64,
            _ => {}
        }
    }
    let (Some(trace_id), Some(span_id)) = (trace_id, span_id) else {
        return Ok(None);
    };
    Ok(Some(SpanRef {
        ref_type,
        trace_id,
        span_id,
    }))
}

fn text<'a>(field: &Field<'a>, what: &'static str) -> Result<&'a str, Fault> {
    utf8(field.bytes()?, what)
}

fn read_trace_id(bytes: &[u8]) -> Result<u128, Fault> {
    if let Ok(bytes) = bytes.try_into() {
        return Ok(u128::from_be_bytes(bytes));
    }
    match bytes.try_into() {
        Ok(low) => Ok(u64::from_be_bytes(low).into()),
        Err(_) => Err(SpanFault::TraceIdLength {
            len_bytes: bytes.len(),
        }
        .into()),
    }
}

fn read_span_id(bytes: &[u8]) -> Result<u64, Fault> {
    match bytes.try_into() {
        Ok(bytes) => Ok(u64::from_be_bytes(bytes)),
        Err(_) => Err(SpanFault::SpanIdLength {
            len_bytes: bytes.len(),
        }
        .into()),
    }
}

/// `google.protobuf.Timestamp` or `Duration`.
#[derive(Debug, Clone, Copy, Default)]
struct Time {
    seconds: i64,
    nanos: i32,
}

impl Time {
    fn read(message: &[u8]) -> Result<Self, WireError> {
        let mut time = Self::default();
        for field in Fields::new(message) {
            let field = field?;
            match field.number {
                1 => time.seconds = field.varint()? as i64,
                2 => time.nanos = field.varint()? as i32,
                _ => {}
            }
        }
        Ok(time)
    }

    /// In all; the part below a second is below a second, as protobuf has it.
    fn nanos(self, what: &'static str) -> Result<u64, Fault> {
        let below_a_second = u64::try_from(self.nanos)
            .ok()
            .filter(|nanos| *nanos < NANOS_PER_SECOND);
        u64::try_from(self.seconds)
            .ok()
            .and_then(|seconds| seconds.checked_mul(NANOS_PER_SECOND))
            .and_then(|nanos| nanos.checked_add(below_a_second?))
            .ok_or_else(|| Fault::Time {
                what,
                found: self.to_string(),
            })
    }
}

impl std::fmt::Display for Time {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} seconds and {} nanoseconds", self.seconds, self.nanos)
    }
}

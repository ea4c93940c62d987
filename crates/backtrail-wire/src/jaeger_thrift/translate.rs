//! A batch as a `TracesData`.

use std::collections::HashMap;
use std::fmt::{self, Display};

use super::tags::{Fault, Meaning, key_values, utf8};
use super::views::{Log, Process, Span, SpanRef};
use crate::otlp::{self, AnyValue, SpanFault, SpanLimits, put_key_value};
use crate::protobuf::{
    begin_message, put_bytes, put_fixed32, put_fixed64, put_int, put_message, put_str,
};
use crate::thrift::{Binary, Compact, List, Read, ThriftError, ThriftErrorKind, Type};
use crate::{Rejections, Transcoded};

/// What OpenTelemetry's exporters wrote as service name when there was none.
const NO_SERVICE_NAME: &str = "OTLPResourceNoServiceName";

/// How a batch is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Encoding {
    /// Thrift's binary protocol.
    Binary,
    /// Thrift's compact protocol.
    Compact,
}

impl Encoding {
    /// Tells the protocols of a bare struct apart by its first byte, for senders that do not say which it is. In the binary protocol it is
    /// a type, which is below 16; in the compact protocol its high half is the first field's id, which is not 0.
    pub const fn sniff(first_byte: u8) -> Self {
        if first_byte < 16 {
            Self::Binary
        } else {
            Self::Compact
        }
    }
}

/// Reads a `Batch` and writes it as an OTLP `TracesData`, without the spans that can't be told truly or break OTLP's rules. What is
/// written is at most about eight times as large as what was read.
///
/// ```
/// use backtrail_wire::jaeger_thrift::{Encoding, to_otlp};
/// use backtrail_wire::otlp::SpanLimits;
///
/// let limits = SpanLimits { max_value_depth: 32, max_span_bytes: 4 << 20 };
/// // In the compact protocol: a process `{1: "shop"}`, and an empty list of spans.
/// let batch = b"\x1c\x18\x04shop\x00\x19\x0c\x00";
/// let transcoded = to_otlp(batch, Encoding::sniff(batch[0]), &limits)?;
/// assert_eq!(transcoded.accepted, 0);
/// # Ok::<(), backtrail_wire::jaeger_thrift::ThriftError>(())
/// ```
pub fn to_otlp(
    batch: &[u8],
    encoding: Encoding,
    limits: &SpanLimits,
) -> Result<Transcoded, ThriftError> {
    match encoding {
        Encoding::Binary => translate(Binary::new(batch), limits),
        Encoding::Compact => translate(Compact::new(batch), limits),
    }
}

fn translate<'a, R: Read<'a>>(
    mut reader: R,
    limits: &SpanLimits,
) -> Result<Transcoded, ThriftError> {
    let mut process = None;
    let mut has_spans = false;
    let mut groups = Groups::default();
    let mut rejected = Rejections::default();
    let mut accepted = 0;
    let mut last_id = 0;
    while let Some(field) = reader.field(&mut last_id)? {
        match (field.id, field.kind) {
            (1, Type::Struct) => process = Some(Process::read(&mut reader)?),
            (2, Type::List) => {
                has_spans = true;
                let (Type::Struct, len) = reader.list()? else {
                    return Err(reader.cursor().error(ThriftErrorKind::Missing("spans")));
                };
                for index in 0..len {
                    let span = Span::read(&mut reader)?;
                    match groups.put(&span, limits.max_span_bytes) {
                        Ok(()) => accepted += 1,
                        Err(fault) => rejected.add(1, fault.reason(), SpanPath(index), fault),
                    }
                }
            }
            _ => reader.skip(field)?,
        }
    }
    let missing = |reader: &mut R, what| reader.cursor().error(ThriftErrorKind::Missing(what));
    let len_bytes = reader.cursor().remaining();
    if len_bytes > 0 {
        let trailing = ThriftErrorKind::Trailing { len_bytes };
        return Err(reader.cursor().error(trailing));
    }
    if !has_spans {
        return Err(missing(&mut reader, "spans"));
    }
    let process = process.ok_or_else(|| missing(&mut reader, "process"))?;

    let mut protobuf = Vec::new();
    let open = begin_message(&mut protobuf, 1);
    let resource = begin_message(&mut protobuf, 1);
    match put_resource(&mut protobuf, &process) {
        Ok(()) => {
            resource.end(&mut protobuf);
            groups.put_scopes(&mut protobuf);
            open.end(&mut protobuf);
        }
        Err(fault) => {
            rejected.add(accepted, fault.reason(), "process", fault);
            accepted = 0;
            open.discard(&mut protobuf);
        }
    }
    Ok(Transcoded {
        protobuf,
        accepted,
        rejected,
    })
}

struct SpanPath(usize);

impl Display for SpanPath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "spans[{}]", self.0)
    }
}

fn put_resource<'a, R: Read<'a>>(out: &mut Vec<u8>, process: &Process<'a, R>) -> Result<(), Fault> {
    let service_name = utf8(process.service_name, "the service's name")?;
    if !service_name.is_empty() && service_name != NO_SERVICE_NAME {
        put_key_value(out, 1, "service.name", AnyValue::String(service_name));
    }
    let (mut has_host_name, mut has_exporter_version) = (false, false);
    for tag in key_values(process.tags) {
        let (key, _) = tag?;
        has_host_name |= key == "host.name";
        has_exporter_version |= key == "opencensus.exporterversion";
    }
    for tag in key_values(process.tags) {
        match tag? {
            ("hostname", value) if !has_host_name => put_key_value(out, 1, "host.name", value),
            ("jaeger.version", AnyValue::String(version)) if !has_exporter_version => {
                let version = format!("Jaeger-{version}");
                let value = AnyValue::String(&version);
                put_key_value(out, 1, "opencensus.exporterversion", value);
            }
            (key, value) => put_key_value(out, 1, key, value),
        }
    }
    Ok(())
}

/// The spans by the scope that their tags name, in the order in which the scopes were met.
#[derive(Default)]
struct Groups<'a> {
    by_scope: HashMap<(&'a str, &'a str), usize>,
    in_order: Vec<Group<'a>>,
    /// Where the last span went: the next one mostly goes there too.
    last: usize,
}

struct Group<'a> {
    name: &'a str,
    version: &'a str,
    /// `Span` messages as field 2.
    spans: Vec<u8>,
}

impl<'a> Groups<'a> {
    /// Adds a span to the group of its scope.
    fn put<R: Read<'a>>(&mut self, span: &Span<'a, R>, max_bytes: usize) -> Result<(), Fault> {
        let meaning = Meaning::of(span.tags)?;
        let out = &mut self.group(meaning.scope_name, meaning.scope_version).spans;
        let open = begin_message(out, 2);
        let written = put_span(out, span, &meaning, max_bytes).and_then(|()| {
            otlp::Span::parse_valid(&out[open.body()..], max_bytes)?;
            Ok(())
        });
        match written {
            Ok(()) => open.end(out),
            Err(_) => open.discard(out),
        }
        written
    }

    fn group(&mut self, name: &'a str, version: &'a str) -> &mut Group<'a> {
        let is_last = self
            .in_order
            .get(self.last)
            .is_some_and(|group| (group.name, group.version) == (name, version));
        if !is_last {
            self.last = *self.by_scope.entry((name, version)).or_insert_with(|| {
                self.in_order.push(Group {
                    name,
                    version,
                    spans: Vec::new(),
                });
                self.in_order.len() - 1
            });
        }
        &mut self.in_order[self.last]
    }

    /// Appends the groups as `ScopeSpans`, but for those whose spans were all rejected.
    fn put_scopes(&self, out: &mut Vec<u8>) {
        for group in &self.in_order {
            if group.spans.is_empty() {
                continue;
            }
            put_message(out, 2, |out| {
                put_message(out, 1, |out| {
                    if !group.name.is_empty() {
                        put_str(out, 1, group.name);
                    }
                    if !group.version.is_empty() {
                        put_str(out, 2, group.version);
                    }
                });
                out.extend_from_slice(&group.spans);
            });
        }
    }
}

fn put_span<'a, R: Read<'a>>(
    out: &mut Vec<u8>,
    span: &Span<'a, R>,
    meaning: &Meaning<'a>,
    max_bytes: usize,
) -> Result<(), Fault> {
    let start = out.len();
    // Looked at after each part, so that a list of many small things can't grow far beyond the limit.
    let check_len = |out: &Vec<u8>| match out.len() - start {
        len_bytes if len_bytes > max_bytes => Err(SpanFault::TooLarge {
            len_bytes,
            max_bytes,
        }),
        _ => Ok(()),
    };
    let start_unix_nano = unix_nano("start", span.start_time_micros)?;
    if span.duration_micros < 0 {
        return Err(Fault::NegativeDuration {
            micros: span.duration_micros,
        });
    }
    let end_unix_nano = unix_nano("duration", span.duration_micros)?
        .checked_add(start_unix_nano)
        .ok_or(Fault::Time {
            what: "duration",
            micros: span.duration_micros,
        })?;
    let parent_span_id = parent_span_id(span)?;

    put_bytes(out, 1, &trace_id(span.trace_id_high, span.trace_id_low));
    put_bytes(out, 2, &span.span_id.to_be_bytes());
    if !meaning.trace_state.is_empty() {
        put_str(out, 3, meaning.trace_state);
    }
    if parent_span_id != 0 {
        put_bytes(out, 4, &parent_span_id.to_be_bytes());
    }
    put_str(out, 5, utf8(span.operation_name, "the operation's name")?);
    if meaning.kind != 0 {
        put_int(out, 6, i64::from(meaning.kind));
    }
    put_fixed64(out, 7, start_unix_nano);
    put_fixed64(out, 8, end_unix_nano);
    for (index, tag) in key_values(span.tags).enumerate() {
        let (key, value) = tag?;
        if !meaning.tells(index) {
            put_key_value(out, 9, key, value);
            check_len(out)?;
        }
    }
    for log in span.logs.iter(Log::read) {
        put_event(out, &log?)?;
        check_len(out)?;
    }
    for reference in span.references.iter(SpanRef::read) {
        let reference = reference?.ok_or(Fault::IncompleteReference)?;
        let is_parent = reference.ref_type == SpanRef::CHILD_OF
            && reference.span_id == parent_span_id
            && is_of_trace(&reference, span);
        if !is_parent {
            put_link(out, &reference);
            check_len(out)?;
        }
    }
    if let Some(status) = meaning.status {
        put_message(out, 15, |out| {
            if !status.message.is_empty() {
                put_str(out, 2, status.message);
            }
            if status.code != 0 {
                put_int(out, 3, i64::from(status.code));
            }
        });
    }
    let flags = span.flags as u32 & 0xff;
    if flags != 0 {
        put_fixed32(out, 16, flags);
    }
    Ok(())
}

fn unix_nano(what: &'static str, micros: i64) -> Result<u64, Fault> {
    let nanos = u64::try_from(micros)
        .ok()
        .and_then(|micros| micros.checked_mul(1000));
    nanos.ok_or(Fault::Time { what, micros })
}

fn trace_id(high: i64, low: i64) -> [u8; 16] {
    (u128::from(high as u64) << 64 | u128::from(low as u64)).to_be_bytes()
}

fn is_of_trace<R>(reference: &SpanRef, span: &Span<'_, R>) -> bool {
    (reference.trace_id_high, reference.trace_id_low) == (span.trace_id_high, span.trace_id_low)
}

/// The parent may be named by a reference alone; one that says `CHILD_OF` counts for more.
fn parent_span_id<'a, R: Read<'a>>(span: &Span<'a, R>) -> Result<i64, Fault> {
    if span.parent_span_id != 0 {
        return Ok(span.parent_span_id);
    }
    let mut follows_from = None;
    for reference in span.references.iter(SpanRef::read) {
        match reference? {
            Some(reference) if !is_of_trace(&reference, span) => {}
            Some(SpanRef {
                ref_type: SpanRef::CHILD_OF,
                span_id,
                ..
            }) => return Ok(span_id),
            Some(SpanRef {
                ref_type: SpanRef::FOLLOWS_FROM,
                span_id,
                ..
            }) => _ = follows_from.get_or_insert(span_id),
            _ => {}
        }
    }
    Ok(follows_from.unwrap_or_default())
}

fn put_event<'a, R: Read<'a>>(out: &mut Vec<u8>, log: &Log<R>) -> Result<(), Fault> {
    let time_unix_nano = unix_nano("time of a log", log.timestamp_micros)?;
    let name = event_name(log.fields)?;
    let event = begin_message(out, 11);
    if time_unix_nano != 0 {
        put_fixed64(out, 1, time_unix_nano);
    }
    if let Some((_, name)) = name {
        put_str(out, 2, name);
    }
    for (index, field) in key_values(log.fields).enumerate() {
        let (key, value) = field?;
        if name.is_none_or(|(name_index, _)| name_index != index) {
            put_key_value(out, 3, key, value);
        }
    }
    event.end(out);
    Ok(())
}

/// The last field `event` that is text, and its index.
fn event_name<'a, R: Read<'a>>(fields: List<R>) -> Result<Option<(usize, &'a str)>, Fault> {
    let mut name = None;
    for (index, field) in key_values(fields).enumerate() {
        if let ("event", AnyValue::String(text)) = field? {
            name = Some((index, text));
        }
    }
    Ok(name)
}

fn put_link(out: &mut Vec<u8>, reference: &SpanRef) {
    let ref_type = match reference.ref_type {
        SpanRef::CHILD_OF => "child_of",
        _ => "follows_from",
    };
    put_message(out, 13, |out| {
        let trace_id = trace_id(reference.trace_id_high, reference.trace_id_low);
        put_bytes(out, 1, &trace_id);
        put_bytes(out, 2, &reference.span_id.to_be_bytes());
        put_key_value(out, 4, "opentracing.ref_type", AnyValue::String(ref_type));
    });
}

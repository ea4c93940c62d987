//! Jaeger's spans as OTLP, for every encoding of them.

use std::collections::HashMap;
use std::fmt::{self, Display};

use super::fault::Fault;
use super::model::{Log, Model, Process, Span, SpanRef};
use super::tags::Meaning;
use crate::otlp::{self, AnyValue, SpanFault, put_any_value, put_key_value};
use crate::protobuf::{
    begin_message, put_bytes, put_fixed32, put_fixed64, put_int, put_message, put_str,
};

/// What OpenTelemetry's exporters wrote as service name when there was none.
const NO_SERVICE_NAME: &str = "OTLPResourceNoServiceName";

/// The attribute that keeps the warnings of a span.
pub const WARNINGS: &str = "@jaeger@warnings";

/// Where a span stands in its batch.
pub(crate) struct SpanPath(pub(crate) usize);

impl Display for SpanPath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "spans[{}]", self.0)
    }
}

pub(crate) fn put_resource<'a, M: Model<'a>>(
    out: &mut Vec<u8>,
    process: &Process<'a, M>,
) -> Result<(), Fault> {
    let service_name = process.service_name;
    if !service_name.is_empty() && service_name != NO_SERVICE_NAME {
        put_key_value(out, 1, "service.name", AnyValue::String(service_name));
    }
    let (mut has_host_name, mut has_exporter_version) = (false, false);
    for tag in M::key_values(process.tags) {
        let (key, _) = tag?;
        has_host_name |= key == "host.name";
        has_exporter_version |= key == "opencensus.exporterversion";
    }
    for tag in M::key_values(process.tags) {
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
pub(crate) struct Groups<'a> {
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
    pub(crate) fn put<M: Model<'a>>(
        &mut self,
        span: &Span<'a, M>,
        max_bytes: usize,
    ) -> Result<(), Fault> {
        let meaning = Meaning::of::<M>(span.tags)?;
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
    pub(crate) fn put_scopes(&self, out: &mut Vec<u8>) {
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

fn put_span<'a, M: Model<'a>>(
    out: &mut Vec<u8>,
    span: &Span<'a, M>,
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
    let parent_span_id = parent_span_id(span)?;

    put_bytes(out, 1, &span.trace_id.to_be_bytes());
    put_bytes(out, 2, &span.span_id.to_be_bytes());
    if !meaning.trace_state.is_empty() {
        put_str(out, 3, meaning.trace_state);
    }
    if parent_span_id != 0 {
        put_bytes(out, 4, &parent_span_id.to_be_bytes());
    }
    put_str(out, 5, span.operation_name);
    if meaning.kind != 0 {
        put_int(out, 6, i64::from(meaning.kind));
    }
    put_fixed64(out, 7, span.start_unix_nano);
    put_fixed64(out, 8, span.end_unix_nano);
    for (index, tag) in M::key_values(span.tags).enumerate() {
        let (key, value) = tag?;
        if !meaning.tells(index) {
            put_key_value(out, 9, key, value);
            check_len(out)?;
        }
    }
    if let Some(warnings) = span.warnings {
        put_warnings::<M>(out, warnings, check_len)?;
    }
    for log in M::logs(span.logs) {
        put_event(out, &log?)?;
        check_len(out)?;
    }
    for reference in M::references(span.references) {
        let reference = reference?.ok_or(Fault::IncompleteReference)?;
        let is_parent = reference.ref_type == SpanRef::CHILD_OF
            && reference.span_id == parent_span_id
            && reference.trace_id == span.trace_id;
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
    let flags = span.flags & 0xff;
    if flags != 0 {
        put_fixed32(out, 16, flags);
    }
    Ok(())
}

/// Appends the warnings as an attribute; nothing when there are none.
fn put_warnings<'a, M: Model<'a>>(
    out: &mut Vec<u8>,
    list: M::List,
    check_len: impl Fn(&Vec<u8>) -> Result<(), SpanFault>,
) -> Result<(), Fault> {
    let mut warnings = M::warnings(list).peekable();
    if warnings.peek().is_none() {
        return Ok(());
    }
    let attribute = begin_message(out, 9);
    put_str(out, 1, WARNINGS);
    let value = begin_message(out, 2);
    let array = begin_message(out, 5);
    for warning in warnings {
        let warning = warning?;
        put_message(out, 1, |out| put_any_value(out, AnyValue::String(warning)));
        check_len(out)?;
    }
    array.end(out);
    value.end(out);
    attribute.end(out);
    Ok(())
}

/// The parent may be named by a reference alone; one that says `CHILD_OF` counts for more.
fn parent_span_id<'a, M: Model<'a>>(span: &Span<'a, M>) -> Result<u64, Fault> {
    if span.parent_span_id != 0 {
        return Ok(span.parent_span_id);
    }
    let mut follows_from = None;
    for reference in M::references(span.references) {
        match reference? {
            Some(reference) if reference.trace_id != span.trace_id => {}
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

fn put_event<'a, M: Model<'a>>(out: &mut Vec<u8>, log: &Log<'a, M>) -> Result<(), Fault> {
    let name = event_name::<M>(log.fields)?;
    let event = begin_message(out, 11);
    if log.time_unix_nano != 0 {
        put_fixed64(out, 1, log.time_unix_nano);
    }
    if let Some((_, name)) = name {
        put_str(out, 2, name);
    }
    for (index, field) in M::key_values(log.fields).enumerate() {
        let (key, value) = field?;
        if name.is_none_or(|(name_index, _)| name_index != index) {
            put_key_value(out, 3, key, value);
        }
    }
    event.end(out);
    Ok(())
}

/// The last field `event` that is text, and its index.
fn event_name<'a, M: Model<'a>>(fields: M::List) -> Result<Option<(usize, &'a str)>, Fault> {
    let mut name = None;
    for (index, field) in M::key_values(fields).enumerate() {
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
        put_bytes(out, 1, &reference.trace_id.to_be_bytes());
        put_bytes(out, 2, &reference.span_id.to_be_bytes());
        put_key_value(out, 4, "opentracing.ref_type", AnyValue::String(ref_type));
    });
}

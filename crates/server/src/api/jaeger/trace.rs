//! A trace as Jaeger's page has it, by the rules with which OpenTelemetry's collector writes OTLP for Jaeger.

use std::collections::{BTreeMap, HashMap};
use std::fmt::Display;

use arrow_array::Array;
use backtrail_wire::jaeger_json::WARNINGS;
use backtrail_wire::otlp::{Link, ResourceSpans, ScopeSpans};
use model::{AttributeValue, Attributes, SpanColumns, SpanId, TraceId};
use query::{SpanFlags, Trace, Tree};
use serde::{Serialize, Serializer};

use super::tags::{Tag, TagError};
use crate::api::names::{kind_name, status_name};
use crate::api::stacks::{ExceptionEvent, Stacks, resource_of};

const NANO_PER_US: u64 = 1000;
/// The stack of an exception, resolved where it could be.
const STACKTRACE: &str = "exception.stacktrace";
/// Beside a stack that was resolved, what came.
const RAW_STACKTRACE: &str = "exception.stacktrace.raw";

/// The attribute lists of resources, which have to be collected from their envelopes: [`JaegerTrace`] borrows from them.
pub(super) struct Resources(Vec<Vec<u8>>);

impl Resources {
    pub(super) fn of(trace: &Trace) -> Result<Self, TagError> {
        let columns = trace.batch.columns();
        let mut lists = Vec::new();
        for number in 0..columns.resource_envelopes.len() {
            let mut list = Vec::new();
            let envelope = columns.resource_envelopes.value(number);
            ResourceSpans::new(envelope).put_attributes(&mut list)?;
            lists.push(list);
        }
        Ok(Self(lists))
    }
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct JaegerTrace<'a> {
    #[serde(rename = "traceID")]
    pub(super) trace_id: String,
    pub(super) spans: Vec<JaegerSpan<'a>>,
    pub(super) processes: BTreeMap<String, Process<'a>>,
    pub(super) warnings: Option<Vec<String>>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Process<'a> {
    pub(super) service_name: &'a str,
    pub(super) tags: Vec<Tag<'a>>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct JaegerSpan<'a> {
    #[serde(rename = "traceID", serialize_with = "as_text")]
    pub(super) trace_id: TraceId,
    #[serde(rename = "spanID", serialize_with = "as_text")]
    pub(super) span_id: SpanId,
    pub(super) flags: u32,
    pub(super) operation_name: &'a str,
    pub(super) references: Vec<Reference>,
    #[serde(rename = "startTime", serialize_with = "as_microseconds")]
    pub(super) start_unix_nano: u64,
    #[serde(rename = "duration", serialize_with = "as_microseconds")]
    pub(super) duration_nano: u64,
    pub(super) tags: Vec<Tag<'a>>,
    pub(super) logs: Vec<Log<'a>>,
    #[serde(rename = "processID")]
    pub(super) process_id: String,
    pub(super) warnings: Option<Vec<&'a str>>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Reference {
    pub(super) ref_type: ReferenceKind,
    #[serde(rename = "traceID", serialize_with = "as_text")]
    pub(super) trace_id: TraceId,
    #[serde(rename = "spanID", serialize_with = "as_text")]
    pub(super) span_id: SpanId,
}

#[derive(Clone, Copy, Serialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub(super) enum ReferenceKind {
    ChildOf,
    FollowsFrom,
}

#[derive(Serialize)]
pub(super) struct Log<'a> {
    #[serde(rename = "timestamp", serialize_with = "as_microseconds")]
    pub(super) time_unix_nano: u64,
    pub(super) fields: Vec<Tag<'a>>,
}

#[expect(
    clippy::trivially_copy_pass_by_ref,
    reason = "serde hands over references"
)]
fn as_microseconds<S: Serializer>(nano: &u64, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_u64(nano / NANO_PER_US)
}

fn as_text<S: Serializer>(id: &impl Display, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_str(id)
}

impl<'a> JaegerTrace<'a> {
    /// `stacks` resolves the stack traces of exceptions; without it they are as they came.
    pub(super) fn of(
        trace: &'a Trace,
        resources: &'a Resources,
        stacks: Option<&Stacks>,
    ) -> Result<Self, TagError> {
        let columns = trace.batch.columns();
        let mut processes = Processes::default();
        let mut spans = Vec::with_capacity(columns.len());
        for row in 0..columns.len() {
            let process_id = processes.id_of(&columns, row, resources)?;
            spans.push(JaegerSpan {
                trace_id: columns.trace_id(row),
                span_id: columns.span_id(row),
                // Jaeger knows the low 8 bits, those of W3C.
                flags: columns.flags.value(row) & 0xff,
                operation_name: columns.names.value(row),
                references: references(&columns, row)?,
                start_unix_nano: columns.starts.value(row),
                duration_nano: columns.duration_nano(row),
                tags: span_tags(&columns, row)?,
                logs: logs(&columns, row, stacks)?,
                process_id,
                warnings: warnings(&columns, &trace.tree, row)?,
            });
        }
        let truncated = "there are more spans than may be shown; the earliest are here";
        Ok(Self {
            trace_id: trace.trace_id.to_string(),
            spans,
            processes: processes.by_id,
            warnings: trace.truncated.then(|| vec![truncated.to_owned()]),
        })
    }
}

impl JaegerTrace<'_> {
    /// Without what was found here: whoever reads it again finds it again.
    pub(super) fn without_findings(mut self) -> Self {
        self.warnings = None;
        for span in &mut self.spans {
            let warnings = span.warnings.take().into_iter().flatten();
            let is_found = |warning: &&str| FINDINGS.iter().any(|(_, text)| text == warning);
            let stored: Vec<_> = warnings.filter(|warning| !is_found(warning)).collect();
            span.warnings = (!stored.is_empty()).then_some(stored);
        }
        self
    }
}

/// Each resource is a process: p1, p2 and so on, in the order of spans.
#[derive(Default)]
pub(super) struct Processes<'a> {
    ids: HashMap<i32, String>,
    by_id: BTreeMap<String, Process<'a>>,
}

impl<'a> Processes<'a> {
    fn id_of(
        &mut self,
        columns: &SpanColumns<'a>,
        row: usize,
        resources: &'a Resources,
    ) -> Result<String, TagError> {
        let resource = columns.resources.keys().value(row);
        if let Some(id) = self.ids.get(&resource) {
            return Ok(id.clone());
        }
        let mut tags = Vec::new();
        let attributes = Attributes::new(&resources.0[resource as usize]);
        Tag::extend(&mut tags, attributes, Some("service.name"))?;
        let process = Process {
            service_name: columns.service(row),
            tags,
        };
        let id = format!("p{}", self.ids.len() + 1);
        self.ids.insert(resource, id.clone());
        self.by_id.insert(id.clone(), process);
        Ok(id)
    }
}

/// The parent first: that is where Jaeger's clients look for it.
fn references(columns: &SpanColumns<'_>, row: usize) -> Result<Vec<Reference>, TagError> {
    let mut references = Vec::new();
    if let Some(parent) = columns.parent_span_id(row).filter(|id| !id.is_zero()) {
        references.push(Reference {
            ref_type: ReferenceKind::ChildOf,
            trace_id: columns.trace_id(row),
            span_id: parent,
        });
    }
    for link in Attributes::new(columns.links(row)).raw_entries() {
        let link = Link::parse(link?)?;
        let mut list = Vec::new();
        link.put_attributes(&mut list)?;
        // What came from Jaeger with another type of reference says so in this attribute.
        let ref_type = Attributes::new(&list).get("opentracing.ref_type");
        let is_child = ref_type == Some(AttributeValue::String("child_of"));
        references.push(Reference {
            ref_type: if is_child {
                ReferenceKind::ChildOf
            } else {
                ReferenceKind::FollowsFrom
            },
            trace_id: TraceId::from_slice(link.trace_id).unwrap_or_default(),
            span_id: SpanId::from_slice(link.span_id).unwrap_or_default(),
        });
    }
    Ok(references)
}

fn span_tags<'a>(columns: &SpanColumns<'a>, row: usize) -> Result<Vec<Tag<'a>>, TagError> {
    let mut tags = Vec::new();
    let scope = ScopeSpans::new(columns.scope(row));
    let made_of_scope = [
        ("otel.scope.name", scope.name()?),
        ("otel.scope.version", scope.version()?),
    ];
    let given = made_of_scope
        .into_iter()
        .filter(|(_, value)| !value.is_empty());
    tags.extend(given.map(|(key, value)| Tag::string(key, value)));
    Tag::extend(&mut tags, columns.attributes(row), Some(WARNINGS))?;

    let mut add = |tag: Tag<'a>| {
        if tags.iter().all(|other| other.key != tag.key) {
            tags.push(tag);
        }
    };
    let kind = columns.kinds.value(row);
    if kind_name(kind) != kind_name(0) {
        add(Tag::string("span.kind", kind_name(kind)));
    }
    match status_name(columns.status_code(row)) {
        "ok" => add(Tag::string("otel.status_code", "OK")),
        "error" => {
            add(Tag::string("otel.status_code", "ERROR"));
            add(Tag::bool("error", true));
        }
        _ => {}
    }
    if columns.status_messages.is_valid(row) && !columns.status_messages.value(row).is_empty() {
        add(Tag::string(
            "otel.status_description",
            columns.status_messages.value(row),
        ));
    }
    if columns.trace_states.is_valid(row) && !columns.trace_states.value(row).is_empty() {
        add(Tag::string(
            "w3c.tracestate",
            columns.trace_states.value(row),
        ));
    }
    Ok(tags)
}

fn logs<'a>(
    columns: &SpanColumns<'a>,
    row: usize,
    stacks: Option<&Stacks>,
) -> Result<Vec<Log<'a>>, TagError> {
    let events = columns.events;
    columns
        .event_rows(row)
        .map(|event| {
            let (name, attributes) = (events.names.value(event), events.attributes(event));
            let mut fields = Vec::new();
            // An event that came from Jaeger has its name among its fields already.
            if !name.is_empty() && attributes.get("event").is_none() {
                fields.push(Tag::string("event", name));
            }
            let resolved = match stacks {
                Some(stacks) => resolved_stack(columns, row, event, stacks)?,
                None => None,
            };
            match resolved {
                None => Tag::extend(&mut fields, attributes, None)?,
                Some((raw, resolved)) => {
                    Tag::extend(&mut fields, attributes, Some(STACKTRACE))?;
                    fields.push(Tag::owned(STACKTRACE, resolved));
                    fields.push(Tag::owned(RAW_STACKTRACE, raw));
                }
            }
            Ok(Log {
                time_unix_nano: events.times.value(event),
                fields,
            })
        })
        .collect()
}

/// The stack of an exception, raw and resolved, where some of it could be resolved.
fn resolved_stack(
    columns: &SpanColumns<'_>,
    row: usize,
    event: usize,
    stacks: &Stacks,
) -> Result<Option<(String, String)>, TagError> {
    let name = columns.events.names.value(event);
    let attributes = columns.events.attributes(event);
    let resource = resource_of(columns, row, event);
    let exception = ExceptionEvent::of(
        name,
        attributes,
        columns.service(row),
        resource,
        columns.attributes(row),
    )?;
    let resolved = stacks.resolved_text(exception.as_ref());
    let raw = exception.and_then(|exception| exception.stack);
    Ok(raw
        .zip(resolved)
        .map(|(raw, resolved)| (raw.into_owned(), resolved.text.clone())))
}

/// What may be found wrong with a span here.
const FINDINGS: [(SpanFlags, &str); 4] = [
    (
        SpanFlags::MISSING_PARENT,
        "the parent of this span is not in the trace",
    ),
    (
        SpanFlags::SHARED_ID,
        "another span of the trace has the same id",
    ),
    (
        SpanFlags::BEFORE_PARENT,
        "this span starts before its parent: clocks may differ",
    ),
    (
        SpanFlags::CUT,
        "the parent of this span is also its descendant; the link was cut",
    ),
];

/// The warnings that a span came with, and what is found wrong with it here.
fn warnings<'a>(
    columns: &SpanColumns<'a>,
    tree: &Tree,
    row: usize,
) -> Result<Option<Vec<&'a str>>, TagError> {
    let mut warnings = Vec::new();
    for attribute in columns.attributes(row).iter() {
        let attribute = attribute?;
        if let (WARNINGS, AttributeValue::Array(texts)) = (attribute.key, attribute.value) {
            for text in texts.iter() {
                if let AttributeValue::String(text) = text? {
                    warnings.push(text);
                }
            }
        }
    }
    let flags = tree.flags(row);
    let found = FINDINGS.iter().filter(|(flag, _)| flags.has(*flag));
    warnings.extend(found.map(|(_, text)| *text));
    Ok((!warnings.is_empty()).then_some(warnings))
}

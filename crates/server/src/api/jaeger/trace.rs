//! A trace as Jaeger's page has it, by the rules with which OpenTelemetry's collector writes OTLP for Jaeger.

use std::collections::{BTreeMap, HashMap};

use arrow_array::Array;
use backtrail_wire::otlp::{Link, ResourceSpans, ScopeSpans};
use model::{Attributes, SpanColumns, SpanId, TraceId};
use query::{SpanFlags, Trace, Tree};
use serde::Serialize;

use super::tags::{Tag, TagError};
use crate::api::names::{kind_name, status_name};

const NANO_PER_US: u64 = 1000;

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
    trace_id: String,
    spans: Vec<JaegerSpan<'a>>,
    processes: BTreeMap<String, Process<'a>>,
    warnings: Option<Vec<String>>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Process<'a> {
    service_name: &'a str,
    tags: Vec<Tag<'a>>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct JaegerSpan<'a> {
    #[serde(rename = "traceID")]
    trace_id: String,
    #[serde(rename = "spanID")]
    span_id: String,
    flags: u32,
    operation_name: &'a str,
    references: Vec<Reference>,
    start_time: u64,
    duration: u64,
    tags: Vec<Tag<'a>>,
    logs: Vec<Log<'a>>,
    #[serde(rename = "processID")]
    process_id: String,
    warnings: Option<Vec<&'static str>>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Reference {
    ref_type: &'static str,
    #[serde(rename = "traceID")]
    trace_id: String,
    #[serde(rename = "spanID")]
    span_id: String,
}

#[derive(Serialize)]
struct Log<'a> {
    timestamp: u64,
    fields: Vec<Tag<'a>>,
}

impl<'a> JaegerTrace<'a> {
    pub(super) fn of(trace: &'a Trace, resources: &'a Resources) -> Result<Self, TagError> {
        let columns = trace.batch.columns();
        let mut processes = Processes::default();
        let mut spans = Vec::with_capacity(columns.len());
        for row in 0..columns.len() {
            let process_id = processes.id_of(&columns, row, resources)?;
            spans.push(JaegerSpan {
                trace_id: columns.trace_id(row).to_string(),
                span_id: columns.span_id(row).to_string(),
                // Jaeger knows the low 8 bits, those of W3C.
                flags: columns.flags.value(row) & 0xff,
                operation_name: columns.names.value(row),
                references: references(&columns, row)?,
                start_time: columns.starts.value(row) / NANO_PER_US,
                duration: columns.duration_nano(row) / NANO_PER_US,
                tags: span_tags(&columns, row)?,
                logs: logs(&columns, row)?,
                process_id,
                warnings: warnings(&trace.tree, row),
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

/// Each resource is a process: p1, p2 and so on, in the order of spans.
#[derive(Default)]
struct Processes<'a> {
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
            ref_type: "CHILD_OF",
            trace_id: columns.trace_id(row).to_string(),
            span_id: parent.to_string(),
        });
    }
    for link in Attributes::new(columns.links(row)).raw_entries() {
        let link = Link::parse(link?)?;
        let mut list = Vec::new();
        link.put_attributes(&mut list)?;
        // What came from Jaeger with another type of reference says so in this attribute.
        let ref_type = Attributes::new(&list).get("opentracing.ref_type");
        let is_child = ref_type == Some(model::AttributeValue::String("child_of"));
        references.push(Reference {
            ref_type: if is_child { "CHILD_OF" } else { "FOLLOWS_FROM" },
            trace_id: TraceId::from_slice(link.trace_id)
                .unwrap_or_default()
                .to_string(),
            span_id: SpanId::from_slice(link.span_id)
                .unwrap_or_default()
                .to_string(),
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
    Tag::extend(&mut tags, columns.attributes(row), None)?;

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

fn logs<'a>(columns: &SpanColumns<'a>, row: usize) -> Result<Vec<Log<'a>>, TagError> {
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
            Tag::extend(&mut fields, attributes, None)?;
            Ok(Log {
                timestamp: events.times.value(event) / NANO_PER_US,
                fields,
            })
        })
        .collect()
}

fn warnings(tree: &Tree, row: usize) -> Option<Vec<&'static str>> {
    let flags = tree.flags(row);
    let known = [
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
    let warnings = known.into_iter().filter(|(flag, _)| flags.has(*flag));
    let warnings: Vec<_> = warnings.map(|(_, text)| text).collect();
    (!warnings.is_empty()).then_some(warnings)
}

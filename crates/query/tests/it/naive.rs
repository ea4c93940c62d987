//! The model: spans in a vector.

use std::collections::{BTreeMap, HashSet};

use backtrail_wire::otlp::{AnyValue, Attributes, SpanFields, Status, put_key_value, put_span};
use backtrail_wire::protobuf::{put_message, put_str};
use model::{AttributeScope, SpanBatch, SpanBatchBuilder, SpanId, TraceId};
use proptest::prelude::*;
use query::{AttributeTest, Condition, Operand, Operator, SearchQuery, ServiceSpans, TraceSummary};

/// A span whose parts come from small ranges, so that everything collides with everything.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) struct Span {
    pub(crate) trace: u8,
    pub(crate) id: u8,
    /// 0 is none.
    pub(crate) parent: u8,
    pub(crate) start: u64,
    pub(crate) duration: u64,
    pub(crate) service: u8,
    pub(crate) name: u8,
    pub(crate) kind: i32,
    pub(crate) status: Option<i32>,
    /// The value of the attribute "n", and where it stands.
    pub(crate) attribute: Option<(AttributeScope, i64)>,
}

impl Span {
    /// An unremarkable span.
    pub(crate) fn new(trace: u8, id: u8, parent: u8) -> Self {
        Self {
            trace,
            id,
            parent,
            start: 100 + u64::from(id),
            duration: 10,
            service: 0,
            name: 0,
            kind: 1,
            status: None,
            attribute: None,
        }
    }

    pub(crate) fn trace_id(&self) -> TraceId {
        TraceId([self.trace; 16])
    }

    pub(crate) fn service_name(&self) -> String {
        format!("service-{}", self.service)
    }

    pub(crate) fn span_name(&self) -> String {
        format!("name-{}", self.name)
    }

    fn end(&self) -> u64 {
        self.start + self.duration
    }

    fn attribute_list(&self, scope: AttributeScope) -> Vec<u8> {
        let mut list = Vec::new();
        if let Some((at, value)) = self.attribute
            && at == scope
        {
            put_key_value(&mut list, 1, "n", AnyValue::Int(value));
        }
        list
    }

    fn put_resource_spans(&self, out: &mut Vec<u8>) {
        put_message(out, 1, |out| {
            put_message(out, 1, |resource| {
                put_key_value(
                    resource,
                    1,
                    "service.name",
                    AnyValue::String(&self.service_name()),
                );
                resource.extend(self.attribute_list(AttributeScope::Resource));
            });
            put_message(out, 2, |out| {
                put_message(out, 1, |scope| {
                    put_str(scope, 1, "library");
                    let list = self.attribute_list(AttributeScope::Instrumentation);
                    Attributes::new(&list).put_as_field(3, scope).unwrap();
                });
                put_message(out, 2, |out| self.put_span(out));
            });
        });
    }

    fn put_span(&self, out: &mut Vec<u8>) {
        let parent = [self.parent; 8];
        let attributes = self.attribute_list(AttributeScope::Span);
        let name = self.span_name();
        let fields = SpanFields {
            trace_id: &[self.trace; 16],
            span_id: &[self.id; 8],
            parent_span_id: if self.parent == 0 { &[] } else { &parent },
            name: &name,
            kind: self.kind,
            start_unix_nano: self.start,
            end_unix_nano: self.end(),
            attributes: Attributes::new(&attributes),
            status: self.status.map(|code| Status { code, message: "" }),
            ..SpanFields::default()
        };
        put_span(out, &fields, |out| {
            let list = self.attribute_list(AttributeScope::Event);
            if list.is_empty() {
                return Ok(());
            }
            backtrail_wire::otlp::put_event(out, self.start, "event", Attributes::new(&list), 0)
        })
        .unwrap();
    }

    fn canonical(&self) -> Vec<u8> {
        batch([self]).columns().canonical(0).unwrap()
    }

    fn meets(&self, condition: &Condition) -> bool {
        match condition {
            Condition::Service(name) => self.service_name() == *name,
            Condition::Name(name) => self.span_name() == *name,
            Condition::Kind(kind) => self.kind == *kind,
            Condition::Status(code) => self.status.unwrap_or(0) == *code,
            Condition::DurationNano(range) => range.contains(&self.duration),
            Condition::Attribute { scope, key, test } => {
                key == "n"
                    && self.attribute.is_some_and(|(at, value)| {
                        scope.is_none_or(|scope| scope == at) && test.holds(AnyValue::Int(value))
                    })
            }
            Condition::EventName(name) => {
                let at = self.attribute.map(|(at, _)| at);
                at == Some(AttributeScope::Event) && name == "event"
            }
            Condition::AnyOf(conditions) => {
                conditions.iter().any(|condition| self.meets(condition))
            }
        }
    }
}

/// The spans as a batch.
pub(crate) fn batch<'a>(spans: impl IntoIterator<Item = &'a Span>) -> SpanBatch {
    let mut request = Vec::new();
    for span in spans {
        span.put_resource_spans(&mut request);
    }
    if request.is_empty() {
        return SpanBatchBuilder::new().finish();
    }
    SpanBatch::from_otlp(&request).unwrap()
}

/// The distinct spans of each trace, by start, id and content.
pub(crate) fn traces(spans: &[Span]) -> BTreeMap<TraceId, Vec<&Span>> {
    let mut traces: BTreeMap<TraceId, Vec<&Span>> = BTreeMap::new();
    for span in spans {
        let trace = traces.entry(span.trace_id()).or_default();
        if !trace.contains(&span) {
            trace.push(span);
        }
    }
    for trace in traces.values_mut() {
        trace.sort_by_key(|span| (span.start, span.id, span.canonical()));
    }
    traces
}

/// All results of a search, in order.
pub(crate) fn search(spans: &[Span], query: &SearchQuery) -> Vec<TraceSummary> {
    let mut summaries = Vec::new();
    for (trace_id, trace) in traces(spans) {
        let is_match = |span: &&&Span| {
            query.starts_unix_nano.contains(&span.start)
                && query
                    .conditions
                    .iter()
                    .all(|condition| span.meets(condition))
        };
        let matched_spans = trace.iter().filter(is_match).count() as u64;
        if matched_spans > 0 {
            summaries.push(summary(trace_id, &trace, matched_spans));
        }
    }
    // Trace ids ascend already, and the sort is stable.
    summaries.sort_by_key(|summary| std::cmp::Reverse(summary.start_unix_nano));
    summaries
}

fn summary(trace_id: TraceId, trace: &[&Span], matched_spans: u64) -> TraceSummary {
    let start = trace[0].start;
    let root = trace
        .iter()
        .find(|span| span.parent == 0)
        .unwrap_or(&trace[0]);
    let ids: HashSet<u8> = trace.iter().map(|span| span.id).collect();
    let mut services: BTreeMap<String, (u64, u64)> = BTreeMap::new();
    for span in trace {
        let (spans, errors) = services.entry(span.service_name()).or_default();
        *spans += 1;
        *errors += u64::from(span.status == Some(2));
    }
    TraceSummary {
        trace_id,
        root_service: root.service_name(),
        root_name: root.span_name(),
        start_unix_nano: start,
        duration_nano: trace.iter().map(|span| span.end()).max().unwrap() - start,
        span_count: trace.len() as u64,
        error_count: trace.iter().filter(|span| span.status == Some(2)).count() as u64,
        matched_spans,
        orphan_count: trace
            .iter()
            .filter(|span| span.parent != 0 && !ids.contains(&span.parent))
            .count() as u64,
        services: services
            .into_iter()
            .map(|(name, (spans, errors))| ServiceSpans {
                name,
                spans,
                errors,
            })
            .collect(),
        truncated: false,
    }
}

pub(crate) fn span_id(id: u8) -> SpanId {
    SpanId([id; 8])
}

fn any_scope() -> impl Strategy<Value = AttributeScope> {
    prop_oneof![
        Just(AttributeScope::Span),
        Just(AttributeScope::Resource),
        Just(AttributeScope::Event),
        Just(AttributeScope::Instrumentation),
    ]
}

pub(crate) fn any_span() -> impl Strategy<Value = Span> {
    let ids = (1u8..12, 1u8..6, 0u8..7);
    // Most traces are short, and some spans come much later than the rest of their trace.
    let times = (
        1u64..40,
        prop_oneof![5 => 0u64..3, 1 => 50u64..400],
        0u64..4,
    );
    let content = (0u8..3, 0u8..2, 1i32..4, proptest::option::of(0i32..3));
    let attribute = proptest::option::of((any_scope(), 0i64..3));
    (ids, times, content, attribute).prop_map(
        |(
            (trace, id, parent),
            (base, late, duration),
            (service, name, kind, status),
            attribute,
        )| Span {
            trace,
            id,
            parent,
            start: base * 10 + u64::from(trace % 3) + late,
            duration,
            service,
            name,
            kind,
            status,
            attribute,
        },
    )
}

fn any_operator() -> impl Strategy<Value = Operator> {
    prop_oneof![
        Just(Operator::Equal),
        Just(Operator::NotEqual),
        Just(Operator::Less),
        Just(Operator::GreaterOrEqual),
        Just(Operator::Exists),
    ]
}

pub(crate) fn any_condition() -> impl Strategy<Value = Condition> {
    let plain = prop_oneof![
        (0u8..3).prop_map(|service| Condition::Service(format!("service-{service}"))),
        (0u8..2).prop_map(|name| Condition::Name(format!("name-{name}"))),
        (1i32..4).prop_map(Condition::Kind),
        (0i32..3).prop_map(Condition::Status),
        proptest::sample::select(vec!["event", "other"])
            .prop_map(|name| Condition::EventName(name.to_owned())),
        (0u64..3, 0u64..3).prop_map(|(min, more)| Condition::DurationNano(min..=min + more)),
        (proptest::option::of(any_scope()), any_operator(), 0i64..3).prop_map(
            |(scope, operator, value)| Condition::Attribute {
                scope,
                key: "n".to_owned(),
                test: AttributeTest::new(operator, Operand::Written(value.to_string())).unwrap(),
            }
        ),
    ];
    prop_oneof![
        6 => plain.clone(),
        1 => proptest::collection::vec(plain, 0..3).prop_map(Condition::AnyOf),
    ]
}

pub(crate) fn any_query() -> impl Strategy<Value = SearchQuery> {
    let starts = prop_oneof![
        2 => Just(0..=u64::MAX),
        1 => (0u64..500, 0u64..300).prop_map(|(from, length)| from..=from + length),
    ];
    (
        proptest::collection::vec(any_condition(), 0..3),
        starts,
        1usize..6,
    )
        .prop_map(|(conditions, starts_unix_nano, limit)| SearchQuery {
            conditions,
            starts_unix_nano,
            limit,
            cursor: None,
        })
}

//! Traces that differ in everything that can be asked for, and the plainest search over them.

use serde_json::{Value as Json, json};

use super::{Asked, NO_LIMIT};
use crate::running::otlp::START_UNIX_NANO;

pub(super) const SERVICES: [&str; 4] = ["cart", "checkout", "frontend", "mail / <out>"];
pub(super) const OPERATIONS: [&str; 4] = ["get /cart", "post /order", "select carts", "send"];
const KINDS: [&str; 6] = [
    "unspecified",
    "internal",
    "server",
    "client",
    "producer",
    "consumer",
];
const NANO_PER_US: u64 = 1_000;
const NANO_PER_MS: u64 = 1_000_000;

#[derive(Debug, Clone)]
pub(super) enum Value {
    Text(&'static str),
    Int(i64),
    Bool(bool),
    Double(f64),
    List(Vec<Value>),
}

impl Value {
    /// Whether people would write it so. A number may be written in several ways.
    pub(super) fn is_written(&self, text: &str) -> bool {
        match self {
            Self::Text(value) => *value == text,
            Self::Int(value) => text.parse() == Ok(*value) || text.parse() == Ok(*value as f64),
            Self::Bool(value) => text == value.to_string(),
            Self::Double(value) => text.parse() == Ok(*value),
            Self::List(values) => values.iter().any(|value| value.is_written(text)),
        }
    }

    fn as_json(&self) -> Json {
        match self {
            Self::Text(value) => json!({ "stringValue": value }),
            Self::Int(value) => json!({ "intValue": value.to_string() }),
            Self::Bool(value) => json!({ "boolValue": value }),
            Self::Double(value) => json!({ "doubleValue": value }),
            Self::List(values) => {
                let values: Vec<_> = values.iter().map(Self::as_json).collect();
                json!({ "arrayValue": { "values": values } })
            }
        }
    }
}

type Attributes = Vec<(&'static str, Value)>;

pub(super) struct Span {
    trace_id: u128,
    id: u64,
    parent: u64,
    service: &'static str,
    operation: &'static str,
    kind: usize,
    is_error: bool,
    start_unix_nano: u64,
    duration_nano: u64,
    attributes: Attributes,
    resource: Attributes,
    event: Attributes,
}

impl Span {
    /// The attribute of a key, wherever it stands; the corpus has each in one place.
    pub(super) fn attribute(&self, key: &str) -> Option<&Value> {
        let all = [&self.attributes, &self.resource, &self.event];
        let mut all = all.into_iter().flatten();
        all.find_map(|(other, value)| (*other == key).then_some(value))
    }

    fn meets(&self, asked: &Asked) -> bool {
        let starts = asked.starts_ms.unwrap_or((0, u64::MAX / NANO_PER_MS));
        let start_ms = (self.start_unix_nano - START_UNIX_NANO) / NANO_PER_MS;
        let duration_us = self.duration_nano / NANO_PER_US;
        asked.service.is_none_or(|name| name == self.service)
            && asked.operation.is_none_or(|name| name == self.operation)
            && asked.kind.is_none_or(|kind| kind == KINDS[self.kind])
            && (self.is_error || !asked.error)
            && asked.min_duration_us.is_none_or(|min| duration_us >= min)
            && asked.max_duration_us.is_none_or(|max| duration_us <= max)
            && (starts.0..=starts.1).contains(&start_ms)
            && asked.tags.iter().all(|(key, text)| {
                self.attribute(key)
                    .is_some_and(|value| value.is_written(text))
            })
    }

    fn as_resource_spans(&self) -> Json {
        let list = |attributes: &Attributes| -> Vec<Json> {
            let entries = attributes.iter();
            entries
                .map(|(key, value)| json!({ "key": key, "value": value.as_json() }))
                .collect()
        };
        let mut resource = list(&self.resource);
        resource.push(json!({ "key": "service.name", "value": { "stringValue": self.service } }));
        let mut span = json!({
            "traceId": format!("{:032x}", self.trace_id),
            "spanId": format!("{:016x}", self.id),
            "name": self.operation,
            "kind": self.kind,
            "startTimeUnixNano": self.start_unix_nano.to_string(),
            "endTimeUnixNano": (self.start_unix_nano + self.duration_nano).to_string(),
            "attributes": list(&self.attributes),
        });
        if self.parent != 0 {
            span["parentSpanId"] = format!("{:016x}", self.parent).into();
        }
        if self.is_error {
            span["status"] = json!({ "code": 2 });
        }
        if !self.event.is_empty() {
            span["events"] = json!([{
                "timeUnixNano": self.start_unix_nano.to_string(),
                "name": "exception",
                "attributes": list(&self.event),
            }]);
        }
        json!({ "resource": { "attributes": resource }, "scopeSpans": [{ "spans": [span] }] })
    }
}

/// Numbers that look random and are the same each time.
struct Dice(u64);

impl Dice {
    fn below(&mut self, bound: u64) -> u64 {
        self.0 = self
            .0
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1);
        (self.0 >> 33) % bound
    }

    fn one_in(&mut self, chances: u64) -> bool {
        self.below(chances) == 0
    }

    fn pick<T: Copy>(&mut self, from: &[T]) -> T {
        from[self.below(from.len() as u64) as usize]
    }
}

/// Traces, the newest first and then by id, which is the order of every answer.
pub(super) struct Corpus {
    traces: Vec<Vec<Span>>,
}

impl Corpus {
    pub(super) fn generate(traces: u64) -> Self {
        let mut dice = Dice(7);
        let mut traces: Vec<_> = (1..=traces).map(|id| trace(id, &mut dice)).collect();
        traces.sort_by_key(|trace| {
            let start = trace.iter().map(|span| span.start_unix_nano).min();
            (std::cmp::Reverse(start), trace[0].trace_id)
        });
        Self { traces }
    }

    pub(super) fn spans(&self) -> impl Iterator<Item = &Span> {
        self.traces.iter().flatten()
    }

    /// The ids of the traces with a span that meets everything.
    pub(super) fn find(&self, asked: &Asked) -> Vec<String> {
        let is_found = |trace: &&Vec<Span>| trace.iter().any(|span| span.meets(asked));
        let found = self.traces.iter().filter(is_found);
        found
            .map(|trace| format!("{:032x}", trace[0].trace_id))
            .take(asked.limit.unwrap_or(NO_LIMIT))
            .collect()
    }

    /// Several requests, so that spans of one trace come in more than one.
    pub(super) fn as_otlp_json(&self) -> Vec<Vec<u8>> {
        let spans: Vec<_> = self.spans().map(Span::as_resource_spans).collect();
        let parts = spans.chunks(spans.len() / 3 + 1);
        parts
            .map(|part| json!({ "resourceSpans": part }).to_string().into_bytes())
            .collect()
    }
}

fn trace(number: u64, dice: &mut Dice) -> Vec<Span> {
    // Some ids have 64 bits only. Two traces in a row may start at once.
    let trace_id = u128::from(number) << if dice.one_in(4) { 12 } else { 72 } | 0xabc;
    let start = START_UNIX_NANO + (number / 2) * 1_000 * NANO_PER_MS;
    (1..=1 + dice.below(4))
        .map(|id| span(trace_id, id, start, dice))
        .collect()
}

fn span(trace_id: u128, id: u64, trace_start: u64, dice: &mut Dice) -> Span {
    let mut attributes: Attributes = Vec::new();
    if dice.one_in(2) {
        let status = dice.pick(&[200, 404, 500]);
        attributes.push(("http.response.status_code", Value::Int(status)));
    }
    if dice.one_in(3) {
        let customer = dice.pick(&["acme", "ACME", "200", "globex"]);
        attributes.push(("customer", Value::Text(customer)));
    }
    if dice.one_in(3) {
        attributes.push(("cached", Value::Bool(dice.one_in(2))));
    }
    if dice.one_in(4) {
        attributes.push(("ratio", Value::Double(dice.pick(&[0.25, 0.5]))));
    }
    if dice.one_in(5) {
        let items = vec![Value::Int(dice.pick(&[6, 7])), Value::Text("8")];
        attributes.push(("items", Value::List(items)));
    }
    if dice.one_in(6) {
        let note = dice.pick(&["a \"quoted\" = word: \\ & more", "ä/ö?#%20+"]);
        attributes.push(("note", Value::Text(note)));
    }
    let (mut resource, mut event) = (Vec::new(), Vec::new());
    if dice.one_in(2) {
        let region = dice.pick(&["eu-west-1", "us-east-2"]);
        resource.push(("region", Value::Text(region)));
    }
    if dice.one_in(5) {
        event.push(("exception.type", Value::Text("TypeError")));
    }
    Span {
        trace_id,
        id,
        parent: id - 1,
        service: dice.pick(&SERVICES),
        operation: dice.pick(&OPERATIONS),
        kind: dice.below(KINDS.len() as u64) as usize,
        is_error: dice.one_in(6),
        start_unix_nano: trace_start + (id - 1) * 3 * NANO_PER_MS,
        duration_nano: dice.pick(&[1, 5, 20, 80]) * NANO_PER_MS,
        attributes,
        resource,
        event,
    }
}

//! A span of the shop, before it is written for one wire or another.

use super::service::{Scope, Service};

/// Where a span is: what links and children name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct SpanContext {
    pub(super) trace_id: u128,
    pub(super) span_id: u64,
}

/// Times are whole microseconds, because Jaeger knows no finer ones and children must not seem to
/// start before their parents.
#[derive(Debug, Clone)]
pub(super) struct DemoSpan {
    pub(super) service: &'static Service,
    pub(super) scope: Scope,
    pub(super) context: SpanContext,
    pub(super) parent_span_id: Option<u64>,
    pub(super) name: String,
    pub(super) kind: SpanKind,
    pub(super) start_us: u64,
    pub(super) end_us: u64,
    pub(super) attributes: Vec<(&'static str, Value)>,
    pub(super) events: Vec<Event>,
    pub(super) links: Vec<SpanContext>,
    pub(super) status: Status,
}

/// With OTLP's numbers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum SpanKind {
    Internal = 1,
    Server = 2,
    Client = 3,
    Producer = 4,
    Consumer = 5,
}

impl SpanKind {
    /// As Jaeger's `span.kind` tag has it.
    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::Internal => "internal",
            Self::Server => "server",
            Self::Client => "client",
            Self::Producer => "producer",
            Self::Consumer => "consumer",
        }
    }
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Status {
    Unset,
    Error(String),
}

#[derive(Debug, Clone)]
pub(super) struct Event {
    pub(super) time_us: u64,
    pub(super) name: &'static str,
    pub(super) attributes: Vec<(&'static str, Value)>,
}

#[derive(Debug, Clone, PartialEq)]
pub(super) enum Value {
    String(String),
    Int(i64),
    Double(f64),
    Bool(bool),
}

impl From<&str> for Value {
    fn from(value: &str) -> Self {
        Self::String(value.to_owned())
    }
}

impl From<String> for Value {
    fn from(value: String) -> Self {
        Self::String(value)
    }
}

impl From<i64> for Value {
    fn from(value: i64) -> Self {
        Self::Int(value)
    }
}

impl From<u16> for Value {
    fn from(value: u16) -> Self {
        Self::Int(i64::from(value))
    }
}

impl From<f64> for Value {
    fn from(value: f64) -> Self {
        Self::Double(value)
    }
}

impl From<bool> for Value {
    fn from(value: bool) -> Self {
        Self::Bool(value)
    }
}

//! The spans that are offered: what services with HTTP, a database and messages send.
//!
//! Each span has 11 attributes. Traces have 5 to 50 spans over several services, and once in
//! 100,000 spans there is one of 10,000. Services batch their own spans, so a trace arrives in
//! several requests, as it does from real SDKs.

use std::collections::VecDeque;

use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use opentelemetry_proto::tonic::common::v1::any_value::Value;
use opentelemetry_proto::tonic::common::v1::{AnyValue, InstrumentationScope, KeyValue};
use opentelemetry_proto::tonic::resource::v1::Resource;
use opentelemetry_proto::tonic::trace::v1::span::{Event, SpanKind};
use opentelemetry_proto::tonic::trace::v1::{ResourceSpans, ScopeSpans, Span, Status};

use crate::random::Random;

/// Attributes of each span.
pub(crate) const ATTRIBUTES_PER_SPAN: usize = 11;
pub(crate) const SERVICES: usize = 20;
pub(crate) const OPERATIONS: u64 = 15;
/// Distinct values of `user.id`: what a selective search looks for.
pub(crate) const USERS: u64 = 20_000;

/// What OpenTelemetry's SDKs send at once.
const SPANS_PER_REQUEST: usize = 512;
const HUGE_TRACE_SPANS: u64 = 10_000;
const SPANS_PER_HUGE_TRACE: u64 = 100_000;
/// Traces begin at this rate.
const TRACES_PER_SECOND: u64 = 400;
const SECOND_NS: u64 = 1_000_000_000;

/// An endless stream of requests.
pub(crate) struct Workload {
    random: Random,
    now_ns: u64,
    spans: u64,
    next_huge_at: u64,
    services: [Vec<Span>; SERVICES],
    ready: VecDeque<Request>,
    /// A sample of the traces, for those who read them back.
    pub(crate) sampled_trace_ids: Vec<String>,
}

/// One request of one service.
pub(crate) struct Request {
    pub(crate) message: ExportTraceServiceRequest,
    pub(crate) spans: usize,
}

impl Workload {
    /// Traces that begin at `start_ns` and after.
    pub(crate) fn new(seed: u64, start_ns: u64) -> Self {
        Self {
            random: Random::new(seed),
            now_ns: start_ns,
            spans: 0,
            next_huge_at: SPANS_PER_HUGE_TRACE / 2,
            services: std::array::from_fn(|_| Vec::new()),
            ready: VecDeque::new(),
            sampled_trace_ids: Vec::new(),
        }
    }

    /// How many seconds of traffic so many spans are, for those who want them to end now.
    pub(crate) fn seconds_of(spans: u64) -> u64 {
        spans / (TRACES_PER_SECOND * 30) + 60
    }

    /// Requests of at least `spans` spans altogether, in which all traces are whole.
    pub(crate) fn requests(&mut self, spans: u64) -> impl Iterator<Item = Request> {
        let mut offered = 0;
        std::iter::from_fn(move || {
            let request = if offered < spans {
                Some(self.request())
            } else {
                self.rest()
            };
            offered += request.as_ref().map_or(0, |request| request.spans as u64);
            request
        })
    }

    /// What was told and is not sent yet.
    fn rest(&mut self) -> Option<Request> {
        if let Some(request) = self.ready.pop_front() {
            return Some(request);
        }
        let service = self.services.iter().position(|spans| !spans.is_empty())?;
        let spans = std::mem::take(&mut self.services[service]);
        Some(request(service, spans))
    }

    /// The next request.
    pub(crate) fn request(&mut self) -> Request {
        loop {
            if let Some(request) = self.ready.pop_front() {
                return request;
            }
            self.tell_trace();
        }
    }

    fn tell_trace(&mut self) {
        self.now_ns += self.random.below(2 * SECOND_NS / TRACES_PER_SECOND);
        let size = if self.spans >= self.next_huge_at {
            self.next_huge_at += SPANS_PER_HUGE_TRACE;
            HUGE_TRACE_SPANS
        } else {
            5 + self.random.below(46)
        };
        let trace_id =
            u128::from(self.random.next_u64()) << 64 | u128::from(self.random.next_u64());
        if self.random.once_in(50) {
            self.sampled_trace_ids.push(format!("{trace_id:032x}"));
        }
        let user = self.random.below(USERS);
        let mut trace = Trace {
            id: trace_id.to_be_bytes().to_vec(),
            user,
            spans_left: size,
        };
        let service = self.random.below(SERVICES as u64) as usize;
        let root_id = self.random.next_u64().max(1).to_be_bytes();
        trace.spans_left -= 1;
        let start_ns = self.now_ns;
        let mut end_ns = start_ns;
        while trace.spans_left > 0 {
            let callee = self.random.below(SERVICES as u64) as usize;
            end_ns = self.tell_call(&mut trace, callee, &root_id, end_ns, 1);
        }
        end_ns += self.random.latency_ns(500_000);
        let root = self.server_span(&trace, service, root_id, &[], start_ns, end_ns);
        self.post(service, root);
    }

    /// A server span, what it does in turn, and what it calls. Returns when it ends.
    fn tell_call(
        &mut self,
        trace: &mut Trace,
        service: usize,
        parent: &[u8],
        start_ns: u64,
        depth: u32,
    ) -> u64 {
        trace.spans_left = trace.spans_left.saturating_sub(1);
        let id = self.random.next_u64().max(1).to_be_bytes();
        let mut now_ns = start_ns + self.random.latency_ns(1_000_000);
        for _ in 0..=self.random.below(4) {
            if trace.spans_left == 0 {
                break;
            }
            now_ns = match self.random.below(10) {
                0..=4 => self.tell_query(trace, service, &id, now_ns),
                5 => self.tell_message(trace, service, &id, now_ns),
                _ if depth < 6 => {
                    let callee = self.random.below(SERVICES as u64) as usize;
                    self.tell_call(trace, callee, &id, now_ns, depth + 1)
                }
                _ => self.tell_query(trace, service, &id, now_ns),
            };
        }
        let end_ns = now_ns + self.random.latency_ns(500_000);
        let span = self.server_span(trace, service, id, parent, start_ns, end_ns);
        self.post(service, span);
        end_ns
    }

    fn server_span(
        &mut self,
        trace: &Trace,
        service: usize,
        id: [u8; 8],
        parent: &[u8],
        start_ns: u64,
        end_ns: u64,
    ) -> Span {
        let operation = self.random.below(OPERATIONS);
        let method = ["GET", "POST", "PUT"][operation as usize % 3];
        let route = route(operation);
        let failed = self.random.once_in(50);
        let mut span = span(trace, id, parent, SpanKind::Server, start_ns, end_ns);
        span.name = format!("{method} {route}");
        span.attributes = vec![
            string("http.request.method", method),
            string("http.route", route.clone()),
            string(
                "url.path",
                route.replace("{id}", &self.random.below(100_000).to_string()),
            ),
            string("url.scheme", "https"),
            string("server.address", service_name(service)),
            int("server.port", 8443),
            string(
                "client.address",
                format!("10.0.{}.{}", trace.user % 256, trace.user % 251),
            ),
            string(
                "user_agent.original",
                USER_AGENTS[trace.user as usize % USER_AGENTS.len()],
            ),
            string("user.id", user_id(trace.user)),
            int("http.response.status_code", if failed { 500 } else { 200 }),
            string("network.protocol.version", "1.1"),
        ];
        if failed {
            span.status = Some(Status {
                message: "upstream failed".to_owned(),
                code: 2,
            });
            span.events.push(exception(end_ns));
        }
        span
    }

    fn tell_query(&mut self, trace: &mut Trace, service: usize, parent: &[u8], at_ns: u64) -> u64 {
        trace.spans_left -= 1;
        let id = self.random.next_u64().max(1).to_be_bytes();
        let end_ns = at_ns + self.random.latency_ns(3_000_000);
        let table = self.random.below(12);
        let operation = ["SELECT", "INSERT", "UPDATE"][table as usize % 3];
        let mut span = span(trace, id, parent, SpanKind::Client, at_ns, end_ns);
        span.name = format!("{operation} table_{table}");
        span.attributes = vec![
            string("db.system.name", "postgresql"),
            string(
                "db.namespace",
                format!("{}_production", service_name(service)),
            ),
            string("db.collection.name", format!("table_{table}")),
            string("db.operation.name", operation),
            string(
                "db.query.text",
                format!(
                    "{operation} … table_{table} WHERE tenant = $1 AND id = $2 ORDER BY created_at DESC LIMIT 50"
                ),
            ),
            string("db.query.summary", format!("{operation} table_{table}")),
            int("db.response.returned_rows", self.random.below(50) as i64),
            string("server.address", format!("db-{}.internal", service % 4)),
            int("server.port", 5432),
            string("network.peer.address", format!("10.1.0.{}", service % 4)),
            int("thread.id", self.random.below(64) as i64),
        ];
        self.post(service, span);
        end_ns
    }

    fn tell_message(
        &mut self,
        trace: &mut Trace,
        service: usize,
        parent: &[u8],
        at_ns: u64,
    ) -> u64 {
        trace.spans_left -= 1;
        let id = self.random.next_u64().max(1).to_be_bytes();
        let end_ns = at_ns + self.random.latency_ns(800_000);
        let topic = format!("topic-{}", self.random.below(8));
        let mut span = span(trace, id, parent, SpanKind::Producer, at_ns, end_ns);
        span.name = format!("send {topic}");
        span.attributes = vec![
            string("messaging.system", "kafka"),
            string("messaging.operation.type", "send"),
            string("messaging.operation.name", "send"),
            string("messaging.destination.name", topic),
            string(
                "messaging.destination.partition.id",
                self.random.below(24).to_string(),
            ),
            string(
                "messaging.message.id",
                format!("{:016x}", self.random.next_u64()),
            ),
            int(
                "messaging.message.body.size",
                200 + self.random.below(4_000) as i64,
            ),
            string("messaging.client.id", service_name(service)),
            int("messaging.kafka.offset", self.random.below(1 << 40) as i64),
            string("server.address", "kafka.internal"),
            int("server.port", 9092),
        ];
        self.post(service, span);
        end_ns
    }

    fn post(&mut self, service: usize, span: Span) {
        debug_assert_eq!(span.attributes.len(), ATTRIBUTES_PER_SPAN);
        self.spans += 1;
        let waiting = &mut self.services[service];
        waiting.push(span);
        if waiting.len() == SPANS_PER_REQUEST {
            let spans = std::mem::take(waiting);
            self.ready.push_back(request(service, spans));
        }
    }
}

struct Trace {
    id: Vec<u8>,
    user: u64,
    spans_left: u64,
}

const USER_AGENTS: [&str; 3] = [
    "Mozilla/5.0 (X11; Linux x86_64; rv:145.0) Gecko/20100101 Firefox/145.0",
    "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/142.0.0.0 Safari/537.36",
    "okhttp/5.2.1",
];

pub(crate) fn service_name(service: usize) -> String {
    format!("service-{service:02}")
}

pub(crate) fn user_id(user: u64) -> String {
    format!("u-{user:05}")
}

fn route(operation: u64) -> String {
    format!("/resource-{operation}/{{id}}")
}

/// The name of a server span.
pub(crate) fn operation_name(operation: u64) -> String {
    let method = ["GET", "POST", "PUT"][operation as usize % 3];
    format!("{method} {}", route(operation))
}

fn span(
    trace: &Trace,
    id: [u8; 8],
    parent: &[u8],
    kind: SpanKind,
    start_ns: u64,
    end_ns: u64,
) -> Span {
    Span {
        trace_id: trace.id.clone(),
        span_id: id.to_vec(),
        parent_span_id: parent.to_vec(),
        flags: 0x101,
        kind: kind as i32,
        start_time_unix_nano: start_ns,
        end_time_unix_nano: end_ns,
        ..Span::default()
    }
}

fn exception(time_ns: u64) -> Event {
    Event {
        time_unix_nano: time_ns,
        name: "exception".to_owned(),
        attributes: vec![
            string("exception.type", "java.io.IOException"),
            string("exception.message", "Connection reset by peer"),
            string("exception.stacktrace", STACKTRACE),
        ],
        dropped_attributes_count: 0,
    }
}

const STACKTRACE: &str = "java.io.IOException: Connection reset by peer
\tat java.base/sun.nio.ch.SocketDispatcher.read0(Native Method)
\tat java.base/sun.nio.ch.SocketDispatcher.read(SocketDispatcher.java:47)
\tat bench.http.Connection.receive(Connection.java:118)
\tat bench.http.Client.send(Client.java:64)
\tat bench.service.Handler.handle(Handler.java:41)";

fn request(service: usize, spans: Vec<Span>) -> Request {
    let name = service_name(service);
    let resource = Resource {
        attributes: vec![
            string("service.name", name.clone()),
            string("service.version", "1.2.3"),
            string("service.instance.id", format!("{name}-7d9c5b8f6-abcde")),
            string("deployment.environment.name", "production"),
            string("host.name", format!("node-{}", service % 6)),
            string("telemetry.sdk.language", "java"),
            string("telemetry.sdk.name", "opentelemetry"),
            string("telemetry.sdk.version", "1.55.0"),
        ],
        ..Resource::default()
    };
    let scope = InstrumentationScope {
        name: "bench.instrumentation".to_owned(),
        version: "2.21.0".to_owned(),
        ..InstrumentationScope::default()
    };
    let count = spans.len();
    let scope_spans = ScopeSpans {
        scope: Some(scope),
        spans,
        schema_url: String::new(),
    };
    let resource_spans = ResourceSpans {
        resource: Some(resource),
        scope_spans: vec![scope_spans],
        schema_url: String::new(),
    };
    Request {
        message: ExportTraceServiceRequest {
            resource_spans: vec![resource_spans],
        },
        spans: count,
    }
}

fn string(key: &str, value: impl Into<String>) -> KeyValue {
    key_value(key, Value::StringValue(value.into()))
}

fn int(key: &str, value: i64) -> KeyValue {
    key_value(key, Value::IntValue(value))
}

fn key_value(key: &str, value: Value) -> KeyValue {
    KeyValue {
        key: key.to_owned(),
        value: Some(AnyValue { value: Some(value) }),
        ..KeyValue::default()
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashMap;

    use super::*;

    #[test]
    fn traces_are_as_large_as_is_said_and_spans_have_their_attributes() {
        let mut workload = Workload::new(1, SECOND_NS);
        let mut sizes: HashMap<Vec<u8>, usize> = HashMap::new();
        let mut roots = 0;
        for request in workload.requests(300_000) {
            let spans = &request.message.resource_spans[0].scope_spans[0].spans;
            assert_eq!(spans.len(), request.spans);
            for span in spans {
                assert_eq!(span.attributes.len(), ATTRIBUTES_PER_SPAN);
                roots += usize::from(span.parent_span_id.is_empty());
                assert!(span.start_time_unix_nano < span.end_time_unix_nano);
                *sizes.entry(span.trace_id.clone()).or_default() += 1;
            }
        }
        assert_eq!(roots, sizes.len());
        assert!(sizes.values().all(|size| *size >= 5));
        let huge = sizes.values().filter(|size| **size > 60).count();
        assert_eq!(huge, 3);
        let mean = 300_000 / sizes.len();
        assert!((20..40).contains(&mean), "{mean}");
    }

    #[test]
    fn a_seed_is_a_workload() {
        let first = |seed| Workload::new(seed, SECOND_NS).request().message;
        assert_eq!(first(1), first(1));
        assert_ne!(first(1), first(2));
    }
}

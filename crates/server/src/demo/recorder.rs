//! Records a trace while a story is told: a clock that only the story moves, and spans that open
//! and close around what happens in them.

use super::failure::Failure;
use super::random::Random;
use super::service::{Layer, Service};
use super::span::{DemoSpan, Event, SpanContext, SpanKind, Status, Value};

/// The spans of one trace, in the order in which they began.
pub(super) struct Recording {
    pub(super) trace_id: u128,
    pub(super) spans: Vec<DemoSpan>,
}

/// Tells the story `body`, which begins at `start_us`, and returns its trace.
pub(super) fn record<T>(
    random: &mut Random,
    start_us: u64,
    body: impl FnOnce(&mut Recorder<'_>) -> T,
) -> (Recording, T) {
    let trace_id = u128::from(random.next_u64()) << 64 | u128::from(random.next_u64());
    let mut recorder = Recorder {
        random,
        trace_id,
        now_us: start_us,
        open: Vec::new(),
        spans: Vec::new(),
    };
    let result = body(&mut recorder);
    let recording = Recording {
        trace_id,
        spans: recorder.spans,
    };
    (recording, result)
}

/// The trace that is being recorded.
pub(super) struct Recorder<'a> {
    pub(super) random: &'a mut Random,
    trace_id: u128,
    now_us: u64,
    /// The spans that are open, outermost first, as indices.
    open: Vec<usize>,
    spans: Vec<DemoSpan>,
}

impl Recorder<'_> {
    /// A span of `service` around `body`.
    pub(super) fn span<T>(
        &mut self,
        service: &'static Service,
        layer: Layer,
        kind: SpanKind,
        name: impl Into<String>,
        body: impl FnOnce(&mut Self) -> T,
    ) -> T {
        let parent_span_id = self.open.last().map(|at| self.spans[*at].context.span_id);
        let at = self.spans.len();
        self.spans.push(DemoSpan {
            service,
            scope: service.scope(layer),
            context: SpanContext {
                trace_id: self.trace_id,
                // Zero is no id.
                span_id: self.random.next_u64().max(1),
            },
            parent_span_id,
            name: name.into(),
            kind,
            start_us: self.now_us,
            end_us: self.now_us,
            attributes: Vec::new(),
            events: Vec::new(),
            links: Vec::new(),
            status: Status::Unset,
        });
        self.open.push(at);
        let result = body(self);
        self.open.pop();
        self.spans[at].end_us = self.now_us;
        result
    }

    /// A span of the current service's own code.
    pub(super) fn step<T>(
        &mut self,
        name: impl Into<String>,
        body: impl FnOnce(&mut Self) -> T,
    ) -> T {
        self.span(self.service(), Layer::Own, SpanKind::Internal, name, body)
    }

    /// The service whose span is open.
    ///
    /// # Panics
    ///
    /// When none is: a story begins with [`Recorder::span`].
    pub(super) fn service(&self) -> &'static Service {
        self.current().service
    }

    /// How many spans there are so far.
    pub(super) fn span_count(&self) -> usize {
        self.spans.len()
    }

    /// What children and links of the open span name.
    pub(super) fn context(&self) -> SpanContext {
        self.current().context
    }

    /// An attribute of the open span.
    pub(super) fn set(&mut self, key: &'static str, value: impl Into<Value>) {
        self.current_mut().attributes.push((key, value.into()));
    }

    /// An event of the open span.
    pub(super) fn event(&mut self, name: &'static str, attributes: Vec<(&'static str, Value)>) {
        let event = Event {
            time_us: self.now_us,
            name,
            attributes,
        };
        self.current_mut().events.push(event);
    }

    /// A link from the open span to another trace.
    pub(super) fn link(&mut self, to: SpanContext) {
        self.current_mut().links.push(to);
    }

    /// Marks the open span as failed.
    pub(super) fn fail(&mut self, error_type: &str, message: impl Into<String>) {
        self.set("error.type", error_type);
        self.current_mut().status = Status::Error(message.into());
    }

    /// Marks the open span as failed by an exception, which becomes an event of it.
    pub(super) fn throw(&mut self, failure: &Failure) {
        self.event(
            "exception",
            vec![
                ("exception.type", failure.class.into()),
                ("exception.message", failure.message.clone().into()),
                ("exception.stacktrace", failure.stacktrace().into()),
            ],
        );
        self.fail(failure.class, failure.message.clone());
    }

    /// Time passes: about this much.
    pub(super) fn work(&mut self, typical_ms: f64) {
        self.now_us += self.random.latency_us(typical_ms);
    }

    /// Time passes: exactly this much.
    pub(super) fn wait_ms(&mut self, wait_ms: u64) {
        self.now_us += wait_ms * 1000;
    }

    /// Both begin now, and it goes on when both are done.
    pub(super) fn both<A, B>(
        &mut self,
        first: impl FnOnce(&mut Self) -> A,
        second: impl FnOnce(&mut Self) -> B,
    ) -> (A, B) {
        let start_us = self.now_us;
        let first = first(self);
        let first_end_us = std::mem::replace(&mut self.now_us, start_us);
        let second = second(self);
        self.now_us = self.now_us.max(first_end_us);
        (first, second)
    }

    /// Happens `delay_ms` from now, as a child of the open span, which does not wait for it.
    pub(super) fn later(&mut self, delay_ms: u64, body: impl FnOnce(&mut Self)) {
        let now_us = self.now_us;
        self.wait_ms(delay_ms);
        body(self);
        self.now_us = now_us;
    }

    fn current(&self) -> &DemoSpan {
        let at = self.open.last().expect("a story begins with a span");
        &self.spans[*at]
    }

    fn current_mut(&mut self) -> &mut DemoSpan {
        let at = self.open.last().expect("a story begins with a span");
        &mut self.spans[*at]
    }
}

#[cfg(test)]
mod tests {
    use super::super::service::{CART, EMAIL, FRONTEND};
    use super::*;

    fn own<T>(
        r: &mut Recorder<'_>,
        service: &'static Service,
        body: impl FnOnce(&mut Recorder<'_>) -> T,
    ) -> T {
        r.span(service, Layer::Own, SpanKind::Internal, service.name, body)
    }

    #[test]
    fn spans_nest_and_time_passes_as_the_story_says() {
        let mut random = Random::new(1);
        let (recording, ()) = record(&mut random, 1_000_000, |r| {
            own(r, &FRONTEND, |r| {
                r.wait_ms(1);
                r.both(
                    |r| own(r, &CART, |r| r.wait_ms(5)),
                    |r| own(r, &CART, |r| r.wait_ms(2)),
                );
                r.later(100, |r| own(r, &EMAIL, |r| r.wait_ms(1)));
                r.wait_ms(1);
            });
        });
        let times: Vec<_> = recording
            .spans
            .iter()
            .map(|span| {
                (
                    span.name.as_str(),
                    span.start_us - 1_000_000,
                    span.end_us - 1_000_000,
                )
            })
            .collect();
        let expected = [
            ("frontend", 0, 7_000),
            ("cart", 1_000, 6_000),
            ("cart", 1_000, 3_000),
            ("email", 106_000, 107_000),
        ];
        assert_eq!(times, expected);
        let root = recording.spans[0].context.span_id;
        assert_eq!(recording.spans[0].parent_span_id, None);
        assert!(
            recording.spans[1..]
                .iter()
                .all(|span| span.parent_span_id == Some(root))
        );
    }
}

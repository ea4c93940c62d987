//! Messages that are asked for.

use std::future::Future;

use opentelemetry::Context;
use opentelemetry::trace::TraceContextExt as _;

use super::consumer::MAX_LINKS;
use super::headers::{Headers, Read};
use crate::span::run_within;
use crate::system::System;
use crate::{Outcome, Span, TracedFuture};

/// A span that [`Consumer::receive`](super::Consumer::receive) started, for the call that asks for messages. If it is dropped instead, the
/// span ends then.
///
/// ```
/// use std::collections::HashMap;
///
/// use backtrail::messaging::Consumer;
/// use backtrail::testing::Recorder;
///
/// # async fn poll() -> std::io::Result<Vec<HashMap<String, String>>> { Ok(vec![HashMap::new()]) }
/// # tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(async {
/// let traces = Recorder::new();
/// let consumer = Consumer::new("kafka", "orders");
/// let headers = traces.run(consumer.receive().run(async |received| {
///     let headers = poll().await?;
///     received.messages(&headers);
///     Ok::<_, std::io::Error>(headers)
/// })).await?;
/// # assert_eq!(headers.len(), 1);
/// # Ok::<_, std::io::Error>(()) }).unwrap();
/// ```
#[derive(Debug)]
#[must_use = "the span is for code that runs in it"]
pub struct Receiving(Span);

impl Receiving {
    pub(super) fn new(span: Span) -> Self {
        Self(span)
    }

    /// Runs asynchronous code in the span. `Err` is recorded as [`create_span`](crate::create_span) does; `Ok` leaves the status unset.
    pub fn run<M, F, Fut>(self, code: F) -> TracedFuture<Fut>
    where
        F: FnOnce(Received) -> Fut,
        Fut: Future,
        Fut::Output: Outcome<M>,
    {
        let code = |span| code(Received(span));
        TracedFuture::new(self.0, code, Outcome::record_failure)
    }

    /// [`Receiving::run`] for code that is not asynchronous.
    pub fn run_sync<M, T: Outcome<M>>(self, code: impl FnOnce(Received) -> T) -> T {
        let output = run_within(&self.0, |span| code(Received(span)));
        output.record_failure(&self.0);
        self.0.end();
        output
    }
}

/// Takes what came. The span links to each span that sent a message.
#[derive(Debug, Clone)]
pub struct Received(Span);

impl Received {
    /// The span, for attributes.
    pub fn span(&self) -> &Span {
        &self.0
    }

    /// The headers of the one message that came, from a call that gives one at most.
    pub fn message(&self, headers: &(impl Headers + ?Sized)) {
        if self.0.is_recording() {
            self.link(headers);
        }
    }

    /// The headers of the messages that came, from a call that may give several, or none: `messaging.batch.message_count`. The first 128 are
    /// linked; `messaging.batch.unlinked_count` tells of the others. To be told once.
    pub fn messages<'h, H: Headers + 'h>(&self, messages: impl IntoIterator<Item = &'h H>) {
        if !self.0.is_recording() {
            return;
        }
        let mut count = 0;
        for headers in messages {
            count += 1;
            if count <= MAX_LINKS {
                self.link(headers);
            }
        }
        self.0.set("messaging.batch.message_count", count);
        if count > MAX_LINKS {
            let unlinked = count - MAX_LINKS;
            self.0.set("messaging.batch.unlinked_count", unlinked);
        }
    }

    fn link(&self, headers: &(impl Headers + ?Sized)) {
        let context = self.0.context();
        let Some(system) = System::of(&context) else {
            return;
        };
        let sent = system.propagator().extract(&Context::new(), &Read(headers));
        let sender = sent.span().span_context().clone();
        if sender.is_valid() {
            self.0.add_link(sender, ());
        }
    }
}

//! Who processes.

use std::borrow::Cow;

use opentelemetry::baggage::{BaggageExt, KeyValueMetadata};
use opentelemetry::trace::{SpanContext, TraceContextExt};
use opentelemetry::{Context, Key, KeyValue};

use super::headers::{Headers, Read};
use super::{Destination, Receiving, Started};
use crate::system::System;
use crate::{IntoValue, SpanKind};

/// Links of one span. Source: the limit of links in the tracing specification, as it is if nothing is said.
pub(super) const MAX_LINKS: usize = 128;

/// Receives and processes messages from a destination.
#[derive(Debug, Clone)]
pub struct Consumer {
    destination: Destination,
    is_child: bool,
}

impl Consumer {
    /// A consumer by the names that its [`Producer`](super::Producer) has.
    pub fn new(
        system: impl Into<Cow<'static, str>>,
        destination: impl Into<Cow<'static, str>>,
    ) -> Self {
        Self {
            destination: Destination::new(system.into(), destination.into()),
            is_child: false,
        }
    }

    /// `messaging.consumer.group.name`.
    pub fn group(self, name: impl Into<Cow<'static, str>>) -> Self {
        self.attribute("messaging.consumer.group.name", name.into())
    }

    /// `server.address` and `server.port` of the broker.
    pub fn server(self, address: impl Into<Cow<'static, str>>, port: u16) -> Self {
        self.attribute("server.address", address.into())
            .attribute("server.port", port)
    }

    /// Adds an attribute to all spans, which samplers see.
    pub fn attribute(mut self, key: impl Into<Key>, value: impl IntoValue) -> Self {
        if let Some(value) = value.into_value() {
            let attributes = &mut self.destination.attributes;
            attributes.push(KeyValue::new(key, value));
        }
        self
    }

    /// Whether the span of a single message is a child of the span that sent it, in the same trace. If nothing is said it is linked to it, and
    /// is below the current span, or a trace of its own: a queue parts what sends from what processes, maybe for days.
    pub fn as_child(mut self, is_child: bool) -> Self {
        self.is_child = is_child;
        self
    }

    /// Starts a client span `receive {destination}` below the current span, for a consumer that asks for messages: run the call that polls, pops or
    /// fetches in what is returned, and tell what came. Messages that are pushed need no more than [`Consumer::process`].
    pub fn receive(&self) -> Receiving {
        let system = Context::map_current(|context| System::of(context).cloned());
        let span = self
            .destination
            .span(system.as_ref(), "receive", SpanKind::Client);
        Receiving::new(span.start())
    }

    /// Starts a consumer span `process {destination}`, linked to the span that sent the message, or its child ([`Consumer::as_child`]).
    /// The message's baggage is there in either case. Process the message in what is returned.
    pub fn process(&self, headers: &(impl Headers + ?Sized)) -> Started {
        let current = Context::current();
        let Some(system) = System::of(&current) else {
            return self.start(None, &current, Vec::new(), None);
        };
        let sent = system.propagator().extract(&current, &Read(headers));
        if self.is_child {
            return self.start(Some(system), &sent, Vec::new(), None);
        }
        let links = sender(&current, &sent).into_iter().collect();
        let parent = with_baggage_of(&current, &sent);
        self.start(Some(system), &parent, links, None)
    }

    /// Starts one consumer span for messages that are processed at once: below the current span, with `messaging.batch.message_count` and a
    /// link to each span that sent one of them. The first 128 are linked; `messaging.batch.unlinked_count` tells of the others. Baggage is that of
    /// the current context.
    pub fn process_batch<'h, H: Headers + 'h>(
        &self,
        messages: impl IntoIterator<Item = &'h H>,
    ) -> Started {
        let current = Context::current();
        let system = System::of(&current);
        let mut links = Vec::new();
        let mut count = 0;
        for headers in messages {
            count += 1;
            if let Some(system) = system
                && count <= MAX_LINKS
            {
                let sent = system.propagator().extract(&current, &Read(headers));
                links.extend(sender(&current, &sent));
            }
        }
        self.start(system, &current, links, Some(count))
    }

    fn start(
        &self,
        system: Option<&System>,
        parent: &Context,
        links: Vec<SpanContext>,
        count: Option<usize>,
    ) -> Started {
        let unlinked = count.and_then(|count| count.checked_sub(MAX_LINKS));
        let mut span = self
            .destination
            .span(system, "process", SpanKind::Consumer)
            .parent(parent)
            .attribute("messaging.batch.message_count", count)
            .attribute(
                "messaging.batch.unlinked_count",
                unlinked.filter(|&n| n > 0),
            );
        for link in links {
            span = span.link(link, ());
        }
        Started::new(span.start())
    }
}

/// The span that sent a message; nothing if the headers name none, so that the current one is still there.
fn sender(current: &Context, sent: &Context) -> Option<SpanContext> {
    let sender = sent.span().span_context().clone();
    (sender.is_valid() && sender != *current.span().span_context()).then_some(sender)
}

fn with_baggage_of(current: &Context, sent: &Context) -> Context {
    let baggage = sent.baggage();
    if baggage.is_empty() {
        return current.clone();
    }
    let all: Vec<KeyValueMetadata> = baggage
        .into_iter()
        .map(|(key, (value, metadata))| {
            KeyValueMetadata::new(key.clone(), value.clone(), metadata.clone())
        })
        .collect();
    current.with_baggage(all)
}

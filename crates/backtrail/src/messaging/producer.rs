//! Who sends.

use std::borrow::Cow;

use opentelemetry::{Context, Key, KeyValue};

use super::headers::{Headers, Write};
use super::{Destination, Started};
use crate::system::System;
use crate::{IntoValue, SpanKind};

/// Sends messages to a destination: a topic, a queue, an exchange.
#[derive(Debug, Clone)]
pub struct Producer {
    destination: Destination,
}

impl Producer {
    /// A producer by the system's name as the semantic conventions write it (`kafka`, `rabbitmq`, `nats`, `aws_sqs` …) and the
    /// destination's, which is part of the span's name. Of destinations that are made for one answer only, name the kind.
    pub fn new(
        system: impl Into<Cow<'static, str>>,
        destination: impl Into<Cow<'static, str>>,
    ) -> Self {
        Self {
            destination: Destination::new(system.into(), destination.into()),
        }
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

    /// Starts a producer span `send {destination}` below the current span, and writes its context into the headers. Run the client's call in
    /// what is returned.
    ///
    /// When messaging is switched off, the context of the current span is written.
    pub fn send(&self, headers: &mut (impl Headers + ?Sized)) -> Started {
        self.start([headers], None)
    }

    /// [`Producer::send`] for messages that are sent at once: one span, `messaging.batch.message_count`, and its context in all of them.
    pub fn send_batch<'h, H: Headers + 'h>(
        &self,
        messages: impl IntoIterator<Item = &'h mut H>,
    ) -> Started {
        let messages: Vec<&mut H> = messages.into_iter().collect();
        let count = messages.len();
        self.start(messages, Some(count))
    }

    fn start<'h, H: Headers + ?Sized + 'h>(
        &self,
        messages: impl IntoIterator<Item = &'h mut H>,
        count: Option<usize>,
    ) -> Started {
        let system = Context::map_current(|context| System::of(context).cloned());
        let span = self
            .destination
            .span(system.as_ref(), "send", SpanKind::Producer)
            .attribute("messaging.batch.message_count", count)
            .start();
        if let Some(system) = system {
            for headers in messages {
                system
                    .propagator()
                    .inject(&span.context(), &mut Write(headers));
            }
        }
        Started::new(span)
    }
}

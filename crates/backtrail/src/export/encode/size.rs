//! How large a span is, before it is encoded.

use std::mem::size_of;

use opentelemetry::trace::{Event, Link, Status, TraceState};
use opentelemetry::{Array, KeyValue, StringValue, Value};
use opentelemetry_sdk::trace::SpanData;

/// What a queue counts of a span.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Size {
    /// About how many bytes it takes in memory. Texts count as if each were owned, for whether they are can't be seen.
    pub(crate) memory: usize,
    /// At least what it takes encoded as OTLP, without its resource and scope.
    pub(crate) encoded: usize,
}

/// Ids, times, kind, counts, flags, and the tags and lengths of all fields of a span.
const ENCODED_SPAN: usize = 112;
/// The same of an event and a link.
const ENCODED_EVENT: usize = 28;
const ENCODED_LINK: usize = 52;
/// Tags and lengths of an attribute with a text, and of one with another value.
const ENCODED_TEXT_ATTRIBUTE: usize = 9;
const ENCODED_ATTRIBUTE: usize = 17;
/// Each value of an array: two tags, a length, and a number at most.
const ENCODED_ELEMENT: usize = 13;
/// Two strings and their place in the list.
const TRACE_STATE_MEMBER: usize = 2 * size_of::<String>();

#[inline]
pub(crate) fn estimate(span: &SpanData) -> Size {
    let mut sum = Sum {
        memory: size_of::<SpanData>(),
        encoded: ENCODED_SPAN,
        texts: span.name.len(),
    };
    sum.attributes(&span.attributes);
    let is_plain = span.events.events.is_empty() && span.links.links.is_empty();
    if !is_plain || span.status != Status::Unset {
        sum.rest(span);
    }
    sum.trace_state(span.span_context.trace_state());
    Size {
        memory: sum.memory + sum.texts,
        // The lengths around texts that are long take more bytes than the constants say, and fewer than this.
        encoded: sum.encoded + sum.texts + sum.texts / 64,
    }
}

struct Sum {
    memory: usize,
    encoded: usize,
    texts: usize,
}

impl Sum {
    #[inline]
    fn attributes(&mut self, attributes: &Vec<KeyValue>) {
        let mut texts = 0;
        let mut others = 0;
        for attribute in attributes {
            texts += attribute.key.as_str().len();
            match &attribute.value {
                Value::String(text) => texts += text.as_str().len(),
                Value::Array(array) => self.array(array),
                _ => others += 1,
            }
        }
        self.texts += texts;
        self.memory += attributes.capacity() * size_of::<KeyValue>();
        self.encoded += (attributes.len() - others) * ENCODED_TEXT_ATTRIBUTE;
        self.encoded += others * ENCODED_ATTRIBUTE;
    }

    #[inline(never)]
    fn rest(&mut self, span: &SpanData) {
        if let Status::Error { description } = &span.status {
            self.texts += description.len();
        }
        for event in &span.events.events {
            self.event(event);
        }
        for link in &span.links.links {
            self.link(link);
        }
    }

    fn event(&mut self, event: &Event) {
        self.memory += size_of::<Event>();
        self.encoded += ENCODED_EVENT;
        self.texts += event.name.len();
        self.attributes(&event.attributes);
    }

    fn link(&mut self, link: &Link) {
        self.memory += size_of::<Link>();
        self.encoded += ENCODED_LINK;
        self.trace_state(link.span_context.trace_state());
        self.attributes(&link.attributes);
    }

    #[inline]
    fn trace_state(&mut self, trace_state: &TraceState) {
        for (key, value) in trace_state {
            self.memory += TRACE_STATE_MEMBER;
            self.encoded += 2;
            self.texts += key.len() + value.len();
        }
    }

    #[cold]
    fn array(&mut self, array: &Array) {
        let (len, element) = match array {
            Array::Bool(values) => (values.len(), size_of::<bool>()),
            Array::I64(values) => (values.len(), size_of::<i64>()),
            Array::F64(values) => (values.len(), size_of::<f64>()),
            Array::String(values) => {
                self.texts += values.iter().map(|text| text.as_str().len()).sum::<usize>();
                (values.len(), size_of::<StringValue>())
            }
            _ => (0, 0),
        };
        let encoded = len * ENCODED_ELEMENT;
        self.memory += len * element;
        self.encoded += ENCODED_ATTRIBUTE + encoded + encoded / 64;
    }
}

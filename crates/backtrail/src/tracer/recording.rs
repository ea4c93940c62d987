//! A span that records what it is told.

use std::borrow::Cow;
use std::time::SystemTime;

use opentelemetry::KeyValue;
use opentelemetry::trace::{Event, Link, Span, SpanContext, Status};

use super::Tracer;
use super::state::{Pooled, State};
use crate::ValueRef;
use crate::config::Limits;
use crate::export::encode::{SpanField, SpanParts, put_event, put_link, unix_nanos};

/// A span as contexts take it, until it is dropped. It is encoded as it comes to be: attributes, events and links when they are set, the rest
/// when it ends. What is said after its end is not heard.
#[derive(Debug)]
pub(crate) struct Recording(Pooled);

impl Recording {
    #[inline]
    pub(super) const fn new(state: Pooled) -> Self {
        Self(state)
    }

    /// Sets an attribute.
    #[inline]
    pub(crate) fn put(&mut self, key: &str, value: ValueRef<'_>) {
        let state = &mut *self.0;
        let Some(tracer) = &state.tracer else {
            return;
        };
        if state.attributes.len() < tracer.limits.attributes as usize {
            let max_chars = tracer.limits.attribute_value_len;
            state.attributes.put(key, value, max_chars);
        } else {
            state.dropped_attributes_count += 1;
        }
    }

    #[inline]
    fn finish(&mut self, time: Option<SystemTime>) {
        let state = &mut *self.0;
        let Some(tracer) = state.tracer.take() else {
            return;
        };
        if state.context.is_sampled() {
            let end_unix_nano = unix_nanos(time.unwrap_or_else(opentelemetry::time::now));
            export(&tracer, state, end_unix_nano);
        }
        state.forget();
    }
}

#[inline]
fn export(tracer: &Tracer, state: &mut State, end_unix_nano: u64) {
    let Some(pipeline) = &tracer.pipeline else {
        return;
    };
    state.attributes.leave_last();
    let (events, links) = match state.rest.as_deref() {
        Some(rest) => (Some(&rest.events), Some(&rest.links)),
        None => (None, None),
    };
    let field = SpanField::new(SpanParts {
        context: &state.context,
        parent_span_id: state.parent_span_id,
        parent_is_remote: state.parent_is_remote,
        name: &state.name,
        kind: &state.kind,
        start_unix_nano: state.start_unix_nano.unwrap_or(end_unix_nano),
        end_unix_nano,
        attributes: state.attributes.as_bytes(),
        events: events.map_or(&[], |events| &events.bytes),
        links: links.map_or(&[], |links| &links.bytes),
        dropped_attributes_count: state.dropped_attributes_count,
        dropped_events_count: events.map_or(0, |events| events.dropped_count),
        dropped_links_count: links.map_or(0, |links| links.dropped_count),
        status: &state.status,
    });
    let scope = &tracer.scopes[state.scope as usize];
    pipeline
        .queue
        .offer(scope, field.len(), |out| field.put(out));
}

impl Drop for Recording {
    fn drop(&mut self) {
        self.finish(None);
    }
}

impl Span for Recording {
    fn add_event_with_timestamp<T>(
        &mut self,
        name: T,
        timestamp: SystemTime,
        mut attributes: Vec<KeyValue>,
    ) where
        T: Into<Cow<'static, str>>,
    {
        let state = &mut *self.0;
        let Some(tracer) = &state.tracer else {
            return;
        };
        let limits = tracer.limits;
        let events = &mut state.rest.get_or_insert_default().events;
        if events.len >= limits.events {
            events.dropped_count += 1;
            return;
        }
        events.len += 1;
        let dropped_count = truncate(&mut attributes, limits.attributes_per_event);
        let event = Event::new(name, timestamp, attributes, dropped_count);
        put_event(&mut events.bytes, &event, &limits.of_encoding());
    }

    fn span_context(&self) -> &SpanContext {
        &self.0.context
    }

    fn is_recording(&self) -> bool {
        self.0.tracer.is_some()
    }

    fn set_attribute(&mut self, attribute: KeyValue) {
        self.put(attribute.key.as_str(), ValueRef::of(&attribute.value));
    }

    /// Ok goes before Error, and Error before unset.
    fn set_status(&mut self, status: Status) {
        if self.is_recording() && status > self.0.status {
            self.0.status = status;
        }
    }

    fn update_name<T>(&mut self, new_name: T)
    where
        T: Into<Cow<'static, str>>,
    {
        if self.is_recording() {
            self.0.name = new_name.into();
        }
    }

    fn add_link(&mut self, span_context: SpanContext, attributes: Vec<KeyValue>) {
        let state = &mut *self.0;
        if let Some(limits) = state.tracer.as_ref().map(|tracer| tracer.limits) {
            add_link(state, &limits, Link::new(span_context, attributes, 0));
        }
    }

    #[inline]
    fn end_with_timestamp(&mut self, timestamp: SystemTime) {
        self.finish(Some(timestamp));
    }
}

pub(super) fn add_link(state: &mut State, limits: &Limits, mut link: Link) {
    let links = &mut state.rest().links;
    if links.len >= limits.links {
        links.dropped_count += 1;
        return;
    }
    links.len += 1;
    let dropped_count = truncate(&mut link.attributes, limits.attributes_per_link);
    link.dropped_attributes_count += dropped_count;
    put_link(&mut links.bytes, &link, &limits.of_encoding());
}

/// Leaves as many as a limit allows, and tells how many are gone.
fn truncate(attributes: &mut Vec<KeyValue>, max_len: u32) -> u32 {
    let dropped = attributes.len().saturating_sub(max_len as usize);
    attributes.truncate(max_len as usize);
    dropped as u32
}

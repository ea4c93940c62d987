//! The tags of a span: its attributes, and what Zipkin has no other place for.

use std::borrow::Cow;
use std::collections::HashSet;
use std::fmt::Write as _;

use super::endpoint::{LOCAL, REMOTE};
use super::from_otlp::text_of;
use super::key;
use super::text::put_object;
use crate::WireError;
use crate::json::{Object, put_string};
use crate::otlp::{AnyValue, Attributes, KeyValue, Link, ScopeSpans, Status};

const OK: i32 = 1;
const ERROR: i32 = 2;

/// The tags so far. Of several with one key the first stays.
pub(super) struct Tags<'a, 's> {
    attributes: &'s [KeyValue<'a>],
    left_out: Vec<&'static str>,
    keys: HashSet<Cow<'s, str>>,
    json: Vec<u8>,
}

impl<'a, 's> Tags<'a, 's> {
    pub(super) fn new(attributes: &'s [KeyValue<'a>]) -> Self {
        Self {
            attributes,
            left_out: Vec::new(),
            keys: HashSet::new(),
            json: Vec::new(),
        }
    }

    /// Makes no tag of an attribute, for something else tells it.
    pub(super) fn leave_out(&mut self, key: &'static str) {
        self.left_out.push(key);
    }

    /// Adds the span's own attributes.
    pub(super) fn own(&mut self, status_code: i32) -> Result<(), WireError> {
        for attribute in self.attributes {
            let is_told = match (attribute.key, attribute.value) {
                (key::DEBUG | key::SHARED | key::NO_TIMESTAMP, AnyValue::Bool(true)) => true,
                (key, AnyValue::Map(_)) => key == LOCAL.explicit || key == REMOTE.explicit,
                // Zipkin takes a tag of this name for an error, whatever its value.
                ("error", AnyValue::Bool(is_error)) => {
                    !is_error || matches!(status_code, OK | ERROR)
                }
                (key, _) => self.left_out.contains(&key),
            };
            if !is_told {
                self.add(Cow::Borrowed(attribute.key), &text_of(attribute.value)?);
            }
        }
        Ok(())
    }

    /// Adds the status, unless an attribute tells it as a tag did that it was made from.
    pub(super) fn status(&mut self, status: Status<'_>) {
        let first = |key: &str| {
            let mut named = self.attributes.iter().filter(|other| other.key == key);
            named.next().map(|attribute| attribute.value)
        };
        let is_told = match (first("otel.status_code"), first("error")) {
            (Some(AnyValue::String(_)), _) => true,
            (_, Some(AnyValue::String("true"))) => status.message.is_empty(),
            (_, Some(AnyValue::String(text))) => text != "false" && text == status.message,
            _ => false,
        };
        match status.code {
            _ if is_told => {}
            OK => self.add("otel.status_code".into(), "OK"),
            ERROR => {
                self.add("otel.status_code".into(), "ERROR");
                self.add("error".into(), status.message);
            }
            _ => {}
        }
    }

    pub(super) fn scope(&mut self, scope: &ScopeSpans<'_>) -> Result<(), WireError> {
        self.put("otel.scope.name", AnyValue::String(scope.name()?))?;
        self.put("otel.scope.version", AnyValue::String(scope.version()?))?;
        let mut list = Vec::new();
        scope.put_attributes(&mut list)?;
        for attribute in Attributes::new(&list).iter() {
            let attribute = attribute?;
            let key = Cow::Owned(attribute.key.to_owned());
            self.add(key, &text_of(attribute.value)?);
        }
        Ok(())
    }

    pub(super) fn resource(&mut self, attributes: Attributes<'_>) -> Result<(), WireError> {
        for attribute in attributes.iter() {
            let attribute = attribute?;
            if attribute.key != "service.name" {
                let key = Cow::Owned(attribute.key.to_owned());
                self.add(key, &text_of(attribute.value)?);
            }
        }
        Ok(())
    }

    /// A link as the OpenTelemetry Collector writes it: ids, trace state, attributes and what was dropped of them.
    pub(super) fn link(&mut self, index: usize, link: &Link<'_>) -> Result<(), WireError> {
        let mut list = Vec::new();
        link.put_attributes(&mut list)?;
        let mut attributes = Vec::new();
        put_object(&mut attributes, Attributes::new(&list), 0)?;
        let mut text = String::new();
        for id in [link.trace_id, link.span_id] {
            for byte in id {
                // Writing to a String can't fail.
                let _ = write!(text, "{byte:02x}");
            }
            text.push('|');
        }
        text.push_str(link.trace_state);
        text.push('|');
        text.push_str(&String::from_utf8_lossy(&attributes));
        text.push('|');
        text.push_str(&link.dropped_attributes_count.to_string());
        self.add(format!("otlp.link.{index}").into(), &text);
        Ok(())
    }

    pub(super) fn count(&mut self, key: &'static str, count: u32) -> Result<(), WireError> {
        if count == 0 {
            return Ok(());
        }
        self.put(key, AnyValue::Int(i64::from(count)))
    }

    /// Adds a value unless it is an empty text.
    pub(super) fn put(&mut self, key: &'static str, value: AnyValue<'_>) -> Result<(), WireError> {
        if value != AnyValue::String("") {
            self.add(Cow::Borrowed(key), &text_of(value)?);
        }
        Ok(())
    }

    fn add(&mut self, key: Cow<'s, str>, text: &str) {
        if self.keys.contains(&key) {
            return;
        }
        if !self.json.is_empty() {
            self.json.push(b',');
        }
        put_string(&mut self.json, &key);
        self.json.push(b':');
        put_string(&mut self.json, text);
        self.keys.insert(key);
    }

    /// Writes them as a member of the span, if there are any.
    pub(super) fn put_as(&self, object: &mut Object<'_>, name: &str) {
        if self.json.is_empty() {
            return;
        }
        let out = object.value(name);
        out.push(b'{');
        out.extend_from_slice(&self.json);
        out.push(b'}');
    }
}

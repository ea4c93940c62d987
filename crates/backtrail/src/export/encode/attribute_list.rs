//! Attributes that are encoded when they are set.

use std::fmt::{self, Debug, Formatter};

use backtrail_wire::otlp::{AnyValue, attributes_of, put_attribute, write_short_attribute};
use backtrail_wire::protobuf::{Field, Fields};
use opentelemetry::Value;

use super::attributes::{Keys, cut, overridden};
use super::otlp_span::put_key_value;
use crate::ValueRef;
use crate::export::decode;

/// `Span.attributes`.
pub(crate) const ATTRIBUTES: u32 = 9;
/// What an HTTP server's span needs.
const MIN_ROOM_BYTES: usize = 512;

/// The attributes of a span, each as a field of its message.
#[derive(Default)]
pub(crate) struct AttributeList {
    /// The list is what stands before `end`. What comes after is room that needs not be cleared for what is written there: it may hold what
    /// another span said.
    room: Vec<u8>,
    end: usize,
    len: usize,
    keys: Keys,
}

impl AttributeList {
    /// How many there are. One that was set twice counts twice.
    #[inline]
    pub(crate) const fn len(&self) -> usize {
        self.len
    }

    /// The list as it is encoded.
    #[inline]
    pub(crate) fn as_bytes(&self) -> &[u8] {
        &self.room[..self.end]
    }

    /// Appends an attribute; texts keep at most `max_chars` characters.
    #[inline(always)]
    #[expect(
        clippy::inline_always,
        reason = "who calls it knows the type of the value, so that nothing but one call is left of it"
    )]
    pub(crate) fn put(&mut self, key: &str, value: ValueRef<'_>, max_chars: Option<usize>) {
        match value {
            ValueRef::Text(text) => self.put_text(key, text, max_chars),
            ValueRef::Int(value) => self.put_int(key, value),
            ValueRef::Double(value) => self.put_plain(key, AnyValue::Double(value)),
            ValueRef::Bool(value) => self.put_plain(key, AnyValue::Bool(value)),
            ValueRef::Other(value) => self.put_other(key, value, max_chars),
        }
    }

    #[inline(never)]
    fn put_text(&mut self, key: &str, text: &str, max_chars: Option<usize>) {
        self.put_any(key, AnyValue::String(cut(text, max_chars)));
    }

    #[inline(never)]
    fn put_int(&mut self, key: &str, value: i64) {
        self.put_any(key, AnyValue::Int(value));
    }

    #[inline(never)]
    fn put_plain(&mut self, key: &str, value: AnyValue<'_>) {
        self.put_any(key, value);
    }

    #[inline(always)]
    #[expect(
        clippy::inline_always,
        reason = "there is one copy for texts, one for integers, and one for all others"
    )]
    fn put_any(&mut self, key: &str, value: AnyValue<'_>) {
        let room = self.room.get_mut(self.end..).unwrap_or_default();
        match write_short_attribute(room, ATTRIBUTES, key, &value) {
            Some(len) => self.end += len,
            None => self.append(|out| put_attribute(out, ATTRIBUTES, key, value)),
        }
        self.keys.add(key);
        self.len += 1;
    }

    #[cold]
    fn put_other(&mut self, key: &str, value: &Value, max_chars: Option<usize>) {
        self.append(|out| put_key_value(out, ATTRIBUTES, key, value, max_chars));
        self.keys.add(key);
        self.len += 1;
    }

    #[inline(never)]
    fn append(&mut self, put: impl FnOnce(&mut Vec<u8>)) {
        self.room.truncate(self.end);
        put(&mut self.room);
        self.end = self.room.len();
        self.room.resize(self.end + MIN_ROOM_BYTES, 0);
    }

    /// Leaves the first ones.
    pub(crate) fn truncate(&mut self, max_len: usize) {
        if self.len > max_len {
            self.end = self.fields().take(max_len).map(|each| each.raw.len()).sum();
            self.len = max_len;
        }
    }

    /// Leaves at most so many characters of each text.
    pub(crate) fn cut_values(&mut self, max_chars: usize) {
        // A text has at most as many characters as bytes, and its attribute more: nearly all spans say nothing that long.
        if self.fields().any(|field| field.raw.len() > max_chars) {
            self.write_cut(max_chars);
        }
    }

    #[cold]
    fn write_cut(&mut self, max_chars: usize) {
        // What was written here can be read.
        let attributes = decode::attributes(self.as_bytes(), ATTRIBUTES).unwrap_or_default();
        self.clear(usize::MAX);
        for attribute in attributes {
            let key = attribute.key.as_str();
            self.put(key, ValueRef::of(&attribute.value), Some(max_chars));
        }
    }

    /// Leaves each key once, with its last value: OTLP wants it so.
    #[inline]
    pub(crate) fn leave_last(&mut self) {
        if self.keys.may_repeat {
            self.drop_overridden();
        }
    }

    #[cold]
    fn drop_overridden(&mut self) {
        // What was written here can be read.
        let attributes = attributes_of(self.as_bytes(), ATTRIBUTES).map_while(Result::ok);
        let keys: Vec<&str> = attributes.map(|attribute| attribute.key).collect();
        let is_overridden = overridden(&keys);
        if !is_overridden.contains(&true) {
            return;
        }
        let mut kept = Vec::with_capacity(self.end);
        for (field, is_overridden) in self.fields().zip(is_overridden) {
            if !is_overridden {
                kept.extend_from_slice(field.raw);
            }
        }
        self.end = kept.len();
        self.room = kept;
    }

    /// What was written here can be read.
    fn fields(&self) -> impl Iterator<Item = Field<'_>> {
        Fields::new(self.as_bytes()).map_while(Result::ok)
    }

    /// Empties it, for the next span. Its memory stays, unless it has become too much for that.
    #[inline]
    pub(crate) fn clear(&mut self, max_kept_bytes: usize) {
        if self.room.capacity() > max_kept_bytes {
            self.room = Vec::new();
        }
        self.end = 0;
        self.len = 0;
        self.keys.clear();
    }
}

impl Debug for AttributeList {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let attributes = attributes_of(self.as_bytes(), ATTRIBUTES).map_while(Result::ok);
        let pairs = attributes.map(|attribute| (attribute.key, attribute.value));
        f.debug_map().entries(pairs).finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn room_that_is_cleared_for_a_long_attribute_is_little_however_long_others_are() {
        let mut list = AttributeList::default();
        list.put("first", ValueRef::Text(&"x".repeat(1 << 20)), None);
        for _ in 0..10 {
            list.put("next", ValueRef::Text(&"y".repeat(200)), None);
            assert_eq!(list.room.len() - list.end, MIN_ROOM_BYTES);
        }
        list.clear(4096);
        assert_eq!((list.as_bytes().len(), list.room.capacity()), (0, 0));
    }

    #[test]
    fn an_attribute_needs_no_more_room_than_there_is() {
        for spare in 0..40 {
            let mut list = AttributeList::default();
            list.put("a", ValueRef::Int(1), None);
            list.room.truncate(list.end + spare);
            list.put("text", ValueRef::Text("123456789"), None);
            list.put("double", ValueRef::Double(0.5), None);
            let told = format!("{list:?}");
            let expected = r#"{"a": Int(1), "text": String("123456789"), "double": Double(0.5)}"#;
            assert_eq!(told, expected, "{spare} bytes");
        }
    }
}

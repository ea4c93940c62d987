//! Appends values of Thrift's binary protocol: fixed widths, big-endian.
//!
//! Source: Thrift's `thrift-binary-protocol.md`. A struct is its fields and a stop byte; it has no beginning.

const BOOL: u8 = 2;
const DOUBLE: u8 = 4;
const I32: u8 = 8;
const I64: u8 = 10;
const BINARY: u8 = 11;
const STRUCT: u8 = 12;
const LIST: u8 = 15;

/// Lengths are `i32` on the wire. Longer values do not fit in a message that anyone takes; they are cut.
const MAX_LEN: usize = i32::MAX as usize;

#[inline]
pub(crate) fn put_bool(out: &mut Vec<u8>, id: i16, value: bool) {
    put_field(out, BOOL, id, [u8::from(value)]);
}

#[inline]
pub(crate) fn put_i32(out: &mut Vec<u8>, id: i16, value: i32) {
    put_field(out, I32, id, value.to_be_bytes());
}

#[inline]
pub(crate) fn put_i64(out: &mut Vec<u8>, id: i16, value: i64) {
    put_i64_bytes(out, id, value.to_be_bytes());
}

/// An `i64` whose bytes are there already, such as a half of an id.
#[inline]
pub(crate) fn put_i64_bytes(out: &mut Vec<u8>, id: i16, value: [u8; 8]) {
    put_field(out, I64, id, value);
}

#[inline]
pub(crate) fn put_double(out: &mut Vec<u8>, id: i16, value: f64) {
    put_field(out, DOUBLE, id, value.to_be_bytes());
}

#[inline]
pub(crate) fn put_binary(out: &mut Vec<u8>, id: i16, value: &[u8]) {
    let value = value.get(..MAX_LEN).unwrap_or(value);
    let len = (value.len() as i32).to_be_bytes();
    put_field(out, BINARY, id, len);
    out.extend_from_slice(value);
}

/// The header of a field that is a struct; the struct's fields and [`put_stop`] follow.
#[inline]
pub(crate) fn begin_struct(out: &mut Vec<u8>, id: i16) {
    put_field(out, STRUCT, id, []);
}

/// Ends a struct.
#[inline]
pub(crate) fn put_stop(out: &mut Vec<u8>) {
    out.push(0);
}

/// Opens a field that is a list of structs. The number of its elements goes before them and is known at their end.
#[inline]
pub(crate) fn begin_list(out: &mut Vec<u8>, id: i16) -> OpenList {
    let field_start = out.len();
    put_field(out, LIST, id, [STRUCT, 0, 0, 0, 0]);
    OpenList {
        field_start,
        elements_start: out.len(),
        len: 0,
    }
}

/// A list that is being written.
#[derive(Debug)]
#[must_use = "a list without an end has no length"]
pub(crate) struct OpenList {
    field_start: usize,
    elements_start: usize,
    len: i32,
}

impl OpenList {
    /// Counts an element that the caller appends.
    #[inline]
    pub(crate) const fn count(&mut self) {
        self.len = self.len.saturating_add(1);
    }

    /// Ends the list, also when it is empty.
    #[inline]
    pub(crate) fn end(self, out: &mut [u8]) {
        patch(out, self.elements_start, self.len);
    }

    /// Ends the list. An empty one is taken back, header and all, as if it had never been begun.
    #[inline]
    pub(crate) fn end_unless_empty(self, out: &mut Vec<u8>) {
        if self.len == 0 {
            out.truncate(self.field_start);
        } else {
            self.end(out);
        }
    }
}

/// Writes the length that stands in the four bytes before `end`.
#[inline]
fn patch(out: &mut [u8], end: usize, len: i32) {
    let place = end.checked_sub(4).and_then(|start| out.get_mut(start..end));
    if let Some(place) = place {
        place.copy_from_slice(&len.to_be_bytes());
    }
}

/// A field's header and a value of a fixed width.
#[inline]
fn put_field<const N: usize>(out: &mut Vec<u8>, kind: u8, id: i16, value: [u8; N]) {
    let [high, low] = id.to_be_bytes();
    out.extend_from_slice(&[kind, high, low]);
    out.extend_from_slice(&value);
}

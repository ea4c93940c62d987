//! The protobuf encoding: reading field by field without copies, writing field by field.
//!
//! Source: <https://protobuf.dev/programming-guides/encoding/>. Groups (wire types 3 and 4) are refused: proto3 has none.

use crate::WireError;

const WIRE_VARINT: u8 = 0;
const WIRE_FIXED64: u8 = 1;
const WIRE_BYTES: u8 = 2;
const WIRE_FIXED32: u8 = 5;
const MAX_VARINT_LEN: usize = 10;
const MAX_FIELD_NUMBER: u64 = (1 << 29) - 1;

/// The value of one field, as its wire type gives it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FieldValue<'a> {
    /// Wire type 0.
    Varint(u64),
    /// Wire type 1.
    Fixed64(u64),
    /// Wire type 2: strings, bytes, messages, packed lists.
    Bytes(&'a [u8]),
    /// Wire type 5.
    Fixed32(u32),
}

/// One field of a message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Field<'a> {
    /// The field's number.
    pub number: u32,
    /// Its value.
    pub value: FieldValue<'a>,
    /// Tag and value as they stood in the message, for copying a field verbatim.
    pub raw: &'a [u8],
}

impl<'a> Field<'a> {
    const fn wrong_type(&self) -> WireError {
        WireError::WrongWireType { field: self.number }
    }

    /// The value of a `bytes` or message field.
    pub const fn bytes(&self) -> Result<&'a [u8], WireError> {
        match self.value {
            FieldValue::Bytes(bytes) => Ok(bytes),
            _ => Err(self.wrong_type()),
        }
    }

    /// The value of a `string` field; UTF-8 is checked.
    pub fn str(&self) -> Result<&'a str, WireError> {
        std::str::from_utf8(self.bytes()?).map_err(|_| WireError::Utf8 { field: self.number })
    }

    /// The value of a varint field, such as `uint32` or `bool`.
    pub const fn varint(&self) -> Result<u64, WireError> {
        match self.value {
            FieldValue::Varint(value) => Ok(value),
            _ => Err(self.wrong_type()),
        }
    }

    /// The value of a `fixed64` or `double` field, as bits.
    pub const fn fixed64(&self) -> Result<u64, WireError> {
        match self.value {
            FieldValue::Fixed64(value) => Ok(value),
            _ => Err(self.wrong_type()),
        }
    }

    /// The value of a `fixed32` field.
    pub const fn fixed32(&self) -> Result<u32, WireError> {
        match self.value {
            FieldValue::Fixed32(value) => Ok(value),
            _ => Err(self.wrong_type()),
        }
    }
}

/// Reads the fields of one message in their order. After an error it yields nothing more.
#[derive(Debug, Clone)]
pub struct Fields<'a> {
    rest: &'a [u8],
}

impl<'a> Fields<'a> {
    /// Reads the fields of `message`.
    pub const fn new(message: &'a [u8]) -> Self {
        Self { rest: message }
    }

    fn read(&mut self) -> Result<Field<'a>, WireError> {
        let start = self.rest;
        let tag = self.read_varint()?;
        let number = tag >> 3;
        if number == 0 || number > MAX_FIELD_NUMBER {
            return Err(WireError::FieldNumber(number));
        }
        let number = number as u32;
        let value = match (tag & 7) as u8 {
            WIRE_VARINT => FieldValue::Varint(self.read_varint()?),
            WIRE_FIXED64 => FieldValue::Fixed64(u64::from_le_bytes(self.read_array()?)),
            WIRE_BYTES => {
                let len = self.read_varint()?;
                let len = usize::try_from(len).unwrap_or(usize::MAX);
                FieldValue::Bytes(self.take(len)?)
            }
            WIRE_FIXED32 => FieldValue::Fixed32(u32::from_le_bytes(self.read_array()?)),
            wire_type => {
                return Err(WireError::WireType {
                    field: number,
                    wire_type,
                });
            }
        };
        let raw = &start[..start.len() - self.rest.len()];
        Ok(Field { number, value, raw })
    }

    fn read_varint(&mut self) -> Result<u64, WireError> {
        if let [byte, rest @ ..] = self.rest
            && *byte < 0x80
        {
            self.rest = rest;
            return Ok(u64::from(*byte));
        }
        let mut value = 0u64;
        for (index, byte) in self.rest.iter().take(MAX_VARINT_LEN).enumerate() {
            value |= u64::from(byte & 0x7f).wrapping_shl(7 * index as u32);
            if *byte < 0x80 {
                self.rest = &self.rest[index + 1..];
                return Ok(value);
            }
        }
        if self.rest.len() < MAX_VARINT_LEN {
            Err(WireError::Truncated { needed: 1 })
        } else {
            Err(WireError::VarintTooLong)
        }
    }

    fn read_array<const N: usize>(&mut self) -> Result<[u8; N], WireError> {
        let Some((head, rest)) = self.rest.split_first_chunk::<N>() else {
            return Err(WireError::Truncated {
                needed: N - self.rest.len(),
            });
        };
        self.rest = rest;
        Ok(*head)
    }

    fn take(&mut self, len: usize) -> Result<&'a [u8], WireError> {
        let Some((head, rest)) = self.rest.split_at_checked(len) else {
            return Err(WireError::Truncated {
                needed: len - self.rest.len(),
            });
        };
        self.rest = rest;
        Ok(head)
    }
}

impl<'a> Iterator for Fields<'a> {
    type Item = Result<Field<'a>, WireError>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.rest.is_empty() {
            return None;
        }
        let field = self.read();
        if field.is_err() {
            self.rest = &[];
        }
        Some(field)
    }
}

/// How many bytes a varint takes: 1 to 10.
#[inline]
pub const fn varint_len(value: u64) -> usize {
    // Seven bits a byte, and one byte for 0: ⌈bits / 7⌉ without a division, exact for 1 to 64 bits.
    let bits = u64::BITS - (value | 1).leading_zeros();
    ((bits * 9 + 64) / 64) as usize
}

/// Appends a varint.
#[inline]
pub fn put_varint(out: &mut Vec<u8>, mut value: u64) {
    while value >= 0x80 {
        out.push(value as u8 | 0x80);
        value >>= 7;
    }
    out.push(value as u8);
}

#[inline]
fn put_tag(out: &mut Vec<u8>, number: u32, wire_type: u8) {
    put_varint(out, u64::from(number) << 3 | u64::from(wire_type));
}

/// Appends a varint field, also when the value is 0.
#[inline]
pub fn put_uint(out: &mut Vec<u8>, number: u32, value: u64) {
    put_tag(out, number, WIRE_VARINT);
    put_varint(out, value);
}

/// Appends an `int32`, `int64` or enum field, also when the value is 0.
#[inline]
pub fn put_int(out: &mut Vec<u8>, number: u32, value: i64) {
    put_uint(out, number, value as u64);
}

/// Appends a `fixed64` field, also when the value is 0.
#[inline]
pub fn put_fixed64(out: &mut Vec<u8>, number: u32, value: u64) {
    put_tag(out, number, WIRE_FIXED64);
    out.extend_from_slice(&value.to_le_bytes());
}

/// Appends a `double` field, also when the value is 0.
#[inline]
pub fn put_double(out: &mut Vec<u8>, number: u32, value: f64) {
    put_fixed64(out, number, value.to_bits());
}

/// Appends a `fixed32` field, also when the value is 0.
#[inline]
pub fn put_fixed32(out: &mut Vec<u8>, number: u32, value: u32) {
    put_tag(out, number, WIRE_FIXED32);
    out.extend_from_slice(&value.to_le_bytes());
}

/// Appends a `bytes` field (or a message that is encoded already), also when it is empty.
#[inline]
pub fn put_bytes(out: &mut Vec<u8>, number: u32, value: &[u8]) {
    put_tag(out, number, WIRE_BYTES);
    put_varint(out, value.len() as u64);
    out.extend_from_slice(value);
}

/// Appends a `string` field, also when it is empty.
#[inline]
pub fn put_str(out: &mut Vec<u8>, number: u32, value: &str) {
    put_bytes(out, number, value.as_bytes());
}

/// Appends the tag and the length of a `bytes`, `string` or message field; the caller appends the `len` bytes of its body next.
/// For a body whose length is known before it is written.
#[inline]
pub fn put_len(out: &mut Vec<u8>, number: u32, len: usize) {
    put_tag(out, number, WIRE_BYTES);
    put_varint(out, len as u64);
}

/// Appends a message field whose fields `body` writes to the same buffer.
pub fn put_message(out: &mut Vec<u8>, number: u32, body: impl FnOnce(&mut Vec<u8>)) {
    let open = begin_message(out, number);
    body(out);
    open.end(out);
}

/// Opens a message field, where a closure for [`put_message`] would be in the way: what is appended until
/// [`OpenMessage::end`] is the message's body.
///
/// The length goes before the body and is not known until the body is there: one byte is left for it, and a body of 128 bytes
/// or more is moved by as much as its length needs in addition.
pub fn begin_message(out: &mut Vec<u8>, number: u32) -> OpenMessage {
    let field = out.len();
    put_tag(out, number, WIRE_BYTES);
    let len_start = out.len();
    out.push(0);
    OpenMessage {
        field,
        len_start,
        body: out.len(),
    }
}

/// A message field that is being written.
#[derive(Debug)]
#[must_use = "a message without an end has no length"]
pub struct OpenMessage {
    field: usize,
    len_start: usize,
    body: usize,
}

impl OpenMessage {
    /// Where the message's body starts in the buffer.
    pub const fn body(&self) -> usize {
        self.body
    }

    /// Ends the message: its length is known now.
    #[inline]
    pub fn end(self, out: &mut Vec<u8>) {
        let len = out.len() - self.body;
        let len_len = varint_len(len as u64);
        if len_len != self.body - self.len_start {
            self.move_body(out, self.len_start + len_len);
        }
        for index in 0..len_len {
            let more = if index + 1 < len_len { 0x80 } else { 0 };
            out[self.len_start + index] = (len >> (7 * index)) as u8 & 0x7f | more;
        }
    }

    #[cold]
    fn move_body(&self, out: &mut Vec<u8>, to: usize) {
        let end = out.len();
        let moved_end = to + (end - self.body);
        if moved_end > end {
            out.resize(moved_end, 0);
        }
        out.copy_within(self.body..end, to);
        out.truncate(moved_end);
    }

    /// Takes the whole field back, as if it had never been begun.
    pub fn discard(self, out: &mut Vec<u8>) {
        out.truncate(self.field);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fields(message: &[u8]) -> Result<Vec<Field<'_>>, WireError> {
        Fields::new(message).collect()
    }

    #[test]
    fn reads_back_what_it_wrote() {
        let mut out = Vec::new();
        put_uint(&mut out, 1, 300);
        put_int(&mut out, 2, -1);
        put_fixed64(&mut out, 3, u64::MAX);
        put_double(&mut out, 4, -0.0);
        put_fixed32(&mut out, 5, 7);
        put_str(&mut out, 536_870_911, "é");
        put_message(&mut out, 7, |body| put_bytes(body, 1, &[9; 200]));

        let read = fields(&out).unwrap();
        assert_eq!(read[0].varint(), Ok(300));
        assert_eq!(read[1].varint(), Ok(u64::MAX));
        assert_eq!(read[2].fixed64(), Ok(u64::MAX));
        assert_eq!(read[3].fixed64(), Ok((-0.0f64).to_bits()));
        assert_eq!(read[4].fixed32(), Ok(7));
        assert_eq!((read[5].number, read[5].str()), (536_870_911, Ok("é")));
        assert_eq!(
            fields(read[6].bytes().unwrap()).unwrap()[0].bytes(),
            Ok(&[9; 200][..])
        );
        assert_eq!(
            read.iter().map(|field| field.raw.len()).sum::<usize>(),
            out.len()
        );
    }

    #[test]
    fn messages_of_every_length_are_framed() {
        for len in [0, 1, 127, 128, 129, 16_383, 16_384, 2_097_151, 2_097_152] {
            let mut out = vec![0xaa];
            put_message(&mut out, 3, |body| body.resize(body.len() + len, 0x55));
            let mut expected = vec![0xaa];
            put_bytes(&mut expected, 3, &vec![0x55; len]);
            assert!(out == expected, "length {len}");
        }
    }

    #[test]
    fn the_length_of_a_varint_is_that_of_the_bytes_written() {
        for bits in 0..64 {
            for value in [(1u64 << bits) - 1, 1 << bits, u64::MAX >> bits] {
                let mut out = Vec::new();
                put_varint(&mut out, value);
                assert_eq!(varint_len(value), out.len(), "{value}");
            }
        }
    }

    #[test]
    fn a_discarded_message_leaves_nothing() {
        let mut out = vec![1, 2];
        let open = begin_message(&mut out, 3000);
        put_str(&mut out, 1, "half");
        open.discard(&mut out);
        assert_eq!(out, [1, 2]);
    }

    #[test]
    fn says_what_is_wrong() {
        assert_eq!(fields(&[0x08]), Err(WireError::Truncated { needed: 1 }));
        assert_eq!(
            fields(&[0x08, 0x80]),
            Err(WireError::Truncated { needed: 1 })
        );
        assert_eq!(
            fields(&[0x12, 5, 1]),
            Err(WireError::Truncated { needed: 4 })
        );
        assert_eq!(fields(&[0x09, 1]), Err(WireError::Truncated { needed: 7 }));
        assert_eq!(fields(&[0x00, 1]), Err(WireError::FieldNumber(0)));
        assert_eq!(
            fields(&[0x0b]),
            Err(WireError::WireType {
                field: 1,
                wire_type: 3
            })
        );
        let endless = [&[0x08][..], &[0xff; 11]].concat();
        assert_eq!(fields(&endless), Err(WireError::VarintTooLong));
        let field = fields(&[0x0a, 1, 0xff]).unwrap()[0];
        assert_eq!(field.str(), Err(WireError::Utf8 { field: 1 }));
        assert_eq!(field.varint(), Err(WireError::WrongWireType { field: 1 }));
    }
}

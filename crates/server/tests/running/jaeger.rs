//! Jaeger batches in Thrift's two protocols, as little of them as a batch needs.

use std::ops::RangeInclusive;

/// A batch of `service` with a trace of `spans` spans, in the binary protocol.
pub(crate) fn binary(service: &str, trace: u128, spans: u64) -> Vec<u8> {
    binary_of(service, trace, 1..=spans)
}

/// The same in the compact protocol.
pub(crate) fn compact(service: &str, trace: u128, spans: u64) -> Vec<u8> {
    compact_of(service, trace, 1..=spans)
}

/// A batch with the spans of a trace that have these ids, in the binary protocol.
pub(crate) fn binary_of(service: &str, trace: u128, ids: RangeInclusive<u64>) -> Vec<u8> {
    batch(&mut Binary(Vec::new()), service, trace, ids)
}

/// The same in the compact protocol.
pub(crate) fn compact_of(service: &str, trace: u128, ids: RangeInclusive<u64>) -> Vec<u8> {
    let mut writer = Compact {
        bytes: Vec::new(),
        last: vec![0],
    };
    batch(&mut writer, service, trace, ids)
}

/// Kinds of messages.
pub(crate) const CALL: u8 = 1;
pub(crate) const ONE_WAY: u8 = 4;

/// A message in the compact protocol whose one argument is a batch.
pub(crate) fn compact_message(method: &str, kind: u8, batch: &[u8]) -> Vec<u8> {
    let header = [0x82, kind << 5 | 1, 7, method.len() as u8];
    [&header, method.as_bytes(), &[0x1c], batch, &[0]].concat()
}

/// A message in the binary protocol with its version.
pub(crate) fn strict_message(method: &str, kind: u8, batch: &[u8]) -> Vec<u8> {
    let header = [0x80, 1, 0, kind, 0, 0, 0, method.len() as u8];
    let argument = [12, 0, 1];
    [
        &header,
        method.as_bytes(),
        &[0, 0, 0, 7],
        &argument,
        batch,
        &[0],
    ]
    .concat()
}

/// A message in the binary protocol as it was before it had a version.
pub(crate) fn old_message(method: &str, kind: u8, batch: &[u8]) -> Vec<u8> {
    let length = [0, 0, 0, method.len() as u8];
    let argument = [12, 0, 1];
    [
        &length,
        method.as_bytes(),
        &[kind, 0, 0, 0, 7],
        &argument,
        batch,
        &[0],
    ]
    .concat()
}

trait Thrift {
    fn begin_struct(&mut self, field: i16);
    fn begin_list(&mut self, field: i16, len: usize);
    fn begin_element(&mut self);
    fn end(&mut self);
    fn text(&mut self, field: i16, text: &str);
    fn int(&mut self, field: i16, value: i64);
    fn int32(&mut self, field: i16, value: i32);
    fn bytes(&mut self) -> Vec<u8>;
}

fn batch(out: &mut dyn Thrift, service: &str, trace: u128, ids: RangeInclusive<u64>) -> Vec<u8> {
    let start_us = (super::otlp::START_UNIX_NANO / 1000) as i64;
    out.begin_struct(1);
    out.text(1, service);
    out.end();
    out.begin_list(2, ids.clone().count());
    for span in ids {
        let span = span as i64;
        out.begin_element();
        out.int(1, trace as i64);
        out.int(2, (trace >> 64) as i64);
        out.int(3, span);
        out.int(4, 0);
        out.text(5, &format!("operation {span}"));
        out.int32(7, 1);
        out.int(8, start_us + span);
        out.int(9, 1_000);
        out.end();
    }
    out.end();
    out.bytes()
}

struct Binary(Vec<u8>);

impl Binary {
    fn field(&mut self, kind: u8, field: i16) {
        self.0.push(kind);
        self.0.extend(field.to_be_bytes());
    }
}

impl Thrift for Binary {
    fn begin_struct(&mut self, field: i16) {
        self.field(12, field);
    }

    fn begin_list(&mut self, field: i16, len: usize) {
        self.field(15, field);
        self.0.push(12);
        self.0.extend((len as i32).to_be_bytes());
    }

    fn begin_element(&mut self) {}

    fn end(&mut self) {
        self.0.push(0);
    }

    fn text(&mut self, field: i16, text: &str) {
        self.field(11, field);
        self.0.extend((text.len() as i32).to_be_bytes());
        self.0.extend(text.as_bytes());
    }

    fn int(&mut self, field: i16, value: i64) {
        self.field(10, field);
        self.0.extend(value.to_be_bytes());
    }

    fn int32(&mut self, field: i16, value: i32) {
        self.field(8, field);
        self.0.extend(value.to_be_bytes());
    }

    fn bytes(&mut self) -> Vec<u8> {
        std::mem::take(&mut self.0)
    }
}

/// The compact protocol's type of a struct.
const STRUCT: u8 = 0xc;

struct Compact {
    bytes: Vec<u8>,
    /// The last field's number in each struct that is open.
    last: Vec<i16>,
}

impl Compact {
    fn field(&mut self, kind: u8, field: i16) {
        let last = self.last.last_mut().unwrap();
        self.bytes.push(((field - *last) as u8) << 4 | kind);
        *last = field;
    }

    fn varint(&mut self, mut value: u64) {
        while value >= 0x80 {
            self.bytes.push(value as u8 | 0x80);
            value >>= 7;
        }
        self.bytes.push(value as u8);
    }
}

impl Thrift for Compact {
    fn begin_struct(&mut self, field: i16) {
        self.field(12, field);
        self.last.push(0);
    }

    fn begin_list(&mut self, field: i16, len: usize) {
        self.field(9, field);
        if len < 15 {
            self.bytes.push((len as u8) << 4 | STRUCT);
        } else {
            self.bytes.push(0xf0 | STRUCT);
            self.varint(len as u64);
        }
    }

    fn begin_element(&mut self) {
        self.last.push(0);
    }

    fn end(&mut self) {
        self.bytes.push(0);
        self.last.pop();
    }

    fn text(&mut self, field: i16, text: &str) {
        self.field(8, field);
        self.varint(text.len() as u64);
        self.bytes.extend(text.as_bytes());
    }

    fn int(&mut self, field: i16, value: i64) {
        self.field(6, field);
        self.varint(((value << 1) ^ (value >> 63)) as u64);
    }

    fn int32(&mut self, field: i16, value: i32) {
        self.field(5, field);
        self.varint(u64::from(((value << 1) ^ (value >> 31)) as u32));
    }

    fn bytes(&mut self) -> Vec<u8> {
        std::mem::take(&mut self.bytes)
    }
}

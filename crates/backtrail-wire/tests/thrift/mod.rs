//! Writes Thrift values in both protocols, without the code that is tested.

use backtrail_wire::jaeger_thrift::Encoding;

/// A Thrift value.
#[derive(Clone)]
pub(crate) enum Value {
    Bool(bool),
    I32(i32),
    I64(i64),
    Double(f64),
    Text(&'static str),
    Bytes(Vec<u8>),
    List(Vec<Value>),
    Struct(Vec<(i16, Value)>),
}

use Value::{Bool, Bytes, Double, I32, I64, List, Struct, Text};

fn binary(value: &Value, out: &mut Vec<u8>) {
    let kind = |value: &Value| match value {
        Bool(_) => 2u8,
        Double(_) => 4,
        I32(_) => 8,
        I64(_) => 10,
        Text(_) | Bytes(_) => 11,
        Struct(_) => 12,
        List(_) => 15,
    };
    match value {
        Bool(value) => out.push(u8::from(*value)),
        I32(value) => out.extend(value.to_be_bytes()),
        I64(value) => out.extend(value.to_be_bytes()),
        Double(value) => out.extend(value.to_be_bytes()),
        Text(text) => binary(&Bytes(text.as_bytes().to_vec()), out),
        Bytes(bytes) => {
            out.extend((bytes.len() as i32).to_be_bytes());
            out.extend(bytes);
        }
        List(values) => {
            out.push(values.first().map_or(12, kind));
            out.extend((values.len() as i32).to_be_bytes());
            for value in values {
                binary(value, out);
            }
        }
        Struct(fields) => {
            for (id, value) in fields {
                out.push(kind(value));
                out.extend(id.to_be_bytes());
                binary(value, out);
            }
            out.push(0);
        }
    }
}

fn compact(value: &Value, out: &mut Vec<u8>) {
    fn varint(mut value: u64, out: &mut Vec<u8>) {
        while value >= 0x80 {
            out.push(value as u8 | 0x80);
            value >>= 7;
        }
        out.push(value as u8);
    }
    let zigzag = |value: i64| (value << 1 ^ value >> 63) as u64;
    let kind = |value: &Value| match value {
        Bool(true) => 1u8,
        Bool(false) => 2,
        I32(_) => 5,
        I64(_) => 6,
        Double(_) => 7,
        Text(_) | Bytes(_) => 8,
        List(_) => 9,
        Struct(_) => 12,
    };
    match value {
        Bool(value) => out.push(if *value { 1 } else { 2 }),
        I32(value) => varint(zigzag(i64::from(*value)), out),
        I64(value) => varint(zigzag(*value), out),
        Double(value) => out.extend(value.to_le_bytes()),
        Text(text) => compact(&Bytes(text.as_bytes().to_vec()), out),
        Bytes(bytes) => {
            varint(bytes.len() as u64, out);
            out.extend(bytes);
        }
        List(values) => {
            let kind = values.first().map_or(12, kind);
            if values.len() < 15 {
                out.push((values.len() as u8) << 4 | kind);
            } else {
                out.push(0xf0 | kind);
                varint(values.len() as u64, out);
            }
            for value in values {
                compact(value, out);
            }
        }
        Struct(fields) => {
            let mut last_id = 0;
            for (id, value) in fields {
                match id - last_id {
                    difference @ 1..=15 => out.push((difference as u8) << 4 | kind(value)),
                    _ => {
                        out.push(kind(value));
                        varint(zigzag(i64::from(*id)), out);
                    }
                }
                last_id = *id;
                if !matches!(value, Bool(_)) {
                    compact(value, out);
                }
            }
            out.push(0);
        }
    }
}

/// A value in both protocols.
pub(crate) fn encode(batch: &Value) -> [(Encoding, Vec<u8>); 2] {
    let mut bodies = [
        (Encoding::Binary, Vec::new()),
        (Encoding::Compact, Vec::new()),
    ];
    binary(batch, &mut bodies[0].1);
    compact(batch, &mut bodies[1].1);
    bodies
}

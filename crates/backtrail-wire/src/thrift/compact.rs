//! Thrift's compact protocol: varints, zigzag, and field ids as differences.

use super::protocol::{Cursor, Field, Read, Result, ThriftErrorKind, Type};

#[derive(Debug, Clone, Copy)]
pub(crate) struct Compact<'a>(Cursor<'a>);

impl Compact<'_> {
    fn kind(&mut self, code: u8) -> Result<Type> {
        Ok(match code {
            1 | 2 => Type::Bool,
            3 => Type::Byte,
            4 => Type::I16,
            5 => Type::I32,
            6 => Type::I64,
            7 => Type::Double,
            8 => Type::Binary,
            9 => Type::List,
            10 => Type::Set,
            11 => Type::Map,
            12 => Type::Struct,
            13 => Type::Uuid,
            _ => return Err(self.0.error(ThriftErrorKind::UnknownType(code))),
        })
    }

    pub(crate) fn varint(&mut self) -> Result<u64> {
        let mut value = 0u64;
        for shift in (0..64).step_by(7) {
            let byte = self.0.byte()?;
            value |= u64::from(byte & 0x7f) << shift;
            if byte < 0x80 {
                return Ok(value);
            }
        }
        Err(self.0.error(ThriftErrorKind::VarintTooLong))
    }

    fn zigzag(&mut self) -> Result<i64> {
        let value = self.varint()?;
        Ok((value >> 1) as i64 ^ -((value & 1) as i64))
    }

    /// A length that stands as a plain varint.
    fn length(&mut self, min_bytes: usize) -> Result<usize> {
        let len = self.varint()? as i64;
        self.0.length(len, min_bytes)
    }
}

/// Bytes that a value of the type takes at least.
const fn min_bytes(kind: Type) -> usize {
    match kind {
        Type::Double => 8,
        Type::Uuid => 16,
        _ => 1,
    }
}

impl<'a> Read<'a> for Compact<'a> {
    fn new(bytes: &'a [u8]) -> Self {
        Self(Cursor::new(bytes))
    }

    fn cursor(&mut self) -> &mut Cursor<'a> {
        &mut self.0
    }

    fn field(&mut self, last_id: &mut i16) -> Result<Option<Field>> {
        let header = self.0.byte()?;
        if header == 0 {
            return Ok(None);
        }
        let kind = self.kind(header & 0x0f)?;
        let id = match header >> 4 {
            0 => self.i16()?,
            difference => last_id.wrapping_add(i16::from(difference)),
        };
        *last_id = id;
        Ok(Some(Field {
            id,
            kind,
            inline: (kind == Type::Bool).then_some(header & 0x0f == 1),
        }))
    }

    fn list(&mut self) -> Result<(Type, usize)> {
        let header = self.0.byte()?;
        if header >> 4 == 0 {
            // Some writers give an empty list no type.
            return Ok((Type::Struct, 0));
        }
        let kind = self.kind(header & 0x0f)?;
        let len = match header >> 4 {
            15 => self.length(min_bytes(kind))?,
            short => self.0.length(i64::from(short), min_bytes(kind))?,
        };
        Ok((kind, len))
    }

    fn map(&mut self) -> Result<Option<(Type, Type, usize)>> {
        let len = self.length(2)?;
        if len == 0 {
            return Ok(None);
        }
        let kinds = self.0.byte()?;
        Ok(Some((
            self.kind(kinds >> 4)?,
            self.kind(kinds & 0x0f)?,
            len,
        )))
    }

    fn bool(&mut self) -> Result<bool> {
        Ok(self.0.byte()? == 1)
    }

    fn i16(&mut self) -> Result<i16> {
        self.zigzag().map(|value| value as i16)
    }

    fn i32(&mut self) -> Result<i32> {
        self.zigzag().map(|value| value as i32)
    }

    fn i64(&mut self) -> Result<i64> {
        self.zigzag()
    }

    fn double(&mut self) -> Result<f64> {
        self.0.array().map(f64::from_le_bytes)
    }

    fn binary(&mut self) -> Result<&'a [u8]> {
        let len = self.length(1)?;
        self.0.take(len)
    }
}

//! Thrift's binary protocol: fixed widths, big-endian.

use super::protocol::{Cursor, Field, Read, Result, ThriftErrorKind, Type};

#[derive(Debug, Clone, Copy)]
pub(crate) struct Binary<'a>(Cursor<'a>);

impl Binary<'_> {
    fn kind(&mut self, code: u8) -> Result<Type> {
        Ok(match code {
            2 => Type::Bool,
            3 => Type::Byte,
            4 => Type::Double,
            6 => Type::I16,
            8 => Type::I32,
            10 => Type::I64,
            11 => Type::Binary,
            12 => Type::Struct,
            13 => Type::Map,
            14 => Type::Set,
            15 => Type::List,
            16 => Type::Uuid,
            _ => return Err(self.0.error(ThriftErrorKind::UnknownType(code))),
        })
    }
}

/// Bytes that a value of the type takes at least.
const fn min_bytes(kind: Type) -> usize {
    match kind {
        Type::Bool | Type::Byte | Type::Struct => 1,
        Type::I16 => 2,
        Type::I32 | Type::Binary => 4,
        Type::I64 | Type::Double => 8,
        Type::List | Type::Set => 5,
        Type::Map => 6,
        Type::Uuid => 16,
    }
}

impl<'a> Read<'a> for Binary<'a> {
    fn new(bytes: &'a [u8]) -> Self {
        Self(Cursor::new(bytes))
    }

    fn cursor(&mut self) -> &mut Cursor<'a> {
        &mut self.0
    }

    fn field(&mut self, _last_id: &mut i16) -> Result<Option<Field>> {
        let code = self.0.byte()?;
        if code == 0 {
            return Ok(None);
        }
        Ok(Some(Field {
            kind: self.kind(code)?,
            id: self.i16()?,
            inline: None,
        }))
    }

    fn list(&mut self) -> Result<(Type, usize)> {
        let code = self.0.byte()?;
        let len = self.i32()?;
        if len == 0 {
            // Some writers give an empty list no type.
            return Ok((Type::Struct, 0));
        }
        let kind = self.kind(code)?;
        Ok((kind, self.0.length(i64::from(len), min_bytes(kind))?))
    }

    fn map(&mut self) -> Result<Option<(Type, Type, usize)>> {
        let [key, value] = self.0.array()?;
        let len = self.i32()?;
        if len == 0 {
            return Ok(None);
        }
        let (key, value) = (self.kind(key)?, self.kind(value)?);
        let len = self
            .0
            .length(i64::from(len), min_bytes(key) + min_bytes(value))?;
        Ok(Some((key, value, len)))
    }

    fn bool(&mut self) -> Result<bool> {
        Ok(self.0.byte()? != 0)
    }

    fn i16(&mut self) -> Result<i16> {
        self.0.array().map(i16::from_be_bytes)
    }

    fn i32(&mut self) -> Result<i32> {
        self.0.array().map(i32::from_be_bytes)
    }

    fn i64(&mut self) -> Result<i64> {
        self.0.array().map(i64::from_be_bytes)
    }

    fn double(&mut self) -> Result<f64> {
        self.0.array().map(f64::from_be_bytes)
    }

    fn binary(&mut self) -> Result<&'a [u8]> {
        let len = self.i32()?;
        let len = self.0.length(i64::from(len), 1)?;
        self.0.take(len)
    }
}

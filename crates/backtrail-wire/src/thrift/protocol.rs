//! What Thrift's binary and compact protocols have in common.

/// Unknown fields may be nested as deep as this.
const MAX_SKIP_DEPTH: usize = 32;

/// A message that can't be read, and where.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("at byte {offset}: {kind}")]
pub struct ThriftError {
    /// Index of the byte at which reading stopped.
    pub offset: usize,
    /// What is wrong there.
    pub kind: ThriftErrorKind,
}

/// What is wrong with a message.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ThriftErrorKind {
    /// The bytes end inside a value.
    #[error("truncated: {needed} more bytes were expected")]
    Truncated {
        /// How many bytes are missing at least.
        needed: usize,
    },
    /// A varint of more bytes than its type has.
    #[error("varint is too long")]
    VarintTooLong,
    /// A length below zero.
    #[error("length {0} is negative")]
    NegativeLength(i64),
    /// A type that Thrift does not define.
    #[error("type {0} is not defined")]
    UnknownType(u8),
    /// An unknown field that is nested deeper than allowed.
    #[error("unknown field is nested deeper than {limit} levels")]
    TooDeep {
        /// The number of levels that are allowed.
        limit: usize,
    },
    /// A field that every batch has is missing.
    #[error("not a jaeger.thrift Batch: it has no {0}")]
    Missing(&'static str),
    /// A list of something else than structs.
    #[error("not a list of structs")]
    NotStructs,
    /// There is more after the message.
    #[error("{len_bytes} bytes follow the end of the message")]
    Trailing {
        /// How many.
        len_bytes: usize,
    },
}

pub(crate) type Result<T> = std::result::Result<T, ThriftError>;

/// The type of a value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Type {
    Bool,
    Byte,
    I16,
    I32,
    I64,
    Double,
    Binary,
    List,
    Set,
    Map,
    Struct,
    Uuid,
}

/// The header of a struct's field.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Field {
    pub id: i16,
    pub kind: Type,
    /// The value of a `bool` in the compact protocol, where the header has it.
    pub inline: Option<bool>,
}

/// Reads values of one protocol. A copy of a reader is a place to come back to.
pub(crate) trait Read<'a>: Copy {
    fn new(bytes: &'a [u8]) -> Self;
    fn cursor(&mut self) -> &mut Cursor<'a>;

    /// The next field of a struct, or `None` at its end. `last_id` is the id of the field before, 0 at first.
    fn field(&mut self, last_id: &mut i16) -> Result<Option<Field>>;
    /// The header of a list or set: its elements' type and number. The rest of the input can hold as many.
    fn list(&mut self) -> Result<(Type, usize)>;
    /// The header of a map.
    fn map(&mut self) -> Result<Option<(Type, Type, usize)>>;
    fn bool(&mut self) -> Result<bool>;
    fn i16(&mut self) -> Result<i16>;
    fn i32(&mut self) -> Result<i32>;
    fn i64(&mut self) -> Result<i64>;
    fn double(&mut self) -> Result<f64>;
    fn binary(&mut self) -> Result<&'a [u8]>;

    /// Passes over a field's value.
    fn skip(&mut self, field: Field) -> Result<()> {
        match field.inline {
            Some(_) => Ok(()),
            None => self.skip_value(field.kind, MAX_SKIP_DEPTH),
        }
    }

    /// Passes over a value that may have `depth` levels.
    fn skip_value(&mut self, kind: Type, depth: usize) -> Result<()> {
        match kind {
            Type::Bool | Type::Byte => self.cursor().take(1).map(drop),
            Type::I16 => self.i16().map(drop),
            Type::I32 => self.i32().map(drop),
            Type::I64 => self.i64().map(drop),
            Type::Double => self.cursor().take(8).map(drop),
            Type::Uuid => self.cursor().take(16).map(drop),
            Type::Binary => self.binary().map(drop),
            Type::Struct => {
                let depth = self.deeper(depth)?;
                let mut last_id = 0;
                while let Some(field) = self.field(&mut last_id)? {
                    if field.inline.is_none() {
                        self.skip_value(field.kind, depth)?;
                    }
                }
                Ok(())
            }
            Type::List | Type::Set => {
                let depth = self.deeper(depth)?;
                let (kind, len) = self.list()?;
                (0..len).try_for_each(|_| self.skip_value(kind, depth))
            }
            Type::Map => {
                let depth = self.deeper(depth)?;
                let Some((key, value, len)) = self.map()? else {
                    return Ok(());
                };
                (0..len).try_for_each(|_| {
                    self.skip_value(key, depth)?;
                    self.skip_value(value, depth)
                })
            }
        }
    }

    fn deeper(&mut self, depth: usize) -> Result<usize> {
        let limit = MAX_SKIP_DEPTH;
        depth
            .checked_sub(1)
            .ok_or_else(|| self.cursor().error(ThriftErrorKind::TooDeep { limit }))
    }
}

/// A place in the input.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Cursor<'a> {
    bytes: &'a [u8],
    offset: usize,
}

impl<'a> Cursor<'a> {
    pub(crate) const fn new(bytes: &'a [u8]) -> Self {
        Self { bytes, offset: 0 }
    }

    pub(crate) const fn error(&self, kind: ThriftErrorKind) -> ThriftError {
        ThriftError {
            offset: self.offset,
            kind,
        }
    }

    pub(crate) const fn remaining(&self) -> usize {
        self.bytes.len() - self.offset
    }

    pub(crate) fn take(&mut self, len: usize) -> Result<&'a [u8]> {
        let rest = &self.bytes[self.offset..];
        let Some(taken) = rest.get(..len) else {
            let needed = len - rest.len();
            return Err(self.error(ThriftErrorKind::Truncated { needed }));
        };
        self.offset += len;
        Ok(taken)
    }

    pub(crate) fn array<const N: usize>(&mut self) -> Result<[u8; N]> {
        let mut array = [0; N];
        array.copy_from_slice(self.take(N)?);
        Ok(array)
    }

    pub(crate) fn byte(&mut self) -> Result<u8> {
        self.array().map(|[byte]| byte)
    }

    /// A length that was read, of things that take at least `min_bytes` each.
    pub(crate) fn length(&self, len: i64, min_bytes: usize) -> Result<usize> {
        let Ok(len) = usize::try_from(len) else {
            return Err(self.error(ThriftErrorKind::NegativeLength(len)));
        };
        let needed = len.saturating_mul(min_bytes);
        if needed > self.remaining() {
            let needed = needed - self.remaining();
            return Err(self.error(ThriftErrorKind::Truncated { needed }));
        }
        Ok(len)
    }
}

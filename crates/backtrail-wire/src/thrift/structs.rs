//! Structs and lists of structs. A list is the place where it stands, read when it is asked for.
//!
//! As in generated code, a field with another type than its definition has is passed over like an unknown one.

use super::protocol::{Field, Read, Result, Type};

/// Calls `read` with each field of a struct. It reads the value and says so, or the value is passed over.
pub(crate) fn read_fields<'a, R: Read<'a>>(
    reader: &mut R,
    mut read: impl FnMut(&mut R, Field) -> Result<bool>,
) -> Result<()> {
    let mut last_id = 0;
    while let Some(field) = reader.field(&mut last_id)? {
        if !read(reader, field)? {
            reader.skip(field)?;
        }
    }
    Ok(())
}

/// A list of structs.
#[derive(Debug, Clone, Copy)]
pub(crate) struct List<R> {
    /// Stands before the first element.
    first: R,
    len: usize,
}

impl<'a, R: Read<'a>> List<R> {
    pub(crate) fn empty() -> Self {
        Self {
            first: R::new(&[]),
            len: 0,
        }
    }

    /// Notes where the list stands and passes over it.
    pub(crate) fn pass(reader: &mut R) -> Result<Self> {
        let mut after_header = *reader;
        let (kind, len) = after_header.list()?;
        reader.skip_value(Type::List, 8)?;
        let len = if kind == Type::Struct { len } else { 0 };
        Ok(Self {
            first: after_header,
            len,
        })
    }

    /// The elements, read by `read`.
    pub(crate) fn iter<T>(
        self,
        read: impl Fn(&mut R) -> Result<T>,
    ) -> impl Iterator<Item = Result<T>> {
        let mut reader = self.first;
        (0..self.len).map(move |_| read(&mut reader))
    }
}

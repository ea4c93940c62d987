//! Borrowed views of `jaeger.thrift` structs.

use crate::thrift::{List, Read, Result, Type, read_fields};

/// `Span`.
#[derive(Debug, Clone, Copy)]
#[expect(
    clippy::struct_field_names,
    reason = "the names are those of jaeger.thrift"
)]
pub(super) struct Span<'a, R> {
    pub trace_id_low: i64,
    pub trace_id_high: i64,
    pub span_id: i64,
    pub parent_span_id: i64,
    pub operation_name: &'a [u8],
    pub references: List<R>,
    pub flags: i32,
    pub start_time_micros: i64,
    pub duration_micros: i64,
    pub tags: List<R>,
    pub logs: List<R>,
}

impl<'a, R: Read<'a>> Span<'a, R> {
    pub(super) fn read(reader: &mut R) -> Result<Self> {
        let mut span = Self {
            trace_id_low: 0,
            trace_id_high: 0,
            span_id: 0,
            parent_span_id: 0,
            operation_name: &[],
            references: List::empty(),
            flags: 0,
            start_time_micros: 0,
            duration_micros: 0,
            tags: List::empty(),
            logs: List::empty(),
        };
        read_fields(reader, |reader, field| {
            match (field.id, field.kind) {
                (1, Type::I64) => span.trace_id_low = reader.i64()?,
                (2, Type::I64) => span.trace_id_high = reader.i64()?,
                (3, Type::I64) => span.span_id = reader.i64()?,
                (4, Type::I64) => span.parent_span_id = reader.i64()?,
                (5, Type::Binary) => span.operation_name = reader.binary()?,
                (6, Type::List) => span.references = List::pass(reader)?,
                (7, Type::I32) => span.flags = reader.i32()?,
                (8, Type::I64) => span.start_time_micros = reader.i64()?,
                (9, Type::I64) => span.duration_micros = reader.i64()?,
                (10, Type::List) => span.tags = List::pass(reader)?,
                (11, Type::List) => span.logs = List::pass(reader)?,
                _ => return Ok(false),
            }
            Ok(true)
        })?;
        Ok(span)
    }
}

/// `Process`.
#[derive(Debug, Clone, Copy)]
pub(super) struct Process<'a, R> {
    pub service_name: &'a [u8],
    pub tags: List<R>,
}

impl<'a, R: Read<'a>> Process<'a, R> {
    pub(super) fn read(reader: &mut R) -> Result<Self> {
        let mut process = Self {
            service_name: &[],
            tags: List::empty(),
        };
        read_fields(reader, |reader, field| {
            match (field.id, field.kind) {
                (1, Type::Binary) => process.service_name = reader.binary()?,
                (2, Type::List) => process.tags = List::pass(reader)?,
                _ => return Ok(false),
            }
            Ok(true)
        })?;
        Ok(process)
    }
}

/// `Tag`. Any of the values may be there; `v_type` says which one counts.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Tag<'a> {
    pub key: Option<&'a [u8]>,
    pub v_type: Option<i32>,
    pub v_str: &'a [u8],
    pub v_double: f64,
    pub v_bool: bool,
    pub v_long: i64,
    pub v_binary: &'a [u8],
}

impl<'a> Tag<'a> {
    pub(super) fn read<R: Read<'a>>(reader: &mut R) -> Result<Self> {
        let mut tag = Self::default();
        read_fields(reader, |reader, field| {
            match (field.id, field.kind) {
                (1, Type::Binary) => tag.key = Some(reader.binary()?),
                (2, Type::I32) => tag.v_type = Some(reader.i32()?),
                (3, Type::Binary) => tag.v_str = reader.binary()?,
                (4, Type::Double) => tag.v_double = reader.double()?,
                (5, Type::Bool) => {
                    tag.v_bool = match field.inline {
                        Some(value) => value,
                        None => reader.bool()?,
                    }
                }
                (6, Type::I64) => tag.v_long = reader.i64()?,
                (7, Type::Binary) => tag.v_binary = reader.binary()?,
                _ => return Ok(false),
            }
            Ok(true)
        })?;
        Ok(tag)
    }
}

/// `Log`.
#[derive(Debug, Clone, Copy)]
pub(super) struct Log<R> {
    pub timestamp_micros: i64,
    pub fields: List<R>,
}

impl<'a, R: Read<'a>> Log<R> {
    pub(super) fn read(reader: &mut R) -> Result<Self> {
        let mut log = Self {
            timestamp_micros: 0,
            fields: List::empty(),
        };
        read_fields(reader, |reader, field| {
            match (field.id, field.kind) {
                (1, Type::I64) => log.timestamp_micros = reader.i64()?,
                (2, Type::List) => log.fields = List::pass(reader)?,
                _ => return Ok(false),
            }
            Ok(true)
        })?;
        Ok(log)
    }
}

/// `SpanRef`.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct SpanRef {
    pub ref_type: i32,
    pub trace_id_low: Option<i64>,
    pub trace_id_high: Option<i64>,
    pub span_id: Option<i64>,
}

impl SpanRef {
    pub(super) fn read<'a, R: Read<'a>>(reader: &mut R) -> Result<Self> {
        let mut reference = Self::default();
        read_fields(reader, |reader, field| {
            match (field.id, field.kind) {
                (1, Type::I32) => reference.ref_type = reader.i32()?,
                (2, Type::I64) => reference.trace_id_low = Some(reader.i64()?),
                (3, Type::I64) => reference.trace_id_high = Some(reader.i64()?),
                (4, Type::I64) => reference.span_id = Some(reader.i64()?),
                _ => return Ok(false),
            }
            Ok(true)
        })?;
        Ok(reference)
    }
}

//! Spans of version 1 as Thrift: `zipkinCore.thrift`.

use std::borrow::Cow;
use std::net::{Ipv4Addr, Ipv6Addr};

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;

use super::endpoint::Endpoint;
use super::fault::{Fault, PlacedFault};
use super::to_otlp::Request;
use super::v1::{AnnotationV1, BinaryAnnotation, SpanV1, convert};
use crate::Transcoded;
use crate::otlp::SpanLimits;
use crate::thrift::{self, Binary, List, Read, ThriftError, ThriftErrorKind, Type, read_fields};

/// Reads a list of `Span` structs in Thrift's binary protocol, with no message header before it, and writes it as an OTLP `TracesData`, without
/// the spans that can't be told truly or break OTLP's rules.
pub fn to_otlp(
    bytes: &[u8],
    limits: &SpanLimits,
    received_unix_nano: u64,
) -> Result<Transcoded, ThriftError> {
    let mut reader = Binary::new(bytes);
    if bytes.is_empty() {
        return Ok(Request::new(limits).finish(received_unix_nano));
    }
    let transcoded = list_to_otlp(&mut reader, limits, received_unix_nano)?;
    match reader.cursor().remaining() {
        0 => Ok(transcoded),
        len_bytes => Err(reader
            .cursor()
            .error(ThriftErrorKind::Trailing { len_bytes })),
    }
}

/// The same for a list that stands at the reader, in either protocol: Jaeger's agent takes such lists, too.
pub(crate) fn list_to_otlp<'a, R: Read<'a>>(
    reader: &mut R,
    limits: &SpanLimits,
    received_unix_nano: u64,
) -> Result<Transcoded, ThriftError> {
    let mut request = Request::new(limits);
    let (kind, len) = reader.list()?;
    if kind != Type::Struct {
        return Err(reader.cursor().error(ThriftErrorKind::NotStructs));
    }
    for index in 0..len {
        let span = SpanStruct::read(reader)?;
        let spans = span.to_v1()?.and_then(|span| Ok(convert(&span)?));
        request.put_all(index, spans);
    }
    Ok(request.finish(received_unix_nano))
}

/// `Span`.
struct SpanStruct<'a, R> {
    trace_id: i64,
    trace_id_high: i64,
    name: &'a [u8],
    id: i64,
    parent_id: i64,
    annotations: List<R>,
    binary_annotations: List<R>,
    debug: bool,
    timestamp_micros: i64,
    duration_micros: i64,
}

impl<'a, R: Read<'a>> SpanStruct<'a, R> {
    fn read(reader: &mut R) -> thrift::Result<Self> {
        let mut span = Self {
            trace_id: 0,
            trace_id_high: 0,
            name: &[],
            id: 0,
            parent_id: 0,
            annotations: List::empty(),
            binary_annotations: List::empty(),
            debug: false,
            timestamp_micros: 0,
            duration_micros: 0,
        };
        read_fields(reader, |reader, field| {
            match (field.id, field.kind) {
                (1, Type::I64) => span.trace_id = reader.i64()?,
                (3, Type::Binary) => span.name = reader.binary()?,
                (4, Type::I64) => span.id = reader.i64()?,
                (5, Type::I64) => span.parent_id = reader.i64()?,
                (6, Type::List) => span.annotations = List::pass(reader)?,
                (8, Type::List) => span.binary_annotations = List::pass(reader)?,
                (9, Type::Bool) => {
                    span.debug = match field.inline {
                        Some(value) => value,
                        None => reader.bool()?,
                    }
                }
                (10, Type::I64) => span.timestamp_micros = reader.i64()?,
                (11, Type::I64) => span.duration_micros = reader.i64()?,
                (12, Type::I64) => span.trace_id_high = reader.i64()?,
                _ => return Ok(false),
            }
            Ok(true)
        })?;
        Ok(span)
    }

    /// The span with its texts read; a fault of it alone is inside.
    fn to_v1(&self) -> thrift::Result<Result<SpanV1<'a>, PlacedFault>> {
        let trace_id =
            u128::from(self.trace_id_high as u64) << 64 | u128::from(self.trace_id as u64);
        let mut annotations = Vec::new();
        for (index, annotation) in self.annotations.iter(AnnotationStruct::read).enumerate() {
            match annotation?.to_v1() {
                Ok(annotation) => annotations.push(annotation),
                Err(fault) => return Ok(Err(fault.at(format_args!(".annotations[{index}]")))),
            }
        }
        let mut binary_annotations = Vec::new();
        for (index, annotation) in self.binary_annotations.iter(BinaryStruct::read).enumerate() {
            match annotation?.to_v1() {
                Ok(annotation) => binary_annotations.push(annotation),
                Err(fault) => {
                    return Ok(Err(fault.at(format_args!(".binary_annotations[{index}]"))));
                }
            }
        }
        let name = match text(self.name, "the name") {
            Ok(name) => name,
            Err(fault) => return Ok(Err(fault.at(".name"))),
        };
        Ok(Ok(SpanV1 {
            trace_id: trace_id.to_be_bytes(),
            id: self.id.to_be_bytes(),
            parent_id: self.parent_id.to_be_bytes(),
            name,
            timestamp_micros: micros(self.timestamp_micros),
            duration_micros: micros(self.duration_micros),
            annotations,
            binary_annotations,
            debug: self.debug,
        }))
    }
}

/// What is below zero is not there.
fn micros(micros: i64) -> u64 {
    micros.max(0) as u64
}

fn text<'a>(bytes: &'a [u8], what: &'static str) -> Result<Cow<'a, str>, Fault> {
    let text = std::str::from_utf8(bytes).map_err(|_| Fault::Utf8(what))?;
    Ok(text.into())
}

/// `Annotation`.
#[derive(Default)]
struct AnnotationStruct<'a> {
    timestamp_micros: i64,
    value: &'a [u8],
    host: Option<EndpointStruct<'a>>,
}

impl<'a> AnnotationStruct<'a> {
    fn read<R: Read<'a>>(reader: &mut R) -> thrift::Result<Self> {
        let mut annotation = Self::default();
        read_fields(reader, |reader, field| {
            match (field.id, field.kind) {
                (1, Type::I64) => annotation.timestamp_micros = reader.i64()?,
                (2, Type::Binary) => annotation.value = reader.binary()?,
                (3, Type::Struct) => annotation.host = Some(EndpointStruct::read(reader)?),
                _ => return Ok(false),
            }
            Ok(true)
        })?;
        Ok(annotation)
    }

    fn to_v1(&self) -> Result<AnnotationV1<'a>, Fault> {
        Ok(AnnotationV1 {
            timestamp_micros: micros(self.timestamp_micros),
            value: text(self.value, "the value")?,
            endpoint: endpoint(self.host.as_ref())?,
        })
    }
}

/// `BinaryAnnotation`.
#[derive(Default)]
struct BinaryStruct<'a> {
    key: &'a [u8],
    value: &'a [u8],
    annotation_type: i32,
    host: Option<EndpointStruct<'a>>,
}

impl<'a> BinaryStruct<'a> {
    fn read<R: Read<'a>>(reader: &mut R) -> thrift::Result<Self> {
        let mut annotation = Self::default();
        read_fields(reader, |reader, field| {
            match (field.id, field.kind) {
                (1, Type::Binary) => annotation.key = reader.binary()?,
                (2, Type::Binary) => annotation.value = reader.binary()?,
                (3, Type::I32) => annotation.annotation_type = reader.i32()?,
                (4, Type::Struct) => annotation.host = Some(EndpointStruct::read(reader)?),
                _ => return Ok(false),
            }
            Ok(true)
        })?;
        Ok(annotation)
    }

    fn to_v1(&self) -> Result<BinaryAnnotation<'a>, Fault> {
        const STRING: i32 = 6;
        let value = match self.annotation_type {
            STRING => Some(text(self.value, "the value")?),
            _ => self.value_as_text(),
        };
        Ok(BinaryAnnotation {
            key: text(self.key, "the key")?,
            value,
            endpoint: endpoint(self.host.as_ref())?,
        })
    }

    /// A value of another type than a string. What has not the length of its type is taken for bytes, and those are written in base64.
    fn value_as_text(&self) -> Option<Cow<'a, str>> {
        const BOOL: i32 = 0;
        const I16: i32 = 2;
        const I32: i32 = 3;
        const I64: i32 = 4;
        const DOUBLE: i32 = 5;
        let text = match (self.annotation_type, self.value) {
            (BOOL, [0]) => "false".to_owned(),
            (BOOL, [_]) => return None,
            (I16, [a, b]) => i16::from_be_bytes([*a, *b]).to_string(),
            (I32, [a, b, c, d]) => i32::from_be_bytes([*a, *b, *c, *d]).to_string(),
            (kind @ (I64 | DOUBLE), bytes) if bytes.len() == 8 => {
                let mut eight = [0; 8];
                eight.copy_from_slice(bytes);
                if kind == I64 {
                    i64::from_be_bytes(eight).to_string()
                } else {
                    f64::from_be_bytes(eight).to_string()
                }
            }
            (_, bytes) => BASE64_STANDARD.encode(bytes),
        };
        Some(text.into())
    }
}

/// `Endpoint`.
#[derive(Default)]
struct EndpointStruct<'a> {
    ipv4: i32,
    port: i16,
    service_name: &'a [u8],
    ipv6: &'a [u8],
}

impl<'a> EndpointStruct<'a> {
    fn read<R: Read<'a>>(reader: &mut R) -> thrift::Result<Self> {
        let mut endpoint = Self::default();
        read_fields(reader, |reader, field| {
            match (field.id, field.kind) {
                (1, Type::I32) => endpoint.ipv4 = reader.i32()?,
                (2, Type::I16) => endpoint.port = reader.i16()?,
                (3, Type::Binary) => endpoint.service_name = reader.binary()?,
                (4, Type::Binary) => endpoint.ipv6 = reader.binary()?,
                _ => return Ok(false),
            }
            Ok(true)
        })?;
        Ok(endpoint)
    }
}

/// An endpoint of which anything is known.
fn endpoint<'a>(host: Option<&EndpointStruct<'a>>) -> Result<Option<Endpoint<'a>>, Fault> {
    let Some(host) = host else {
        return Ok(None);
    };
    let mut endpoint = Endpoint {
        service_name: text(host.service_name, "the name of a service")?,
        // Thrift has no unsigned numbers.
        port: host.port as u16,
        ..Endpoint::default()
    };
    if let Ok(bytes) = <[u8; 16]>::try_from(host.ipv6) {
        endpoint.set_ip(Ipv6Addr::from(bytes).into());
    }
    if host.ipv4 != 0 {
        endpoint.ipv4 = Some(Ipv4Addr::from_bits(host.ipv4 as u32));
    }
    Ok((endpoint != Endpoint::default()).then_some(endpoint))
}

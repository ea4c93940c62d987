//! Spans of version 2 as `zipkin.proto3.ListOfSpans`.

use std::net::{Ipv4Addr, Ipv6Addr};

use super::endpoint::Endpoint;
use super::fault::{Fault, PlacedFault};
use super::span::{Annotation, CLIENT, CONSUMER, PRODUCER, SERVER, Span};
use super::to_otlp::Request;
use crate::otlp::SpanLimits;
use crate::protobuf::{Field, Fields};
use crate::{Transcoded, WireError};

/// Reads a `ListOfSpans` and writes it as an OTLP `TracesData`, without the spans that can't be told truly or break OTLP's rules. An error
/// is one of the list's own framing.
pub fn to_otlp(
    message: &[u8],
    limits: &SpanLimits,
    received_unix_nano: u64,
) -> Result<Transcoded, WireError> {
    let mut request = Request::new(limits);
    let mut index = 0;
    for field in Fields::new(message) {
        let field = field?;
        if field.number == 1 {
            request.put(index, read(field.bytes()?));
            index += 1;
        }
    }
    Ok(request.finish(received_unix_nano))
}

fn read(message: &[u8]) -> Result<Span<'_>, PlacedFault> {
    let mut span = Span::default();
    let (mut has_trace_id, mut has_id) = (false, false);
    for field in Fields::new(message) {
        let field = field?;
        match field.number {
            1 => {
                span.trace_id = trace_id(field.bytes()?).map_err(|fault| fault.at(".trace_id"))?;
                has_trace_id = true;
            }
            2 => span.parent_id = span_id(&field, "parent id", ".parent_id")?,
            3 => {
                span.id = span_id(&field, "span id", ".id")?;
                has_id = true;
            }
            4 => span.kind = kind(field.varint()?).map_err(|fault| fault.at(".kind"))?,
            5 => span.name = text(&field, ".name")?.into(),
            6 => span.timestamp_micros = field.fixed64()?,
            7 => span.duration_micros = field.varint()?,
            8 => read_endpoint(field.bytes()?, &mut span.local)
                .map_err(|fault| fault.within(".local_endpoint"))?,
            9 => read_endpoint(field.bytes()?, &mut span.remote)
                .map_err(|fault| fault.within(".remote_endpoint"))?,
            10 => {
                let annotation = annotation(field.bytes()?);
                let index = span.annotations.len();
                span.annotations.push(
                    annotation
                        .map_err(|fault| fault.within(format_args!(".annotations[{index}]")))?,
                );
            }
            11 => {
                let (mut key, mut value) = ("", "");
                for field in Fields::new(field.bytes()?) {
                    let field = field?;
                    match field.number {
                        1 => key = text(&field, ".tags")?,
                        2 => value = text(&field, ".tags")?,
                        _ => {}
                    }
                }
                span.tags.push((key.into(), value.into()));
            }
            12 => span.debug = field.varint()? != 0,
            13 => span.shared = field.varint()? != 0,
            _ => {}
        }
    }
    if !has_trace_id {
        return Err(Fault::Missing("trace id").at(".trace_id"));
    }
    if !has_id {
        return Err(Fault::Missing("span id").at(".id"));
    }
    Ok(span)
}

fn text<'a>(field: &Field<'a>, place: &'static str) -> Result<&'a str, PlacedFault> {
    field.str().map_err(|error| Fault::Wire(error).at(place))
}

fn trace_id(bytes: &[u8]) -> Result<[u8; 16], Fault> {
    let mut id = [0; 16];
    match bytes.len() {
        8 => id[8..].copy_from_slice(bytes),
        16 => id.copy_from_slice(bytes),
        len_bytes => {
            return Err(Fault::IdLength {
                what: "trace id",
                len_bytes,
                expected: "8 or 16",
            });
        }
    }
    Ok(id)
}

/// An empty id is that of no span.
fn span_id(
    field: &Field<'_>,
    what: &'static str,
    place: &'static str,
) -> Result<[u8; 8], PlacedFault> {
    let bytes = field.bytes()?;
    if bytes.is_empty() {
        return Ok([0; 8]);
    }
    bytes.try_into().map_err(|_| {
        let len_bytes = bytes.len();
        let expected = "8";
        Fault::IdLength {
            what,
            len_bytes,
            expected,
        }
        .at(place)
    })
}

fn kind(number: u64) -> Result<i32, Fault> {
    Ok(match number {
        0 => 0,
        1 => CLIENT,
        2 => SERVER,
        3 => PRODUCER,
        4 => CONSUMER,
        _ => return Err(Fault::Kind(number.to_string())),
    })
}

/// A field that comes twice is merged, as protobuf has it.
fn read_endpoint<'a>(message: &'a [u8], endpoint: &mut Endpoint<'a>) -> Result<(), PlacedFault> {
    for field in Fields::new(message) {
        let field = field?;
        match field.number {
            1 => endpoint.service_name = text(&field, ".service_name")?.into(),
            // As in Zipkin, what is no address is not there.
            2 | 3 => match *field.bytes()? {
                [a, b, c, d] => endpoint.ipv4 = Some(Ipv4Addr::new(a, b, c, d)),
                ref bytes => {
                    if let Ok(bytes) = <[u8; 16]>::try_from(bytes) {
                        endpoint.set_ip(Ipv6Addr::from(bytes).into());
                    }
                }
            },
            4 => {
                let port = (field.varint()? as i64).max(0);
                endpoint.port =
                    u16::try_from(port).map_err(|_| Fault::Port(port.to_string()).at(".port"))?;
            }
            _ => {}
        }
    }
    Ok(())
}

fn annotation(message: &[u8]) -> Result<Annotation<'_>, PlacedFault> {
    let mut annotation = Annotation {
        timestamp_micros: 0,
        value: "".into(),
    };
    for field in Fields::new(message) {
        let field = field?;
        match field.number {
            1 => annotation.timestamp_micros = field.fixed64()?,
            2 => annotation.value = text(&field, ".value")?.into(),
            _ => {}
        }
    }
    Ok(annotation)
}

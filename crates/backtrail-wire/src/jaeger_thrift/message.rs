//! Thrift messages to a Jaeger agent: `Agent.emitBatch`, whose one argument is a `Batch`, and `Agent.emitZipkinBatch`, whose one argument is a
//! list of Zipkin's spans of version 1.
//!
//! A message is a header (name of the method, kind, sequence number) and a struct of arguments. Which protocol it is in shows in its
//! first byte: 0x82 begins a compact header, 0x80 a binary one with its version ("strict"), and a binary one without begins with the
//! length of the method's name.

use super::translate::read_batch;
use crate::otlp::SpanLimits;
use crate::thrift::{Binary, Compact, Read, ThriftError, Type};
use crate::{Transcoded, zipkin};

/// First byte of a compact message.
const COMPACT_ID: u8 = 0x82;
/// First byte of a binary message with a version.
const STRICT_BINARY_ID: u8 = 0x80;
const VERSION: u8 = 1;

/// Kinds of messages that a client sends.
const CALL: u8 = 1;
const ONE_WAY: u8 = 4;

/// Of a method's name that we do not know, this much is repeated.
const MAX_SHOWN_CHARS: usize = 60;

/// Why a message is not taken.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum MessageError {
    /// It can't be read.
    #[error(transparent)]
    Thrift(#[from] ThriftError),
    /// The header is of another version of Thrift.
    #[error("Thrift's version {0} is not known; 1 is")]
    Version(u8),
    /// It is a reply or an exception, or nothing that Thrift defines.
    #[error("message of kind {0} is not a call")]
    NotACall(u8),
    /// It calls something else.
    #[error("method {0:?} is not supported here; send emitBatch or emitZipkinBatch")]
    Method(String),
    /// A call without its argument.
    #[error("the call has no batch")]
    NoBatch,
}

/// Reads a message to an agent in either protocol, and its batch as [`to_otlp`](super::to_otlp) or, for Zipkin's,
/// [`zipkin::thrift_v1_to_otlp`](crate::zipkin::thrift_v1_to_otlp) does.
///
/// Bytes that follow the message are not looked at: a client whose buffer is larger than its message sends all of it.
pub fn message_to_otlp(
    message: &[u8],
    limits: &SpanLimits,
    received_unix_nano: u64,
) -> Result<Transcoded, MessageError> {
    match message.first() {
        Some(&COMPACT_ID) => {
            let mut reader = Compact::new(message);
            let header = compact_header(&mut reader)?;
            emit_batch(reader, header, limits, received_unix_nano)
        }
        _ => {
            let mut reader = Binary::new(message);
            let header = binary_header(&mut reader)?;
            emit_batch(reader, header, limits, received_unix_nano)
        }
    }
}

struct Header<'a> {
    kind: u8,
    method: &'a [u8],
}

fn compact_header<'a>(reader: &mut Compact<'a>) -> Result<Header<'a>, MessageError> {
    let [_id, kind_and_version] = reader.cursor().array()?;
    let version = kind_and_version & 0x1f;
    if version != VERSION {
        return Err(MessageError::Version(version));
    }
    let _sequence_number = reader.varint()?;
    Ok(Header {
        kind: kind_and_version >> 5,
        method: reader.binary()?,
    })
}

fn binary_header<'a>(reader: &mut Binary<'a>) -> Result<Header<'a>, MessageError> {
    let mut strict = *reader;
    let [id, version, _, kind] = strict.cursor().array()?;
    if id == STRICT_BINARY_ID {
        if version != VERSION {
            return Err(MessageError::Version(version));
        }
        let method = strict.binary()?;
        let _sequence_number = strict.i32()?;
        *reader = strict;
        return Ok(Header { kind, method });
    }
    let method = reader.binary()?;
    let [kind] = reader.cursor().array()?;
    let _sequence_number = reader.i32()?;
    Ok(Header { kind, method })
}

fn emit_batch<'a, R: Read<'a>>(
    mut reader: R,
    header: Header<'a>,
    limits: &SpanLimits,
    received_unix_nano: u64,
) -> Result<Transcoded, MessageError> {
    let batch_type = match header.method {
        b"emitBatch" => Type::Struct,
        b"emitZipkinBatch" => Type::List,
        other => {
            let name = String::from_utf8_lossy(other);
            return Err(MessageError::Method(
                name.chars().take(MAX_SHOWN_CHARS).collect(),
            ));
        }
    };
    // Thrift's own library for Go waits for no answer to a `call` to this method either.
    if header.kind != CALL && header.kind != ONE_WAY {
        return Err(MessageError::NotACall(header.kind));
    }
    let mut batch = None;
    let mut last_id = 0;
    while let Some(field) = reader.field(&mut last_id)? {
        if field.id != 1 || field.kind != batch_type || batch.is_some() {
            reader.skip(field)?;
        } else if batch_type == Type::Struct {
            batch = Some(read_batch(&mut reader, limits)?);
        } else {
            let read = zipkin::thrift_list_v1_to_otlp(&mut reader, limits, received_unix_nano);
            batch = Some(read?);
        }
    }
    batch.ok_or(MessageError::NoBatch)
}

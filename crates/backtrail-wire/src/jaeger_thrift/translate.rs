//! A batch as a `TracesData`.

use super::model;
use super::views::{Process, Span};
use crate::jaeger::{Groups, SpanPath, put_resource};
use crate::otlp::SpanLimits;
use crate::protobuf::begin_message;
use crate::thrift::{Binary, Compact, Read, ThriftError, ThriftErrorKind, Type};
use crate::{Rejections, Transcoded};

/// How a batch is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Encoding {
    /// Thrift's binary protocol.
    Binary,
    /// Thrift's compact protocol.
    Compact,
}

impl Encoding {
    /// Tells the protocols of a bare struct apart by its first byte, for senders that do not say which it is. In the binary protocol it is
    /// a type, which is below 16; in the compact protocol its high half is the first field's id, which is not 0.
    pub const fn sniff(first_byte: u8) -> Self {
        if first_byte < 16 {
            Self::Binary
        } else {
            Self::Compact
        }
    }
}

/// Reads a `Batch` and writes it as an OTLP `TracesData`, without the spans that can't be told truly or break OTLP's rules. What is
/// written is at most about eight times as large as what was read.
///
/// ```
/// use backtrail_wire::jaeger_thrift::{Encoding, to_otlp};
/// use backtrail_wire::otlp::SpanLimits;
///
/// let limits = SpanLimits { max_value_depth: 32, max_span_bytes: 4 << 20 };
/// // In the compact protocol: a process `{1: "shop"}`, and an empty list of spans.
/// let batch = b"\x1c\x18\x04shop\x00\x19\x0c\x00";
/// let transcoded = to_otlp(batch, Encoding::sniff(batch[0]), &limits)?;
/// assert_eq!(transcoded.accepted, 0);
/// # Ok::<(), backtrail_wire::jaeger_thrift::ThriftError>(())
/// ```
pub fn to_otlp(
    batch: &[u8],
    encoding: Encoding,
    limits: &SpanLimits,
) -> Result<Transcoded, ThriftError> {
    match encoding {
        Encoding::Binary => translate(Binary::new(batch), limits),
        Encoding::Compact => translate(Compact::new(batch), limits),
    }
}

fn translate<'a, R: Read<'a>>(
    mut reader: R,
    limits: &SpanLimits,
) -> Result<Transcoded, ThriftError> {
    let transcoded = read_batch(&mut reader, limits)?;
    match reader.cursor().remaining() {
        0 => Ok(transcoded),
        len_bytes => Err(reader
            .cursor()
            .error(ThriftErrorKind::Trailing { len_bytes })),
    }
}

/// Reads one `Batch` struct.
pub(super) fn read_batch<'a, R: Read<'a>>(
    reader: &mut R,
    limits: &SpanLimits,
) -> Result<Transcoded, ThriftError> {
    let mut process = None;
    let mut has_spans = false;
    let mut groups = Groups::default();
    let mut rejected = Rejections::default();
    let mut accepted = 0;
    let mut last_id = 0;
    while let Some(field) = reader.field(&mut last_id)? {
        match (field.id, field.kind) {
            (1, Type::Struct) => process = Some(Process::read(reader)?),
            (2, Type::List) => {
                has_spans = true;
                let (Type::Struct, len) = reader.list()? else {
                    return Err(reader.cursor().error(ThriftErrorKind::Missing("spans")));
                };
                for index in 0..len {
                    let span = Span::read(reader)?;
                    let put = model::span(&span)
                        .and_then(|span| groups.put(&span, limits.max_span_bytes));
                    match put {
                        Ok(()) => accepted += 1,
                        Err(fault) => rejected.add(1, fault.reason(), SpanPath(index), fault),
                    }
                }
            }
            _ => reader.skip(field)?,
        }
    }
    let missing = |reader: &mut R, what| reader.cursor().error(ThriftErrorKind::Missing(what));
    if !has_spans {
        return Err(missing(reader, "spans"));
    }
    let process = process.ok_or_else(|| missing(reader, "process"))?;

    let mut protobuf = Vec::new();
    let open = begin_message(&mut protobuf, 1);
    let resource = begin_message(&mut protobuf, 1);
    match model::process(&process).and_then(|process| put_resource(&mut protobuf, &process)) {
        Ok(()) => {
            resource.end(&mut protobuf);
            groups.put_scopes(&mut protobuf);
            open.end(&mut protobuf);
        }
        Err(fault) => {
            rejected.add(accepted, fault.reason(), "process", fault);
            accepted = 0;
            open.discard(&mut protobuf);
        }
    }
    Ok(Transcoded {
        protobuf,
        accepted,
        rejected,
    })
}

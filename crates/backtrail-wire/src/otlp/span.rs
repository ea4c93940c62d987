//! `Span`, its events, links and status.

use crate::WireError;
use crate::otlp::Attributes;
use crate::protobuf::{Field, Fields, put_bytes};

/// A span: scalars are read, repeated fields are read on demand.
#[derive(Debug, Clone, Copy)]
pub struct Span<'a> {
    /// The bytes of the `Span` message.
    pub raw: &'a [u8],
    /// 16 bytes when it is valid; any length is possible here.
    pub trace_id: &'a [u8],
    /// 8 bytes when it is valid.
    pub span_id: &'a [u8],
    /// W3C `tracestate`.
    pub trace_state: &'a str,
    /// Empty, or 8 bytes when it is valid.
    pub parent_span_id: &'a [u8],
    /// W3C flags in the low 8 bits, and OTLP's "is remote" bits.
    pub flags: u32,
    /// The name of the operation.
    pub name: &'a str,
    /// `SpanKind` as a number; unknown numbers are possible.
    pub kind: i32,
    /// Nanoseconds since 1970.
    pub start_unix_nano: u64,
    /// Nanoseconds since 1970.
    pub end_unix_nano: u64,
    /// How many attributes the client dropped.
    pub dropped_attributes_count: u32,
    /// How many events the client dropped.
    pub dropped_events_count: u32,
    /// How many links the client dropped.
    pub dropped_links_count: u32,
    /// `None` when the message has no status field.
    pub status: Option<Status<'a>>,
}

/// A span's status.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Status<'a> {
    /// What went wrong.
    pub message: &'a str,
    /// 0 unset, 1 ok, 2 error; unknown numbers are possible.
    pub code: i32,
}

impl<'a> Span<'a> {
    /// Reads the bytes of a `Span`.
    pub fn parse(raw: &'a [u8]) -> Result<Self, WireError> {
        let mut span = Self {
            raw,
            trace_id: &[],
            span_id: &[],
            trace_state: "",
            parent_span_id: &[],
            flags: 0,
            name: "",
            kind: 0,
            start_unix_nano: 0,
            end_unix_nano: 0,
            dropped_attributes_count: 0,
            dropped_events_count: 0,
            dropped_links_count: 0,
            status: None,
        };
        for field in Fields::new(raw) {
            let field = field?;
            match field.number {
                1 => span.trace_id = field.bytes()?,
                2 => span.span_id = field.bytes()?,
                3 => span.trace_state = field.str()?,
                4 => span.parent_span_id = field.bytes()?,
                5 => span.name = field.str()?,
                6 => span.kind = field.varint()? as i32,
                7 => span.start_unix_nano = field.fixed64()?,
                8 => span.end_unix_nano = field.fixed64()?,
                9 | 11 | 13 => _ = field.bytes()?,
                10 => span.dropped_attributes_count = field.varint()? as u32,
                12 => span.dropped_events_count = field.varint()? as u32,
                14 => span.dropped_links_count = field.varint()? as u32,
                15 => span.status = Some(Status::parse(field.bytes()?, span.status)?),
                16 => span.flags = field.fixed32()?,
                _ => {}
            }
        }
        Ok(span)
    }

    /// Appends the attributes to `out` as a `KeyValueList`.
    pub fn put_attributes(&self, out: &mut Vec<u8>) -> Result<(), WireError> {
        put_as_list(self.raw, 9, out)
    }

    /// The events in the order in which they were sent.
    pub fn events(&self) -> impl Iterator<Item = Result<Event<'a>, WireError>> + use<'a> {
        repeated(self.raw, 11).map(|field| Event::parse(field?.bytes()?))
    }

    /// The bytes of each link, in the order in which they were sent.
    pub fn raw_links(&self) -> impl Iterator<Item = Result<&'a [u8], WireError>> + use<'a> {
        repeated(self.raw, 13).map(|field| field?.bytes())
    }
}

impl<'a> Status<'a> {
    /// `before` is the status of an earlier field 15, into which this one is merged, as protobuf asks for.
    fn parse(raw: &'a [u8], before: Option<Self>) -> Result<Self, WireError> {
        let mut status = before.unwrap_or_default();
        for field in Fields::new(raw) {
            let field = field?;
            match field.number {
                2 => status.message = field.str()?,
                3 => status.code = field.varint()? as i32,
                _ => {}
            }
        }
        Ok(status)
    }
}

/// A span event.
#[derive(Debug, Clone, Copy)]
pub struct Event<'a> {
    /// The bytes of the `Event` message.
    pub raw: &'a [u8],
    /// Nanoseconds since 1970.
    pub time_unix_nano: u64,
    /// The event's name, such as `exception`.
    pub name: &'a str,
    /// How many attributes the client dropped.
    pub dropped_attributes_count: u32,
}

impl<'a> Event<'a> {
    /// Reads the bytes of a `Span.Event`.
    pub fn parse(raw: &'a [u8]) -> Result<Self, WireError> {
        let mut event = Self {
            raw,
            time_unix_nano: 0,
            name: "",
            dropped_attributes_count: 0,
        };
        for field in Fields::new(raw) {
            let field = field?;
            match field.number {
                1 => event.time_unix_nano = field.fixed64()?,
                2 => event.name = field.str()?,
                3 => _ = field.bytes()?,
                4 => event.dropped_attributes_count = field.varint()? as u32,
                _ => {}
            }
        }
        Ok(event)
    }

    /// Appends the attributes to `out` as a `KeyValueList`.
    pub fn put_attributes(&self, out: &mut Vec<u8>) -> Result<(), WireError> {
        put_as_list(self.raw, 3, out)
    }
}

/// A link to another span.
#[derive(Debug, Clone, Copy)]
pub struct Link<'a> {
    /// The bytes of the `Link` message.
    pub raw: &'a [u8],
    /// 16 bytes when it is valid.
    pub trace_id: &'a [u8],
    /// 8 bytes when it is valid.
    pub span_id: &'a [u8],
    /// W3C `tracestate`.
    pub trace_state: &'a str,
    /// How many attributes the client dropped.
    pub dropped_attributes_count: u32,
    /// As [`Span::flags`].
    pub flags: u32,
}

impl<'a> Link<'a> {
    /// Reads the bytes of a `Span.Link`.
    pub fn parse(raw: &'a [u8]) -> Result<Self, WireError> {
        let mut link = Self {
            raw,
            trace_id: &[],
            span_id: &[],
            trace_state: "",
            dropped_attributes_count: 0,
            flags: 0,
        };
        for field in Fields::new(raw) {
            let field = field?;
            match field.number {
                1 => link.trace_id = field.bytes()?,
                2 => link.span_id = field.bytes()?,
                3 => link.trace_state = field.str()?,
                4 => _ = field.bytes()?,
                5 => link.dropped_attributes_count = field.varint()? as u32,
                6 => link.flags = field.fixed32()?,
                _ => {}
            }
        }
        Ok(link)
    }

    /// Appends the attributes to `out` as a `KeyValueList`.
    pub fn put_attributes(&self, out: &mut Vec<u8>) -> Result<(), WireError> {
        put_as_list(self.raw, 4, out)
    }
}

pub(super) fn repeated(
    message: &[u8],
    number: u32,
) -> impl Iterator<Item = Result<Field<'_>, WireError>> {
    Fields::new(message).filter(move |field| match field {
        Ok(field) => field.number == number,
        Err(_) => true,
    })
}

/// Copies the `KeyValue`s of field `number` to `out` as a `KeyValueList`.
pub(super) fn put_as_list(message: &[u8], number: u32, out: &mut Vec<u8>) -> Result<(), WireError> {
    for field in repeated(message, number) {
        put_bytes(out, 1, field?.bytes()?);
    }
    Ok(())
}

impl Attributes<'_> {
    /// Appends every attribute to `out` as a field `number` of the message that is being written.
    pub fn put_as_field(&self, number: u32, out: &mut Vec<u8>) -> Result<(), WireError> {
        for entry in self.raw_entries() {
            put_bytes(out, number, entry?);
        }
        Ok(())
    }
}

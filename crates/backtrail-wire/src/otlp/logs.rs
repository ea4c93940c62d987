//! `LogsData`, `ResourceLogs`, `ScopeLogs` and `LogRecord`.

use super::span::{put_as_list, repeated};
use super::trace::put_all_but;
use crate::WireError;
use crate::protobuf::Fields;

/// A `LogsData` or an `ExportLogsServiceRequest`: on the wire they are the same.
#[derive(Debug, Clone, Copy)]
pub struct LogsData<'a> {
    raw: &'a [u8],
}

impl<'a> LogsData<'a> {
    /// Views the bytes of the message.
    pub const fn new(raw: &'a [u8]) -> Self {
        Self { raw }
    }

    /// The groups of log records that share a resource.
    pub fn resource_logs(
        &self,
    ) -> impl Iterator<Item = Result<ResourceLogs<'a>, WireError>> + use<'a> {
        repeated(self.raw, 1).map(|field| {
            Ok(ResourceLogs {
                raw: field?.bytes()?,
            })
        })
    }
}

/// The log records of one resource.
#[derive(Debug, Clone, Copy)]
pub struct ResourceLogs<'a> {
    raw: &'a [u8],
}

impl<'a> ResourceLogs<'a> {
    /// Views the bytes of a `ResourceLogs`.
    pub const fn new(raw: &'a [u8]) -> Self {
        Self { raw }
    }

    /// The groups of log records that share an instrumentation scope.
    pub fn scope_logs(&self) -> impl Iterator<Item = Result<ScopeLogs<'a>, WireError>> + use<'a> {
        repeated(self.raw, 2).map(|field| {
            Ok(ScopeLogs {
                raw: field?.bytes()?,
            })
        })
    }

    /// Appends the *envelope* to `out`: all fields but the log records, verbatim. `ResourceLogs` and [`ResourceSpans`](super::ResourceSpans) share the numbers of
    /// their fields, so it is a valid envelope of either.
    pub fn put_envelope(&self, out: &mut Vec<u8>) -> Result<(), WireError> {
        put_all_but(self.raw, 2, out)
    }
}

/// The log records of one instrumentation scope.
#[derive(Debug, Clone, Copy)]
pub struct ScopeLogs<'a> {
    raw: &'a [u8],
}

impl<'a> ScopeLogs<'a> {
    /// Views the bytes of a `ScopeLogs`.
    pub const fn new(raw: &'a [u8]) -> Self {
        Self { raw }
    }

    /// The bytes of each log record.
    pub fn raw_log_records(&self) -> impl Iterator<Item = Result<&'a [u8], WireError>> + use<'a> {
        repeated(self.raw, 2).map(|field| field?.bytes())
    }

    /// Appends the *envelope* to `out`: all fields but the log records, verbatim. As with resources, it is an envelope of [`ScopeSpans`](super::ScopeSpans) too.
    pub fn put_envelope(&self, out: &mut Vec<u8>) -> Result<(), WireError> {
        put_all_but(self.raw, 2, out)
    }
}

/// A log record: scalars are read, its body is kept as it is.
#[derive(Debug, Clone, Copy)]
pub struct LogRecord<'a> {
    /// The bytes of the `LogRecord` message.
    pub raw: &'a [u8],
    /// When it happened, nanoseconds since 1970; 0 when that is not known.
    pub time_unix_nano: u64,
    /// When it was collected, nanoseconds since 1970.
    pub observed_time_unix_nano: u64,
    /// How bad it is, in the words of who logged it; empty when that was not said.
    pub severity_text: &'a str,
    /// The bytes of the `AnyValue` that was logged; empty when there is none.
    pub body: &'a [u8],
    /// How many attributes the client dropped.
    pub dropped_attributes_count: u32,
    /// Empty, or 16 bytes when it is valid.
    pub trace_id: &'a [u8],
    /// Empty, or 8 bytes when it is valid.
    pub span_id: &'a [u8],
    /// What kind of event it is; empty when it is none.
    pub event_name: &'a str,
}

impl<'a> LogRecord<'a> {
    /// Reads the bytes of a `LogRecord`.
    pub fn parse(raw: &'a [u8]) -> Result<Self, WireError> {
        let mut record = Self {
            raw,
            time_unix_nano: 0,
            observed_time_unix_nano: 0,
            severity_text: "",
            body: &[],
            dropped_attributes_count: 0,
            trace_id: &[],
            span_id: &[],
            event_name: "",
        };
        for field in Fields::new(raw) {
            let field = field?;
            match field.number {
                1 => record.time_unix_nano = field.fixed64()?,
                3 => record.severity_text = field.str()?,
                5 => record.body = field.bytes()?,
                6 => _ = field.bytes()?,
                7 => record.dropped_attributes_count = field.varint()? as u32,
                9 => record.trace_id = field.bytes()?,
                10 => record.span_id = field.bytes()?,
                11 => record.observed_time_unix_nano = field.fixed64()?,
                12 => record.event_name = field.str()?,
                _ => {}
            }
        }
        Ok(record)
    }

    /// Appends the attributes to `out` as a `KeyValueList`.
    pub fn put_attributes(&self, out: &mut Vec<u8>) -> Result<(), WireError> {
        put_as_list(self.raw, 6, out)
    }
}

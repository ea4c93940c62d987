//! Log records, as far as they carry exceptions.

use std::borrow::Cow;
use std::fmt::Display;

use serde::de::{DeserializeSeed, MapAccess, SeqAccess};
use serde_json::value::RawValue;

use super::object::{
    Context, Elements, List, Members, Message, Object, put_object, put_objects, read_object, skip,
};
use super::read::{Fault, Items, Request, read};
use super::scalar::{put_count, put_enum, put_flags, put_id, put_text, put_time};
use super::value::{AnyValue, KeyValue};
use crate::json::JsonError;
use crate::otlp::{self, IgnoreReason, LogVerdict, SpanLimits, is_exception_key};
use crate::{ExceptionLogs, IgnoredLogs, OtlpLogPath, OtlpPath, RejectReason, Rejections};

/// Reads a `LogsData` (or `ExportLogsServiceRequest`) and writes as protobuf what carries an exception of a trace.
///
/// ```
/// use backtrail_wire::otlp::SpanLimits;
/// use backtrail_wire::otlp_json::exception_logs;
///
/// let limits = SpanLimits { max_value_depth: 32, max_span_bytes: 4 << 20 };
/// let request = br#"{"resourceLogs":[{"scopeLogs":[{"logRecords":[
///     {"body":{"stringValue":"all is well"}},
///     {"traceId":"5B8EFFF798038103D269B633813FC60C","spanId":"EEE19B7EC3C1B174",
///      "attributes":[{"key":"exception.type","value":{"stringValue":"OSError"}}]}
/// ]}]}]}"#;
/// let logs = exception_logs(request, &limits)?;
/// assert_eq!((logs.kept, logs.ignored.count(), logs.rejected.count()), (1, 1, 0));
/// # Ok::<(), backtrail_wire::otlp_json::JsonError>(())
/// ```
pub fn exception_logs(json: &[u8], limits: &SpanLimits) -> Result<ExceptionLogs, JsonError> {
    let ignored = LogRecords(IgnoredLogs::default());
    let request = read(json, limits, ignored, Rejections::of_log_records())?;
    Ok(ExceptionLogs {
        protobuf: request.out,
        kept: request.accepted,
        ignored: request.items.0,
        rejected: request.rejected,
    })
}

struct LogRecords(IgnoredLogs);

impl Items for LogRecords {
    const DATA: &'static str = "LogsData";
    const RESOURCE_GROUP: &'static str = "ResourceLogs";
    const RESOURCE_GROUPS: [&'static str; 2] = ["resourceLogs", "resource_logs"];
    const SCOPE_GROUP: &'static str = "ScopeLogs";
    const SCOPE_GROUPS: [&'static str; 2] = ["scopeLogs", "scope_logs"];
    const ITEM: &'static str = "LogRecord";
    const ITEMS: [&'static str; 2] = ["logRecords", "log_records"];
    const KEEPS_EMPTY_GROUPS: bool = false;

    fn take(request: &mut Request<Self>, raw: &RawValue) -> Result<bool, Fault> {
        if !has_exception(raw) {
            request.items.0.add(IgnoreReason::NoException);
            return Ok(false);
        }
        let limits = request.limits;
        let mut ignored = None;
        let kept = request.put(
            raw,
            2,
            |raw, context, out| read_object(raw, LogRecord(context), out),
            |record| match otlp::LogRecord::judge(record, &limits) {
                Ok(LogVerdict::Keep) => Ok(true),
                Ok(LogVerdict::Ignore(reason)) => {
                    ignored = Some(reason);
                    Ok(false)
                }
                Err(fault) => Err(Fault {
                    reason: fault.reason(),
                    detail: fault.to_string(),
                }),
            },
        )?;
        if let Some(reason) = ignored {
            request.items.0.add(reason);
        }
        Ok(kept)
    }

    fn place(path: OtlpPath) -> impl Display {
        OtlpLogPath(path)
    }

    fn see_resource_group(&mut self, group: &[u8]) {
        self.0.end_resource(group);
    }
}

/// Whether an attribute says so, before the first thing that can't be read. Most log records carry none, and are read no further.
fn has_exception(raw: &RawValue) -> bool {
    let mut found = false;
    let mut json = serde_json::Deserializer::from_str(raw.get());
    // The fault is found again, and told, when there is an exception.
    let _ = Object(AttributesOf(&mut found)).deserialize(&mut json);
    found
}

struct AttributesOf<'f>(&'f mut bool);

impl Members for AttributesOf<'_> {
    const NAME: &'static str = "LogRecord";

    fn member<'de, A: MapAccess<'de>>(&mut self, name: &str, map: &mut A) -> Result<(), A::Error> {
        match name {
            "attributes" => map.next_value_seed(List(Keys(self.0))),
            _ => skip(map),
        }
    }
}

struct Keys<'f>(&'f mut bool);

impl Elements for Keys<'_> {
    const NAME: &'static str = "KeyValue";

    fn element<'de, A: SeqAccess<'de>>(&mut self, list: &mut A) -> Result<bool, A::Error> {
        Ok(list.next_element_seed(Object(Key(self.0)))?.is_some())
    }
}

struct Key<'f>(&'f mut bool);

impl Members for Key<'_> {
    const NAME: &'static str = "KeyValue";

    fn member<'de, A: MapAccess<'de>>(&mut self, name: &str, map: &mut A) -> Result<(), A::Error> {
        if name != "key" {
            return skip(map);
        }
        let key = map.next_value::<Option<Cow<'de, str>>>()?;
        *self.0 |= key.is_some_and(|key| is_exception_key(key.as_bytes()));
        Ok(())
    }
}

/// In the order of their numbers.
const SEVERITIES: &[&str] = &[
    "SEVERITY_NUMBER_UNSPECIFIED",
    "SEVERITY_NUMBER_TRACE",
    "SEVERITY_NUMBER_TRACE2",
    "SEVERITY_NUMBER_TRACE3",
    "SEVERITY_NUMBER_TRACE4",
    "SEVERITY_NUMBER_DEBUG",
    "SEVERITY_NUMBER_DEBUG2",
    "SEVERITY_NUMBER_DEBUG3",
    "SEVERITY_NUMBER_DEBUG4",
    "SEVERITY_NUMBER_INFO",
    "SEVERITY_NUMBER_INFO2",
    "SEVERITY_NUMBER_INFO3",
    "SEVERITY_NUMBER_INFO4",
    "SEVERITY_NUMBER_WARN",
    "SEVERITY_NUMBER_WARN2",
    "SEVERITY_NUMBER_WARN3",
    "SEVERITY_NUMBER_WARN4",
    "SEVERITY_NUMBER_ERROR",
    "SEVERITY_NUMBER_ERROR2",
    "SEVERITY_NUMBER_ERROR3",
    "SEVERITY_NUMBER_ERROR4",
    "SEVERITY_NUMBER_FATAL",
    "SEVERITY_NUMBER_FATAL2",
    "SEVERITY_NUMBER_FATAL3",
    "SEVERITY_NUMBER_FATAL4",
];

/// `LogRecord`.
#[derive(Clone, Copy)]
struct LogRecord<'c>(Context<'c>);

impl Message for LogRecord<'_> {
    const NAME: &'static str = "LogRecord";

    fn field<'de, A: MapAccess<'de>>(
        self,
        name: &str,
        map: &mut A,
        out: &mut Vec<u8>,
    ) -> Result<(), A::Error> {
        let context = self.0;
        match name {
            "timeUnixNano" | "time_unix_nano" => put_time(map, out, 1, context),
            "severityNumber" | "severity_number" => put_enum(map, out, 2, SEVERITIES),
            "severityText" | "severity_text" => put_text(map, out, 3),
            "body" => put_object(map, out, 5, AnyValue::outermost(context)),
            "attributes" => put_objects(map, out, 6, KeyValue::attribute(context)),
            "droppedAttributesCount" | "dropped_attributes_count" => put_count(map, out, 7),
            "flags" => put_flags(map, out, 8),
            "traceId" | "trace_id" => put_id(map, out, 9, context, RejectReason::InvalidTraceId),
            "spanId" | "span_id" => put_id(map, out, 10, context, RejectReason::InvalidSpanId),
            "observedTimeUnixNano" | "observed_time_unix_nano" => put_time(map, out, 11, context),
            "eventName" | "event_name" => put_text(map, out, 12),
            _ => skip(map),
        }
    }
}

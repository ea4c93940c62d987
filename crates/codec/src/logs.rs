//! Log records: which carry an exception of a trace, and the batch of those.

use backtrail_wire::otlp::{
    IgnoreReason, LogFault, LogRecord, LogVerdict, LogsData, ResourceLogs, ResourceSpans,
    ScopeLogs, ScopeSpans, SpanLimits,
};
use backtrail_wire::protobuf::{OpenMessage, begin_message, put_bytes};
use backtrail_wire::{
    ExceptionLogs, IgnoredLogs, OtlpLogPath, OtlpPath, Rejections, WireError, otlp_json,
};
use bytes::Bytes;
use model::{Limits, SpanBatch};

use crate::otlp::check_framing;
use crate::{DecodeError, OtlpEncoding};

/// On the wire log records share their resource and scope, in a batch each event has its own copy, so the copies have a limit. A real
/// resource takes a kilobyte or two: there is room for the exceptions of tens of thousands of requests.
const MAX_COPIED_BYTES: usize = 64 << 20;

/// What a request of log records held.
#[derive(Debug, Clone)]
pub struct DecodedLogs {
    /// The exceptions, as events that came without their spans.
    pub batch: SpanBatch,
    /// Their log records as OTLP protobuf, which is what the log keeps: an `ExportLogsServiceRequest` of those alone.
    pub payload: Bytes,
    /// How many log records the request held.
    pub received: usize,
    /// How many of them are kept.
    pub kept: usize,
    /// The ones that are passed over.
    pub ignored: IgnoredLogs,
    /// The ones that carry an exception and are malformed.
    pub rejected: Rejections,
}

/// Reads the log records of a request and keeps those that carry an exception and a trace id, whether or not they name a span.
///
/// Others are ignored, and counted by reason. A log record that carries an exception and breaks OTLP's rules is rejected alone. Broken framing
/// of the whole is an error, and then nothing is kept.
pub fn decode_logs(
    encoding: OtlpEncoding,
    body: &[u8],
    limits: &Limits,
) -> Result<DecodedLogs, DecodeError> {
    let limits = SpanLimits {
        max_value_depth: limits.max_value_depth,
        max_span_bytes: limits.max_span_bytes,
    };
    let logs = match encoding {
        OtlpEncoding::Protobuf => {
            check_framing("ExportLogsServiceRequest", body)?;
            Sorting::new(limits).sort(body)?
        }
        OtlpEncoding::Json => {
            otlp_json::exception_logs(body, &limits).map_err(DecodeError::Json)?
        }
    };
    check_copies(&logs.protobuf)?;
    let received = logs.received();
    Ok(DecodedLogs {
        batch: SpanBatch::from_otlp_logs(&logs.protobuf)?,
        payload: logs.protobuf.into(),
        received,
        kept: logs.kept,
        ignored: logs.ignored,
        rejected: logs.rejected,
    })
}

fn check_copies(logs: &[u8]) -> Result<(), DecodeError> {
    let mut bytes = 0_usize;
    let mut envelope = Vec::new();
    for resource_logs in LogsData::new(logs).resource_logs() {
        let resource_logs = resource_logs?;
        envelope.clear();
        resource_logs.put_envelope(&mut envelope)?;
        let resource_bytes = envelope.len();
        for scope_logs in resource_logs.scope_logs() {
            let scope_logs = scope_logs?;
            envelope.clear();
            scope_logs.put_envelope(&mut envelope)?;
            let copies = scope_logs.raw_log_records().count();
            bytes = bytes.saturating_add(copies.saturating_mul(resource_bytes + envelope.len()));
        }
    }
    if bytes > MAX_COPIED_BYTES {
        return Err(DecodeError::ResourcesTooLarge {
            bytes,
            max_bytes: MAX_COPIED_BYTES,
        });
    }
    Ok(())
}

struct Sorting {
    limits: SpanLimits,
    logs: ExceptionLogs,
}

impl Sorting {
    fn new(limits: SpanLimits) -> Self {
        let logs = ExceptionLogs {
            protobuf: Vec::new(),
            kept: 0,
            ignored: IgnoredLogs::default(),
            rejected: Rejections::of_log_records(),
        };
        Self { limits, logs }
    }

    fn sort(mut self, body: &[u8]) -> Result<ExceptionLogs, WireError> {
        for (resource, resource_logs) in LogsData::new(body).resource_logs().enumerate() {
            let path = OtlpPath {
                resource,
                ..OtlpPath::default()
            };
            self.resource_logs(path, &resource_logs?);
        }
        Ok(self.logs)
    }

    fn resource_logs(&mut self, path: OtlpPath, resource_logs: &ResourceLogs<'_>) {
        let mut envelope = Vec::new();
        let readable = resource_logs
            .put_envelope(&mut envelope)
            // Logs and spans are grouped in the same way, so one validation does for both.
            .and_then(|()| ResourceSpans::new(&envelope).validate(self.limits.max_value_depth));
        let group = self.begin_group(1, &envelope);
        for (scope, scope_logs) in resource_logs.scope_logs().enumerate() {
            let path = OtlpPath {
                scope: Some(scope),
                ..path
            };
            match scope_logs {
                Ok(scope_logs) => self.scope_logs(path, &scope_logs),
                // What stood in a group without framing is not known, so neither is that it was an exception.
                Err(_) => self.logs.ignored.add(IgnoreReason::NoException),
            }
        }
        self.logs.ignored.end_resource(&envelope);
        self.end_group(group, path, readable);
    }

    fn scope_logs(&mut self, path: OtlpPath, scope_logs: &ScopeLogs<'_>) {
        let mut envelope = Vec::new();
        let readable = scope_logs
            .put_envelope(&mut envelope)
            .and_then(|()| ScopeSpans::new(&envelope).validate(self.limits.max_value_depth));
        let group = self.begin_group(2, &envelope);
        for (index, raw) in scope_logs.raw_log_records().enumerate() {
            let Ok(raw) = raw else {
                self.logs.ignored.add(IgnoreReason::NoException);
                continue;
            };
            match LogRecord::judge(raw, &self.limits) {
                Ok(LogVerdict::Keep) => {
                    put_bytes(&mut self.logs.protobuf, 2, raw);
                    self.logs.kept += 1;
                }
                Ok(LogVerdict::Ignore(reason)) => self.logs.ignored.add(reason),
                Err(fault) => self.reject(path, index, fault),
            }
        }
        self.end_group(group, path, readable);
    }

    fn reject(&mut self, path: OtlpPath, record: usize, fault: LogFault) {
        let path = OtlpPath {
            span: Some(record),
            ..path
        };
        self.logs
            .rejected
            .add(1, fault.reason(), OtlpLogPath(path), fault);
    }

    fn begin_group(&mut self, number: u32, envelope: &[u8]) -> Group {
        let open = begin_message(&mut self.logs.protobuf, number);
        self.logs.protobuf.extend_from_slice(envelope);
        Group {
            open,
            kept_before: self.logs.kept,
        }
    }

    /// Ends a group of which something is kept, or takes it back with that when the group itself can't be read.
    fn end_group(&mut self, group: Group, path: OtlpPath, readable: Result<(), WireError>) {
        let kept = self.logs.kept - group.kept_before;
        match readable {
            Ok(()) if kept > 0 => group.open.end(&mut self.logs.protobuf),
            Ok(()) => group.open.discard(&mut self.logs.protobuf),
            Err(error) => {
                group.open.discard(&mut self.logs.protobuf);
                self.logs.kept = group.kept_before;
                self.logs
                    .rejected
                    .add(kept, error.reason(), OtlpLogPath(path), error);
            }
        }
    }
}

/// The group of a resource or a scope that is being written.
struct Group {
    open: OpenMessage,
    kept_before: usize,
}

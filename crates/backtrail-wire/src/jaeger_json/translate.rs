//! Documents as a `TracesData`.

use std::collections::BTreeMap;
use std::fmt::Display;

use serde::Deserialize;
use serde_json::value::RawValue;

use super::shapes::{Process, Span};
use crate::jaeger::{Fault, Groups, put_resource};
use crate::json::{JsonError, json_text};
use crate::otlp::SpanLimits;
use crate::protobuf::begin_message;
use crate::{RejectReason, Rejections, Transcoded};

/// Reads one or more traces and writes them as an OTLP `TracesData`, without the spans that can't be told truly or break OTLP's rules. A trace that
/// can't be read as a whole counts as one rejected span, for how many it had is not known.
///
/// ```
/// use backtrail_wire::jaeger_json::to_otlp;
/// use backtrail_wire::otlp::SpanLimits;
///
/// let limits = SpanLimits { max_value_depth: 32, max_span_bytes: 4 << 20 };
/// let download = br#"{"data":[{"traceID":"1","processes":{"p1":{"serviceName":"shop"}},"spans":[
///     {"traceID":"1","spanID":"2","operationName":"GET /","startTime":10,"duration":5,"processID":"p1"},
///     {"traceID":"1","spanID":"x","operationName":"POST /","startTime":10,"duration":5,"processID":"p1"}
/// ]}]}"#;
/// let transcoded = to_otlp(download, &limits)?;
/// assert_eq!(transcoded.accepted, 1);
/// assert_eq!(
///     transcoded.rejected.examples(),
///     [r#"data[0].spans[1]: span id "x" is not hexadecimal digits"#]
/// );
/// # Ok::<(), backtrail_wire::JsonError>(())
/// ```
pub fn to_otlp(json: &[u8], limits: &SpanLimits) -> Result<Transcoded, JsonError> {
    let json = json_text(json)?;
    let mut out = Output {
        max_span_bytes: limits.max_span_bytes,
        written: Transcoded {
            protobuf: Vec::with_capacity(json.len() / 2),
            accepted: 0,
            rejected: Rejections::default(),
        },
    };
    match Document::read(json)? {
        Document::Trace(trace) => out.trace(&trace, ""),
        Document::Traces { traces, list } => {
            for (index, raw) in traces.into_iter().enumerate() {
                let path = format!("{list}[{index}]");
                match serde_json::from_str(raw.get()) {
                    Ok(trace) => out.trace(&trace, &format!("{path}.")),
                    Err(error) => {
                        let rejected = &mut out.written.rejected;
                        rejected.add(1, RejectReason::Malformed, path, error);
                    }
                }
            }
        }
    }
    Ok(out.written)
}

enum Document<'a> {
    Trace(Trace<'a>),
    Traces {
        traces: Vec<&'a RawValue>,
        /// The list's name.
        list: &'static str,
    },
}

#[derive(Deserialize)]
struct Trace<'a> {
    #[serde(borrow)]
    spans: Vec<&'a RawValue>,
    #[serde(borrow, default)]
    processes: Option<BTreeMap<String, &'a RawValue>>,
}

#[derive(Deserialize)]
struct Envelope<'a> {
    #[serde(borrow, default)]
    data: Option<Vec<&'a RawValue>>,
}

impl<'a> Document<'a> {
    fn read(json: &'a str) -> Result<Self, JsonError> {
        if json.trim_ascii_start().starts_with('[') {
            let traces = serde_json::from_str(json).map_err(syntax_error)?;
            return Ok(Self::Traces { traces, list: "" });
        }
        let envelope: Envelope<'_> = serde_json::from_str(json).map_err(syntax_error)?;
        match envelope.data {
            Some(traces) => Ok(Self::Traces {
                traces,
                list: "data",
            }),
            None => serde_json::from_str(json)
                .map(Self::Trace)
                .map_err(syntax_error),
        }
    }
}

fn syntax_error(error: serde_json::Error) -> JsonError {
    JsonError::syntax(&error)
}

struct Output {
    max_span_bytes: usize,
    written: Transcoded,
}

impl Output {
    /// `path` says where the trace stands.
    fn trace(&mut self, trace: &Trace<'_>, path: &str) {
        let mut spans = Vec::with_capacity(trace.spans.len());
        for (index, raw) in trace.spans.iter().enumerate() {
            match Span::read(raw.get()) {
                Ok(span) => spans.push((index, span)),
                Err(fault) => self.reject(1, fault, format_args!("{path}spans[{index}]")),
            }
        }
        // In the order in which spans name them.
        let mut groups: Vec<ProcessSpans<'_>> = Vec::new();
        let mut places: BTreeMap<&str, usize> = BTreeMap::new();
        for (index, span) in &spans {
            let place = match &span.process {
                Some(process) if span.process_id.is_empty() => {
                    groups.push(ProcessSpans::own(process));
                    groups.len() - 1
                }
                _ => *places.entry(&span.process_id).or_insert_with(|| {
                    groups.push(ProcessSpans::named(&span.process_id));
                    groups.len() - 1
                }),
            };
            let group = &mut groups[place];
            match group.spans.put(&span.view(), self.max_span_bytes) {
                Ok(()) => group.accepted += 1,
                Err(fault) => self.reject(1, fault, format_args!("{path}spans[{index}]")),
            }
        }
        for group in &groups {
            self.group(group, trace, path);
        }
    }

    fn group(&mut self, group: &ProcessSpans<'_>, trace: &Trace<'_>, path: &str) {
        let named = trace
            .processes
            .as_ref()
            .and_then(|processes| processes.get(group.process_id));
        let read = named.map(|raw| Process::read(raw.get())).transpose();
        let out = &mut self.written.protobuf;
        let open = begin_message(out, 1);
        let resource = begin_message(out, 1);
        let written = read.and_then(|named| {
            let unnamed = Process::default();
            let process = group.own.or(named.as_ref()).unwrap_or(&unnamed);
            put_resource(out, &process.view())
        });
        match written {
            Ok(()) => {
                resource.end(out);
                group.spans.put_scopes(out);
                open.end(out);
                self.written.accepted += group.accepted;
            }
            Err(fault) => {
                open.discard(out);
                let path = format!("{path}processes.{}", group.process_id);
                self.reject(group.accepted, fault, path);
            }
        }
    }

    fn reject(&mut self, spans: usize, fault: Fault, path: impl Display) {
        self.written
            .rejected
            .add(spans, fault.reason(), path, fault);
    }
}

/// The spans of one process.
struct ProcessSpans<'a> {
    process_id: &'a str,
    /// Of a span that has one of its own.
    own: Option<&'a Process>,
    spans: Groups<'a>,
    accepted: usize,
}

impl<'a> ProcessSpans<'a> {
    fn named(process_id: &'a str) -> Self {
        Self {
            process_id,
            own: None,
            spans: Groups::default(),
            accepted: 0,
        }
    }

    fn own(process: &'a Process) -> Self {
        Self {
            own: Some(process),
            ..Self::named("")
        }
    }
}

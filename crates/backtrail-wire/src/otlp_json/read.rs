//! The groups of spans in a request, and each span by itself.

use std::cell::Cell;

use serde::de::{DeserializeSeed, MapAccess, SeqAccess};
use serde_json::value::RawValue;

use super::object::{Context, Elements, List, Members, Object, read_object, skip};
use super::span::{Resource, Scope, Span};
use crate::json::{JsonError, detail, json_text};
use crate::otlp::{self, SpanLimits};
use crate::protobuf::{OpenMessage, begin_message};
use crate::{OtlpPath, RejectReason, Rejections, Transcoded};

/// Reads a `TracesData` (or `ExportTraceServiceRequest`) and writes it as protobuf, without the spans that can't be read or break OTLP's rules.
///
/// ```
/// use backtrail_wire::otlp::{SpanLimits, TracesData};
/// use backtrail_wire::otlp_json::to_protobuf;
///
/// let limits = SpanLimits { max_value_depth: 32, max_span_bytes: 4 << 20 };
/// let request = br#"{"resourceSpans":[{"scopeSpans":[{"spans":[
///     {"traceId":"5B8EFFF798038103D269B633813FC60C","spanId":"EEE19B7EC3C1B174","name":"GET /","kind":2},
///     {"traceId":"00","spanId":"EEE19B7EC3C1B174","name":"short"}
/// ]}]}]}"#;
/// let transcoded = to_protobuf(request, &limits)?;
/// assert_eq!(transcoded.accepted, 1);
/// assert_eq!(
///     transcoded.rejected.examples(),
///     ["resourceSpans[0].scopeSpans[0].spans[1]: trace id has 1 bytes instead of 16"]
/// );
/// # Ok::<(), backtrail_wire::otlp_json::JsonError>(())
/// ```
pub fn to_protobuf(json: &[u8], limits: &SpanLimits) -> Result<Transcoded, JsonError> {
    let json = json_text(json)?;
    let mut request = Request {
        limits: *limits,
        reason: Cell::new(RejectReason::Malformed),
        out: Vec::with_capacity(json.len() / 2),
        accepted: 0,
        rejected: Rejections::default(),
    };
    let mut reader = serde_json::Deserializer::from_str(json);
    Object(TracesData {
        request: &mut request,
        next_resource: 0,
    })
    .deserialize(&mut reader)
    .and_then(|_| reader.end())
    .map_err(|error| JsonError::syntax(&error))?;
    Ok(Transcoded {
        protobuf: request.out,
        accepted: request.accepted,
        rejected: request.rejected,
    })
}

/// What is written of a request so far.
struct Request {
    limits: SpanLimits,
    reason: Cell<RejectReason>,
    out: Vec<u8>,
    accepted: usize,
    rejected: Rejections,
}

/// Why a resource or scope can't be read.
struct Fault {
    reason: RejectReason,
    detail: String,
}

/// What is read apart, so that it can fail apart.
#[derive(Clone, Copy)]
enum Part {
    Resource,
    Scope,
    SchemaUrl,
    Span,
}

impl Request {
    /// Appends a part of the request as field `number`; `null` appends nothing. On an error nothing is appended.
    fn put(&mut self, raw: Option<&RawValue>, number: u32, part: Part) -> Result<(), Fault> {
        let Some(raw) = raw else {
            return Ok(());
        };
        self.reason.set(RejectReason::Malformed);
        let context = Context {
            max_value_depth: self.limits.max_value_depth,
            reason: &self.reason,
        };
        let out = &mut self.out;
        let open = begin_message(out, number);
        let read = match part {
            Part::Resource => read_object(raw, Resource(context), out),
            Part::Scope => read_object(raw, Scope(context), out),
            Part::Span => read_object(raw, Span(context), out),
            Part::SchemaUrl => serde_json::from_str::<String>(raw.get())
                .map(|url| out.extend_from_slice(url.as_bytes())),
        };
        if let Err(error) = read {
            open.discard(out);
            return Err(Fault {
                reason: self.reason.get(),
                detail: detail(&error),
            });
        }
        if matches!(part, Part::Span)
            && let Err(fault) =
                otlp::Span::parse_valid(&out[open.body()..], self.limits.max_span_bytes)
        {
            open.discard(out);
            return Err(Fault {
                reason: fault.reason(),
                detail: fault.to_string(),
            });
        }
        open.end(out);
        Ok(())
    }

    /// Ends a group of spans, or takes it back with the spans that were accepted of it when the group itself can't be read.
    fn end_group(&mut self, group: Group, path: OtlpPath) {
        match group.fault {
            None => group.open.end(&mut self.out),
            Some(fault) => {
                group.open.discard(&mut self.out);
                let spans = self.accepted - group.accepted_before;
                self.accepted = group.accepted_before;
                self.rejected.add(spans, fault.reason, path, fault.detail);
            }
        }
    }

    fn begin_group(&mut self, number: u32) -> Group {
        Group {
            open: begin_message(&mut self.out, number),
            accepted_before: self.accepted,
            fault: None,
        }
    }
}

/// A `ResourceSpans` or `ScopeSpans` that is being written.
struct Group {
    open: OpenMessage,
    accepted_before: usize,
    /// The first thing that can't be read of the group itself.
    fault: Option<Fault>,
}

impl Group {
    fn note(&mut self, read: Result<(), Fault>) {
        if let Err(fault) = read {
            self.fault.get_or_insert(fault);
        }
    }
}

struct TracesData<'r> {
    request: &'r mut Request,
    next_resource: usize,
}

impl Members for TracesData<'_> {
    const NAME: &'static str = "TracesData";

    fn member<'de, A: MapAccess<'de>>(&mut self, name: &str, map: &mut A) -> Result<(), A::Error> {
        match name {
            "resourceSpans" | "resource_spans" => map.next_value_seed(List(ResourceSpansList {
                request: self.request,
                next: &mut self.next_resource,
            })),
            _ => skip(map),
        }
    }
}

struct ResourceSpansList<'r> {
    request: &'r mut Request,
    next: &'r mut usize,
}

impl Elements for ResourceSpansList<'_> {
    const NAME: &'static str = "ResourceSpans";

    fn element<'de, A: SeqAccess<'de>>(&mut self, list: &mut A) -> Result<bool, A::Error> {
        let path = OtlpPath {
            resource: *self.next,
            ..OtlpPath::default()
        };
        *self.next += 1;
        let mut group = self.request.begin_group(1);
        let read = list.next_element_seed(Object(ResourceSpans {
            request: self.request,
            group: &mut group,
            path,
            next_scope: 0,
        }))?;
        match read {
            Some(true) => self.request.end_group(group, path),
            Some(false) | None => group.open.discard(&mut self.request.out),
        }
        Ok(read.is_some())
    }
}

struct ResourceSpans<'r> {
    request: &'r mut Request,
    group: &'r mut Group,
    path: OtlpPath,
    next_scope: usize,
}

impl Members for ResourceSpans<'_> {
    const NAME: &'static str = "ResourceSpans";

    fn member<'de, A: MapAccess<'de>>(&mut self, name: &str, map: &mut A) -> Result<(), A::Error> {
        match name {
            "resource" => {
                let raw = map.next_value()?;
                self.group.note(self.request.put(raw, 1, Part::Resource));
            }
            "schemaUrl" | "schema_url" => {
                let raw = map.next_value()?;
                self.group.note(self.request.put(raw, 3, Part::SchemaUrl));
            }
            "scopeSpans" | "scope_spans" => map.next_value_seed(List(ScopeSpansList {
                request: self.request,
                path: self.path,
                next: &mut self.next_scope,
            }))?,
            _ => skip(map)?,
        }
        Ok(())
    }
}

struct ScopeSpansList<'r> {
    request: &'r mut Request,
    path: OtlpPath,
    next: &'r mut usize,
}

impl Elements for ScopeSpansList<'_> {
    const NAME: &'static str = "ScopeSpans";

    fn element<'de, A: SeqAccess<'de>>(&mut self, list: &mut A) -> Result<bool, A::Error> {
        let path = OtlpPath {
            scope: Some(*self.next),
            ..self.path
        };
        *self.next += 1;
        let mut group = self.request.begin_group(2);
        let read = list.next_element_seed(Object(ScopeSpans {
            request: self.request,
            group: &mut group,
            path,
            next_span: 0,
        }))?;
        match read {
            Some(true) => self.request.end_group(group, path),
            Some(false) | None => group.open.discard(&mut self.request.out),
        }
        Ok(read.is_some())
    }
}

struct ScopeSpans<'r> {
    request: &'r mut Request,
    group: &'r mut Group,
    path: OtlpPath,
    next_span: usize,
}

impl Members for ScopeSpans<'_> {
    const NAME: &'static str = "ScopeSpans";

    fn member<'de, A: MapAccess<'de>>(&mut self, name: &str, map: &mut A) -> Result<(), A::Error> {
        match name {
            "scope" => {
                let raw = map.next_value()?;
                self.group.note(self.request.put(raw, 1, Part::Scope));
            }
            "schemaUrl" | "schema_url" => {
                let raw = map.next_value()?;
                self.group.note(self.request.put(raw, 3, Part::SchemaUrl));
            }
            "spans" => map.next_value_seed(List(Spans {
                request: self.request,
                path: self.path,
                next: &mut self.next_span,
            }))?,
            _ => skip(map)?,
        }
        Ok(())
    }
}

struct Spans<'r> {
    request: &'r mut Request,
    path: OtlpPath,
    next: &'r mut usize,
}

impl Elements for Spans<'_> {
    const NAME: &'static str = "Span";

    fn element<'de, A: SeqAccess<'de>>(&mut self, list: &mut A) -> Result<bool, A::Error> {
        let Some(raw) = list.next_element::<&RawValue>()? else {
            return Ok(false);
        };
        let path = OtlpPath {
            span: Some(*self.next),
            ..self.path
        };
        *self.next += 1;
        match self.request.put(Some(raw), 2, Part::Span) {
            Ok(()) => self.request.accepted += 1,
            Err(fault) => self
                .request
                .rejected
                .add(1, fault.reason, path, fault.detail),
        }
        Ok(true)
    }
}

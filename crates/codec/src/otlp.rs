//! OTLP protobuf: which spans are admitted, and the batch of those.

use std::fmt::Display;

use backtrail_wire::otlp::{ResourceSpans, ScopeSpans, Span, SpanFault};
use backtrail_wire::protobuf::Fields;
use backtrail_wire::{OtlpPath, RejectReason, Rejections, Transcoded, WireError};
use bytes::Bytes;
use model::{Limits, SpanBatch, SpanBatchBuilder};

use crate::{DecodeError, Decoded};

/// An event of no content takes 2 bytes on the wire and 50 in a batch, so their number has a limit of its own. Real ones
/// take 32 bytes and more on the wire: of those, the largest request that is allowed by default (64 MiB) has no more than this.
const MAX_EVENTS: usize = 2 << 20;

/// Decodes an `ExportTraceServiceRequest`.
pub(crate) fn decode(body: Bytes, limits: &Limits) -> Result<Decoded, DecodeError> {
    check_framing("ExportTraceServiceRequest", &body)?;
    check_events(&body)?;
    let mut admission = Admission {
        limits,
        builder: SpanBatchBuilder::new(),
        rejected: Rejections::default(),
        is_whole: true,
    };
    for (index, field) in resource_spans(&body).enumerate() {
        admission.resource_spans(index, field?)?;
    }
    let Admission {
        builder,
        rejected,
        is_whole,
        ..
    } = admission;
    let batch = builder.finish();
    let received = batch.len() + rejected.count();
    let payload = if is_whole {
        body
    } else {
        Bytes::from(batch.to_otlp()?)
    };
    Ok(Decoded {
        batch,
        payload,
        received,
        rejected,
    })
}

/// Decodes what a transcoder wrote: its spans were checked one by one as they were written.
pub(crate) fn decode_transcoded(transcoded: Transcoded) -> Result<Decoded, DecodeError> {
    check_events(&transcoded.protobuf)?;
    let batch = SpanBatch::from_otlp(&transcoded.protobuf)?;
    Ok(Decoded {
        received: transcoded.accepted + transcoded.rejected.count(),
        batch,
        payload: transcoded.protobuf.into(),
        rejected: transcoded.rejected,
    })
}

fn resource_spans(body: &[u8]) -> impl Iterator<Item = Result<&[u8], WireError>> {
    Fields::new(body)
        .filter(|field| !matches!(field, Ok(field) if field.number != 1))
        .map(|field| field?.bytes())
}

/// A request that was cut off is refused as a whole: what is missing can't be counted.
pub(crate) fn check_framing(message: &'static str, body: &[u8]) -> Result<(), DecodeError> {
    let mut offset = 0;
    for field in Fields::new(body) {
        let checked = field.and_then(|field| {
            if field.number == 1 {
                field.bytes()?;
            }
            Ok(field.raw.len())
        });
        match checked {
            Ok(len) => offset += len,
            Err(error) => {
                return Err(DecodeError::Protobuf {
                    message,
                    offset,
                    error,
                });
            }
        }
    }
    Ok(())
}

fn check_events(body: &[u8]) -> Result<(), DecodeError> {
    if body.len() / 2 <= MAX_EVENTS {
        return Ok(());
    }
    // What can't be read is rejected elsewhere, and its events with it.
    let events: usize = resource_spans(body)
        .flatten()
        .flat_map(|raw| ResourceSpans::new(raw).scope_spans().flatten())
        .flat_map(|scope_spans| scope_spans.raw_spans().flatten())
        .map(|span| {
            Fields::new(span)
                .flatten()
                .filter(|field| field.number == 11)
                .count()
        })
        .sum();
    if events > MAX_EVENTS {
        return Err(DecodeError::TooManyEvents {
            events,
            max_events: MAX_EVENTS,
        });
    }
    Ok(())
}

struct Admission<'l> {
    limits: &'l Limits,
    builder: SpanBatchBuilder,
    rejected: Rejections,
    /// Whether nothing was left out, not even a group without spans. Replay reads the body as it is then.
    is_whole: bool,
}

impl Admission<'_> {
    fn reject(&mut self, spans: usize, reason: RejectReason, path: OtlpPath, detail: impl Display) {
        self.is_whole = false;
        self.rejected.add(spans, reason, path, detail);
    }

    fn resource_spans(&mut self, resource: usize, raw: &[u8]) -> Result<(), DecodeError> {
        let resource_spans = ResourceSpans::new(raw);
        let path = OtlpPath {
            resource,
            ..OtlpPath::default()
        };
        let readable = resource_spans
            .validate(self.limits.max_value_depth)
            .and_then(|()| self.builder.begin_resource(&resource_spans));
        if let Err(error) = readable {
            let spans = resource_spans
                .scope_spans()
                .map(|scope_spans| scope_spans.map_or(1, |scope_spans| count_spans(&scope_spans)))
                .sum();
            self.reject(spans, error.reason(), path, error);
            return Ok(());
        }
        for (index, scope_spans) in resource_spans.scope_spans().enumerate() {
            let path = OtlpPath {
                scope: Some(index),
                ..path
            };
            match scope_spans {
                Ok(scope_spans) => self.scope_spans(path, &scope_spans)?,
                Err(error) => self.reject(1, error.reason(), path, error),
            }
        }
        Ok(())
    }

    fn scope_spans(
        &mut self,
        path: OtlpPath,
        scope_spans: &ScopeSpans<'_>,
    ) -> Result<(), DecodeError> {
        let readable = scope_spans
            .validate(self.limits.max_value_depth)
            .and_then(|()| self.builder.begin_scope(scope_spans));
        if let Err(error) = readable {
            let spans = count_spans(scope_spans);
            self.reject(spans, error.reason(), path, error);
            return Ok(());
        }
        for (index, raw) in scope_spans.raw_spans().enumerate() {
            match self.check(raw) {
                Ok(span) => self.builder.push_span(&span)?,
                Err(fault) => {
                    let path = OtlpPath {
                        span: Some(index),
                        ..path
                    };
                    self.reject(1, fault.reason(), path, fault);
                }
            }
        }
        Ok(())
    }

    fn check<'a>(&self, raw: Result<&'a [u8], WireError>) -> Result<Span<'a>, SpanFault> {
        let raw = raw.map_err(|error| SpanFault::Unreadable {
            part: "span",
            error,
        })?;
        let span = Span::parse_valid(raw, self.limits.max_span_bytes)?;
        span.check_attributes(self.limits.max_value_depth)?;
        Ok(span)
    }
}

/// A span that can't be framed counts as one: how many there would have been is not known.
fn count_spans(scope_spans: &ScopeSpans<'_>) -> usize {
    scope_spans.raw_spans().count()
}

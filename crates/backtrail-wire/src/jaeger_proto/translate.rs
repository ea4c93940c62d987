//! A `PostSpansRequest` as a `TracesData`.

use std::collections::HashMap;

use super::model;
use crate::jaeger::{Fault, Groups, SpanPath, put_resource};
use crate::otlp::SpanLimits;
use crate::protobuf::{Fields, begin_message};
use crate::{Rejections, Transcoded, WireError};

/// A request whose framing is broken: what is missing of it can't be counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("at byte {offset}: {error}")]
pub struct PostSpansError {
    /// Where the field begins that can't be read.
    pub offset: usize,
    /// What is wrong with it.
    pub error: WireError,
}

/// Reads a `PostSpansRequest` and writes it as an OTLP `TracesData`, without the spans that can't be told truly or break OTLP's rules.
///
/// ```
/// use backtrail_wire::jaeger_proto::to_otlp;
/// use backtrail_wire::otlp::SpanLimits;
///
/// let limits = SpanLimits { max_value_depth: 32, max_span_bytes: 4 << 20 };
/// // A batch of the process "shop", without spans.
/// let transcoded = to_otlp(b"\x0a\x08\x12\x06\x0a\x04shop", &limits)?;
/// assert_eq!(transcoded.accepted, 0);
/// # Ok::<(), backtrail_wire::jaeger_proto::PostSpansError>(())
/// ```
pub fn to_otlp(request: &[u8], limits: &SpanLimits) -> Result<Transcoded, PostSpansError> {
    let batch = Batch::read(request)?;
    let mut processes = Processes::default();
    let mut rejected = Rejections::default();
    for (index, message) in batch.spans.into_iter().enumerate() {
        let put = model::span(message).and_then(|(span, own_process)| {
            let process = own_process.unwrap_or(batch.process);
            processes.of(process).put(&span, limits.max_span_bytes)
        });
        match put {
            Ok(()) => processes.count_accepted(),
            Err(fault) => rejected.add(1, fault.reason(), SpanPath(index), fault),
        }
    }
    let mut protobuf = Vec::new();
    let mut accepted = 0;
    for process in processes.in_order {
        match process.put(&mut protobuf) {
            Ok(()) => accepted += process.accepted,
            Err(fault) => rejected.add(process.accepted, fault.reason(), "process", fault),
        }
    }
    Ok(Transcoded {
        protobuf,
        accepted,
        rejected,
    })
}

/// `Batch`, framed.
#[derive(Default)]
struct Batch<'a> {
    spans: Vec<&'a [u8]>,
    /// Empty when the batch has none.
    process: &'a [u8],
}

impl<'a> Batch<'a> {
    fn read(request: &'a [u8]) -> Result<Self, PostSpansError> {
        let mut batch = Self::default();
        for_each_message(request, 0, |number, message, offset| {
            if number != 1 {
                return Ok(());
            }
            for_each_message(message, offset, |number, message, _| {
                match number {
                    1 => batch.spans.push(message),
                    2 => batch.process = message,
                    _ => {}
                }
                Ok(())
            })
        })?;
        Ok(batch)
    }
}

/// Calls `take` with number, value and place of each field of a message that has messages for all of its known fields.
fn for_each_message<'a>(
    outer: &'a [u8],
    outer_offset: usize,
    mut take: impl FnMut(u32, &'a [u8], usize) -> Result<(), PostSpansError>,
) -> Result<(), PostSpansError> {
    let mut offset = outer_offset;
    for field in Fields::new(outer) {
        let failed = |error| PostSpansError { offset, error };
        let field = field.map_err(failed)?;
        if matches!(field.number, 1 | 2) {
            let message = field.bytes().map_err(failed)?;
            let prefix_len = field.raw.len() - message.len();
            take(field.number, message, offset + prefix_len)?;
        }
        offset += field.raw.len();
    }
    Ok(())
}

/// The spans by their process, in the order in which the processes were met.
#[derive(Default)]
struct Processes<'a> {
    by_message: HashMap<&'a [u8], usize>,
    in_order: Vec<ProcessSpans<'a>>,
    /// Where the last span went.
    last: usize,
}

struct ProcessSpans<'a> {
    message: &'a [u8],
    groups: Groups<'a>,
    accepted: usize,
}

impl<'a> Processes<'a> {
    fn of(&mut self, message: &'a [u8]) -> &mut Groups<'a> {
        self.last = *self.by_message.entry(message).or_insert_with(|| {
            self.in_order.push(ProcessSpans {
                message,
                groups: Groups::default(),
                accepted: 0,
            });
            self.in_order.len() - 1
        });
        &mut self.in_order[self.last].groups
    }

    /// The last span was good.
    fn count_accepted(&mut self) {
        self.in_order[self.last].accepted += 1;
    }
}

impl ProcessSpans<'_> {
    /// Appends the spans as `ResourceSpans`; nothing when there are none, or when the process is at fault.
    fn put(&self, out: &mut Vec<u8>) -> Result<(), Fault> {
        if self.accepted == 0 {
            return Ok(());
        }
        let open = begin_message(out, 1);
        let resource = begin_message(out, 1);
        match model::process(self.message).and_then(|process| put_resource(out, &process)) {
            Ok(()) => {
                resource.end(out);
                self.groups.put_scopes(out);
                open.end(out);
                Ok(())
            }
            Err(fault) => {
                open.discard(out);
                Err(fault)
            }
        }
    }
}

//! A request in two, for a collector that finds it too large.

use backtrail_wire::WireError;
use backtrail_wire::protobuf::{Field, Fields, put_bytes};

/// `ExportTraceServiceRequest.resource_spans`.
const RESOURCE_SPANS: u32 = 1;
/// `ResourceSpans.scope_spans`.
const SCOPE_SPANS: u32 = 2;
/// `ScopeSpans.spans`.
const SPANS: u32 = 2;

/// Two requests with the spans of one that [`super::otlp::request`] made: so many in the first, and the others, in their order. Both have the
/// resource, and the scopes of their spans. It fails on bytes that are no such request.
pub(crate) fn halves(request: &[u8], first_len: usize) -> Result<[Vec<u8>; 2], WireError> {
    let mut halves = [Vec::new(), Vec::new()];
    let mut spans_before = 0;
    for resource in fields(request)? {
        let Split { rest, members } = Split::of(resource.bytes()?, SCOPE_SPANS)?;
        let mut scopes: [Vec<Vec<u8>>; 2] = [Vec::new(), Vec::new()];
        for scope in members {
            let Split { rest, members } = Split::of(scope, SPANS)?;
            let room = first_len.saturating_sub(spans_before);
            spans_before += members.len();
            let (first, second) = members.split_at(room.min(members.len()));
            for (scopes, spans) in scopes.iter_mut().zip([first, second]) {
                if !spans.is_empty() {
                    scopes.push(joined(&rest, SPANS, spans));
                }
            }
        }
        for (half, scopes) in halves.iter_mut().zip(scopes) {
            if !scopes.is_empty() {
                let resource = joined(&rest, SCOPE_SPANS, &scopes);
                put_bytes(half, RESOURCE_SPANS, &resource);
            }
        }
    }
    Ok(halves)
}

/// A message's members of one number, and what else it has.
struct Split<'a> {
    /// As it stood there.
    rest: Vec<u8>,
    members: Vec<&'a [u8]>,
}

impl<'a> Split<'a> {
    fn of(message: &'a [u8], number: u32) -> Result<Self, WireError> {
        let mut split = Self {
            rest: Vec::new(),
            members: Vec::new(),
        };
        for field in fields(message)? {
            if field.number == number {
                split.members.push(field.bytes()?);
            } else {
                split.rest.extend_from_slice(field.raw);
            }
        }
        Ok(split)
    }
}

fn fields(message: &[u8]) -> Result<Vec<Field<'_>>, WireError> {
    Fields::new(message).collect()
}

fn joined(rest: &[u8], number: u32, members: &[impl AsRef<[u8]>]) -> Vec<u8> {
    let mut message = rest.to_vec();
    for member in members {
        put_bytes(&mut message, number, member.as_ref());
    }
    message
}

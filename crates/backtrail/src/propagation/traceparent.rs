//! The header `traceparent` (W3C Trace Context level 2, section 3.2).

use opentelemetry::trace::{SpanId, TraceFlags, TraceId};

use super::hex;

/// The trace id was made at random (section 3.2.2.3.2).
pub(super) const RANDOM: u8 = 0x02;
const LEN: usize = 55;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Traceparent {
    pub(super) trace_id: TraceId,
    pub(super) span_id: SpanId,
    pub(super) sampled: bool,
    pub(super) random: bool,
}

impl Traceparent {
    /// `None` if the trace must start anew.
    pub(super) fn parse(value: &str) -> Option<Self> {
        let value = value.trim_matches([' ', '\t']);
        let (fixed, rest) = value.as_bytes().split_first_chunk::<LEN>()?;
        let version = hex::lowercase(&fixed[..2])?;
        let ends_well = match version {
            0x00 => rest.is_empty(),
            0xff => false,
            _ => rest.first().is_none_or(|next| *next == b'-'),
        };
        let dashes = [2, 35, 52].iter().all(|at| fixed[*at] == b'-');
        if !ends_well || !dashes {
            return None;
        }
        let trace_id = TraceId::from(hex::lowercase(&fixed[3..35])?);
        let span_id = SpanId::from(u64::try_from(hex::lowercase(&fixed[36..52])?).ok()?);
        let flags = u8::try_from(hex::lowercase(&fixed[53..])?).ok()?;
        let valid = trace_id != TraceId::INVALID && span_id != SpanId::INVALID;
        valid.then_some(Self {
            trace_id,
            span_id,
            sampled: TraceFlags::new(flags).is_sampled(),
            // Of a higher version only the sampled bit may be understood (section 3.2.4).
            random: version == 0 && flags & RANDOM != 0,
        })
    }

    pub(super) fn header(self) -> String {
        let mut out = String::with_capacity(LEN);
        out.push_str("00-");
        hex::push(&mut out, u128::from_be_bytes(self.trace_id.to_bytes()), 32);
        out.push('-');
        hex::push(
            &mut out,
            u64::from_be_bytes(self.span_id.to_bytes()).into(),
            16,
        );
        out.push('-');
        hex::push(&mut out, self.flags().to_u8().into(), 2);
        out
    }

    /// The flags that are known; all others are zero.
    pub(super) fn flags(self) -> TraceFlags {
        let random = if self.random { RANDOM } else { 0 };
        TraceFlags::new(random).with_sampled(self.sampled)
    }
}

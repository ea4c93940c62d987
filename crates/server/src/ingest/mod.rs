//! The one way in, whatever the protocol: receive, decode, log, reply.
//!
//! A receiver (see [`crate::receivers`]) knows how its protocol names things and says no;
//! everything else happens here once: bounds, decompression, decoding, the log and the counting.

mod admission;
mod ignored;
mod in_flight;
mod payload;
mod receive;
mod refusal;
mod signal;

pub(crate) use admission::{Accepted, Admission, AdmissionLimits, SpanLog};
pub(crate) use in_flight::{InFlight, Reservation};
pub(crate) use payload::{Protocol, RawPayload};
pub(crate) use receive::{BodyLimits, receive};
pub(crate) use refusal::{CANCELLED, Refusal};
pub(crate) use signal::OtlpSignal;

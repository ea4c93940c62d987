//! A span of Zipkin's version 2, whatever it was read from.

use std::borrow::Cow;

use super::endpoint::Endpoint;
use super::fault::Fault;

/// A span. Numbers that are zero and texts that are empty are not there, as in Zipkin.
#[derive(Debug, Clone, Default)]
pub(super) struct Span<'a> {
    pub trace_id: [u8; 16],
    pub id: [u8; 8],
    pub parent_id: [u8; 8],
    /// OTLP's number.
    pub kind: i32,
    pub name: Cow<'a, str>,
    pub timestamp_micros: u64,
    pub duration_micros: u64,
    pub local: Endpoint<'a>,
    pub remote: Endpoint<'a>,
    pub annotations: Vec<Annotation<'a>>,
    pub tags: Vec<(Cow<'a, str>, Cow<'a, str>)>,
    pub debug: bool,
    pub shared: bool,
}

/// Something that happened. The order is Zipkin's.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Annotation<'a> {
    pub timestamp_micros: u64,
    pub value: Cow<'a, str>,
}

impl Span<'_> {
    /// Brings tags and annotations into Zipkin's order. Of tags with one key the last stays.
    pub(super) fn normalise(&mut self) {
        self.annotations.sort();
        self.annotations.dedup();
        self.tags.reverse();
        self.tags.sort_by(|left, right| left.0.cmp(&right.0));
        self.tags.dedup_by(|left, right| left.0 == right.0);
    }

    /// The value of a tag, once the span is normal.
    pub(super) fn tag(&self, key: &str) -> Option<&str> {
        let place = self.tags.binary_search_by(|tag| (*tag.0).cmp(key)).ok()?;
        Some(&self.tags[place].1)
    }
}

/// The digits of an id, of which the last is the last of `N` bytes.
pub(super) fn parse_id<const N: usize>(text: &str, what: &'static str) -> Result<[u8; N], Fault> {
    let fault = |problem| Fault::Id {
        what,
        text: text.chars().take(80).collect(),
        problem,
    };
    if text.is_empty() {
        return Err(fault("is empty"));
    }
    if text.len() > 2 * N {
        return Err(fault("has too many digits"));
    }
    let mut id = [0; N];
    for (place, digit) in text.bytes().rev().enumerate() {
        let Some(value) = char::from(digit).to_digit(16) else {
            return Err(fault("is not hexadecimal"));
        };
        id[N - 1 - place / 2] |= (value as u8) << (4 * (place % 2));
    }
    Ok(id)
}

/// OTLP's number of a kind.
pub(super) fn kind_number(name: &str) -> Option<i32> {
    Some(match name {
        "" => 0,
        "SERVER" => SERVER,
        "CLIENT" => CLIENT,
        "PRODUCER" => PRODUCER,
        "CONSUMER" => CONSUMER,
        _ => return None,
    })
}

/// The name of a kind, for the kinds that Zipkin has.
pub(super) fn kind_name(kind: i32) -> Option<&'static str> {
    Some(match kind {
        SERVER => "SERVER",
        CLIENT => "CLIENT",
        PRODUCER => "PRODUCER",
        CONSUMER => "CONSUMER",
        _ => return None,
    })
}

pub(super) const SERVER: i32 = 2;
pub(super) const CLIENT: i32 = 3;
pub(super) const PRODUCER: i32 = 4;
pub(super) const CONSUMER: i32 = 5;

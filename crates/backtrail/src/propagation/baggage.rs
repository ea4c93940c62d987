//! W3C baggage.

use std::sync::LazyLock;

use opentelemetry::baggage::{Baggage as Entries, BaggageExt, BaggageMetadata};
use opentelemetry::propagation::text_map_propagator::FieldIter;
use opentelemetry::propagation::{Extractor, Injector, TextMapPropagator};
use opentelemetry::{Context, Key, StringValue};

use super::percent;

const BAGGAGE: &str = "baggage";
/// What we send at most; receivers need not take more.
pub(super) const MAX_LEN_BYTES: usize = 8192;
static FIELDS: LazyLock<[String; 1]> = LazyLock::new(|| [BAGGAGE.into()]);

/// The header `baggage`, as in W3C Baggage, section 3.
///
/// **Reading.** Several headers are one list. A member that is not valid (its key is no token, its value has a character that
/// must be escaped or half an escape, a property is not valid) is skipped alone. Escaped bytes that are not UTF-8 become U+FFFD.
/// What was read is added to the context's baggage; a name that is there already gets the new value. If nothing valid was read,
/// the context stays as it was.
///
/// **Writing.** Members are ordered by name. The header has at most 8192 bytes; a member that would make it longer is left out
/// whole. Properties that are not valid, which only local code can have set, are left out.
///
/// **Limits.** The specification asks for 64 members and 8192 bytes. [`opentelemetry::baggage::Baggage`] holds 64 members and
/// 8192 bytes of names, decoded values and properties, which is never less than 8192 bytes of header; so within those limits
/// nothing is lost, and what came in goes out again. Beyond them the first members are kept. Two things it can't keep: the order
/// of members, and several members of one name, of which the last one counts. Also, bytes of an entry that was removed
/// still count against its limit.
#[derive(Clone, Copy, Debug, Default)]
pub struct Baggage;

impl TextMapPropagator for Baggage {
    fn inject_context(&self, cx: &Context, injector: &mut dyn Injector) {
        let header = header(cx.baggage());
        if !header.is_empty() {
            injector.set(BAGGAGE, header);
        }
    }

    fn extract_with_context(&self, cx: &Context, extractor: &dyn Extractor) -> Context {
        let headers = extractor
            .get(BAGGAGE)
            .and_then(|_| extractor.get_all(BAGGAGE))
            .unwrap_or_default();
        let members = headers
            .iter()
            .flat_map(|header| header.split(','))
            .filter_map(member);
        added(cx, members)
    }

    fn fields(&self) -> FieldIter<'_> {
        FieldIter::new(&*FIELDS)
    }
}

type Member = (Key, (StringValue, BaggageMetadata));

/// A context with more baggage.
pub(super) fn added(cx: &Context, members: impl Iterator<Item = Member>) -> Context {
    let mut members = members.peekable();
    if members.peek().is_none() {
        return cx.clone();
    }
    let held = cx.baggage().iter();
    let held = held.map(|(key, value)| (key.clone(), value.clone()));
    cx.with_baggage(held.chain(members).collect::<Entries>())
}

fn member(member: &str) -> Option<Member> {
    let (pair, properties) = member.split_once(';').unwrap_or((member, ""));
    let (key, value) = pair.split_once('=')?;
    let (key, value) = (trim(key), trim(value));
    if !is_token(key) || !is_value(value) {
        return None;
    }
    let value = percent::decode(value)?.into_owned();
    let mut metadata = String::new();
    for part in parts(properties) {
        push_property(&mut metadata, property(part)?);
    }
    let metadata = BaggageMetadata::from(metadata);
    Some((key.to_owned().into(), (value.into(), metadata)))
}

/// The properties of a member. Nothing between two semicolons is no property.
fn parts(properties: &str) -> impl Iterator<Item = &str> {
    properties
        .split(';')
        .map(trim)
        .filter(|part| !part.is_empty())
}

/// A property's key and value, if it is valid.
fn property(part: &str) -> Option<(&str, Option<&str>)> {
    let (key, value) = match part.split_once('=') {
        Some((key, value)) => (trim(key), Some(trim(value))),
        None => (part, None),
    };
    (is_token(key) && value.is_none_or(is_value)).then_some((key, value))
}

fn push_property(out: &mut String, (key, value): (&str, Option<&str>)) {
    if !out.is_empty() {
        out.push(';');
    }
    out.push_str(key);
    if let Some(value) = value {
        out.push('=');
        out.push_str(value);
    }
}

fn header(baggage: &Entries) -> String {
    if baggage.is_empty() {
        return String::new();
    }
    let mut entries: Vec<_> = baggage.iter().collect();
    entries.sort_unstable_by_key(|(key, _)| key.as_str());

    let joined = |escaping| {
        let mut header = String::new();
        let mut complete = true;
        for (key, (value, metadata)) in &entries {
            let whole_bytes = header.len();
            push_member(
                &mut header,
                key.as_str(),
                value.as_str(),
                metadata,
                escaping,
            );
            if header.len() > MAX_LEN_BYTES {
                header.truncate(whole_bytes);
                complete = false;
            }
        }
        (header, complete)
    };
    let (header, complete) = joined(Escaping::Careful);
    if complete {
        header
    } else {
        joined(Escaping::Minimal).0
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Escaping {
    /// Also what some receivers misread, although it is valid: `+` as a space, `=` as the end of the value.
    Careful,
    /// Only what must be: what came in within the limit is not longer when it goes out.
    Minimal,
}

fn push_member(
    out: &mut String,
    key: &str,
    value: &str,
    metadata: &BaggageMetadata,
    escaping: Escaping,
) {
    if !out.is_empty() {
        out.push(',');
    }
    out.push_str(key);
    out.push('=');
    percent::encode(out, value, |byte| {
        let misread = b"+=".contains(&byte) && escaping == Escaping::Careful;
        is_octet(byte) && byte != b'%' && !misread
    });
    let mut properties = String::new();
    for property in parts(metadata.as_str()).filter_map(property) {
        push_property(&mut properties, property);
    }
    if !properties.is_empty() {
        out.push(';');
        out.push_str(&properties);
    }
}

fn trim(text: &str) -> &str {
    text.trim_matches([' ', '\t'])
}

/// A token of RFC 7230, section 3.2.6.
pub(super) fn is_token(text: &str) -> bool {
    let allowed = |byte: u8| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte);
    !text.is_empty() && text.bytes().all(allowed)
}

fn is_value(text: &str) -> bool {
    text.bytes().all(is_octet)
}

fn is_octet(byte: u8) -> bool {
    byte.is_ascii_graphic() && !b"\",;\\".contains(&byte)
}

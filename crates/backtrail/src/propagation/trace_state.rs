//! The header `tracestate` (W3C Trace Context level 2, section 3.3).

use opentelemetry::trace::TraceState;

const MAX_MEMBERS: usize = 32;
const MAX_KEY_LEN_BYTES: usize = 256;
const MAX_VALUE_LEN_BYTES: usize = 256;
/// Longer members are the first to go.
const LONG_MEMBER_LEN_BYTES: usize = 128;
/// What we carry. The specification asks for 512.
const MAX_LEN_BYTES: usize = 8192;

// Without the long members any list is short enough, so there is no second step.
const _: () = assert!(MAX_MEMBERS * (LONG_MEMBER_LEN_BYTES + 1) <= MAX_LEN_BYTES);

/// Key and value.
type Member<'a> = (&'a str, &'a str);

/// The members of all header values, in order. `None`: the list is not valid, and all of it is to be discarded.
pub(super) fn parse<'a>(headers: &[&'a str]) -> Option<Vec<Member<'a>>> {
    let mut members = Vec::new();
    for member in headers.iter().flat_map(|header| header.split(',')) {
        let member = member.trim_matches([' ', '\t']);
        if member.is_empty() {
            continue;
        }
        let member = member.split_once('=')?;
        if members.len() == MAX_MEMBERS || !is_valid(member) {
            return None;
        }
        members.push(member);
    }
    Some(members)
}

/// A header of these members. Invalid ones, repetitions of a key and members over the limits are left out.
pub(super) fn header<'a>(members: impl IntoIterator<Item = Member<'a>>) -> String {
    let mut list: Vec<Member<'_>> = Vec::new();
    for member in members {
        let known = list.iter().any(|(key, _)| *key == member.0);
        if !known && is_valid(member) && list.len() < MAX_MEMBERS {
            list.push(member);
        }
    }
    join(list)
}

/// A header of members that are valid, duplicates included.
pub(super) fn join(mut members: Vec<Member<'_>>) -> String {
    drop_long_members(&mut members);
    let mut header = String::with_capacity(len_bytes(&members));
    for (key, value) in members {
        if !header.is_empty() {
            header.push(',');
        }
        header.push_str(key);
        header.push('=');
        header.push_str(value);
    }
    header
}

fn drop_long_members(members: &mut Vec<Member<'_>>) {
    // The last one was written first, by the system that is farthest away.
    for at in (0..members.len()).rev() {
        if len_bytes(members) <= MAX_LEN_BYTES {
            return;
        }
        if len_bytes(&members[at..=at]) > LONG_MEMBER_LEN_BYTES {
            members.remove(at);
        }
    }
}

fn len_bytes(members: &[Member<'_>]) -> usize {
    let pairs: usize = members.iter().map(|(k, v)| k.len() + 1 + v.len()).sum();
    pairs + members.len().saturating_sub(1)
}

/// What OpenTelemetry's type can hold of these: it has the key rules of level 1.
pub(super) fn for_samplers(members: &[Member<'_>]) -> TraceState {
    let only = |members: &[Member<'_>]| TraceState::from_key_value(members.iter().copied());
    only(members).unwrap_or_else(|_| {
        let held: Vec<Member<'_>> = members
            .iter()
            .copied()
            .filter(|member| only(&[*member]).is_ok())
            .collect();
        only(&held).unwrap_or_default()
    })
}

fn is_valid((key, value): Member<'_>) -> bool {
    is_key(key.as_bytes()) && is_value(value.as_bytes())
}

fn is_key(key: &[u8]) -> bool {
    let first = |byte: &u8| byte.is_ascii_lowercase() || byte.is_ascii_digit();
    let other = |byte: &u8| first(byte) || b"_-*/@".contains(byte);
    key.len() <= MAX_KEY_LEN_BYTES && key.first().is_some_and(first) && key.iter().all(other)
}

fn is_value(value: &[u8]) -> bool {
    let allowed = |byte: &u8| matches!(byte, b' '..=b'~') && !b",=".contains(byte);
    value.len() <= MAX_VALUE_LEN_BYTES
        && value.last().is_some_and(|last| *last != b' ')
        && value.iter().all(allowed)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn long_members_are_dropped_first_and_the_last_of_them_before_others() {
        let long = "v".repeat(256);
        let keys: Vec<String> = (0..32).map(|n| format!("k{n:02}")).collect();
        let mut members: Vec<Member<'_>> = keys.iter().map(|key| (&**key, &*long)).collect();
        members[31].1 = "short";
        let header = join(members);
        assert!(header.len() <= MAX_LEN_BYTES);
        assert!(header.len() > MAX_LEN_BYTES - 261, "no more than needed");
        assert!(header.starts_with("k00="));
        assert!(header.ends_with(",k31=short"));
    }

    #[test]
    fn a_list_within_the_limit_is_carried_whole() {
        let value = "v".repeat(256);
        let keys: Vec<String> = (0..31).map(|n| format!("k{n:02}")).collect();
        let members: Vec<Member<'_>> = keys.iter().map(|key| (&**key, &*value)).collect();
        let header = join(members.clone());
        assert_eq!(parse(&[&header]), Some(members));
    }

    #[test]
    fn members_of_local_code_that_are_not_valid_are_left_out() {
        let members = [
            ("a", "1"),
            ("", "2"),
            ("b", ""),
            ("c", "x\r\ny: z"),
            ("d", "é"),
            ("e", "trailing "),
            ("a", "again"),
            ("f", " leading"),
        ];
        assert_eq!(header(members), "a=1,f= leading");
    }

    #[test]
    fn samplers_see_what_opentelemetry_can_hold() {
        let members = parse(&["a=1,foo@bar@baz=2,c=3"]).unwrap();
        assert_eq!(for_samplers(&members).header(), "a=1,c=3");
    }
}

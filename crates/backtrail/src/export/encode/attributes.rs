//! Which attributes are written, and how much of their values.

use std::collections::HashSet;

use opentelemetry::KeyValue;

/// Of more attributes the keys are looked up in a table instead of being compared with each other.
const MAX_COMPARED: usize = 64;

/// Calls `put` with each attribute, in their order, but for those whose key a later one has too: OTLP wants a key once, and the
/// specification lets the last value win.
#[inline]
pub(crate) fn for_each_last<'a>(attributes: &'a [KeyValue], mut put: impl FnMut(&'a KeyValue)) {
    let mut keys = Keys::default();
    for attribute in attributes {
        keys.add(attribute.key.as_str());
    }
    if !keys.may_repeat {
        attributes.iter().for_each(put);
        return;
    }
    let keys: Vec<&str> = attributes.iter().map(|a| a.key.as_str()).collect();
    for (attribute, is_overridden) in attributes.iter().zip(overridden(&keys)) {
        if !is_overridden {
            put(attribute);
        }
    }
}

/// Which keys there may be.
#[derive(Debug, Default)]
pub(super) struct Keys {
    seen: [u64; 8],
    /// Whether two may be the same: no for nearly all spans whose keys differ, and always yes where they do not.
    pub(super) may_repeat: bool,
}

impl Keys {
    /// One look at the key.
    #[inline]
    pub(super) fn add(&mut self, key: &str) {
        let bit = sketch(key.as_bytes());
        let word = &mut self.seen[bit / 64];
        self.may_repeat |= *word >> (bit % 64) & 1 == 1;
        *word |= 1 << (bit % 64);
    }

    #[inline]
    pub(super) const fn clear(&mut self) {
        self.seen = [0; 8];
        self.may_repeat = false;
    }
}

/// A number below 512 that is the same for the same key: of its length and its end, in which the keys of a convention differ.
#[inline]
fn sketch(key: &[u8]) -> usize {
    let end = match key.last_chunk() {
        Some(end) => u64::from_le_bytes(*end),
        None => key.iter().fold(0, |end, byte| end << 8 | u64::from(*byte)),
    };
    let mixed = (end ^ key.len() as u64).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    (mixed >> 55) as usize
}

/// For each key, whether it comes again later.
#[cold]
pub(super) fn overridden(keys: &[&str]) -> Vec<bool> {
    if keys.len() > MAX_COMPARED {
        let mut seen = HashSet::with_capacity(keys.len());
        let mut is_overridden: Vec<bool> =
            keys.iter().rev().map(|key| !seen.insert(*key)).collect();
        is_overridden.reverse();
        return is_overridden;
    }
    let later = |index: usize| &keys[index + 1..];
    let each = keys.iter().enumerate();
    each.map(|(index, key)| later(index).contains(key))
        .collect()
}

/// The first `max_chars` characters of a text.
#[inline]
pub(crate) fn cut(text: &str, max_chars: Option<usize>) -> &str {
    match max_chars {
        // A text has at most as many characters as bytes.
        Some(max_chars) if text.len() > max_chars => {
            let end = text.char_indices().nth(max_chars);
            end.map_or(text, |(end, _)| &text[..end])
        }
        _ => text,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::collections::HashMap;

    fn kept(attributes: &[KeyValue]) -> Vec<KeyValue> {
        let mut kept = Vec::new();
        for_each_last(attributes, |attribute| kept.push(attribute.clone()));
        kept
    }

    #[test]
    fn the_last_value_of_a_key_wins() {
        let attributes = [("a", 1), ("b", 2), ("a", 3), ("", 4), ("a", 5)]
            .map(|(key, value)| KeyValue::new(key, value));
        let expected = [("b", 2), ("", 4), ("a", 5)].map(|(key, value)| KeyValue::new(key, value));
        assert_eq!(kept(&attributes), expected);
    }

    proptest! {
        #[test]
        fn every_key_is_kept_once_whatever_their_number(
            keys in proptest::collection::vec("[ab]{0,3}|[a-c]{8,9}", 0..200),
        ) {
            let attributes: Vec<_> = keys
                .iter()
                .enumerate()
                .map(|(index, key)| KeyValue::new(key.clone(), index as i64))
                .collect();
            let last: HashMap<_, _> = keys.iter().enumerate().map(|(index, key)| (key, index)).collect();
            let expected: Vec<_> = attributes
                .iter()
                .zip(&keys)
                .enumerate()
                .filter(|(index, (_, key))| last[key] == *index)
                .map(|(_, (attribute, _))| attribute.clone())
                .collect();
            prop_assert_eq!(kept(&attributes), expected);
        }

        #[test]
        fn a_text_is_cut_after_whole_characters(text in "\\PC{0,20}", max_chars in 0usize..25) {
            let expected: String = text.chars().take(max_chars).collect();
            prop_assert_eq!(cut(&text, Some(max_chars)), expected);
            prop_assert_eq!(cut(&text, None), text.as_str());
        }
    }
}

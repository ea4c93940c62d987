//! What a file says of itself, found while it streams by.

use std::fmt;
use std::io::Read;

use serde::de::{Deserializer, IgnoredAny, MapAccess, Visitor};

use srcmap::DebugId;

use crate::bundle::FileKind;

/// Of a bundle, so much is looked at, or twice that.
const TAIL_LEN: usize = 16 << 20;
const INLINE_MAP: &[u8] = b"sourceMappingURL=data:";
/// A `file` or an address that is longer is no name of a file.
const MAX_NAME: usize = 4096;

/// What was found.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Facts {
    pub(crate) debug_id: Option<DebugId>,
    pub(crate) source_mapping_url: Option<String>,
    pub(crate) inline_map: bool,
    /// The `file` of a map.
    pub(crate) map_file: Option<String>,
}

/// Watches a bundle that streams by. Of a very large one, the end is looked at: comments stand there.
#[derive(Default)]
pub(crate) struct MinifiedWatch {
    tail: Vec<u8>,
    is_cut: bool,
    inline_map: bool,
}

impl MinifiedWatch {
    pub(crate) fn see(&mut self, block: &[u8]) {
        let known = self.tail.len();
        self.tail.extend_from_slice(block);
        // What spans two blocks is seen too.
        let from = known.saturating_sub(INLINE_MAP.len());
        self.inline_map =
            self.inline_map || memchr::memmem::find(&self.tail[from..], INLINE_MAP).is_some();
        if self.tail.len() > 2 * TAIL_LEN {
            let cut = self.tail.len() - TAIL_LEN;
            self.tail.drain(..cut);
            self.is_cut = true;
        }
    }

    pub(crate) fn facts(self) -> Facts {
        let found = srcmap::minified::inspect(&self.tail);
        Facts {
            debug_id: found.debug_id,
            inline_map: found.is_inline_map() || (self.is_cut && self.inline_map),
            source_mapping_url: found.source_mapping_url.filter(|url| url.len() <= MAX_NAME),
            map_file: None,
        }
    }
}

/// Reads the head of a map: its debug id and `file`. A map that is no JSON has none; whether it can be used shows when it is.
pub(crate) fn inspect_map(mut map: impl Read) -> Facts {
    let mut facts = Facts::default();
    // Some servers put `)]}'` before JSON, so that a page cannot run it as a script; it ends with the line.
    let mut start = Vec::new();
    let mut first = [0];
    loop {
        match map.read(&mut first) {
            Ok(1) => start.push(first[0]),
            _ => return facts,
        }
        if first[0] == b'{' || start.len() > 64 {
            break;
        }
        if first[0] == b'\n' && start.starts_with(b")]}'") {
            start.clear();
        }
    }
    let Some(at) = start.iter().position(|byte| *byte == b'{') else {
        return facts;
    };
    let json = (&start[at..]).chain(map);
    let mut deserializer = serde_json::Deserializer::from_reader(std::io::BufReader::new(json));
    // An error comes after what was found before it.
    deserializer.deserialize_map(Head(&mut facts)).ok();
    facts
}

struct Head<'a>(&'a mut Facts);

impl<'de> Visitor<'de> for Head<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a source map")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        while let Some(key) = map.next_key::<Key>()? {
            match key {
                Key::DebugId => {
                    let id: Option<String> = map.next_value().ok();
                    let id = id.and_then(|id| id.parse().ok());
                    self.0.debug_id = self.0.debug_id.or(id);
                }
                Key::File => {
                    let file: Option<String> = map.next_value().ok();
                    self.0.map_file = file.filter(|file| file.len() <= MAX_NAME);
                }
                Key::Other => {
                    map.next_value::<IgnoredAny>()?;
                }
            }
        }
        Ok(())
    }
}

enum Key {
    DebugId,
    File,
    Other,
}

impl<'de> serde::Deserialize<'de> for Key {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct KeyVisitor;
        impl Visitor<'_> for KeyVisitor {
            type Value = Key;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a key")
            }

            fn visit_str<E>(self, key: &str) -> Result<Key, E> {
                Ok(match key {
                    "debug_id" | "debugId" => Key::DebugId,
                    "file" => Key::File,
                    _ => Key::Other,
                })
            }
        }
        deserializer.deserialize_identifier(KeyVisitor)
    }
}

/// What a single file of the old protocol is: nothing but its name says so.
pub(crate) fn kind_of_name(name: &str) -> FileKind {
    let path = name.split(['?', '#']).next().unwrap_or(name);
    let ending = path.rsplit_once('.').map_or("", |(_, ending)| ending);
    match ending {
        "map" => FileKind::SourceMap,
        "js" | "mjs" | "cjs" | "bundle" | "jsbundle" => FileKind::MinifiedSource,
        "ts" | "tsx" | "jsx" | "mts" | "cts" | "vue" | "svelte" => FileKind::Source,
        _ => FileKind::Other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ID: &str = "492b6f62-7cfd-522c-9ab6-394ca67df4cd";

    #[test]
    fn the_head_of_a_map_is_read_past_its_guard_and_its_large_members() {
        let json = format!(
            ")]}}'\n{{\"version\":3,\"sourcesContent\":[\"{}\"],\"file\":\"main.js\",\"debugId\":\"{ID}\"}}",
            "x".repeat(200_000)
        );
        let facts = inspect_map(json.as_bytes());
        assert_eq!(facts.map_file.as_deref(), Some("main.js"));
        assert_eq!(facts.debug_id, ID.parse().ok());
    }

    #[test]
    fn a_map_that_is_no_json_or_is_cut_says_what_stands_before_that() {
        assert_eq!(inspect_map(&b"function(){}"[..]), Facts::default());
        assert_eq!(inspect_map(&b""[..]), Facts::default());
        let facts = inspect_map(&b"{\"file\":\"a.js\",\"mappings\":\"AAA"[..]);
        assert_eq!(facts.map_file.as_deref(), Some("a.js"));
        let deep = format!("{{\"sections\":{}", "[".repeat(10_000));
        assert_eq!(inspect_map(deep.as_bytes()), Facts::default());
    }

    #[test]
    fn an_inline_map_is_noticed_also_between_two_blocks() {
        let text = b"run();\n//# sourceMappingURL=data:application/json;base64,AAAA";
        for at in 1..text.len() {
            let mut watch = MinifiedWatch::default();
            watch.see(&text[..at]);
            watch.see(&text[at..]);
            assert!(watch.facts().inline_map, "cut at {at}");
        }
    }

    #[test]
    fn what_a_large_bundle_says_at_its_end_is_found() {
        let mut watch = MinifiedWatch::default();
        for _ in 0..40 {
            watch.see(&b"f();".repeat(250_000));
        }
        watch.see(format!("\n//# sourceMappingURL=a.js.map\n//# debugId={ID}\n").as_bytes());
        let facts = watch.facts();
        assert_eq!(facts.source_mapping_url.as_deref(), Some("a.js.map"));
        assert_eq!(facts.debug_id, ID.parse().ok());
        assert!(!facts.inline_map);
    }
}

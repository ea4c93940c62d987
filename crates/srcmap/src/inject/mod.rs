//! Debug ids written into a bundle and its map, so that a frame of that very build is found whatever its files are called.
//!
//! A line is put before the bundle's code that notes the id under the stack of a fresh error in `globalThis._sentryDebugIds`, as Sentry's tools do;
//! whoever records an exception finds in it which script has which id. The comment `//# debugId=` at the end says the same to tools. The map gets
//! `debug_id` and `debugId`, and an empty line where the bundle got one: nothing else of it changes.
//!
//! The id is made from the bundle's content: the same build has the same id, and a second run changes nothing.

mod map;

use sha2::{Digest, Sha256};

use crate::DebugId;
use crate::minified::inspect;

pub use map::InjectMapError;

/// What is written into the bundle.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum InjectMode {
    /// The line that notes the id when the bundle runs, and the comment.
    #[default]
    Snippet,
    /// The comment alone: tools know the id, exceptions do not.
    CommentOnly,
}

/// A bundle and its map with a debug id.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Injected {
    /// The id that both bear.
    pub debug_id: DebugId,
    /// The bundle; `None` where it bears the id already.
    pub bundle: Option<String>,
    /// The map; `None` where it bears the id already, or where none was given.
    pub map: Option<Vec<u8>>,
}

/// Gives a bundle and its map one debug id. An id that the bundle has is kept, else one that the map has.
pub fn inject(
    bundle: &str,
    map: Option<&[u8]>,
    mode: InjectMode,
) -> Result<Injected, InjectMapError> {
    let of_bundle = inspect(bundle.as_bytes()).debug_id;
    let of_map = match map {
        Some(map) => map::debug_id(map)?,
        None => None,
    };
    let debug_id = of_bundle
        .or(of_map)
        .unwrap_or_else(|| id_of_content(bundle));

    let has_comment = has_comment(bundle, debug_id);
    let needs_snippet = mode == InjectMode::Snippet && !has_snippet(bundle, debug_id);
    let line = snippet_line(bundle);
    let mut written = None;
    if needs_snippet || !has_comment {
        let mut text = String::with_capacity(bundle.len() + 600);
        let (before, after) = bundle.split_at(line.offset);
        text.push_str(before);
        if needs_snippet {
            text.push_str(line.directives);
            text.push_str(&snippet(debug_id));
            text.push('\n');
        }
        text.push_str(after);
        if !has_comment {
            if !text.ends_with('\n') {
                text.push('\n');
            }
            text.extend([COMMENT, &debug_id.to_string(), "\n"]);
        }
        written = Some(text);
    }
    let map = match map {
        Some(map) => map::with_id(map, debug_id, needs_snippet.then_some(line.number))?,
        None => None,
    };
    Ok(Injected {
        debug_id,
        bundle: written,
        map,
    })
}

const COMMENT: &str = "//# debugId=";

/// The first 16 bytes of the content's SHA-256, marked as a UUID of version 8: one made by a rule of its own (RFC 9562, section 5.8).
fn id_of_content(bundle: &str) -> DebugId {
    let mut id = [0; 16];
    id.copy_from_slice(&Sha256::digest(bundle.as_bytes())[..16]);
    id[6] = (id[6] & 0x0f) | 0x80;
    id[8] = (id[8] & 0x3f) | 0x80;
    DebugId::from_bytes(id)
}

fn has_comment(bundle: &str, id: DebugId) -> bool {
    let id = id.to_string();
    let mut comments = bundle.lines().rev().take_while(|line| {
        let line = line.trim();
        line.is_empty() || line.starts_with("//")
    });
    comments.any(|line| {
        let value = line.trim().strip_prefix(COMMENT);
        value.is_some_and(|value| value.trim().eq_ignore_ascii_case(&id))
    })
}

/// Whether the bundle notes the id when it runs, by our line or that of another tool.
fn has_snippet(bundle: &str, id: DebugId) -> bool {
    let id = id.to_string();
    let mut rest = bundle;
    while let Some(at) = rest.find("_sentryDebugIds") {
        rest = &rest[at..];
        let mut end = rest.len().min(400);
        while !rest.is_char_boundary(end) {
            end -= 1;
        }
        if rest[..end].to_ascii_lowercase().contains(&id) {
            return true;
        }
        rest = &rest["_sentryDebugIds".len()..];
    }
    false
}

/// One line; it fails silently, since a bundle must run wherever it ran before.
fn snippet(id: DebugId) -> String {
    format!(
        "!function(){{try{{var g=\"undefined\"!=typeof globalThis?globalThis:\"undefined\"!=typeof window?window:\"undefined\"!=typeof global?global:self,s=(new g.Error).stack;\
s&&((g._sentryDebugIds=g._sentryDebugIds||{{}})[s]=\"{id}\")}}catch(e){{}}}}();"
    )
}

/// Where a line can be put before the code.
struct SnippetLine<'a> {
    /// The byte at which it begins.
    offset: usize,
    /// The line that it becomes, from 0.
    number: u32,
    /// What the code's first statements say to the engine (`"use strict";`): it counts only in front, so the new line says it too.
    directives: &'a str,
}

fn snippet_line(bundle: &str) -> SnippetLine<'_> {
    let (offset, number) = if bundle.starts_with("#!") {
        match bundle.find('\n') {
            Some(end) => (end + 1, 1),
            // Nothing but the line that names the interpreter.
            None => (0, 0),
        }
    } else {
        // A byte order mark counts only as the first character.
        (
            if bundle.starts_with('\u{feff}') {
                '\u{feff}'.len_utf8()
            } else {
                0
            },
            0,
        )
    };
    SnippetLine {
        offset,
        number,
        directives: directives(&bundle[offset..]),
    }
}

/// The directives at the start of the code, when nothing but blanks is before and between them.
fn directives(code: &str) -> &str {
    let mut end = 0;
    loop {
        let rest = code[end..].trim_start_matches([' ', '\t']);
        let at = code.len() - rest.len();
        let Some(quote) = rest.chars().next().filter(|c| matches!(c, '"' | '\'')) else {
            break;
        };
        let Some(len) = rest[1..].find(quote) else {
            break;
        };
        let (inside, after) = (&rest[1..=len], &rest[len + 2..]);
        if inside.contains(['\\', '\n', '\r']) || !after.starts_with(';') {
            break;
        }
        end = at + len + 3;
    }
    &code[..end]
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::map::{MapLimits, SourceMap};

    const MAP: &[u8] = br#"{"version":3,"file":"main.js","sources":["a.ts"],"sourcesContent":["throw 1"],"names":[],"x_kept":[1, 2],"mappings":"AAAA,GAAG;AACA"}"#;

    fn token(map: &[u8], line: u32, column: u32) -> Option<(u32, u32)> {
        let map = SourceMap::parse(map, &MapLimits::default()).unwrap();
        let token = map.token_at(line, column)?;
        token.original().map(|place| (place.line, place.column))
    }

    #[test]
    fn bundle_and_map_get_one_id_and_positions_move_with_the_code() {
        let injected = inject("ab c\nd\n", Some(MAP), InjectMode::Snippet).unwrap();
        let (bundle, map) = (injected.bundle.unwrap(), injected.map.unwrap());
        let lines: Vec<&str> = bundle.lines().collect();
        assert_eq!((lines[1], lines[2]), ("ab c", "d"));
        assert_eq!(lines[3], format!("//# debugId={}", injected.debug_id));
        assert_eq!(inspect(bundle.as_bytes()).debug_id, Some(injected.debug_id));
        let parsed = SourceMap::parse(&map, &MapLimits::default()).unwrap();
        assert_eq!(parsed.debug_id(), Some(injected.debug_id));
        assert!(
            String::from_utf8(map.clone())
                .unwrap()
                .contains(r#""x_kept":[1, 2]"#)
        );
        for (line, column) in [(0, 0), (0, 3), (1, 0)] {
            assert_eq!(token(&map, line + 1, column), token(MAP, line, column));
        }
        assert_eq!(token(&map, 0, 0), None);
    }

    #[test]
    fn a_second_run_changes_nothing() {
        for mode in [InjectMode::Snippet, InjectMode::CommentOnly] {
            let first = inject("a()\n//# sourceMappingURL=a.js.map", Some(MAP), mode).unwrap();
            let (bundle, map) = (first.bundle.unwrap(), first.map.unwrap());
            let second = inject(&bundle, Some(&map), mode).unwrap();
            let expected = Injected {
                debug_id: first.debug_id,
                bundle: None,
                map: None,
            };
            assert_eq!(second, expected);
        }
    }

    #[test]
    fn the_line_goes_behind_the_interpreter_and_keeps_directives_in_front() {
        let code = "#!/usr/bin/env node\n'use strict';\"use asm\";a()";
        let bundle = inject(code, None, InjectMode::Snippet)
            .unwrap()
            .bundle
            .unwrap();
        let lines: Vec<&str> = bundle.lines().collect();
        assert_eq!(lines[0], "#!/usr/bin/env node");
        assert!(
            lines[1].starts_with("'use strict';\"use asm\";!function()"),
            "{}",
            lines[1]
        );
        assert_eq!(lines[2], "'use strict';\"use asm\";a()");
        for (code, expected) in [
            ("\"a\"+b", ""),
            ("'a\\'';b", ""),
            ("'a'", ""),
            (" 'use strict' ;a", ""),
            ("'use strict';'", "'use strict';"),
        ] {
            assert_eq!(directives(code), expected, "{code}");
        }
    }

    #[test]
    fn an_id_that_is_there_is_kept() {
        let id = "85314830-023f-4cf1-a267-535f4e37bb17";
        let of_bundle = inject(
            &format!("a()\n//# debugId={id}\n"),
            Some(MAP),
            InjectMode::CommentOnly,
        );
        let of_bundle = of_bundle.unwrap();
        assert_eq!(
            (of_bundle.debug_id.to_string().as_str(), of_bundle.bundle),
            (id, None)
        );
        assert!(of_bundle.map.is_some());
        let map =
            format!(r#"{{"version":3,"debugId":"{id}","sources":[],"names":[],"mappings":""}}"#);
        let of_map = inject("a()", Some(map.as_bytes()), InjectMode::CommentOnly).unwrap();
        assert_eq!(of_map.debug_id.to_string(), id);
    }

    #[test]
    fn sections_of_an_index_map_move_too() {
        let section = |line: u32, mappings: &str| {
            format!(
                r#"{{"offset":{{"line":{line},"column":0}},"map":{{"version":3,"sources":["a"],"names":[],"mappings":"{mappings}"}}}}"#
            )
        };
        let map = format!(
            r#"{{"version":3,"sections":[{},{}]}}"#,
            section(0, "AAAA;AACA"),
            section(2, "AAEA")
        );
        for (code, moved_from) in [("a\nb\nc", 0), ("#!x\nb\nc", 1)] {
            let injected = inject(code, Some(map.as_bytes()), InjectMode::Snippet).unwrap();
            let written = injected.map.unwrap();
            for line in 0..3 {
                let to = if line >= moved_from { line + 1 } else { line };
                assert_eq!(
                    token(&written, to, 0),
                    token(map.as_bytes(), line, 0),
                    "{code} {line}"
                );
            }
        }
    }
}

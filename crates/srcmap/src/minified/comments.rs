//! The comments at the end of a bundle.

use memchr::{memchr, memrchr3};

use crate::DebugId;

#[derive(Default)]
pub(super) struct Found<'t> {
    pub(super) source_mapping_url: Option<&'t [u8]>,
    pub(super) debug_id: Option<DebugId>,
}

/// The proposal for debug ids lets tools look at this many lines.
const LINES_WITH_DEBUG_ID: usize = 5;

/// Looks from the last line backwards, until a line has code.
pub(super) fn find(text: &[u8]) -> Found<'_> {
    let mut found = Found::default();
    let mut rest = Some(text);
    let mut is_behind_code = false;
    let mut lines = 0;
    while let Some(text) = rest {
        let (before, line) = last_line(text);
        rest = before;
        // A line end at the very end makes no line.
        if lines > 0 || !line.is_empty() {
            lines += 1;
        }
        if !is_behind_code {
            is_behind_code = read_line(line, &mut found);
        } else if found.debug_id.is_none() {
            found.debug_id = line
                .strip_prefix(b"//")
                .and_then(|comment| value_of(comment, b"debugId="))
                .and_then(DebugId::from_text);
        }
        if is_behind_code && (found.debug_id.is_some() || lines >= LINES_WITH_DEBUG_ID) {
            break;
        }
    }
    found
}

/// The last line of `text`, and what is before it, which is `None` for the first line.
fn last_line(text: &[u8]) -> (Option<&[u8]>, &[u8]) {
    let mut end = text.len();
    while let Some(at) = memrchr3(b'\n', b'\r', 0xe2, &text[..end]) {
        let len = match &text[at..] {
            [b'\n' | b'\r', ..] => 1,
            [0xe2, 0x80, 0xa8 | 0xa9, ..] => 3,
            _ => {
                end = at;
                continue;
            }
        };
        let before = &text[..at];
        let before = match (text[at], before.strip_suffix(b"\r")) {
            (b'\n', Some(before)) => before,
            _ => before,
        };
        return (Some(before), &text[at + len..]);
    }
    (None, text)
}

/// Reads the comments that stand behind the line's last code. Returns whether it has code.
fn read_line<'t>(line: &'t [u8], found: &mut Found<'t>) -> bool {
    let mut has_code = false;
    let mut url = None;
    let mut debug_id = None;
    let mut rest = line;
    loop {
        let slash = memchr(b'/', rest).unwrap_or(rest.len());
        let mut is_code = !is_white_space(&rest[..slash]);
        let mut comment = None;
        rest = match &rest[slash..] {
            [] => &[],
            [_, b'/', inner @ ..] => {
                comment = Some(inner);
                &[]
            }
            [_, b'*', inner @ ..] => match memchr::memmem::find(inner, b"*/") {
                Some(end) => {
                    comment = Some(&inner[..end]);
                    &inner[end + 2..]
                }
                None => &[],
            },
            [_] => {
                is_code = true;
                &[]
            }
            [_, _, inner @ ..] => {
                is_code = true;
                inner
            }
        };
        if is_code {
            has_code = true;
            (url, debug_id) = (None, None);
        }
        if let Some(comment) = comment {
            url = value_of(comment, b"sourceMappingURL=").or(url);
            debug_id = value_of(comment, b"debugId=")
                .and_then(DebugId::from_text)
                .or(debug_id);
        }
        if rest.is_empty() {
            break;
        }
    }
    found.source_mapping_url = found.source_mapping_url.or(url);
    found.debug_id = found.debug_id.or(debug_id);
    has_code
}

/// The value in a comment `# key=value`: one word, and nothing behind it (ECMA-426, "MatchSourceMapURL").
///
/// One with a quote stands in a string of the code, not in a comment. The specification says that it will refuse these; V8 does so already.
fn value_of<'t>(comment: &'t [u8], key: &[u8]) -> Option<&'t [u8]> {
    let comment = comment
        .strip_prefix(b"#")
        .or_else(|| comment.strip_prefix(b"@"))?;
    let value = trim(comment).strip_prefix(key)?;
    let is_one_word = !value
        .iter()
        .any(|byte| byte.is_ascii_whitespace() || matches!(byte, b'"' | b'\'' | b'`'));
    is_one_word.then_some(value)
}

fn trim(mut text: &[u8]) -> &[u8] {
    while let Some(len) = white_space_at(text) {
        text = &text[len..];
    }
    while let Some(len) = (1..=3).find(|&len| {
        let start = text.len().checked_sub(len);
        start.is_some_and(|start| white_space_at(&text[start..]) == Some(len))
    }) {
        text = &text[..text.len() - len];
    }
    text
}

fn is_white_space(mut text: &[u8]) -> bool {
    while let Some(len) = white_space_at(text) {
        text = &text[len..];
    }
    text.is_empty()
}

/// The length of the white space character that `text` begins with (ECMA-262, WhiteSpace).
fn white_space_at(text: &[u8]) -> Option<usize> {
    match text {
        [b' ' | b'\t' | 0x0b | 0x0c, ..] => Some(1),
        [0xc2, 0xa0, ..] => Some(2),
        [0xef, 0xbb, 0xbf, ..]
        | [0xe1, 0x9a, 0x80, ..]
        | [0xe2, 0x80, 0x80..=0x8a | 0xaf, ..]
        | [0xe2, 0x81, 0x9f, ..]
        | [0xe3, 0x80, 0x80, ..] => Some(3),
        _ => None,
    }
}

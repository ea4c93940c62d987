//! The debug id in the code that Sentry's bundler plugins and command line put into a bundle.

use memchr::memmem::Finder;

use crate::DebugId;

/// `e._sentryDebugIds[n]="85314830-…"`, and the same id once more as `"sentry-dbid-85314830-…"`. `None` if there are two ids: a bundle that took in another one.
pub(super) fn find(text: &[u8]) -> Option<DebugId> {
    let mut only = None;
    for id in assigned(text).chain(identified(text)) {
        match only {
            None => only = Some(id),
            Some(known) if known == id => {}
            Some(_) => return None,
        }
    }
    only
}

fn assigned(text: &[u8]) -> impl Iterator<Item = DebugId> {
    let finder = Finder::new(b"_sentryDebugIds[").into_owned();
    let mut from = 0;
    std::iter::from_fn(move || {
        loop {
            let at = from + finder.find(text.get(from..)?)? + b"_sentryDebugIds[".len();
            from = at;
            if let Some(id) = assignment(&text[at..]) {
                return Some(id);
            }
        }
    })
}

/// `stack]="id"`, with white space where a formatter puts it.
fn assignment(text: &[u8]) -> Option<DebugId> {
    let near = &text[..text.len().min(160)];
    let close = memchr::memchr(b']', near)?;
    let value = near[close + 1..].trim_ascii_start().strip_prefix(b"=")?;
    let value = value.trim_ascii_start();
    let quote = *value
        .first()
        .filter(|quote| matches!(quote, b'"' | b'\'' | b'`'))?;
    let end = memchr::memchr(quote, &value[1..])?;
    DebugId::from_text(&value[1..=end])
}

fn identified(text: &[u8]) -> impl Iterator<Item = DebugId> {
    let mark = b"sentry-dbid-";
    let finder = Finder::new(mark).into_owned();
    let mut from = 0;
    std::iter::from_fn(move || {
        loop {
            let at = from + finder.find(text.get(from..)?)? + mark.len();
            from = at;
            if let Some(id) = text.get(at..at + 36).and_then(DebugId::from_text) {
                return Some(id);
            }
        }
    })
}

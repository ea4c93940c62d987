//! Lines of SpiderMonkey and JavaScriptCore: `function@location`.
//!
//! MDN documents them under `Error.prototype.stack`; both engines' sources have the rest: `async*`, `line 5 > eval`, `global code`.

use super::line::FrameLine;
use super::location::{Location, begins_like_url};
use super::{Bare, FrameKind};

/// What JavaScriptCore calls the code outside of functions. Without a URL, the line is only this.
const CODE: &[&str] = &["global code", "eval code", "module code"];

/// What stands for the location of a function that is not JavaScript.
const NATIVE: &[&str] = &["[native code]", "[wasm code]"];

/// Reads a line without its indentation.
pub(super) fn read(line: &str) -> Option<FrameLine<'_>> {
    if NATIVE.contains(&line) || CODE.contains(&line) {
        let mut frame = frame(line, 0, 0, Location::native());
        if CODE.contains(&line) {
            frame.function = line;
            frame.location_range = line.len()..line.len();
        }
        return Some(frame);
    }
    let native = NATIVE.iter().find_map(|native| line.strip_suffix(native));
    if let Some(function) = native.and_then(|before| before.strip_suffix('@')) {
        return named(line, function.len(), Location::native());
    }
    // Prose ends here: it has no numbers at its end.
    let whole = Location::read(line)?;
    match separator(line) {
        Some(at) => {
            let location = Location::read(&line[at + 1..])?;
            let location = evaluated(location).unwrap_or(location);
            location.is_likely().then(|| named(line, at, location))?
        }
        None => alone(line, whole),
    }
}

/// The `@` of the location: names and addresses may hold one too.
fn separator(line: &str) -> Option<usize> {
    let likely = line
        .match_indices('@')
        .map(|(at, _)| at)
        .find(|at| begins_like_url(&line[at + 1..]));
    likely.or_else(|| line.find('@').filter(|_| !begins_like_url(line)))
}

/// `name@location`, and `cause*name@location` for what called it before something was awaited.
fn named<'a>(line: &'a str, at: usize, location: Location<'a>) -> Option<FrameLine<'a>> {
    let before = &line[..at];
    let awaited = before.rfind('*').map(|star| star + 1);
    let start = awaited.or_else(|| before.starts_with("async ").then_some("async ".len()));
    // In a message, what stands before an address is prose.
    if before.contains(": ") {
        return None;
    }
    let mut frame = frame(line, start.unwrap_or(0), at, location);
    frame.location_range = at + 1..line.len();
    frame.is_async = start.is_some();
    Some(frame)
}

/// A location without a name, which is an anonymous function in JavaScriptCore.
fn alone<'a>(line: &'a str, location: Location<'a>) -> Option<FrameLine<'a>> {
    let is_frame = location.kind == FrameKind::Script
        && begins_like_url(line)
        && !line.contains([' ', '\t'])
        && (line.contains("://") || location.is_our_language());
    is_frame.then(|| {
        let mut frame = frame(line, 0, 0, location);
        frame.function_range = None;
        frame.bare = Bare::AtSign;
        frame
    })
}

/// `file line 5 > eval:1:30`, also several times: code of `eval` or `Function`, which the outermost file's line 5 called.
fn evaluated(location: Location<'_>) -> Option<Location<'_>> {
    let (url, rest) = location.url.split_once(" line ")?;
    let (line, _) = rest.split_once(" > ")?;
    Some(Location {
        url,
        line: line.parse().ok()?,
        column: 0,
        kind: FrameKind::Eval,
    })
}

fn frame<'a>(line: &'a str, start: usize, at: usize, location: Location<'a>) -> FrameLine<'a> {
    FrameLine {
        function: &line[start..at],
        function_range: Some(start..at),
        location,
        location_range: 0..line.len(),
        is_constructor: false,
        is_async: false,
        bare: Bare::No,
    }
}

//! Lines that begin with `at`: V8's, and those of engines that write as it does (Hermes, Chakra, Bun).
//!
//! V8 documents them under "Stack trace API"; what is not there is in its `call-site-info`: prefixes, `eval at`, modules.

use std::ops::Range;

use super::line::FrameLine;
use super::location::{Location, begins_like_url};
use super::{Bare, FrameKind};

/// What stands for the location of a function that is not JavaScript, or of a script without a name.
const NATIVE: &[&str] = &[
    "<anonymous>",
    "native",
    "native code",
    "[native code]",
    "unknown location",
];

/// Reads what follows `at `.
pub(super) fn read(call: &str) -> Option<FrameLine<'_>> {
    let call = without_inspected_rest(call);
    let (is_async, start) = after_prefix(call, 0, "async ");
    let (is_constructor, start) = after_prefix(call, start, "new ");
    let named = named(call, start);
    let mut frame = match named {
        Some(frame) => frame,
        None => bare(call, start)?,
    };
    frame.is_async = is_async;
    frame.is_constructor = is_constructor;
    Some(frame)
}

/// Node's `util.inspect` goes on behind the last frame when an error has properties, or is one of many.
fn without_inspected_rest(call: &str) -> &str {
    let call = call.strip_suffix(',').unwrap_or(call);
    call.strip_suffix(" {").unwrap_or(call)
}

/// A function that is itself called `async` or `new` is followed by its location.
fn after_prefix(call: &str, start: usize, prefix: &str) -> (bool, usize) {
    match call[start..].strip_prefix(prefix) {
        Some(rest) if !rest.starts_with('(') => (true, start + prefix.len()),
        _ => (false, start),
    }
}

/// `function [as method] (location)`.
fn named(call: &str, start: usize) -> Option<FrameLine<'_>> {
    let end = call.strip_suffix(')')?.len();
    let open = opening(&call[start..end])? + start;
    let inside = open + " (".len()..end;
    let mut function = start..open;
    if call[function.clone()].ends_with(']')
        && let Some(alias) = call[function.clone()].rfind(" [as ")
    {
        function.end = start + alias;
    }
    let place = placed(call, function, inside)?;
    let url = place.location.url;
    let is_word = !url.contains([' ', '\t']) && url.contains(|c: char| c.is_alphabetic());
    (is_word || place.location.is_likely()).then_some(place)
}

/// Where the ` (` of the location is. Names and paths may hold one too: the first that a location seems to follow is it.
fn opening(text: &str) -> Option<usize> {
    let likely = text.match_indices(" (").map(|(at, _)| at).find(|at| {
        let inside = &text[at + 2..];
        begins_like_url(inside)
            || inside.starts_with("eval at ")
            || inside.starts_with("address at ")
            || NATIVE.contains(&inside)
    });
    likely.or_else(|| text.find(" ("))
}

fn placed(call: &str, function: Range<usize>, inside: Range<usize>) -> Option<FrameLine<'_>> {
    let text = &call[inside.clone()];
    if text.starts_with("eval at ") {
        return evaluated(call, function, inside);
    }
    let location = if NATIVE.contains(&text) || is_promise_index(text) {
        Location::native()
    } else if let Some(address) = text.strip_prefix("address at ") {
        let mut location = Location::read(address)?;
        location.column = raw_column(address)?.saturating_add(1);
        location
    } else {
        Location::read(text)?
    };
    Some(frame(call, Some(function), inside, location))
}

/// `eval at caller (location), <anonymous>:1:30`, where the location may be another one of the kind. What can be looked up is
/// where `eval` was called, and by whom; unless the code has a name of its own (`sourceURL`).
fn evaluated(call: &str, function: Range<usize>, inside: Range<usize>) -> Option<FrameLine<'_>> {
    let text = &call[inside.clone()];
    if let Some(at) = text.rfind("), ") {
        let own = inside.start + at + "), ".len()..inside.end;
        if let Some(location) = Location::read(&call[own.clone()])
            && location.kind == FrameKind::Script
            && location.is_likely()
        {
            return Some(frame(call, Some(function), own, location));
        }
    }
    let mut start = inside.start;
    let mut caller = function;
    while let Some(rest) = call[start..inside.end].strip_prefix("eval at ") {
        let name = start + "eval at ".len();
        let open = name + opening(rest)?;
        caller = name..open;
        start = open + " (".len();
    }
    let rest = &call[start..inside.end];
    // Several levels of `eval` end together: `(eval at a (eval at b (url:1:2)), <anonymous>:1:7)`.
    let end = rest.find("), ").or_else(|| rest.rfind(')'))?;
    let text = rest[..end].trim_end_matches(')');
    let end = start + text.len();
    let location = if NATIVE.contains(&text) {
        Location::native()
    } else {
        Location::read(text)?
    };
    Some(frame(call, Some(caller), start..end, location))
}

/// `at [async ]location`.
fn bare(call: &str, start: usize) -> Option<FrameLine<'_>> {
    let text = &call[start..];
    let location = if NATIVE.contains(&text) && text != "native" {
        Location::native()
    } else {
        Location::read(text)?
    };
    if !location.is_likely() {
        return None;
    }
    let mut frame = frame(call, None, start..call.len(), location);
    frame.bare = Bare::Parentheses;
    Some(frame)
}

fn frame<'a>(
    call: &'a str,
    function: Option<Range<usize>>,
    location_range: Range<usize>,
    location: Location<'a>,
) -> FrameLine<'a> {
    FrameLine {
        function: function.clone().map_or("", |range| &call[range]),
        function_range: function,
        location,
        location_range,
        is_constructor: false,
        is_async: false,
        bare: Bare::No,
    }
}

/// The last number, which is a count of bytes from 0 in Hermes.
fn raw_column(address: &str) -> Option<u32> {
    address.rsplit(':').next()?.parse().ok()
}

/// `Promise.all (index 3)`.
fn is_promise_index(text: &str) -> bool {
    let number = text.strip_prefix("index ");
    number.is_some_and(|n| !n.is_empty() && n.bytes().all(|b| b.is_ascii_digit()))
}

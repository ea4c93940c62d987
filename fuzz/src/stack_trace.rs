//! What must hold of every stack trace.

use srcmap::stack::{Rewritten, Stack};

/// Reads a text. Rewriting each frame with what is there gives the same bytes, and ranges are in order.
pub fn stack_trace(text: &[u8]) {
    let Ok(text) = std::str::from_utf8(text) else {
        return;
    };
    let stack = Stack::parse(text);
    let same = stack.rewrite(|frame| {
        let named = frame.function.and(frame.function_range.clone());
        Some(Rewritten {
            function: named.map(|range| text[range].to_owned()),
            location: text[frame.location_range.clone()].to_owned(),
        })
    });
    assert_eq!(same, text);
    let mut end = 0;
    for frame in stack.frames() {
        let function = frame.function_range.clone().unwrap_or(end..end);
        for range in [function, frame.location_range.clone()] {
            assert!(end <= range.start && range.start <= range.end, "{frame:?}");
            end = range.end;
        }
    }
    for header in stack.headers() {
        assert!(header.frames.end <= stack.frames().len(), "{header:?}");
    }
}

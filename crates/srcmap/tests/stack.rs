//! Stack traces of all engines: what is found in the fixtures, and what a rewrite leaves alone.

#![expect(clippy::unwrap_used, reason = "what does not hold ends the test")]

use std::fmt::Write;

use proptest::prelude::*;
use srcmap::stack::{Frame, FrameKind, Link, MAX_FRAMES, Rewritten, Stack};

const FIXTURES: [(&str, &str); 5] = [
    ("given", include_str!("fixtures/stacks/given.txt")),
    ("node-20", include_str!("fixtures/stacks/node-20.txt")),
    (
        "chromium-156",
        include_str!("fixtures/stacks/chromium-156.txt"),
    ),
    ("written", include_str!("fixtures/stacks/written.txt")),
    ("foreign", include_str!("fixtures/stacks/foreign.txt")),
];

#[test]
fn every_line_of_the_fixtures_is_a_frame_or_stays_raw() {
    for (name, text) in FIXTURES {
        let mut shown = String::new();
        for section in text.split("\n---\n") {
            show(section, &mut shown);
        }
        insta::assert_snapshot!(name, shown);
    }
}

#[test]
fn nothing_in_the_traces_of_other_languages_is_a_frame() {
    let (_, text) = FIXTURES[4];
    let stack = Stack::parse(text);
    assert_eq!(stack.frames(), []);
    assert_eq!(stack.headers(), []);
}

/// One line for each of the text: what is a frame shows what was read, the rest stands behind a bar.
fn show(section: &str, out: &mut String) {
    let (title, text) = section.split_once('\n').unwrap();
    writeln!(out, "{title}").unwrap();
    let stack = Stack::parse(text);
    for header in stack.headers() {
        let kind = header.kind.unwrap_or("-");
        let (link, frames, message) = (header.link, &header.frames, header.message);
        writeln!(out, "  {link:?} {kind} {message:?} {frames:?}").unwrap();
    }
    for (line, frame) in stack.lines() {
        match frame {
            None => writeln!(out, "  | {line}").unwrap(),
            Some(frame) => {
                let kind = format!("{:?}", frame.kind).to_lowercase();
                let name = frame.function.unwrap_or("-");
                let new = if frame.is_constructor { "new " } else { "" };
                let later = if frame.is_async { "async " } else { "" };
                let (url, line, column) = (frame.url, frame.line, frame.column);
                writeln!(
                    out,
                    "  {kind:8} {later}{new}{name} · {url} · {line} · {column}"
                )
                .unwrap();
            }
        }
    }
}

fn renamed(text: &str) -> String {
    Stack::parse(text).rewrite(|_| {
        Some(Rewritten {
            function: Some("pay".to_owned()),
            location: "src/a.ts:3:4".to_owned(),
        })
    })
}

#[test]
fn a_rewrite_changes_the_function_and_the_location_alone() {
    for (line, expected) in [
        ("\tat n.x (/a.js:1:2)", "\tat pay (src/a.ts:3:4)"),
        ("    at /a (b)/a.js:1:2", "    at pay (src/a.ts:3:4)"),
        (
            "    at async n (/a.js:1:2)",
            "    at async pay (src/a.ts:3:4)",
        ),
        ("    at async /a.js:1:2", "    at async pay (src/a.ts:3:4)"),
        ("    at new n (/a.js:1:2)", "    at new pay (src/a.ts:3:4)"),
        (
            "    at n [as x] (/a.js:1:2)",
            "    at pay [as x] (src/a.ts:3:4)",
        ),
        ("    at n (/a.js:1:2) {", "    at pay (src/a.ts:3:4) {"),
        ("    at /a.js:1:2,  ", "    at pay (src/a.ts:3:4),  "),
        (
            "at eval (eval at n (http://x.test/a.js:21:17), <anonymous>:1:30)",
            "at eval (eval at pay (src/a.ts:3:4), <anonymous>:1:30)",
        ),
        (
            "at eval (eval at n (eval at m (/a.js:21:17)), <anonymous>:1:30)",
            "at eval (eval at n (eval at pay (src/a.ts:3:4)), <anonymous>:1:30)",
        ),
        (
            "    at n (address at a.bundle:1:2)",
            "    at pay (src/a.ts:3:4)",
        ),
        ("n@https://x.test/a.js:1:2", "pay@src/a.ts:3:4"),
        ("async*n@https://x.test/a.js:1:2", "async*pay@src/a.ts:3:4"),
        ("@https://x.test/a.js:1:2", "pay@src/a.ts:3:4"),
        ("https://x.test/a.js:1:2", "pay@src/a.ts:3:4"),
        (
            "    at Array.map (<anonymous>)",
            "    at Array.map (<anonymous>)",
        ),
        (
            "    at async Promise.all (index 0)",
            "    at async Promise.all (index 0)",
        ),
        ("    at node:events:5:1", "    at node:events:5:1"),
        ("map@[native code]", "map@[native code]"),
    ] {
        assert_eq!(renamed(line), expected);
    }
}

#[test]
fn a_rewrite_without_a_function_keeps_the_name() {
    let stack = Stack::parse("  at n (/a.js:1:2)\r\n  at /a.js:1:2\r\nhttp://x.test/a.js:1:2\r\n");
    let rewritten = stack.rewrite(|_| {
        Some(Rewritten {
            function: None,
            location: "a.ts:3:4".to_owned(),
        })
    });
    assert_eq!(
        rewritten,
        "  at n (a.ts:3:4)\r\n  at a.ts:3:4\r\na.ts:3:4\r\n"
    );
}

#[test]
fn a_name_from_a_map_can_not_add_a_line() {
    let stack = Stack::parse("at n (/a.js:1:2)");
    let rewritten = stack.rewrite(|_| {
        Some(Rewritten {
            function: Some("a\n    at forged".to_owned()),
            location: "b\nc:1:2".to_owned(),
        })
    });
    assert_eq!(rewritten, "at a     at forged (b c:1:2)");
}

#[test]
fn lines_may_end_with_carriage_returns() {
    let text = "Error: a\r\nb\r\n    at f (/a.js:1:2)\r\n    at /b.js:3:4\r\n";
    let stack = Stack::parse(text);
    let places: Vec<_> = stack
        .frames()
        .iter()
        .map(|f| (f.url, f.line, f.column))
        .collect();
    assert_eq!(places, [("/a.js", 1, 2), ("/b.js", 3, 4)]);
    assert_eq!(stack.headers()[0].message, "a\r\nb");
}

#[test]
fn a_frame_in_a_known_message_is_no_frame() {
    let text = "Error: first\n    at fake (/fake.js:1:2)\n    at real (/real.js:1:2)";
    let message = "first\n    at fake (/fake.js:1:2)";
    let urls = |stack: &Stack<'_>| -> Vec<String> {
        stack.frames().iter().map(|f| f.url.to_owned()).collect()
    };
    assert_eq!(urls(&Stack::parse(text)), ["/fake.js", "/real.js"]);
    let stack = Stack::parse_with_message(text, message);
    assert_eq!(urls(&stack), ["/real.js"]);
    assert_eq!(stack.headers()[0].message, message);
    for other in ["", "second", "    at real"] {
        assert_eq!(
            Stack::parse_with_message(text, other).frames().len(),
            2,
            "{other:?}"
        );
    }
}

#[test]
fn an_address_of_hermes_is_counted_from_zero() {
    let stack = Stack::parse("    at f (address at index.android.bundle:1:290501)");
    let frame = &stack.frames()[0];
    assert_eq!(
        (frame.line, frame.column, frame.kind),
        (1, 290_502, FrameKind::Script)
    );
}

#[test]
fn causes_and_members_are_told_with_their_frames() {
    let (_, text) = FIXTURES[1];
    let section = |name: &str| text.split("\n---\n").find(|s| s.starts_with(name)).unwrap();
    let chain = section("# cause chain").split_once('\n').unwrap().1;
    let stack = Stack::parse(chain);
    let links: Vec<_> = stack
        .headers()
        .iter()
        .map(|h| (h.link, h.kind, h.message))
        .collect();
    assert_eq!(
        links,
        [
            (Link::Thrown, Some("Error"), "outer"),
            (Link::Cause, Some("TypeError"), "middle"),
            (
                Link::Cause,
                Some("SyntaxError"),
                "Unexpected token 'o', \"nope\" is not valid JSON"
            ),
        ]
    );
    let ends: Vec<_> = stack.headers().iter().map(|h| h.frames.end).collect();
    assert_eq!(ends[2], stack.frames().len());
    let members = section("# aggregate").split_once('\n').unwrap().1;
    let stack = Stack::parse(members);
    let links: Vec<_> = stack
        .headers()
        .iter()
        .map(|h| (h.link, h.message))
        .collect();
    assert_eq!(
        links,
        [
            (Link::Thrown, "several"),
            (Link::Member, "one"),
            (Link::Member, "two\n    lines"),
        ]
    );
}

#[test]
fn frames_beyond_the_limit_stay_raw_and_are_counted() {
    let text = "    at f (/a.js:1:2)\n".repeat(MAX_FRAMES + 7);
    let stack = Stack::parse(&text);
    assert_eq!(
        (stack.frames().len(), stack.frames_left_out()),
        (MAX_FRAMES, 7)
    );
    assert_eq!(renamed(&text).matches("/a.js").count(), 7);
}

/// Each would take minutes if the time grew with the square.
#[test]
fn long_lines_are_read_in_one_pass() {
    const LEN: usize = 1 << 18;
    for piece in [
        "at ",
        "a (",
        "eval at a (",
        "(",
        ")",
        "), ",
        ":1",
        ":1:2",
        "@",
        "a@http:",
        "*",
        " [as ",
        ".",
        "/",
        " > eval line 1",
        "]",
        "wasm-function[",
        "1",
        "Error: ",
        "[",
        "\\",
    ] {
        for (before, after) in [
            ("", ""),
            ("    at ", ""),
            ("    at f (", ":1:2)"),
            ("@", ":1:2"),
        ] {
            let text = format!("{before}{}{after}", piece.repeat(LEN / piece.len()));
            assert_eq!(identity(&text), text);
        }
    }
}

fn identity(text: &str) -> String {
    Stack::parse(text).rewrite(|frame| {
        Some(Rewritten {
            function: frame
                .function
                .and(frame.function_range.clone())
                .map(|r| text[r].to_owned()),
            location: text[frame.location_range.clone()].to_owned(),
        })
    })
}

/// What parsers stumble over, put together at random.
fn hostile() -> impl Strategy<Value = String> {
    let pieces = prop::sample::select(vec![
        "at ",
        "    at ",
        "\n",
        "\r\n",
        " (",
        ")",
        "(",
        "<anonymous>",
        "async ",
        "new ",
        "eval at ",
        "), ",
        ":1:2",
        ":",
        "1",
        "99999999999",
        "@",
        "*",
        "http://x.test/a.js",
        "/a b/c.js",
        "C:\\a.js",
        "node:fs",
        "[native code]",
        " line 5 > eval",
        "address at ",
        "index 0",
        " [as m]",
        "wasm-function[1]",
        ":0x1f",
        "é",
        "𝒳",
        "Error: ",
        "[cause]: ",
        "Caused by: ",
        "[errors]: [",
        "]",
        " {",
        ",",
        "\t",
        "f",
        ".ts",
        "global code",
        "\u{2028}",
        "\r",
    ]);
    prop::collection::vec(pieces, 0..40).prop_map(|pieces| pieces.concat())
}

fn holds(text: &str) -> Result<(), TestCaseError> {
    let stack = Stack::parse(text);
    prop_assert_eq!(stack.rewrite(|_| None), text);
    prop_assert_eq!(identity(text), text);
    let mut end = 0;
    for frame in stack.frames() {
        check_frame(text, frame, &mut end)?;
    }
    let mut headers = 0;
    for header in stack.headers() {
        prop_assert!(header.frames.start >= headers && header.frames.end <= stack.frames().len());
        headers = header.frames.end;
    }
    let framed = stack.lines().filter(|(_, frame)| frame.is_some()).count();
    prop_assert_eq!(framed, stack.frames().len());
    Ok(())
}

fn check_frame(text: &str, frame: &Frame<'_>, end: &mut usize) -> Result<(), TestCaseError> {
    let function = frame.function_range.clone().unwrap_or(*end..*end);
    let location = frame.location_range.clone();
    for range in [function, location] {
        prop_assert!(
            range.start >= *end && range.end >= range.start,
            "{:?}",
            frame
        );
        prop_assert!(text.get(range.clone()).is_some());
        prop_assert!(!text[range.clone()].contains('\n'));
        *end = range.end;
    }
    if frame.kind == FrameKind::Script {
        prop_assert!(frame.line > 0 && frame.column > 0 && !frame.url.is_empty());
        prop_assert!(text[frame.location_range.clone()].contains(frame.url));
    }
    Ok(())
}

proptest! {
    #[test]
    fn a_rewrite_with_the_identity_gives_the_same_bytes(text in any::<String>(), other in hostile()) {
        holds(&text)?;
        holds(&other)?;
    }

    #[test]
    fn a_frame_of_v8_is_read_as_it_was_written(
        name in "[A-Za-z_$][A-Za-z0-9_$.]{0,20}",
        // What stands before a query says of which language the file is.
        url in "(https://|/|file:///)[a-z][a-z0-9/._=&()@ -]{0,30}\\.js(\\?[a-z0-9/._=&()@ -]{0,10}[a-z0-9])?",
        line in 1_u32..,
        column in 1_u32..,
    ) {
        prop_assume!(!["async", "new", "at"].contains(&&*name) && !url.contains(" (/"));
        for text in [
            format!("    at {name} ({url}:{line}:{column})"),
            format!("    at {url}:{line}:{column}"),
        ] {
            let stack = Stack::parse(&text);
            prop_assert_eq!(stack.frames().len(), 1, "{}", text);
            let frame = &stack.frames()[0];
            prop_assert_eq!((frame.url, frame.line, frame.column), (&*url, line, column));
        }
    }
}

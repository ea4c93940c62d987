//! JavaScript stack traces, as the engines write them: which text of which line is a function and which is a location.
//!
//! ```
//! use srcmap::stack::{Rewritten, Stack};
//!
//! let text = "Error: no\n    at n (/app/dist/main.js:1:34021)\n    at Array.map (<anonymous>)\n";
//! let stack = Stack::parse(text);
//! assert_eq!(stack.frames().len(), 2);
//! assert_eq!(stack.headers()[0].message, "no");
//!
//! let resolved = stack.rewrite(|frame| {
//!     assert_eq!((frame.url, frame.line, frame.column), ("/app/dist/main.js", 1, 34021));
//!     Some(Rewritten {
//!         function: Some("chargeCustomer".to_owned()),
//!         location: "src/payment.ts:12:9".to_owned(),
//!     })
//! });
//! assert_eq!(
//!     resolved,
//!     "Error: no\n    at chargeCustomer (src/payment.ts:12:9)\n    at Array.map (<anonymous>)\n"
//! );
//! ```
//!
//! # What is a frame
//!
//! Each line is judged alone. Forms that are read:
//!
//! - V8, and after it Hermes, Chakra and Bun: `at [async ][new ]function [as method] (location)` and `at [async ]location`.
//! - SpiderMonkey and JavaScriptCore: `function@location`, and a URL alone, which is JavaScriptCore's anonymous function.
//!
//! A location that is in a file has a line *and* a column: Java, .NET, Python, Go and Ruby write no column, so that no line of
//! theirs is a frame. Rust and Kotlin do; they are told apart by the extension of the file.
//!
//! # Messages that look like frames
//!
//! V8 puts the message before the frames, and a message may hold a whole stack of its own. Nothing in the text says where it
//! ends, so [`Stack::parse`] takes such a line for a frame: it names a place in a bundle, and who reads the message gains from
//! the original one. Who knows the message (OpenTelemetry's `exception.message`) gives it to [`Stack::parse_with_message`], and
//! its lines are left alone.
//!
//! # Not for
//!
//! Text inside of JSON (escaped line ends), lines with a logger's prefix, and terminal colours: those lines stay raw.

mod at_sign;
mod at_word;
mod headers;
mod line;
mod location;
mod original;

use std::ops::Range;

pub use headers::{Header, Link, MAX_HEADERS};
pub use original::OriginalFacts;

use line::FrameLine;

/// The frames of one text that are read. Lines that come after stay raw and are counted by [`Stack::frames_left_out`].
pub const MAX_FRAMES: usize = 1_000;

/// A text with the frames that were found in it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stack<'a> {
    text: &'a str,
    frames: Vec<Frame<'a>>,
    frames_left_out: usize,
    headers: Vec<Header<'a>>,
}

/// One call, as a line of the text tells it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Frame<'a> {
    /// The line of the text, from 0.
    pub line_index: usize,
    /// The function at [`Frame::location`](Frame::location_range): without `async`, `new` and `[as method]`, which are told
    /// apart. In code that was given to `eval`, the function that called `eval`. `None` for functions without a name.
    pub function: Option<&'a str>,
    /// The file or URL, as it is written; empty when the frame names none.
    pub url: &'a str,
    /// From 1; 0 when the frame names none. Never 0 in a [`FrameKind::Script`].
    pub line: u32,
    /// From 1, in UTF-16 units; 0 when the frame names none. Never 0 in a [`FrameKind::Script`]. Hermes counts the bytes of its
    /// bytecode from 0 (`address at`); one is added here, so that `column - 1` is a map's column in each case.
    pub column: u32,
    /// Bytes of the text that hold the function's name: empty where a name may be put in, `None` where the line has no place.
    pub function_range: Option<Range<usize>>,
    /// Bytes of the text that hold the location: `url:line:column`, or what stands in its place.
    pub location_range: Range<usize>,
    /// Whether the location can be looked up.
    pub kind: FrameKind,
    /// The function was called by `new`.
    pub is_constructor: bool,
    /// The frame stands for the continuation of an asynchronous function, or for who waits for it.
    pub is_async: bool,
    /// How a name is put in where the line has none.
    bare: Bare,
}

/// What a frame's location is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum FrameKind {
    /// A line and a column of a script that was loaded from a file or an address: worth resolving.
    Script,
    /// JavaScript of the engine or the runtime itself: `node:internal/…`, `InternalBytecode.js`.
    Internal,
    /// No script: a built-in function (`<anonymous>`, `[native code]`), an aggregate (`Promise.all (index 0)`), or code without
    /// a file (the console).
    Native,
    /// Code given to `eval`, of which the text tells the line of the call and no column (SpiderMonkey).
    Eval,
    /// A function of a WebAssembly module.
    Wasm,
}

/// What [`Stack::rewrite`] writes into a frame.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rewritten {
    /// The function's name; `None` keeps what is there.
    pub function: Option<String>,
    /// What replaces the location, usually `source:line:column`.
    pub location: String,
}

/// A line that names no function: what a name needs around it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Bare {
    /// The line names one, or has a place for it.
    No,
    /// `at location` becomes `at name (location)`.
    Parentheses,
    /// `location` becomes `name@location`.
    AtSign,
}

impl<'a> Stack<'a> {
    /// Reads a text. Takes time in proportion to its length, whatever is in it.
    pub fn parse(text: &'a str) -> Self {
        Self::parse_from(text, 0)
    }

    /// Reads a text of which the exception's message is known. When the message begins in the first line, as it does in what V8
    /// writes, then no line that it reaches into is a frame.
    pub fn parse_with_message(text: &'a str, message: &str) -> Self {
        let first_line_end = text.find('\n').unwrap_or(text.len());
        let head_end = text.find(message).filter(|at| *at <= first_line_end);
        Self::parse_from(text, head_end.map_or(0, |at| at + message.len()))
    }

    /// The frames, in the order of the text.
    pub fn frames(&self) -> &[Frame<'a>] {
        &self.frames
    }

    /// How many lines are frames, but beyond [`MAX_FRAMES`].
    pub fn frames_left_out(&self) -> usize {
        self.frames_left_out
    }

    /// The exceptions whose frames these are, from the one that was caught to its last cause. Empty when the text has no frame,
    /// or no message (SpiderMonkey and JavaScriptCore keep it elsewhere).
    pub fn headers(&self) -> &[Header<'a>] {
        &self.headers
    }

    /// The text that was read.
    pub fn text(&self) -> &'a str {
        self.text
    }

    /// All lines without their ends (`\n`, `\r\n`), each with its frame if it is one.
    pub fn lines(&self) -> impl Iterator<Item = (&'a str, Option<&Frame<'a>>)> {
        let mut frames = self.frames.iter().peekable();
        line::lines(self.text).map(move |line| {
            let frame = frames.next_if(|frame| frame.line_index == line.index);
            (line.text, frame)
        })
    }

    /// The text with other functions and locations. Asks for each frame of [`FrameKind::Script`], in order; the rest of the text
    /// stays as it is, byte for byte. A line feed in what is put in becomes a space, so that no map can add a line.
    pub fn rewrite(&self, mut change: impl FnMut(&Frame<'a>) -> Option<Rewritten>) -> String {
        let mut out = String::with_capacity(self.text.len());
        let mut copied = 0;
        let scripts = self.frames.iter().filter(|f| f.kind == FrameKind::Script);
        for frame in scripts {
            let Some(new) = change(frame) else { continue };
            let location = &frame.location_range;
            let name = new.function.map(one_line);
            let place = one_line(new.location);
            if let (Some(range), Some(name)) = (&frame.function_range, &name) {
                out.push_str(&self.text[copied..range.start]);
                out.push_str(name);
                copied = range.end;
            }
            out.push_str(&self.text[copied..location.start]);
            match (frame.bare, &name) {
                (Bare::Parentheses, Some(name)) => out.extend([name, " (", &place, ")"]),
                (Bare::AtSign, Some(name)) => out.extend([name, "@", &place]),
                _ => out.push_str(&place),
            }
            copied = location.end;
        }
        out.push_str(&self.text[copied..]);
        out
    }

    fn parse_from(text: &'a str, head_end: usize) -> Self {
        let mut frames = Vec::new();
        let mut frames_left_out = 0;
        for line in line::lines(text).filter(|line| line.start >= head_end) {
            let Some(found) = FrameLine::read(line.text) else {
                continue;
            };
            if frames.len() == MAX_FRAMES {
                frames_left_out += 1;
            } else {
                frames.push(found.into_frame(&line));
            }
        }
        let headers = headers::read(text, &frames);
        Self {
            text,
            frames,
            frames_left_out,
            headers,
        }
    }
}

impl<'a> Frame<'a> {
    /// What speaks for the location being an original one already.
    pub fn original_facts(&self) -> OriginalFacts {
        OriginalFacts::of(self.url)
    }
}

fn one_line(text: String) -> String {
    if text.contains('\n') {
        text.replace('\n', " ")
    } else {
        text
    }
}

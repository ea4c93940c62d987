//! Types and messages of the exceptions in a text: what stands before the frames.

use std::ops::Range;

use super::Frame;
use super::line::{Line, lines};

/// The exceptions of one text that are told apart.
pub const MAX_HEADERS: usize = 100;

/// An exception of the text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Header<'a> {
    /// Its first line, from 0.
    pub line_index: usize,
    /// How it belongs to the one before it.
    pub link: Link,
    /// `TypeError`, without Node's `[ERR_CODE]`; `None` when the line has no type.
    pub kind: Option<&'a str>,
    /// The message with all of its lines, as they are in the text.
    pub message: &'a str,
    /// Which of the stack's frames are its own.
    pub frames: Range<usize>,
}

/// How exceptions of one text belong together.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Link {
    /// The exception that was caught, or another one written behind it.
    Thrown,
    /// The cause of the one before: `Caused by:`, `[cause]:`.
    Cause,
    /// One of the errors of an `AggregateError`.
    Member,
}

const CAUSES: &[&str] = &["[cause]: ", "Caused by: ", "caused by: ", "cause: "];
const GREETINGS: &[&str] = &["Uncaught ", "(in promise) "];
const LISTS: &[&str] = &["[errors]: [", "errors: ["];

/// Reads the headers around frames that were found before.
pub(super) fn read<'a>(text: &'a str, frames: &[Frame<'a>]) -> Vec<Header<'a>> {
    let mut reader = Reader {
        text,
        headers: Vec::new(),
        candidate: None,
        list_indent: None,
    };
    let mut remaining = frames.iter().enumerate().peekable();
    let mut seen = 0;
    for line in lines(text) {
        match remaining.next_if(|(_, frame)| frame.line_index == line.index) {
            Some((index, _)) => {
                reader.close(line.start, index);
                seen = index + 1;
            }
            None if !frames.is_empty() => reader.raw(&line, seen),
            None => {}
        }
        if reader.headers.len() == MAX_HEADERS {
            break;
        }
    }
    reader.finish(frames.len())
}

struct Reader<'a> {
    text: &'a str,
    headers: Vec<Header<'a>>,
    /// The line that begins the next header, if frames follow.
    candidate: Option<Candidate<'a>>,
    /// The indentation of the list of errors that the lines are in.
    list_indent: Option<usize>,
}

struct Candidate<'a> {
    line_index: usize,
    link: Link,
    kind: Option<&'a str>,
    message_start: usize,
    line_end: usize,
    is_bracketed: bool,
    strength: Strength,
}

/// How sure it is that a line begins an exception.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Strength {
    /// The first line that is not empty: what there is.
    First,
    /// It begins with a type's name.
    Typed,
    /// It says that it is a cause.
    Said,
}

impl<'a> Reader<'a> {
    fn raw(&mut self, line: &Line<'a>, frames_seen: usize) {
        let content = line.text.trim_start();
        let indent = line.text.len() - content.len();
        if LISTS.iter().any(|list| content.starts_with(list)) {
            self.close(line.start, frames_seen);
            self.list_indent = Some(indent);
            return;
        }
        if self
            .list_indent
            .is_some_and(|list| indent <= list && content.starts_with(']'))
        {
            self.list_indent = None;
        }
        let Some(found) = self.candidate_of(line, content, indent, frames_seen) else {
            return;
        };
        match &self.candidate {
            // A cause without frames, and another one after it.
            Some(old) if old.strength == Strength::Said && found.strength == Strength::Said => {
                self.close(old.line_end, frames_seen);
                self.candidate = Some(found);
            }
            Some(old) if old.strength >= found.strength => {}
            _ => self.candidate = Some(found),
        }
    }

    fn candidate_of(
        &self,
        line: &Line<'a>,
        content: &'a str,
        indent: usize,
        frames_seen: usize,
    ) -> Option<Candidate<'a>> {
        let (is_cause, rest) = without_prefixes(content);
        // Node writes an error without frames in brackets.
        let bracketed = rest.strip_prefix('[');
        let (kind, message) = split_type(bracketed.unwrap_or(rest));
        let is_typed = kind.is_some_and(|kind| {
            ["Error", "Exception", "Warning", "Rejection"]
                .iter()
                .any(|end| kind.ends_with(end))
        });
        let strength = if is_cause {
            Strength::Said
        } else if is_typed {
            Strength::Typed
        } else if frames_seen == 0 && !content.is_empty() {
            Strength::First
        } else {
            return None;
        };
        let link = if is_cause {
            Link::Cause
        } else if self.list_indent.is_some_and(|list| indent > list) {
            Link::Member
        } else {
            Link::Thrown
        };
        Some(Candidate {
            line_index: line.index,
            link,
            kind,
            message_start: line.start + line.text.len() - message.len(),
            line_end: line.start + line.text.len(),
            is_bracketed: bracketed.is_some(),
            strength,
        })
    }

    /// The candidate's message ends, and its frames begin.
    fn close(&mut self, message_end: usize, first_frame: usize) {
        let Some(found) = self.candidate.take() else {
            return;
        };
        if let Some(last) = self.headers.last_mut() {
            last.frames.end = first_frame;
        }
        let mut message = self.text[found.message_start..message_end].trim();
        if found.is_bracketed {
            message = message.strip_suffix(" {").unwrap_or(message);
            message = message.strip_suffix(']').unwrap_or(message);
        }
        self.headers.push(Header {
            line_index: found.line_index,
            link: found.link,
            kind: found.kind,
            message,
            frames: first_frame..first_frame,
        });
    }

    fn finish(mut self, frames: usize) -> Vec<Header<'a>> {
        let unframed = self
            .candidate
            .as_ref()
            .filter(|c| c.strength == Strength::Said);
        if let Some(end) = unframed.map(|c| c.line_end) {
            self.close(end, frames);
        }
        if let Some(last) = self.headers.last_mut() {
            last.frames.end = frames;
        }
        self.headers
    }
}

fn without_prefixes(content: &str) -> (bool, &str) {
    let mut rest = content;
    let cause = CAUSES.iter().find_map(|prefix| rest.strip_prefix(prefix));
    rest = cause.unwrap_or(rest);
    for greeting in GREETINGS {
        rest = rest.strip_prefix(greeting).unwrap_or(rest);
    }
    (cause.is_some(), rest)
}

/// Splits `Type: message`, `Type [CODE]: message` and `Type`.
fn split_type(line: &str) -> (Option<&str>, &str) {
    let is_part = |c: char| c.is_alphanumeric() || matches!(c, '_' | '$' | '.');
    let end = line.find(|c| !is_part(c)).unwrap_or(line.len());
    let (kind, rest) = line.split_at(end);
    if !kind.starts_with(|c: char| c.is_alphabetic() || matches!(c, '_' | '$')) {
        return (None, line);
    }
    let after_code = rest
        .strip_prefix(" [")
        .and_then(|rest| rest.split_once(']'));
    let rest = after_code.map_or(rest, |(_, rest)| rest);
    if rest.trim().is_empty() {
        (Some(kind), "")
    } else if let Some(message) = rest.strip_prefix(": ").or_else(|| rest.strip_prefix(':')) {
        // A path of Windows and an address begin like a type.
        if message.starts_with(['/', '\\']) {
            (None, line)
        } else {
            (Some(kind), message)
        }
    } else {
        (None, line)
    }
}

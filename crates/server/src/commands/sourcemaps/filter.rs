//! Finds stack traces in what runs through, and lets everything else pass at once.

use srcmap::stack::Stack;

/// Lines of one stack that are held back until it ends.
const MAX_LINES: usize = 500;

/// Collects the frames of a stack trace line by line.
#[derive(Default)]
pub(super) struct Filter {
    held: String,
    lines: usize,
}

/// What to do after a line.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Passed {
    /// A stack that ended, to be resolved and written first.
    pub(super) stack: Option<String>,
    /// The line, to be written as it is.
    pub(super) line: Option<String>,
}

impl Filter {
    /// Takes a line with its end. Frames are held until a line comes that is none.
    pub(super) fn take(&mut self, line: &str) -> Passed {
        if !Stack::parse(line).frames().is_empty() {
            self.held.push_str(line);
            self.lines += 1;
            let stack = (self.lines >= MAX_LINES).then(|| self.end()).flatten();
            return Passed { stack, line: None };
        }
        Passed {
            stack: self.end(),
            line: Some(line.to_owned()),
        }
    }

    /// The stack that was held: nothing more came, or nothing came for a while.
    pub(super) fn end(&mut self) -> Option<String> {
        self.lines = 0;
        (!self.held.is_empty()).then(|| std::mem::take(&mut self.held))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn frames_are_held_until_another_line_comes() {
        let mut filter = Filter::default();
        let passed = |line: &str| Passed {
            stack: None,
            line: Some(line.to_owned()),
        };
        let held = Passed {
            stack: None,
            line: None,
        };
        assert_eq!(filter.take("TypeError: x\n"), passed("TypeError: x\n"));
        assert_eq!(filter.take("    at a (/app/main.js:1:2)\n"), held);
        assert_eq!(filter.take("    at /app/main.js:1:9\r\n"), held);
        let after = filter.take("listening\n");
        let stack = "    at a (/app/main.js:1:2)\n    at /app/main.js:1:9\r\n";
        assert_eq!(after.stack.as_deref(), Some(stack));
        assert_eq!(after.line.as_deref(), Some("listening\n"));
        assert_eq!(filter.end(), None);
    }

    #[test]
    fn a_stack_that_does_not_end_is_given_in_parts() {
        let mut filter = Filter::default();
        let mut given = 0;
        for _ in 0..2 * MAX_LINES {
            let passed = filter.take("    at a (/app/main.js:1:2)\n");
            given += passed.stack.map_or(0, |stack| stack.lines().count());
        }
        assert_eq!(given, 2 * MAX_LINES);
    }
}

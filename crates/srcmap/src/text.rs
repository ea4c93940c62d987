//! Lines and UTF-16 columns of a text, as byte offsets.
//!
//! A line ends where ECMA-262 has a LineTerminatorSequence: LF, CR, CR LF, U+2028, U+2029. That is how the engines and the tools that write maps
//! count lines.

/// Finds positions in a text. Making one reads the text once; asking for a position reads two blocks of it at most.
pub(crate) struct TextIndex<'t> {
    text: &'t str,
    line_starts: Vec<usize>,
    /// UTF-16 units before each block. Empty where the text is ASCII: there a unit is a byte.
    units: Vec<usize>,
}

const BLOCK_BYTES: usize = 128;

impl<'t> TextIndex<'t> {
    pub(crate) fn new(text: &'t str) -> Self {
        let mut line_starts = vec![0];
        let mut at = 0;
        while let Some((_, next)) = line_end(text.as_bytes(), at) {
            line_starts.push(next);
            at = next;
        }
        let units = if text.is_ascii() {
            Vec::new()
        } else {
            let mut sum = 0;
            let blocks = text.as_bytes().chunks(BLOCK_BYTES);
            blocks
                .map(|block| {
                    let before = sum;
                    sum += block.iter().map(|&byte| units_of(byte)).sum::<usize>();
                    before
                })
                .collect()
        };
        Self {
            text,
            line_starts,
            units,
        }
    }

    /// Where each line begins; the first one at 0.
    pub(crate) fn line_starts(&self) -> &[usize] {
        &self.line_starts
    }

    /// The byte offset of a position, or `None` if the line has no such column. The end of a line is a position of it.
    pub(crate) fn offset(&self, line: u32, column: u32) -> Option<usize> {
        let line = line as usize;
        let start = *self.line_starts.get(line)?;
        let end = match self.line_starts.get(line + 1) {
            Some(&next) => self.before_terminator(next),
            None => self.text.len(),
        };
        let offset = if self.units.is_empty() {
            start.checked_add(column as usize)?
        } else {
            self.offset_of_unit(self.unit_of_offset(start).checked_add(column as usize)?)?
        };
        (offset <= end).then_some(offset)
    }

    fn before_terminator(&self, next: usize) -> usize {
        let bytes = &self.text.as_bytes()[..next];
        match bytes {
            [.., b'\r', b'\n'] => next - 2,
            [.., b'\n' | b'\r'] => next - 1,
            _ => next - 3,
        }
    }

    fn unit_of_offset(&self, offset: usize) -> usize {
        let block = offset / BLOCK_BYTES;
        let Some(&before) = self.units.get(block) else {
            // The end of a text whose last block is full.
            let rest = offset.saturating_sub(BLOCK_BYTES);
            return match self.units.last() {
                Some(last) => last + self.count_units(rest, offset),
                None => offset,
            };
        };
        before + self.count_units(block * BLOCK_BYTES, offset)
    }

    fn count_units(&self, from: usize, to: usize) -> usize {
        let bytes = &self.text.as_bytes()[from..to];
        bytes.iter().map(|&byte| units_of(byte)).sum()
    }

    /// `None` for the middle of a surrogate pair, and for what is beyond the text.
    fn offset_of_unit(&self, unit: usize) -> Option<usize> {
        let block = self.units.partition_point(|&before| before <= unit) - 1;
        let mut count = self.units[block];
        let from = block * BLOCK_BYTES;
        for (at, &byte) in self.text.as_bytes()[from..].iter().enumerate() {
            // Continuation bytes belong to the character before them.
            if count == unit && byte & 0xc0 != 0x80 {
                return Some(from + at);
            }
            if count > unit {
                return None;
            }
            count += units_of(byte);
        }
        (count == unit).then_some(self.text.len())
    }
}

/// Where the line that holds `from` ends, and where the next one begins. `None` for the last line.
pub(crate) fn line_end(bytes: &[u8], from: usize) -> Option<(usize, usize)> {
    let mut at = from;
    loop {
        at += memchr::memchr3(b'\n', b'\r', 0xe2, bytes.get(at..)?)?;
        let len = match &bytes[at..] {
            [b'\r', b'\n', ..] => 2,
            [b'\n' | b'\r', ..] => 1,
            [0xe2, 0x80, 0xa8 | 0xa9, ..] => 3,
            _ => {
                at += 1;
                continue;
            }
        };
        return Some((at, at + len));
    }
}

/// How many UTF-16 units a character has, by its first byte; none for the bytes that follow it.
fn units_of(byte: u8) -> usize {
    match byte {
        0x80..=0xbf => 0,
        0xf0.. => 2,
        _ => 1,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// The same by the definition: all units of all lines, one by one.
    fn naive(text: &str) -> Vec<Vec<usize>> {
        let mut lines = vec![Vec::new()];
        let mut characters = text.char_indices().peekable();
        while let Some((at, character)) = characters.next() {
            let line = lines.last_mut().unwrap();
            line.push(at);
            if character.len_utf16() == 2 {
                line.push(usize::MAX);
            }
            let ends = match character {
                '\r' => {
                    characters.next_if(|next| next.1 == '\n');
                    true
                }
                '\n' | '\u{2028}' | '\u{2029}' => true,
                _ => false,
            };
            if ends {
                lines.push(Vec::new());
            }
        }
        let last = lines.last_mut().unwrap();
        last.push(text.len());
        lines
    }

    proptest! {
        #[test]
        fn positions_are_those_of_counting_every_unit(
            pieces in proptest::collection::vec(
                prop_oneof!["[a-z]{0,700}", "é{0,300}", "😀{0,300}", "…{0,400}", Just("\n".to_owned()),
                    Just("\r".to_owned()), Just("\r\n".to_owned()), Just("\u{2028}".to_owned()), Just("\u{2029}".to_owned())],
                0..12,
            ),
        ) {
            let text = pieces.concat();
            let index = TextIndex::new(&text);
            let lines = naive(&text);
            prop_assert_eq!(index.line_starts().len(), lines.len());
            for (line, columns) in lines.iter().enumerate() {
                for (column, &offset) in columns.iter().enumerate() {
                    let expected = (offset != usize::MAX).then_some(offset);
                    prop_assert_eq!(index.offset(line as u32, column as u32), expected, "{}:{}", line, column);
                }
                prop_assert_eq!(index.offset(line as u32, columns.len() as u32 + 1), None);
            }
            prop_assert_eq!(index.offset(lines.len() as u32, 0), None);
        }
    }
}

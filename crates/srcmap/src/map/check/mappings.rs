//! `mappings`, number by number (ECMA-426, "base64 VLQ", "Mappings grammar", "DecodeMappingsField").

use super::super::limits::MapLimits;
use super::super::vlq::{self, VlqError};
use super::{Place, Report, Rule};

/// Checks `mappings` of a map with so many sources and names. Returns the position of the last mapping, in the order of the generated code.
pub(super) fn check(
    mappings: &str,
    (sources, names): (usize, usize),
    path: &str,
    limits: &MapLimits,
    report: &mut Report,
) -> Option<(u32, u64)> {
    let mut checker = Checker {
        bytes: mappings.as_bytes(),
        at: 0,
        state: [0; 5],
        sources: sources as i64,
        names: names as i64,
        field: format!("{path}mappings"),
        segment: (0, 0),
        report,
    };
    let mut last = None;
    let mut segments = 0;
    loop {
        if checker.is_behind_line() {
            // A line may be empty, a segment may not.
            if checker.segment.1 > 0 {
                checker.add(Rule::SegmentEmpty, "found nothing".to_owned());
            }
        } else if checker.bytes[checker.at] == b',' {
            checker.add(Rule::SegmentEmpty, "found nothing".to_owned());
        } else {
            segments += 1;
            let position = checker.segment();
            last = last.max(position);
        }
        if checker.report.is_full() {
            return last;
        }
        if segments > limits.max_segments {
            let detail = format!("more than {} segments", limits.max_segments);
            checker.add(Rule::Limit, detail);
            return last;
        }
        match checker.bytes.get(checker.at) {
            None => return last,
            Some(b';') => {
                checker.segment = (checker.segment.0.saturating_add(1), 0);
                checker.state[0] = 0;
            }
            Some(_) => checker.segment.1 = checker.segment.1.saturating_add(1),
        }
        checker.at += 1;
    }
}

struct Checker<'a> {
    bytes: &'a [u8],
    at: usize,
    state: [i64; 5],
    sources: i64,
    names: i64,
    field: String,
    segment: (u32, u32),
    report: &'a mut Report,
}

impl Checker<'_> {
    /// Reads one segment, up to the separator behind it. Returns its position in the generated code.
    fn segment(&mut self) -> Option<(u32, u64)> {
        let mut fields = 0;
        while !matches!(self.bytes.get(self.at), None | Some(b',' | b';')) {
            match vlq::decode(self.bytes, &mut self.at) {
                Ok(number) => {
                    if let Some(sum) = self.state.get_mut(fields) {
                        *sum += i64::from(number);
                    }
                    fields += 1;
                }
                Err(error) => {
                    self.add_vlq(error);
                    self.skip_segment();
                    return None;
                }
            }
        }
        if !matches!(fields, 1 | 4 | 5) {
            self.add(Rule::SegmentFields, format!("found {fields}"));
            return None;
        }
        self.sums(fields);
        Some((self.segment.0, u64::try_from(self.state[0]).ok()?))
    }

    fn sums(&mut self, fields: usize) {
        let [column, source, original_line, original_column, name] = self.state;
        if column < 0 {
            self.add(Rule::NegativeColumn, format!("found {column}"));
        }
        if fields < 4 {
            return;
        }
        if source < 0 {
            self.add(Rule::NegativeSource, format!("found {source}"));
        } else if source >= self.sources {
            let detail = format!("found {source}, with {} sources", self.sources);
            self.add(Rule::SourceOutOfBounds, detail);
        }
        if original_line < 0 {
            self.add(Rule::NegativeOriginalLine, format!("found {original_line}"));
        }
        if original_column < 0 {
            self.add(
                Rule::NegativeOriginalColumn,
                format!("found {original_column}"),
            );
        }
        if fields < 5 {
            return;
        }
        if name < 0 {
            self.add(Rule::NegativeName, format!("found {name}"));
        } else if name >= self.names {
            self.add(
                Rule::NameOutOfBounds,
                format!("found {name}, with {} names", self.names),
            );
        }
    }

    fn add_vlq(&mut self, error: VlqError) {
        let rule = match error {
            VlqError::Truncated => Rule::VlqTruncated,
            VlqError::NotBase64(_) => Rule::VlqNotBase64,
            VlqError::Overflow => Rule::VlqTooLarge,
        };
        self.add(rule, error.to_string());
    }

    fn add(&mut self, rule: Rule, detail: String) {
        let place = Place {
            field: self.field.clone(),
            segment: Some(self.segment),
            offset: Some(self.at),
        };
        self.report.add(rule, place, detail);
    }

    fn skip_segment(&mut self) {
        let rest = &self.bytes[self.at..];
        let len = rest.iter().position(|byte| matches!(byte, b',' | b';'));
        self.at += len.unwrap_or(rest.len());
    }

    fn is_behind_line(&self) -> bool {
        matches!(self.bytes.get(self.at), None | Some(b';'))
    }
}

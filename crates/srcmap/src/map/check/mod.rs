//! Strict reading: every rule of ECMA-426 that a map breaks, those whose report the specification leaves to the reader included.

mod fields;
mod mappings;
mod rule;
mod sections;
mod url;

pub use rule::{Place, Rule, Violation};

use super::document;
use super::limits::{MapError, MapLimits};

/// Violations that [`check`] lists at most; the last one then says that there are more.
pub const MAX_VIOLATIONS: usize = 200;

/// Every violation of ECMA-426 in a source map, in the order in which the specification's algorithms meet them. Empty for a conforming map.
///
/// A byte order mark or the line `)]}'` in front is no violation: they belong to how the map is served. A map that is larger than the limits is not looked
/// at further; [`Rule::Limit`] then says which one it met.
pub fn check(json: &[u8], limits: &MapLimits) -> Vec<Violation> {
    let mut report = Report::default();
    if json.len() > limits.max_bytes {
        let detail = format!("{} bytes; the limit is {}", json.len(), limits.max_bytes);
        report.add(Rule::Limit, Place::default(), detail);
        return report.violations;
    }
    match document::text_of(json).and_then(document::read) {
        Ok(document) if document.sections.is_some() => {
            sections::check(&document, limits, &mut report);
        }
        Ok(document) => {
            fields::check(&document, "", limits, &mut report);
        }
        Err(error) => {
            let rule = match error {
                MapError::NotAnObject => Rule::NotAnObject,
                _ => Rule::NotJson,
            };
            let offset = match error {
                MapError::NotUtf8 { offset } => Some(offset),
                _ => None,
            };
            let place = Place {
                offset,
                ..Place::default()
            };
            report.add(rule, place, error.to_string());
        }
    }
    report.violations
}

/// What was found so far.
#[derive(Default)]
struct Report {
    violations: Vec<Violation>,
}

impl Report {
    fn add(&mut self, rule: Rule, place: Place, detail: impl Into<String>) {
        match self.violations.len() {
            0..MAX_VIOLATIONS => self.violations.push(Violation {
                rule,
                place,
                detail: detail.into(),
            }),
            MAX_VIOLATIONS => self.violations.push(Violation {
                rule: Rule::Limit,
                place: Place::default(),
                detail: format!("there are more than {MAX_VIOLATIONS} violations"),
            }),
            _ => {}
        }
    }

    fn field(&mut self, rule: Rule, path: &str, name: &str, detail: impl Into<String>) {
        self.add(rule, Place::field(path, name), detail);
    }

    fn is_full(&self) -> bool {
        self.violations.len() > MAX_VIOLATIONS
    }
}

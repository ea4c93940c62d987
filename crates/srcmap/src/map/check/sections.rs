//! Index maps (ECMA-426, "DecodeIndexSourceMap").

use super::super::document::{self, Document, Value};
use super::super::limits::MapLimits;
use super::{Place, Report, Rule, fields};

/// Checks an index map and the maps in it.
pub(super) fn check(document: &Document<'_>, limits: &MapLimits, report: &mut Report) {
    fields::version(document, "", report);
    fields::debug_ids(document, "", report);
    fields::optional_string(document.file, Rule::FileNotAString, "", "file", report);
    if document.mappings.is_some() {
        let rule = Rule::SectionsAndMappings;
        report.field(rule, "", "mappings", fields::shown(document.mappings));
    }
    let Some(sections) = document.sections else {
        return;
    };
    let rule = Rule::SectionsNotAList;
    let limit = limits.max_sections;
    let Some(items) = fields::items(sections, rule, "", "sections", limit, report) else {
        return;
    };
    let mut before = Before::default();
    for (at, item) in items.into_iter().enumerate() {
        if report.is_full() {
            return;
        }
        let path = format!("sections[{at}]");
        match document::object(item) {
            Some(section) => check_section(&section, &path, &mut before, limits, report),
            None => {
                report.field(
                    Rule::SectionNotAnObject,
                    &path,
                    "",
                    fields::shown(Some(item)),
                );
            }
        }
    }
}

/// What sections up to here take of the generated code.
#[derive(Default)]
struct Before {
    offset: Option<(u64, u64)>,
    last_mapping: Option<(u64, u64)>,
}

fn check_section(
    section: &Document<'_>,
    path: &str,
    before: &mut Before,
    limits: &MapLimits,
    report: &mut Report,
) {
    let offset = match section.offset.and_then(document::object) {
        Some(offset) => position(&offset, path, report),
        None => {
            let shown = fields::shown(section.offset);
            report.field(Rule::OffsetNotAnObject, path, ".offset", shown);
            None
        }
    };
    if let Some(offset) = offset {
        let place = || Place::field(path, ".offset");
        if let Some(previous) = before.offset.filter(|&previous| offset < previous) {
            let detail = format!("found {offset:?} behind {previous:?}");
            report.add(Rule::SectionsOutOfOrder, place(), detail);
        }
        // The algorithm lets a section begin at the last mapping itself. The prose ("shall not overlap") does not: that position would be in two sections.
        if let Some(last) = before.last_mapping.filter(|&last| offset <= last) {
            let detail = format!("found {offset:?}, and a mapping at {last:?} before it");
            report.add(Rule::SectionsOverlap, place(), detail);
        }
    }
    let Some(map) = section.map.and_then(document::object) else {
        let shown = fields::shown(section.map);
        report.field(Rule::SectionMapNotAnObject, path, ".map", shown);
        return;
    };
    let path = format!("{path}.map.");
    if map.sections.is_some() {
        report.field(
            Rule::SectionsNested,
            &path,
            "sections",
            fields::shown(map.sections),
        );
        return;
    }
    let last = fields::check(&map, &path, limits, report);
    if let Some(offset) = offset {
        before.offset = Some(offset);
        if let Some((line, column)) = last {
            let shift = if line == 0 { offset.1 } else { 0 };
            let line = offset.0.saturating_add(line.into());
            before.last_mapping = Some((line, column.saturating_add(shift)));
        }
    }
}

/// `None` where one of the two is negative: no position, so in no order.
fn position(offset: &Document<'_>, path: &str, report: &mut Report) -> Option<(u64, u64)> {
    let mut read = |value: Option<Value<'_>>, rule, name: &str| {
        match value.and_then(document::integer) {
            Some((false, number)) => Some(number),
            Some((true, _)) => {
                report.field(Rule::OffsetNegative, path, name, fields::shown(value));
                None
            }
            None => {
                report.field(rule, path, name, fields::shown(value));
                // As the specification goes on.
                Some(0)
            }
        }
    };
    let line = read(offset.line, Rule::OffsetLineNotAnInteger, ".offset.line");
    let column = read(
        offset.column,
        Rule::OffsetColumnNotAnInteger,
        ".offset.column",
    );
    Some((line?, column?))
}

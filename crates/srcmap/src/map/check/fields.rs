//! The fields of a regular map (ECMA-426, "DecodeSourceMap").

use super::super::document::{self, Document, List, Value};
use super::super::limits::MapLimits;
use super::{Place, Report, Rule, mappings, url};
use crate::DebugId;

/// Checks a regular map. Returns the generated position of its last mapping.
pub(super) fn check(
    document: &Document<'_>,
    path: &str,
    limits: &MapLimits,
    report: &mut Report,
) -> Option<(u32, u64)> {
    version(document, path, report);
    debug_ids(document, path, report);
    let mappings = document.mappings.and_then(document::string);
    if mappings.is_none() {
        report.field(
            Rule::MappingsNotAString,
            path,
            "mappings",
            shown(document.mappings),
        );
    }
    optional_string(document.file, Rule::FileNotAString, path, "file", report);
    let root = document.source_root;
    optional_string(root, Rule::SourceRootNotAString, path, "sourceRoot", report);
    let sources = sources(document, path, limits, report);
    contents(document, sources, path, limits, report);
    ignore_list(document, sources, path, limits, report);
    let names = names(document, path, limits, report);
    mappings::check(&mappings?, (sources, names), path, limits, report)
}

pub(super) fn version(document: &Document<'_>, path: &str, report: &mut Report) {
    if document.version.and_then(document::integer) != Some((false, 3)) {
        report.field(Rule::Version, path, "version", shown(document.version));
    }
}

pub(super) fn debug_ids(document: &Document<'_>, path: &str, report: &mut Report) {
    let mut read = |value: Option<Value<'_>>, name: &str| {
        let value = value?;
        let Some(text) = document::string(value) else {
            report.field(Rule::DebugIdNotAString, path, name, shown(Some(value)));
            return None;
        };
        if !DebugId::is_canonical(&text) {
            report.field(Rule::DebugIdNotAUuid, path, name, shown(Some(value)));
        }
        DebugId::parse(&text).ok()
    };
    let new = read(document.debug_id, "debugId");
    let old = read(document.old_debug_id, "debug_id");
    if let (Some(new), Some(old)) = (new, old)
        && new != old
    {
        report.field(
            Rule::DebugIdsDiffer,
            path,
            "debugId",
            format!("found {new} and {old}"),
        );
    }
}

pub(super) fn optional_string(
    value: Option<Value<'_>>,
    rule: Rule,
    path: &str,
    name: &str,
    report: &mut Report,
) {
    if value.is_some_and(|value| document::string(value).is_none()) {
        report.field(rule, path, name, shown(value));
    }
}

/// What is there, short enough for a message.
pub(super) fn shown(value: Option<Value<'_>>) -> String {
    const CHARACTERS: usize = 60;
    let Some(value) = value else {
        return "found nothing".to_owned();
    };
    let text = value.get();
    match text.char_indices().nth(CHARACTERS) {
        Some((end, _)) => format!("found {}…", &text[..end]),
        None => format!("found {text}"),
    }
}

fn sources(document: &Document<'_>, path: &str, limits: &MapLimits, report: &mut Report) -> usize {
    let root = document.source_root.and_then(document::string);
    let Some(value) = document.sources else {
        report.field(Rule::SourcesNotAList, path, "sources", shown(None));
        return 0;
    };
    let Some(items) = items(
        value,
        Rule::SourcesNotAList,
        path,
        "sources",
        limits.max_sources,
        report,
    ) else {
        return 0;
    };
    for (at, &item) in items.iter().enumerate() {
        let name = format!("sources[{at}]");
        match document::string(item) {
            Some(source) => {
                if let Some(problem) = url::problem(root.as_deref(), &source) {
                    let detail = format!("{problem} in {}", shown(Some(item)));
                    report.field(Rule::SourceNotAUrl, path, &name, detail);
                }
            }
            None if document::is_null(item) => {}
            None => {
                report.field(Rule::SourceNotAStringOrNull, path, &name, shown(Some(item)));
            }
        }
    }
    items.len()
}

fn contents(
    document: &Document<'_>,
    sources: usize,
    path: &str,
    limits: &MapLimits,
    report: &mut Report,
) {
    let name = "sourcesContent";
    let Some(value) = document.sources_content else {
        return;
    };
    let rule = Rule::SourcesContentNotAList;
    let Some(items) = items(value, rule, path, name, limits.max_sources, report) else {
        return;
    };
    if items.len() > sources {
        let detail = format!("found {} entries for {sources} sources", items.len());
        report.field(Rule::SourcesContentTooLong, path, name, detail);
    }
    for (at, &item) in items.iter().enumerate() {
        if !item.get().starts_with('"') && !document::is_null(item) {
            let rule = Rule::SourceContentNotAStringOrNull;
            report.field(rule, path, &format!("{name}[{at}]"), shown(Some(item)));
        }
    }
}

fn ignore_list(
    document: &Document<'_>,
    sources: usize,
    path: &str,
    limits: &MapLimits,
    report: &mut Report,
) {
    // The old name of the field is no part of the specification, but read where the new one is not there.
    let (value, name) = match (document.ignore_list, document.google_ignore_list) {
        (Some(value), _) => (value, "ignoreList"),
        (None, Some(value)) => (value, "x_google_ignoreList"),
        (None, None) => return,
    };
    let rule = Rule::IgnoreListNotAList;
    let Some(items) = items(value, rule, path, name, limits.max_sources, report) else {
        return;
    };
    for (at, &item) in items.iter().enumerate() {
        let rule = match document::index(item) {
            Some(index) if index < sources as u64 => continue,
            Some(_) => Rule::IgnoreListOutOfBounds,
            None => Rule::IgnoreListNotAnIndex,
        };
        let detail = format!("{}, with {sources} sources", shown(Some(item)));
        report.field(rule, path, &format!("{name}[{at}]"), detail);
    }
}

fn names(document: &Document<'_>, path: &str, limits: &MapLimits, report: &mut Report) -> usize {
    let Some(value) = document.names else {
        return 0;
    };
    let rule = Rule::NamesNotAList;
    let Some(items) = items(value, rule, path, "names", limits.max_names, report) else {
        return 0;
    };
    for (at, &item) in items.iter().enumerate() {
        if !item.get().starts_with('"') {
            let name = format!("names[{at}]");
            report.field(Rule::NameNotAString, path, &name, shown(Some(item)));
        }
    }
    items.len()
}

/// The items of a list; without one, why is in the report.
pub(super) fn items<'a>(
    value: Value<'a>,
    rule: Rule,
    path: &str,
    name: &str,
    limit: usize,
    report: &mut Report,
) -> Option<Vec<Value<'a>>> {
    match document::list(value, limit) {
        List::Items(items) => Some(items),
        List::TooLong => {
            let detail = format!("more than {limit} entries");
            report.add(Rule::Limit, Place::field(path, name), detail);
            None
        }
        List::Other => {
            report.field(rule, path, name, shown(Some(value)));
            None
        }
    }
}

//! Reading a map leniently, and making index maps flat (ECMA-426, "ParseSourceMap", "DecodeIndexSourceMap").

use super::document::{self, Document, List, Value};
use super::limits::{MapError, MapLimits};
use super::mappings::{self, Frame, Range, Why};
use super::{Source, SourceMap};
use crate::DebugId;

pub(super) fn parse(json: &[u8], limits: &MapLimits) -> Result<SourceMap, MapError> {
    if json.len() > limits.max_bytes {
        return Err(MapError::TooLarge {
            len_bytes: json.len(),
            limit: limits.max_bytes,
        });
    }
    let document = document::read(document::text_of(json)?)?;
    let mut reader = Reader {
        limits,
        map: SourceMap {
            file: text(document.file),
            debug_id: debug_id(&document),
            ..SourceMap::default()
        },
        sections: 0,
        is_sorted: true,
    };
    reader.document(&document, "", 0, Span::default())?;
    if !reader.is_sorted {
        // Stable: of several tokens at one position the last one written counts.
        reader
            .map
            .tokens
            .sort_by_key(|token| (token.line, token.column));
    }
    Ok(reader.map)
}

/// The two fields may be there both. If they say different things, neither can be trusted.
fn debug_id(document: &Document<'_>) -> Option<DebugId> {
    let read = |field: Option<Value<'_>>| {
        field
            .and_then(document::string)
            .and_then(|text| DebugId::parse(&text).ok())
    };
    match (read(document.debug_id), read(document.old_debug_id)) {
        (Some(new), Some(old)) => (new == old).then_some(new),
        (new, old) => new.or(old),
    }
}

struct Reader<'l> {
    limits: &'l MapLimits,
    map: SourceMap,
    sections: usize,
    is_sorted: bool,
}

/// The part of the generated code that a section is for: from a position up to the next section.
#[derive(Debug, Clone, Copy, Default)]
struct Span {
    line: u32,
    column: u32,
    end: Option<(u32, u32)>,
}

impl Reader<'_> {
    fn document(
        &mut self,
        document: &Document<'_>,
        path: &str,
        depth: usize,
        span: Span,
    ) -> Result<(), MapError> {
        if let Some(version) = document.version
            && let Some(number) = document::index(version)
            && number != 3
        {
            return Err(MapError::UnsupportedVersion(number.to_string()));
        }
        match document.sections {
            Some(sections) => self.sections(sections, path, depth, span),
            None => self.regular(document, path, span),
        }
    }

    fn sections(
        &mut self,
        sections: Value<'_>,
        path: &str,
        depth: usize,
        outer: Span,
    ) -> Result<(), MapError> {
        if depth == self.limits.max_section_depth {
            return Err(MapError::TooMany {
                what: "levels of index maps in index maps",
                limit: self.limits.max_section_depth,
            });
        }
        let room = self.limits.max_sections - self.sections;
        let too_many = MapError::TooMany {
            what: "sections",
            limit: self.limits.max_sections,
        };
        let items = match document::list(sections, room) {
            List::Items(items) => items,
            List::TooLong => return Err(too_many),
            List::Other => {
                return Err(field(path, "sections", "is not a list"));
            }
        };
        self.sections += items.len();
        let mut parts = Vec::with_capacity(items.len());
        for (at, item) in items.into_iter().enumerate() {
            let path = format!("{path}sections[{at}].");
            let section =
                document::object(item).ok_or_else(|| field(&path, "", "is not an object"))?;
            let offset = section
                .offset
                .and_then(document::object)
                .ok_or_else(|| field(&path, "offset", "is not an object"))?;
            let map = section
                .map
                .and_then(document::object)
                .ok_or_else(|| field(&path, "map", "is not an object"))?;
            let (line, column) = position(&offset, &path, outer)?;
            parts.push((line, column, path + "map.", map));
        }
        for at in 0..parts.len() {
            let (line, column, path, map) = &parts[at];
            // Sections out of order have no sound end.
            let next = parts
                .get(at + 1)
                .map(|next| (next.0, next.1))
                .filter(|next| *next >= (*line, *column));
            let span = Span {
                line: *line,
                column: *column,
                end: [next, outer.end].into_iter().flatten().min(),
            };
            self.document(map, path, depth + 1, span)?;
        }
        Ok(())
    }

    fn regular(&mut self, document: &Document<'_>, path: &str, span: Span) -> Result<(), MapError> {
        let mappings = document
            .mappings
            .ok_or_else(|| field(path, "mappings", "is missing"))?;
        let mappings =
            document::string(mappings).ok_or_else(|| field(path, "mappings", "is not a string"))?;
        let frame = Frame {
            line: span.line,
            column: span.column,
            end: span.end,
            sources: self.sources(document)?,
            names: self.names(document)?,
        };
        let limit = self.limits.max_segments;
        let first = self.map.tokens.len();
        let previous = self.map.tokens.last().copied();
        let is_sorted = mappings::decode(mappings.as_bytes(), &frame, limit, &mut self.map.tokens)
            .map_err(|broken| match broken.why {
                Why::TooMany => MapError::TooMany {
                    what: "segments",
                    limit,
                },
                why => MapError::Mappings {
                    field: format!("{path}mappings"),
                    line: broken.line,
                    segment: broken.segment,
                    problem: why.to_string(),
                },
            })?;
        let follows = match (previous, self.map.tokens.get(first)) {
            (Some(last), Some(next)) => (last.line, last.column) <= (next.line, next.column),
            _ => true,
        };
        self.is_sorted &= is_sorted && follows;
        Ok(())
    }

    fn sources(&mut self, document: &Document<'_>) -> Result<Range, MapError> {
        let start = self.map.sources.len();
        let limit = self.limits.max_sources;
        let root = document.source_root.and_then(document::string);
        for item in items(document.sources, limit - start, "sources", limit)? {
            let name = document::string(item).map(|name| match root.as_deref() {
                // The specification puts a slash behind an empty root too; no engine does.
                None | Some("") => name.into_owned(),
                Some(root) if root.ends_with('/') => format!("{root}{name}"),
                Some(root) => format!("{root}/{name}"),
            });
            self.map.sources.push(Source {
                name,
                ..Source::default()
            });
        }
        let sources = &mut self.map.sources[start..];
        let contents = items(
            document.sources_content,
            limit,
            "entries of `sourcesContent`",
            limit,
        )?;
        for (source, content) in sources.iter_mut().zip(contents) {
            source.content = text(Some(content));
        }
        let ignored = document.ignore_list.or(document.google_ignore_list);
        for index in items(ignored, limit, "entries of `ignoreList`", limit)? {
            let index = document::index(index).and_then(|index| usize::try_from(index).ok());
            if let Some(source) = index.and_then(|index| sources.get_mut(index)) {
                source.is_ignored = true;
            }
        }
        Ok(range(start, sources.len()))
    }

    fn names(&mut self, document: &Document<'_>) -> Result<Range, MapError> {
        let start = self.map.names.len();
        let limit = self.limits.max_names;
        let names = items(document.names, limit - start, "names", limit)?;
        let count = names.len();
        self.map.names.extend(
            names
                .into_iter()
                .map(|name| text(Some(name)).unwrap_or_default()),
        );
        Ok(range(start, count))
    }
}

/// Offsets of sections in sections add up as their tokens do: the column counts on the first line only.
fn position(offset: &Document<'_>, path: &str, outer: Span) -> Result<(u32, u32), MapError> {
    let number = |value: Option<Value<'_>>| {
        let number = value.and_then(document::index).unwrap_or(0);
        u32::try_from(number).ok()
    };
    let read = || {
        let (line, column) = (number(offset.line)?, number(offset.column)?);
        let shift = if line == 0 { outer.column } else { 0 };
        Some((line.checked_add(outer.line)?, column.checked_add(shift)?))
    };
    read().ok_or_else(|| field(path, "offset", "is beyond what 32 bits can say"))
}

fn items<'a>(
    value: Option<Value<'a>>,
    room: usize,
    what: &'static str,
    limit: usize,
) -> Result<Vec<Value<'a>>, MapError> {
    match value.map(|value| document::list(value, room)) {
        Some(List::Items(items)) => Ok(items),
        Some(List::TooLong) => Err(MapError::TooMany { what, limit }),
        Some(List::Other) | None => Ok(Vec::new()),
    }
}

fn text(value: Option<Value<'_>>) -> Option<String> {
    Some(document::string(value?)?.into_owned())
}

/// Limits keep both below 32 bits.
fn range(start: usize, len: usize) -> Range {
    Range {
        start: start as u32,
        len: len as u32,
    }
}

fn field(path: &str, name: &str, problem: &'static str) -> MapError {
    let field = format!("{path}{name}");
    MapError::Field {
        field: field.trim_end_matches('.').to_owned(),
        problem,
    }
}

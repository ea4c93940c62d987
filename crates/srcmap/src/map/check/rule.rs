//! The rules, and where one was broken.

use std::fmt;

/// A rule of ECMA-426, or of the proposal for debug ids.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[non_exhaustive]
pub enum Rule {
    /// The map is JSON, and that is UTF-8.
    NotJson,
    /// The map is an object.
    NotAnObject,
    /// `version` is the number 3.
    Version,
    /// `mappings` is there and a string.
    MappingsNotAString,
    /// `sources` is there and a list.
    SourcesNotAList,
    /// What is in `sources` is a string or `null`.
    SourceNotAStringOrNull,
    /// A source's name, behind `sourceRoot`, is a URL.
    SourceNotAUrl,
    /// `file` is a string, if it is there.
    FileNotAString,
    /// `sourceRoot` is a string, if it is there.
    SourceRootNotAString,
    /// `sourcesContent` is a list, if it is there.
    SourcesContentNotAList,
    /// What is in `sourcesContent` is a string or `null`.
    SourceContentNotAStringOrNull,
    /// `sourcesContent` has no more entries than `sources`.
    SourcesContentTooLong,
    /// `names` is a list, if it is there.
    NamesNotAList,
    /// What is in `names` is a string.
    NameNotAString,
    /// `ignoreList` is a list, if it is there.
    IgnoreListNotAList,
    /// What is in `ignoreList` is an integer that is not negative.
    IgnoreListNotAnIndex,
    /// What is in `ignoreList` is an index into `sources`.
    IgnoreListOutOfBounds,
    /// A VLQ has no character but the digits of base64.
    VlqNotBase64,
    /// A VLQ ends with a digit that does not say "more follows".
    VlqTruncated,
    /// A VLQ has no more than 32 bits, its sign among them.
    VlqTooLarge,
    /// Between two commas is a segment.
    SegmentEmpty,
    /// A segment has 1, 4 or 5 fields.
    SegmentFields,
    /// The generated column, with all before it added up, is not negative.
    NegativeColumn,
    /// The index of the source, added up, is not negative.
    NegativeSource,
    /// The index of the source, added up, is one of `sources`.
    SourceOutOfBounds,
    /// The original line, added up, is not negative.
    NegativeOriginalLine,
    /// The original column, added up, is not negative.
    NegativeOriginalColumn,
    /// The index of the name, added up, is not negative.
    NegativeName,
    /// The index of the name, added up, is one of `names`.
    NameOutOfBounds,
    /// `sections` is a list.
    SectionsNotAList,
    /// What is in `sections` is an object.
    SectionNotAnObject,
    /// A section's `offset` is there and an object.
    OffsetNotAnObject,
    /// An offset's `line` is there and an integer.
    OffsetLineNotAnInteger,
    /// An offset's `column` is there and an integer.
    OffsetColumnNotAnInteger,
    /// A position's line and column are not negative.
    OffsetNegative,
    /// Sections stand in the order of their offsets.
    SectionsOutOfOrder,
    /// A section begins behind the last mapping of the one before it.
    SectionsOverlap,
    /// A section's `map` is there and an object.
    SectionMapNotAnObject,
    /// A section's `map` is a regular map, not an index map.
    SectionsNested,
    /// An index map has `sections` in place of `mappings`.
    SectionsAndMappings,
    /// `debugId` is a string.
    DebugIdNotAString,
    /// `debugId` is a UUID with hyphens.
    DebugIdNotAUuid,
    /// `debugId` and `debug_id` say the same.
    DebugIdsDiffer,
    /// Not of the specification: the map is larger than what is looked at.
    Limit,
}

impl Rule {
    /// The clause that has the rule: its heading in ECMA-426.
    pub fn clause(self) -> &'static str {
        match self {
            Self::NotJson | Self::NotAnObject => "ParseSourceMap",
            Self::Version | Self::MappingsNotAString | Self::SourcesNotAList => "DecodeSourceMap",
            Self::FileNotAString | Self::SourceRootNotAString => "GetOptionalString",
            Self::SourceNotAStringOrNull
            | Self::SourcesContentNotAList
            | Self::SourceContentNotAStringOrNull => "GetOptionalListOfOptionalStrings",
            Self::NamesNotAList | Self::NameNotAString => "GetOptionalListOfStrings",
            Self::IgnoreListNotAList | Self::IgnoreListNotAnIndex => {
                "GetOptionalListOfArrayIndexes"
            }
            Self::SourceNotAUrl => "DecodeSourceMapSources",
            Self::IgnoreListOutOfBounds | Self::SourcesContentTooLong => "Source map format",
            Self::VlqNotBase64 | Self::VlqTruncated => "base64 VLQ",
            Self::VlqTooLarge => "VLQUnsignedValue",
            Self::SegmentEmpty | Self::SegmentFields => "Mappings grammar",
            Self::NegativeColumn
            | Self::NegativeSource
            | Self::SourceOutOfBounds
            | Self::NegativeOriginalLine
            | Self::NegativeOriginalColumn
            | Self::NegativeName
            | Self::NameOutOfBounds => "DecodeMappingsField",
            Self::SectionsNotAList
            | Self::SectionNotAnObject
            | Self::OffsetNotAnObject
            | Self::OffsetLineNotAnInteger
            | Self::OffsetColumnNotAnInteger
            | Self::SectionsOutOfOrder
            | Self::SectionsOverlap
            | Self::SectionMapNotAnObject
            | Self::SectionsNested => "DecodeIndexSourceMap",
            Self::OffsetNegative => "Position Record",
            Self::SectionsAndMappings => "Index source map",
            Self::DebugIdNotAString | Self::DebugIdNotAUuid | Self::DebugIdsDiffer => {
                "proposal: Debug IDs in Source Maps"
            }
            Self::Limit => "none",
        }
    }

    /// What a conforming map is like.
    pub fn demand(self) -> &'static str {
        match self {
            Self::NotJson => "a source map is JSON in UTF-8",
            Self::NotAnObject => "a source map is a JSON object",
            Self::Version => "`version` is the number 3",
            Self::MappingsNotAString => "`mappings` is a string",
            Self::SourcesNotAList => "`sources` is a list",
            Self::SourceNotAStringOrNull => "an entry of `sources` is a string or null",
            Self::SourceNotAUrl => "the name of a source is a URL",
            Self::FileNotAString => "`file` is a string",
            Self::SourceRootNotAString => "`sourceRoot` is a string",
            Self::SourcesContentNotAList => "`sourcesContent` is a list",
            Self::SourceContentNotAStringOrNull => {
                "an entry of `sourcesContent` is a string or null"
            }
            Self::SourcesContentTooLong => "`sourcesContent` has an entry for each of `sources`",
            Self::NamesNotAList => "`names` is a list",
            Self::NameNotAString => "an entry of `names` is a string",
            Self::IgnoreListNotAList => "`ignoreList` is a list",
            Self::IgnoreListNotAnIndex => "an entry of `ignoreList` is an integer from 0",
            Self::IgnoreListOutOfBounds => "an entry of `ignoreList` is an index into `sources`",
            Self::VlqNotBase64 => "a number in `mappings` has only digits of base64",
            Self::VlqTruncated => "a number in `mappings` ends with a digit below 32",
            Self::VlqTooLarge => "a number in `mappings` has at most 32 bits",
            Self::SegmentEmpty => "between two commas in `mappings` is a segment",
            Self::SegmentFields => "a segment has 1, 4 or 5 fields",
            Self::NegativeColumn => "a generated column is not negative",
            Self::NegativeSource => "the index of a source is not negative",
            Self::SourceOutOfBounds => "a segment's source is one of `sources`",
            Self::NegativeOriginalLine => "an original line is not negative",
            Self::NegativeOriginalColumn => "an original column is not negative",
            Self::NegativeName => "the index of a name is not negative",
            Self::NameOutOfBounds => "a segment's name is one of `names`",
            Self::SectionsNotAList => "`sections` is a list",
            Self::SectionNotAnObject => "a section is an object",
            Self::OffsetNotAnObject => "a section's `offset` is an object",
            Self::OffsetLineNotAnInteger => "an offset's `line` is an integer",
            Self::OffsetColumnNotAnInteger => "an offset's `column` is an integer",
            Self::OffsetNegative => "an offset is not negative",
            Self::SectionsOutOfOrder => "sections stand in the order of their offsets",
            Self::SectionsOverlap => "a section begins behind the mappings of the one before it",
            Self::SectionMapNotAnObject => "a section's `map` is an object",
            Self::SectionsNested => "a section's `map` is no index map",
            Self::SectionsAndMappings => "an index map has no `mappings`",
            Self::DebugIdNotAString => "`debugId` is a string",
            Self::DebugIdNotAUuid => "`debugId` is a UUID with hyphens",
            Self::DebugIdsDiffer => "`debugId` and `debug_id` are the same",
            Self::Limit => "a source map is not larger than what is looked at",
        }
    }
}

/// A rule that a map breaks.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Violation {
    /// Which one.
    pub rule: Rule,
    /// Where.
    pub place: Place,
    /// What was found there.
    pub detail: String,
}

/// A place in a source map.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Place {
    /// The field, as `sections[2].map.sources[0]`; empty for the whole map.
    pub field: String,
    /// In `mappings`: the generated line, counted from 0 within that field, and the segment of the line, counted from 0.
    pub segment: Option<(u32, u32)>,
    /// Byte offset: in the file where the field is empty, else in the field's string.
    pub offset: Option<usize>,
}

impl Place {
    pub(super) fn field(path: &str, name: &str) -> Self {
        Self {
            field: format!("{path}{name}"),
            ..Self::default()
        }
    }
}

impl fmt::Display for Place {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(if self.field.is_empty() {
            "the map"
        } else {
            &self.field
        })?;
        if let Some((line, segment)) = self.segment {
            write!(formatter, ", line {line}, segment {segment}")?;
        }
        if let Some(offset) = self.offset {
            write!(formatter, ", byte {offset}")?;
        }
        Ok(())
    }
}

impl fmt::Display for Violation {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (demand, clause) = (self.rule.demand(), self.rule.clause());
        write!(
            formatter,
            "{}: {demand}; {} ({clause})",
            self.place, self.detail
        )
    }
}

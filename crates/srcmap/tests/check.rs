//! Every rule of ECMA-426 that a map can break, and the nearest map that does not.

use srcmap::map::{MAX_VIOLATIONS, MapLimits, Rule, SourceMap, check};

fn rules(json: &str) -> Vec<Rule> {
    let violations = check(json.as_bytes(), &MapLimits::default());
    violations.iter().map(|violation| violation.rule).collect()
}

const FIELDS: [(&str, &str); 4] = [
    ("version", "3"),
    ("sources", "[\"a.js\",\"b.js\"]"),
    ("names", "[\"x\",\"y\"]"),
    ("mappings", "\"AAAA\""),
];

/// A map with two sources, two names, and these fields besides or instead.
fn map_with(fields: &str) -> String {
    let own = FIELDS
        .iter()
        .filter(|(key, _)| !fields.contains(&format!("\"{key}\":")))
        .map(|(key, value)| format!("\"{key}\":{value}"));
    let mut parts: Vec<String> = own.collect();
    if !fields.is_empty() {
        parts.push(fields.to_owned());
    }
    format!("{{{}}}", parts.join(","))
}

fn mappings(text: &str) -> String {
    map_with(&format!("\"mappings\":\"{text}\""))
}

fn without(field: &str) -> String {
    let parts: Vec<String> = FIELDS
        .iter()
        .filter(|(key, _)| *key != field)
        .map(|(key, value)| format!("\"{key}\":{value}"))
        .collect();
    format!("{{{}}}", parts.join(","))
}

fn index_map(sections: &str) -> String {
    format!("{{\"version\":3,\"sections\":[{sections}]}}")
}

fn section(line: i32, column: i32, map: &str) -> String {
    format!("{{\"offset\":{{\"line\":{line},\"column\":{column}}},\"map\":{map}}}")
}

#[test]
fn conforming_maps_break_no_rule() {
    let deep_text = format!("\"x_more\":{}{}", "[".repeat(10_000), "]".repeat(10_000));
    let far = mappings("+/////DA+/////D+/////D");
    let long = mappings(&format!("ih{}A", "g".repeat(40)));
    for json in [
        map_with(""),
        without("names"),
        map_with("\"file\":\"out.js\",\"sourceRoot\":\"/src\",\"sourcesContent\":[null,\"let b\"]"),
        map_with("\"sources\":[null,\"b.js\"]"),
        map_with("\"sources\":[\"webpack:///./src/main.ts\",\"https://example.com:8443/a.js\"]"),
        map_with("\"sources\":[\"../my file (1).ts\",\"C:\\\\src\\\\a.ts\"]"),
        map_with("\"ignoreList\":[]"),
        map_with("\"ignoreList\":[0,1]"),
        map_with("\"ignoreList\":[1.0]"),
        map_with("\"version\":3.0"),
        map_with("\"debugId\":\"85314830-023f-4cf1-a267-535f4e37bb17\""),
        map_with("\"another\":{\"field\":[1,2]}"),
        map_with(&deep_text),
        mappings(""),
        mappings(";;;"),
        mappings("A,E,GAAA;AACCA,IADDC"),
        // Columns may go back within a line, as long as they do not go below zero.
        mappings("U,JAAA"),
        far,
        long,
        index_map(""),
        index_map(&section(0, 0, &map_with(""))),
        index_map(&format!(
            "{},{}",
            section(0, 0, &map_with("")),
            section(0, 0, &map_with(""))
        )),
        index_map(&format!(
            "{},{}",
            section(0, 0, &mappings("U")),
            section(0, 10, &map_with(""))
        )),
        format!("\u{feff}{}", map_with("")),
        format!(")]}}'\n{}", map_with("")),
    ] {
        let found = check(json.as_bytes(), &MapLimits::default());
        let shown: String = json.chars().take(200).collect();
        assert!(found.is_empty(), "{shown}: {}", found[0]);
        SourceMap::parse(json.as_bytes(), &MapLimits::default()).unwrap();
    }
}

#[test]
fn each_rule_that_a_map_breaks_is_named() {
    use Rule as R;
    let two = |first: String, second: String| index_map(&format!("{first},{second}"));
    for (json, rule) in [
        ("{".to_owned(), R::NotJson),
        ("nothing".to_owned(), R::NotJson),
        ("{\"version\":3,\"file\":\"a\nb\"}".to_owned(), R::NotJson),
        (format!("{} {{}}", map_with("")), R::NotJson),
        ("[]".to_owned(), R::NotAnObject),
        ("null".to_owned(), R::NotAnObject),
        (without("version"), R::Version),
        (map_with("\"version\":\"3\""), R::Version),
        (map_with("\"version\":2"), R::Version),
        (map_with("\"version\":4"), R::Version),
        (map_with("\"version\":-3"), R::Version),
        (map_with("\"version\":3.5"), R::Version),
        (without("mappings"), R::MappingsNotAString),
        (map_with("\"mappings\":5"), R::MappingsNotAString),
        (map_with("\"mappings\":[\"AAAA\"]"), R::MappingsNotAString),
        (
            map_with("\"sources\":\"a.js\",\"mappings\":\"\""),
            R::SourcesNotAList,
        ),
        (
            map_with("\"sources\":{\"0\":\"a.js\"},\"mappings\":\"\""),
            R::SourcesNotAList,
        ),
        (
            map_with("\"sources\":[\"a.js\",7]"),
            R::SourceNotAStringOrNull,
        ),
        (map_with("\"sources\":[\"https:///\"]"), R::SourceNotAUrl),
        (
            map_with("\"sources\":[\"https://a b/c.js\"]"),
            R::SourceNotAUrl,
        ),
        (
            map_with("\"sources\":[\"webpack://my app/./a.js\"]"),
            R::SourceNotAUrl,
        ),
        (
            map_with("\"sources\":[\"http://localhost:99999/a.js\"]"),
            R::SourceNotAUrl,
        ),
        (
            map_with("\"sources\":[\"http://[::g]/a.js\"]"),
            R::SourceNotAUrl,
        ),
        (
            map_with("\"sourceRoot\":\"http://a<b\",\"sources\":[\"c.js\"]"),
            R::SourceNotAUrl,
        ),
        (map_with("\"file\":5"), R::FileNotAString),
        (map_with("\"file\":null"), R::FileNotAString),
        (map_with("\"sourceRoot\":[]"), R::SourceRootNotAString),
        (
            map_with("\"sourcesContent\":\"let a\""),
            R::SourcesContentNotAList,
        ),
        (
            map_with("\"sourcesContent\":[1]"),
            R::SourceContentNotAStringOrNull,
        ),
        (
            map_with("\"sourcesContent\":[null,null,\"c\"]"),
            R::SourcesContentTooLong,
        ),
        (map_with("\"names\":\"x\""), R::NamesNotAList),
        (map_with("\"names\":{}"), R::NamesNotAList),
        (map_with("\"names\":[\"x\",null]"), R::NameNotAString),
        (map_with("\"ignoreList\":0"), R::IgnoreListNotAList),
        (map_with("\"ignoreList\":[\"0\"]"), R::IgnoreListNotAnIndex),
        (map_with("\"ignoreList\":[-1]"), R::IgnoreListNotAnIndex),
        (map_with("\"ignoreList\":[-0]"), R::IgnoreListNotAnIndex),
        (map_with("\"ignoreList\":[0.5]"), R::IgnoreListNotAnIndex),
        (map_with("\"ignoreList\":[2]"), R::IgnoreListOutOfBounds),
        (
            map_with("\"x_google_ignoreList\":[2]"),
            R::IgnoreListOutOfBounds,
        ),
        (mappings("A.AA"), R::VlqNotBase64),
        (mappings("AAA\u{e9}"), R::VlqNotBase64),
        (mappings("AAAA|AAAA"), R::VlqNotBase64),
        (mappings("A A"), R::VlqNotBase64),
        (mappings("AAAg"), R::VlqTruncated),
        (mappings("g,AAAA"), R::VlqTruncated),
        (mappings("g;"), R::VlqTruncated),
        (mappings("ggggggE"), R::VlqTooLarge),
        (mappings("AAAggggggE"), R::VlqTooLarge),
        (mappings("AAggggggE"), R::VlqTooLarge),
        (mappings(",A"), R::SegmentEmpty),
        (mappings("A,,A"), R::SegmentEmpty),
        (mappings("A,"), R::SegmentEmpty),
        (mappings("A;A,;"), R::SegmentEmpty),
        (mappings("AA"), R::SegmentFields),
        (mappings("AAA"), R::SegmentFields),
        (mappings("AAAAAA"), R::SegmentFields),
        (mappings("D"), R::NegativeColumn),
        (mappings("A,DAAA"), R::NegativeColumn),
        (mappings("U;D"), R::NegativeColumn),
        (mappings("ADAA"), R::NegativeSource),
        (mappings("ACAA,CFAA"), R::NegativeSource),
        (mappings("AEAA"), R::SourceOutOfBounds),
        (mappings("ACAA,CCAA"), R::SourceOutOfBounds),
        (mappings("AADA"), R::NegativeOriginalLine),
        (mappings("AACA;AAFA"), R::NegativeOriginalLine),
        (mappings("AAAD"), R::NegativeOriginalColumn),
        (mappings("AAAC;AAAF"), R::NegativeOriginalColumn),
        (mappings("AAAAD"), R::NegativeName),
        (mappings("AAAAC,CAAAF"), R::NegativeName),
        (mappings("AAAAE"), R::NameOutOfBounds),
        (mappings("AAAAC,CAAAC"), R::NameOutOfBounds),
        (
            "{\"version\":3,\"sections\":{}}".to_owned(),
            R::SectionsNotAList,
        ),
        (
            "{\"version\":3,\"sections\":null}".to_owned(),
            R::SectionsNotAList,
        ),
        ("{\"version\":4,\"sections\":[]}".to_owned(), R::Version),
        (
            "{\"version\":3,\"sections\":[],\"file\":1}".to_owned(),
            R::FileNotAString,
        ),
        (
            "{\"version\":3,\"sections\":[],\"mappings\":\"\"}".to_owned(),
            R::SectionsAndMappings,
        ),
        (index_map("7"), R::SectionNotAnObject),
        (
            index_map("{\"map\":{\"version\":3,\"sources\":[],\"mappings\":\"\"}}"),
            R::OffsetNotAnObject,
        ),
        (
            index_map(&format!("{{\"offset\":[0,0],\"map\":{}}}", map_with(""))),
            R::OffsetNotAnObject,
        ),
        (
            index_map(&format!(
                "{{\"offset\":{{\"column\":0}},\"map\":{}}}",
                map_with("")
            )),
            R::OffsetLineNotAnInteger,
        ),
        (
            index_map(&format!(
                "{{\"offset\":{{\"line\":\"0\",\"column\":0}},\"map\":{}}}",
                map_with("")
            )),
            R::OffsetLineNotAnInteger,
        ),
        (
            index_map(&format!(
                "{{\"offset\":{{\"line\":0}},\"map\":{}}}",
                map_with("")
            )),
            R::OffsetColumnNotAnInteger,
        ),
        (
            index_map(&format!(
                "{{\"offset\":{{\"line\":0,\"column\":1.5}},\"map\":{}}}",
                map_with("")
            )),
            R::OffsetColumnNotAnInteger,
        ),
        (index_map(&section(-1, 0, &map_with(""))), R::OffsetNegative),
        (index_map(&section(0, -1, &map_with(""))), R::OffsetNegative),
        (
            two(section(1, 0, &mappings("")), section(0, 5, &map_with(""))),
            R::SectionsOutOfOrder,
        ),
        (
            two(section(0, 5, &mappings("")), section(0, 4, &map_with(""))),
            R::SectionsOutOfOrder,
        ),
        (
            two(section(0, 0, &mappings("U")), section(0, 10, &map_with(""))),
            R::SectionsOverlap,
        ),
        (
            two(section(1, 0, &mappings(";A")), section(1, 9, &map_with(""))),
            R::SectionsOverlap,
        ),
        (
            index_map("{\"offset\":{\"line\":0,\"column\":0}}"),
            R::SectionMapNotAnObject,
        ),
        (
            index_map("{\"offset\":{\"line\":0,\"column\":0},\"url\":\"a.map\"}"),
            R::SectionMapNotAnObject,
        ),
        (index_map(&section(0, 0, "\"a\"")), R::SectionMapNotAnObject),
        (index_map(&section(0, 0, &index_map(""))), R::SectionsNested),
        (index_map(&section(0, 0, &mappings("AA"))), R::SegmentFields),
        (
            index_map(&section(0, 0, &without("mappings"))),
            R::MappingsNotAString,
        ),
        (map_with("\"debugId\":7"), R::DebugIdNotAString),
        (map_with("\"debugId\":\"85314830\""), R::DebugIdNotAUuid),
        (
            map_with("\"debug_id\":\"85314830023f4cf1a267535f4e37bb17\""),
            R::DebugIdNotAUuid,
        ),
        (
            map_with(
                "\"debugId\":\"85314830-023f-4cf1-a267-535f4e37bb17\",\"debug_id\":\"95314830-023f-4cf1-a267-535f4e37bb17\"",
            ),
            R::DebugIdsDiffer,
        ),
    ] {
        assert_eq!(rules(&json), [rule], "{json}");
    }
}

#[test]
fn a_missing_list_of_sources_is_named_beside_the_segments_that_want_one() {
    assert_eq!(
        rules(&without("sources")),
        [Rule::SourcesNotAList, Rule::SourceOutOfBounds]
    );
}

#[test]
fn a_map_that_is_not_utf8_is_named_with_the_byte() {
    let mut json = map_with("\"file\":\"a\"").into_bytes();
    let at = json.len() - 2;
    json[at] = 0xff;
    let found = check(&json, &MapLimits::default());
    assert_eq!(found.len(), 1);
    assert_eq!(
        (found[0].rule, found[0].place.offset),
        (Rule::NotJson, Some(at))
    );
}

#[test]
fn a_violation_says_where_it_is_what_is_demanded_and_what_was_found() {
    let json = index_map(&section(0, 0, &mappings("A;A,CAAA,AA")));
    let found = check(json.as_bytes(), &MapLimits::default());
    assert_eq!(
        found[0].to_string(),
        "sections[0].map.mappings, line 1, segment 2, byte 11: a segment has 1, 4 or 5 fields; found 2 (Mappings grammar)"
    );
    let found = check(
        map_with("\"sources\":[\"a\",false]").as_bytes(),
        &MapLimits::default(),
    );
    assert_eq!(
        found[0].to_string(),
        "sources[1]: an entry of `sources` is a string or null; found false (GetOptionalListOfOptionalStrings)"
    );
}

#[test]
fn what_is_behind_a_broken_segment_is_checked_too() {
    assert_eq!(
        rules(&mappings("AA,.,AAAA;AAAAE")),
        [
            Rule::SegmentFields,
            Rule::VlqNotBase64,
            Rule::NameOutOfBounds
        ]
    );
}

#[test]
fn a_list_of_violations_ends_with_the_word_that_there_are_more() {
    let found = rules(&mappings(&"AA,".repeat(100_000)));
    assert_eq!(found.len(), MAX_VIOLATIONS + 1);
    assert_eq!(found.last(), Some(&Rule::Limit));
}

#[test]
fn limits_are_named_as_such() {
    let limits = |change: fn(&mut MapLimits)| {
        let mut limits = MapLimits::default();
        change(&mut limits);
        limits
    };
    for (json, limits) in [
        (map_with(""), limits(|limits| limits.max_bytes = 10)),
        (map_with(""), limits(|limits| limits.max_names = 1)),
        (mappings("A,A"), limits(|limits| limits.max_segments = 1)),
        (index_map("1,2"), limits(|limits| limits.max_sections = 1)),
    ] {
        let found = check(json.as_bytes(), &limits);
        assert_eq!(
            found.last().map(|violation| violation.rule),
            Some(Rule::Limit),
            "{json}"
        );
    }
}

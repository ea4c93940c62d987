//! Source maps, read leniently.

use proptest::prelude::*;
use srcmap::map::{MapError, MapLimits, Original, SourceMap};

fn parse(json: &str) -> Result<SourceMap, MapError> {
    SourceMap::parse(json.as_bytes(), &MapLimits::default())
}

fn map(fields: &str) -> String {
    format!("{{\"version\":3,{fields}}}")
}

#[track_caller]
fn original(map: &SourceMap, line: u32, column: u32) -> Option<(u32, u32, u32)> {
    let Original {
        source,
        line,
        column,
    } = map.token_at(line, column)?.original()?;
    Some((source, line, column))
}

#[test]
fn a_token_covers_its_line_up_to_the_next_token_and_no_other_line() {
    let map = parse(&map(
        "\"sources\":[\"a.js\"],\"mappings\":\"EAAA,IACC,I;;EACA\"",
    ))
    .unwrap();
    assert_eq!(original(&map, 0, 1), None, "before the first token");
    assert_eq!(original(&map, 0, 2), Some((0, 0, 0)));
    assert_eq!(original(&map, 0, 5), Some((0, 0, 0)));
    assert_eq!(original(&map, 0, 6), Some((0, 1, 1)));
    assert_eq!(original(&map, 0, 10), None, "a segment of one field");
    assert_eq!(original(&map, 0, 4_000_000_000), None);
    assert_eq!(original(&map, 1, 0), None, "a line without tokens");
    assert_eq!(
        original(&map, 2, 1),
        None,
        "before the first token of a later line"
    );
    assert_eq!(original(&map, 2, 90), Some((0, 2, 1)));
    assert_eq!(original(&map, 3, 0), None, "behind the last line");
}

#[test]
fn names_sources_contents_file_and_the_root_are_read() {
    let map = parse(&map(
        "\"file\":\"out.js\",\"sourceRoot\":\"/src\",\"sources\":[\"a.js\",null],\"sourcesContent\":[\"let a = 'ü'\"],\"names\":[\"a\"],\"mappings\":\"AAAAA,CAAA\"",
    ))
    .unwrap();
    assert_eq!(map.file(), Some("out.js"));
    assert_eq!(map.sources()[0].name.as_deref(), Some("/src/a.js"));
    assert_eq!(map.sources()[0].content.as_deref(), Some("let a = 'ü'"));
    assert_eq!(map.sources()[1].name, None);
    assert_eq!(map.sources()[1].content, None);
    assert_eq!(
        map.token_at(0, 0).and_then(|token| map.name_of(token)),
        Some("a")
    );
    assert_eq!(
        map.token_at(0, 1).and_then(|token| map.name_of(token)),
        None
    );
}

#[test]
fn a_root_that_ends_with_a_slash_or_is_empty_adds_none() {
    for (root, name) in [("", "a.js"), ("x/", "x/a.js"), ("x", "x/a.js")] {
        let json = map(&format!(
            "\"sourceRoot\":\"{root}\",\"sources\":[\"a.js\"],\"mappings\":\"\""
        ));
        assert_eq!(
            parse(&json).unwrap().sources()[0].name.as_deref(),
            Some(name)
        );
    }
}

#[test]
fn ignored_sources_are_marked_by_either_name_of_the_list() {
    for field in ["ignoreList", "x_google_ignoreList"] {
        let json = map(&format!(
            "\"sources\":[\"a\",\"b\"],\"{field}\":[1,7,null,\"0\"],\"mappings\":\"\""
        ));
        let map = parse(&json).unwrap();
        let ignored: Vec<bool> = map
            .sources()
            .iter()
            .map(|source| source.is_ignored)
            .collect();
        assert_eq!(ignored, [false, true], "{field}");
    }
}

#[test]
fn the_debug_id_is_read_by_either_name_and_two_that_differ_are_none() {
    let (a, b) = (
        "85314830-023f-4cf1-a267-535f4e37bb17",
        "00000000-023f-4cf1-a267-535f4e37bb17",
    );
    for (fields, expected) in [
        (format!("\"debugId\":\"{a}\""), Some(a)),
        (format!("\"debug_id\":\"{}\"", a.to_uppercase()), Some(a)),
        (format!("\"debug_id\":\"{a}\",\"debugId\":\"{a}\""), Some(a)),
        (format!("\"debug_id\":\"{a}\",\"debugId\":\"{b}\""), None),
        (format!("\"debug_id\":5,\"debugId\":\"{b}\""), Some(b)),
        ("\"debugId\":\"none\"".to_owned(), None),
    ] {
        let map = parse(&map(&format!("{fields},\"sources\":[],\"mappings\":\"\""))).unwrap();
        assert_eq!(
            map.debug_id().map(|id| id.to_string()).as_deref(),
            expected,
            "{fields}"
        );
    }
}

#[test]
fn what_servers_put_in_front_is_read_over() {
    let json = map("\"sources\":[\"a\"],\"mappings\":\"AAAA\"");
    let expected = parse(&json).unwrap();
    for prefix in [
        "\u{feff}",
        ")]}'\n",
        ")]}',\r\n",
        ")]}' nothing to see\n",
        ")]}'",
        "\u{feff})]}'\n",
        " \n\t",
    ] {
        assert_eq!(
            parse(&format!("{prefix}{json}")).as_ref(),
            Ok(&expected),
            "{prefix:?}"
        );
    }
}

#[test]
fn half_a_surrogate_pair_keeps_the_columns_behind_it() {
    let map = parse(&map("\"sources\":[\"a\"],\"sourcesContent\":[\"\\ud800b\\ud83d\\ude00\\udfff\\n\"],\"mappings\":\"AAAA\"")).unwrap();
    let content = map.sources()[0].content.as_deref().unwrap();
    assert_eq!(content, "\u{fffd}b😀\u{fffd}\n");
    assert_eq!(content.encode_utf16().count(), 6);
}

#[test]
fn fields_of_a_wrong_type_count_as_missing() {
    let map = parse("{\"file\":5,\"names\":{},\"sources\":[5,\"b\"],\"sourcesContent\":7,\"ignoreList\":\"x\",\"mappings\":\"ACAAA\"}").unwrap();
    assert_eq!((map.file(), map.names().len()), (None, 0));
    assert_eq!(map.sources()[0].name, None);
    assert_eq!(original(&map, 0, 0), Some((1, 0, 0)));
    assert_eq!(map.tokens()[0].name(), None);
}

#[test]
fn of_a_field_that_is_there_twice_the_last_one_counts() {
    let map = parse(&map(
        "\"file\":\"a\",\"mappings\":5,\"file\":\"b\",\"mappings\":\"\"",
    ))
    .unwrap();
    assert_eq!(map.file(), Some("b"));
}

#[test]
fn segments_that_point_nowhere_are_not_mapped() {
    let map = parse(&map(
        "\"sources\":[\"a\"],\"names\":[],\"mappings\":\"ACAA,CDDA,CACD,CAAC,CAAAA,,;D,GAAA\"",
    ))
    .unwrap();
    let mapped: Vec<_> = map
        .tokens()
        .iter()
        .map(|token| (token.line(), token.column(), token.is_mapped()))
        .collect();
    assert_eq!(
        mapped,
        [
            (0, 0, false),
            (0, 1, false),
            (0, 2, false),
            (0, 3, true),
            (0, 4, true),
            (1, 2, true)
        ]
    );
}

#[test]
fn tokens_in_any_order_are_found_and_of_two_at_one_place_the_last_one_counts() {
    let map = parse(&map(
        "\"sources\":[\"a\"],\"mappings\":\"UAAA,LACA,AACA,FACA\"",
    ))
    .unwrap();
    let columns: Vec<u32> = map
        .tokens()
        .iter()
        .map(srcmap::map::Token::column)
        .collect();
    assert_eq!(columns, [3, 5, 5, 10]);
    assert_eq!(original(&map, 0, 5), Some((0, 2, 0)));
    assert_eq!(original(&map, 0, 6), Some((0, 2, 0)));
}

#[test]
fn sections_of_an_index_map_are_laid_out_by_their_offsets() {
    let part = |name: &str, mappings: &str| {
        map(&format!(
            "\"sources\":[\"{name}\"],\"names\":[\"n_{name}\"],\"ignoreList\":[0],\"mappings\":\"{mappings}\""
        ))
    };
    let json = format!(
        "{{\"version\":3,\"file\":\"all.js\",\"sections\":[{{\"offset\":{{\"line\":0,\"column\":0}},\"map\":{}}},{{\"offset\":{{\"line\":0,\"column\":20}},\"map\":{}}},{{\"offset\":{{\"line\":7,\"column\":3}},\"map\":{}}}]}}",
        part("a", "AAAAA,oBAAA,oBAAA"),
        part("b", "CAAAA;CACA"),
        part("c", "AAAAA"),
    );
    let map = parse(&json).unwrap();
    assert_eq!(map.file(), Some("all.js"));
    let names: Vec<_> = map
        .sources()
        .iter()
        .filter_map(|source| source.name.as_deref())
        .collect();
    assert_eq!(names, ["a", "b", "c"]);
    assert!(map.sources().iter().all(|source| source.is_ignored));
    let found: Vec<_> = map
        .tokens()
        .iter()
        .map(|token| {
            (
                token.line(),
                token.column(),
                token.original().unwrap().source,
                map.name_of(token),
            )
        })
        .collect();
    assert_eq!(
        found,
        [
            // The rest of the first section would reach into the second one: it is cut.
            (0, 0, 0, Some("n_a")),
            (0, 21, 1, Some("n_b")),
            (1, 1, 1, None),
            (7, 3, 2, Some("n_c")),
        ]
    );
}

#[test]
fn index_maps_in_index_maps_are_read_up_to_a_depth() {
    let wrap = |line: u32, column: u32, map: &str| {
        format!(
            "{{\"sections\":[{{\"offset\":{{\"line\":{line},\"column\":{column}}},\"map\":{map}}}]}}"
        )
    };
    let inner = map("\"sources\":[\"a\"],\"mappings\":\"AAAA;AACA\"");
    // Columns add up as long as the outer section's first line lasts.
    let read = parse(&wrap(7, 10, &wrap(0, 5, &inner))).unwrap();
    assert_eq!(
        (original(&read, 7, 15), original(&read, 8, 0)),
        (Some((0, 0, 0)), Some((0, 1, 0)))
    );
    let read = parse(&wrap(7, 10, &wrap(2, 5, &inner))).unwrap();
    assert_eq!(original(&read, 9, 5), Some((0, 0, 0)));
    let inner = map("\"sources\":[],\"mappings\":\"\"");
    let depth = 10_000;
    let (before, behind) = (
        "{\"sections\":[{\"offset\":{},\"map\":".repeat(depth),
        "}]}".repeat(depth),
    );
    let deep = format!("{before}{inner}{behind}");
    assert_eq!(
        parse(&deep),
        Err(MapError::TooMany {
            what: "levels of index maps in index maps",
            limit: 4
        })
    );
}

#[test]
fn what_cannot_be_read_is_said_with_its_place() {
    for (json, message) in [
        (
            "",
            "the source map is not JSON: EOF while parsing a value at line 1 column 0",
        ),
        (
            "<!DOCTYPE html>",
            "the source map is not JSON: expected value at line 1 column 1",
        ),
        ("[1]", "the source map is not a JSON object"),
        (
            "{\"version\":2,\"mappings\":\"\"}",
            "the source map has version 2, not 3",
        ),
        ("{\"version\":3}", "`mappings` is missing"),
        ("{\"mappings\":[]}", "`mappings` is not a string"),
        (
            "{\"mappings\":\"AAAA;AA,A\"}",
            "`mappings`, generated line 1, segment 0: a segment has 1, 4 or 5 fields, this one 2",
        ),
        (
            "{\"mappings\":\"A,AAAAAA\"}",
            "`mappings`, generated line 0, segment 1: a segment has 1, 4 or 5 fields, this one 6",
        ),
        (
            "{\"mappings\":\"A.\"}",
            "`mappings`, generated line 0, segment 0: '.' is no digit of base64",
        ),
        (
            "{\"mappings\":\"A;g\"}",
            "`mappings`, generated line 1, segment 0: a number ends in the middle",
        ),
        (
            "{\"mappings\":\"ggggggggE\"}",
            "`mappings`, generated line 0, segment 0: a number has more than 32 bits",
        ),
        ("{\"sections\":5}", "`sections` is not a list"),
        ("{\"sections\":[5]}", "`sections[0]` is not an object"),
        (
            "{\"sections\":[{\"map\":{}}]}",
            "`sections[0].offset` is not an object",
        ),
        (
            "{\"sections\":[{\"offset\":{},\"url\":\"x\"}]}",
            "`sections[0].map` is not an object",
        ),
        (
            "{\"sections\":[{\"offset\":{},\"map\":{}}]}",
            "`sections[0].map.mappings` is missing",
        ),
        (
            "{\"sections\":[{\"offset\":{\"line\":4294967296},\"map\":{}}]}",
            "`sections[0].offset` is beyond what 32 bits can say",
        ),
    ] {
        assert_eq!(parse(json).unwrap_err().to_string(), message, "{json}");
    }
    let error = SourceMap::parse(b"{\"mappings\":\"\xff\"}", &MapLimits::default());
    assert_eq!(error, Err(MapError::NotUtf8 { offset: 13 }));
}

#[test]
fn limits_stop_a_map_before_it_takes_memory() {
    let limits = MapLimits {
        max_bytes: 200,
        max_segments: 3,
        max_sources: 2,
        max_names: 2,
        max_sections: 2,
        max_section_depth: 1,
    };
    let section = "{\"offset\":{},\"map\":{\"mappings\":\"\"}}";
    for (json, message) in [
        (
            " ".repeat(201),
            "the source map has 201 bytes; the limit is 200".to_owned(),
        ),
        (
            "{\"mappings\":\"A,A;A,A\"}".to_owned(),
            "the source map has more than 3 segments".to_owned(),
        ),
        (
            "{\"mappings\":\"\",\"sources\":[1,2,3]}".to_owned(),
            "the source map has more than 2 sources".to_owned(),
        ),
        (
            "{\"mappings\":\"\",\"names\":[1,2,3]}".to_owned(),
            "the source map has more than 2 names".to_owned(),
        ),
        (
            format!("{{\"sections\":[{section},{section},{section}]}}"),
            "the source map has more than 2 sections".to_owned(),
        ),
    ] {
        let error = SourceMap::parse(json.as_bytes(), &limits).unwrap_err();
        assert_eq!(error.to_string(), message, "{json}");
    }
}

/// A map by a writer that is not ours: `sourcemap`, of Sentry. One token a position, because it answers otherwise where there are several.
fn foreign_map() -> impl Strategy<Value = sourcemap::SourceMap> {
    let tokens = proptest::collection::btree_map(
        (0_u32..40, prop_oneof![0_u32..60, 0_u32..1_000_000]),
        (
            0_u32..5,
            prop_oneof![0_u32..50, 0..i32::MAX as u32],
            0_u32..300,
            proptest::option::of(0_u32..6),
        ),
        0..200,
    );
    let contents = proptest::collection::vec(proptest::option::of("\\PC{0,30}"), 4);
    (tokens, contents, proptest::option::of("[a-z]{1,8}\\.js")).prop_map(
        |(tokens, contents, file)| {
            let mut builder = sourcemap::SourceMapBuilder::new(file.as_deref());
            for (at, content) in contents.iter().enumerate() {
                let source = builder.add_source(&format!("src/{at}.js"));
                builder.set_source_contents(source, content.as_deref());
            }
            for name in 0..6 {
                builder.add_name(&format!("name{name}"));
            }
            for ((line, column), (source, original_line, original_column, name)) in tokens {
                // A fifth of them is not mapped.
                let source = (source < 4).then_some(source);
                let name = name.filter(|_| source.is_some());
                builder.add_raw(
                    line,
                    column,
                    original_line,
                    original_column,
                    source,
                    name,
                    false,
                );
            }
            builder.into_sourcemap()
        },
    )
}

proptest! {
    #[test]
    fn maps_of_another_writer_are_read_as_it_reads_them(
        foreign in foreign_map(),
        questions in proptest::collection::vec((0_u32..42, 0_u32..80), 50),
    ) {
        let mut json = Vec::new();
        foreign.to_writer(&mut json).unwrap();
        let ours = SourceMap::parse(&json, &MapLimits::default()).unwrap();
        prop_assert_eq!(ours.file(), foreign.get_file());
        prop_assert_eq!(ours.tokens().len(), foreign.get_token_count() as usize);
        for (source, index) in ours.sources().iter().zip(0..) {
            prop_assert_eq!(source.name.as_deref(), foreign.get_source(index));
            prop_assert_eq!(source.content.as_deref(), foreign.get_source_contents(index));
        }
        for (token, expected) in ours.tokens().iter().zip(foreign.tokens()) {
            prop_assert_eq!((token.line(), token.column()), expected.get_dst());
            prop_assert_eq!(token.is_mapped(), expected.has_source());
            if let Some(original) = token.original() {
                prop_assert_eq!((original.line, original.column), expected.get_src());
                prop_assert_eq!(original.source, expected.get_src_id());
                prop_assert_eq!(ours.name_of(token), expected.get_name());
            }
        }
        for (line, column) in questions {
            let expected = foreign
                .lookup_token(line, column)
                .filter(|token| token.get_dst_line() == line && token.has_source())
                .map(|token| (token.get_src_id(), token.get_src_line(), token.get_src_col()));
            prop_assert_eq!(original(&ours, line, column), expected, "{}:{}", line, column);
        }
        prop_assert!(srcmap::map::check(&json, &MapLimits::default()).is_empty());
    }

    #[test]
    fn any_text_is_a_map_or_an_error(fields in proptest::collection::vec(
        prop_oneof![
            "\"(version|file|sources|names|mappings|sections|ignoreList|debugId|sourceRoot)\":(3|null|\"[A-Za-g+/,;]{0,20}\"|\\[(\"a\",)?(null)?\\]|\\{\\})",
            "\\PC{0,10}",
        ], 0..6)) {
        let json = format!("{{{}}}", fields.join(","));
        let read = parse(&json);
        let found = srcmap::map::check(json.as_bytes(), &MapLimits::default());
        if read.is_err() {
            prop_assert!(!found.is_empty(), "{}", json);
        }
    }
}

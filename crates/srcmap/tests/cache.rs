//! The cache: what it answers is what the map says.

use proptest::prelude::*;
use srcmap::cache::{
    self, CacheError, FunctionStart, MAX_LINE_BYTES, MAX_LINES_AROUND, MapCache, SourceInfo,
};
use srcmap::map::{MapLimits, SourceMap};

fn parse(json: &str) -> SourceMap {
    SourceMap::parse(json.as_bytes(), &MapLimits::default()).unwrap()
}

fn with_content(text: &str) -> SourceMap {
    let mut builder = sourcemap::SourceMapBuilder::new(None);
    let source = builder.add_source("a.js");
    builder.set_source_contents(source, Some(text));
    let mut json = Vec::new();
    builder.into_sourcemap().to_writer(&mut json).unwrap();
    SourceMap::parse(&json, &MapLimits::default()).unwrap()
}

#[test]
fn a_cache_knows_all_that_its_map_says() {
    let map = parse(
        r#"{"version":3,"file":"out.js","debugId":"85314830-023f-4cf1-a267-535f4e37bb17","sources":["a.ts",null,"c.ts"],
        "sourcesContent":["one\ntwo\r\nthree",null,""],"names":["first","second"],"ignoreList":[2],"mappings":"EAAAA,GACEC,C;;ACAF,CCAA"}"#,
    );
    let cache = MapCache::open(cache::build(&map, None).unwrap()).unwrap();
    assert_eq!(cache.file().unwrap(), Some("out.js"));
    assert_eq!(cache.debug_id(), map.debug_id());
    assert_eq!(cache.fit(), None);
    assert_eq!(cache.source_count(), 3);
    let sources: Vec<_> = (0..4).map(|source| cache.source(source).unwrap()).collect();
    let info = |name, is_ignored, line_count| {
        Some(SourceInfo {
            name,
            is_ignored,
            line_count,
        })
    };
    assert_eq!(
        sources,
        [
            info(Some("a.ts"), false, Some(3)),
            info(None, false, None),
            info(Some("c.ts"), true, Some(1)),
            None
        ]
    );
    let found = cache.lookup(0, 5).unwrap().unwrap();
    assert_eq!((found.source, found.source_name), (0, Some("a.ts")));
    assert_eq!((found.line, found.column), (1, 2));
    assert_eq!((found.name, found.function), (Some("second"), None));
    assert!(!found.is_ignored);
    assert_eq!(cache.lookup(0, 1).unwrap(), None, "before the first token");
    assert_eq!(
        cache.lookup(0, 6).unwrap(),
        None,
        "a token that is not mapped"
    );
    assert_eq!(
        cache.lookup(1, 0).unwrap(),
        None,
        "nothing of an earlier line"
    );
    assert_eq!(
        cache
            .lookup(2, 0)
            .unwrap()
            .map(|found| (found.source_name, found.name)),
        Some((None, None))
    );
    assert!(cache.lookup(2, 9).unwrap().unwrap().is_ignored);
    let lines = cache.source_lines(0, 1, 5).unwrap().unwrap();
    assert_eq!(
        (lines.first_line, lines.lines),
        (0, vec!["one".into(), "two".into(), "three".into()])
    );
    assert_eq!(cache.source_lines(0, 3, 5).unwrap(), None);
    assert_eq!(cache.source_lines(1, 0, 5).unwrap(), None);
    assert_eq!(cache.source_lines(2, 0, 5).unwrap().unwrap().lines, [""]);
    assert_eq!(cache.source_lines(3, 0, 5).unwrap(), None);
}

#[test]
fn the_fit_of_the_bundle_that_was_there_is_kept() {
    let map = parse(include_str!("fixtures/esbuild.min.js.map"));
    let bundle = include_str!("fixtures/esbuild.min.js");
    let cache = MapCache::open(cache::build(&map, Some(bundle)).unwrap()).unwrap();
    let (kept, fit) = (cache.fit().unwrap(), srcmap::fit::fit(bundle, &map));
    assert_eq!(
        (kept.same, kept.compared, kept.outside),
        (fit.same, fit.compared, fit.outside)
    );
    assert!((kept.share - fit.share).abs() < 1e-5 && (kept.weakest - fit.weakest).abs() < 1e-5);
    assert!(kept.is_match());
}

#[test]
fn the_function_around_a_position_is_the_last_one_that_began() {
    let map = parse(
        r#"{"version":3,"sources":["a.ts"],"sourcesContent":["text"],"names":[],"mappings":"AAAA,CAIA,CAAI,CACJ,CAEA"}"#,
    );
    let start = |line, column, name: Option<&str>| FunctionStart {
        line,
        column,
        name: name.map(str::to_owned),
    };
    let file = cache::build_with(&map, None, |name, text| {
        assert_eq!((name, text), ("a.ts", "text"));
        // In no order, and two at one place.
        vec![
            start(7, 0, None),
            start(4, 2, Some("outer")),
            start(5, 0, Some("lost")),
            start(5, 0, Some("inner")),
        ]
    });
    let cache = MapCache::open(file.unwrap()).unwrap();
    let functions: Vec<_> = (0..5)
        .map(|column| cache.lookup(0, column).unwrap().unwrap().function)
        .collect();
    assert_eq!(functions, [None, None, Some("outer"), Some("inner"), None]);
}

#[test]
fn lines_are_cut_where_they_are_long_and_found_behind_them() {
    let long = "é".repeat(40_000);
    let text = format!("first\n{long}\r\n{long}😀");
    let cache = MapCache::open(cache::build(&with_content(&text), None).unwrap()).unwrap();
    let lines = cache.source_lines(0, 1, 1).unwrap().unwrap().lines;
    assert_eq!(lines[0], "first");
    for line in &lines[1..] {
        assert_eq!(
            line.as_str(),
            format!("{}…", "é".repeat(MAX_LINE_BYTES / 2))
        );
    }
    assert_eq!(cache.source(0).unwrap().unwrap().line_count, Some(3));
}

#[test]
fn a_question_for_many_lines_gets_as_many_as_allowed() {
    let text: Vec<String> = (0..1000).map(|line| line.to_string()).collect();
    let cache =
        MapCache::open(cache::build(&with_content(&text.join("\n")), None).unwrap()).unwrap();
    let lines = cache.source_lines(0, 500, u32::MAX).unwrap().unwrap();
    assert_eq!(
        (lines.first_line, lines.lines.len()),
        (500 - MAX_LINES_AROUND, 2 * MAX_LINES_AROUND as usize + 1)
    );
    assert_eq!(lines.lines[0], "450");
}

#[test]
fn other_files_and_other_versions_are_refused_with_what_they_are() {
    assert_eq!(
        MapCache::open(b"").unwrap_err(),
        CacheError::NotACache(vec![])
    );
    assert_eq!(
        MapCache::open(b"{\"version\":3}").unwrap_err(),
        CacheError::NotACache(b"{\"ve".to_vec())
    );
    let file = cache::build(&with_content("a"), None).unwrap();
    let mut other = file.clone();
    other[4] = 99;
    assert_eq!(MapCache::open(other).unwrap_err(), CacheError::Version(99));
    for len in 6..file.len() {
        let error = MapCache::open(&file[..len]).unwrap_err();
        assert!(matches!(error, CacheError::Length { .. }), "{len}: {error}");
    }
    let longer = [file.as_slice(), &[0]].concat();
    assert!(matches!(
        MapCache::open(longer),
        Err(CacheError::Length { .. })
    ));
}

#[test]
fn a_map_is_written_as_the_document_draws_it() {
    let map = parse(
        r#"{"version":3,"sources":["a"],"sourcesContent":["x\ny"],"names":["n"],"mappings":"CAAAA;A"}"#,
    );
    let file = cache::build(&map, None).unwrap();
    let mut expected = Vec::new();
    expected.extend(b"BTSC\x01\x00\x00\x00");
    let len_bytes = 96 + 8 + 4 + 32 + 4 + 24 + 7 + 4 + 3;
    expected.extend(u64::to_le_bytes(len_bytes));
    expected.extend([0; 16]);
    // Tokens, blocks, sources, names, chunks, functions, file, bytes of tokens, bytes of strings.
    for number in [2, 1, 1, 1, 1, 0, u32::MAX, 7, 4] {
        expected.extend(u32::to_le_bytes(number));
    }
    expected.extend([0; 4]);
    expected.extend(u64::to_le_bytes(3));
    expected.extend([0; 16]);
    // The block's first token at line 0, column 1; its tokens begin at 0.
    expected.extend([1, 0, 0, 0, 0, 0, 0, 0]);
    expected.extend([0; 4]);
    // The source: name at 0, has content, chunks 0 to 1, two lines, no functions, 3 bytes.
    for number in [0, 2, 0, 1, 2, 0, 0, 3] {
        expected.extend(u32::to_le_bytes(number));
    }
    // The name's string at 2.
    expected.extend([2, 0, 0, 0]);
    // The chunk begins at the begin of line 0, at byte 0; 3 bytes stored of 3.
    expected.extend([0; 16]);
    expected.extend([3, 0, 0, 0, 3, 0, 0, 0]);
    // Mapped and named: no distance, original column 0, name 0. Then a new line: one on, column 0, not mapped.
    expected.extend([2 | 16, 0, 0, 0, 1, 1, 0]);
    expected.extend(b"\x01a\x01nx\ny");
    assert_eq!(file, expected);
}

/// A map with sources, by a writer that is not ours.
fn foreign_map() -> impl Strategy<Value = Vec<u8>> {
    let tokens = proptest::collection::vec(
        (
            0_u32..30,
            prop_oneof![0_u32..40, 0..100_000_u32],
            0_u32..5,
            0_u32..60,
            0_u32..90,
            proptest::option::of(0_u32..6),
        ),
        0..120,
    );
    // Built by repetition: characters one by one would make the test slow and no better.
    let line = prop_oneof![
        "\\PC{0,12}",
        (0_usize..700).prop_map(|count| "é😀x".repeat(count)),
        (16_000_usize..17_000).prop_map(|count| "x".repeat(count)),
    ];
    let end = prop_oneof![Just("\n"), Just("\r\n"), Just("\r"), Just("\u{2028}")];
    let lines = proptest::collection::vec((line, end), 0..25);
    (tokens, proptest::collection::vec(lines, 4)).prop_map(|(tokens, contents)| {
        let mut builder = sourcemap::SourceMapBuilder::new(Some("file.js"));
        for (at, lines) in contents.iter().enumerate() {
            let source = builder.add_source(&format!("{at}.js"));
            let text: String = lines
                .iter()
                .map(|(line, end)| format!("{line}{end}"))
                .collect();
            builder.set_source_contents(source, Some(&text));
        }
        for name in 0..6 {
            builder.add_name(&format!("name{name}"));
        }
        for (line, column, source, original_line, original_column, name) in tokens {
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
        let mut json = Vec::new();
        builder.into_sourcemap().to_writer(&mut json).unwrap();
        json
    })
}

/// The lines of a text by their definition.
fn lines_of(text: &str) -> Vec<&str> {
    let mut lines = Vec::new();
    let mut start = 0;
    let mut characters = text.char_indices().peekable();
    while let Some((at, character)) = characters.next() {
        if matches!(character, '\n' | '\r' | '\u{2028}' | '\u{2029}') {
            lines.push(&text[start..at]);
            start = at + character.len_utf8();
            if character == '\r' && characters.next_if(|next| next.1 == '\n').is_some() {
                start += 1;
            }
        }
    }
    lines.push(&text[start..]);
    lines
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(32))]

    #[test]
    fn a_cache_answers_as_its_map(
        json in foreign_map(),
        questions in proptest::collection::vec((0_u32..32, 0_u32..60), 60),
        line_questions in proptest::collection::vec((0_u32..4, 0_u32..45, 0_u32..7), 30),
    ) {
        let map = SourceMap::parse(&json, &MapLimits::default()).unwrap();
        let cache = MapCache::open(cache::build(&map, None).unwrap()).unwrap();
        let tokens = map.tokens().iter().map(|token| (token.line(), token.column()));
        for (line, column) in tokens.chain(questions) {
            let expected = map.token_at(line, column).map(|token| (token.original().unwrap(), map.name_of(token)));
            let found = cache.lookup(line, column).unwrap();
            let found = found.as_ref().map(|found| {
                let original = srcmap::map::Original { source: found.source, line: found.line, column: found.column };
                (original, found.name)
            });
            prop_assert_eq!(found, expected, "{}:{}", line, column);
        }
        for (source, line, around) in line_questions {
            let text = map.sources()[source as usize].content.as_deref().unwrap();
            let all = lines_of(text);
            let found = cache.source_lines(source, line, around).unwrap();
            if line as usize >= all.len() {
                prop_assert_eq!(found, None);
                continue;
            }
            let found = found.unwrap();
            let first = line.saturating_sub(around);
            prop_assert_eq!(found.first_line, first);
            let expected = all.iter().skip(first as usize).take((line + around - first) as usize + 1);
            for (found, expected) in found.lines.iter().zip(expected) {
                match found.strip_suffix('…').filter(|_| expected.len() > MAX_LINE_BYTES) {
                    Some(cut) => prop_assert!(expected.starts_with(cut) && cut.len() > MAX_LINE_BYTES - 4),
                    None => prop_assert_eq!(found, expected),
                }
            }
        }
    }

    #[test]
    fn bytes_that_were_changed_give_an_error_or_another_answer(
        json in foreign_map(),
        changes in proptest::collection::vec((any::<proptest::sample::Index>(), any::<u8>()), 1..12),
        in_header in any::<bool>(),
    ) {
        let map = SourceMap::parse(&json, &MapLimits::default()).unwrap();
        let mut file = cache::build(&map, None).unwrap();
        for (at, value) in &changes {
            // Most of a file is text: half of the cases change what it says of itself.
            let len = if in_header { 1000.min(file.len()) } else { file.len() };
            file[at.index(len)] = *value;
        }
        ask_everything(&file);
        // A header that says of the file what is so lets more through.
        let len = file.len() as u64;
        file[..6].copy_from_slice(b"BTSC\x01\x00");
        file[8..16].copy_from_slice(&len.to_le_bytes());
        ask_everything(&file);
    }

    #[test]
    fn any_bytes_are_a_cache_or_an_error(bytes in proptest::collection::vec(any::<u8>(), 0..400)) {
        ask_everything(&bytes);
        let mut file = b"BTSC\x01\x00\x00\x00".to_vec();
        file.extend(bytes);
        ask_everything(&file);
    }
}

fn ask_everything(file: &[u8]) {
    let Ok(cache) = MapCache::open(file) else {
        return;
    };
    let _ = (cache.file(), cache.debug_id(), cache.fit());
    for line in [0, 1, 2, 7, 29, u32::MAX] {
        for column in [0, 1, 39, 50_000, u32::MAX] {
            let _ = cache.lookup(line, column);
        }
    }
    for source in [0, 1, 3, 4, u32::MAX] {
        let _ = cache.source(source);
        for line in [0, 5, 39, u32::MAX] {
            let _ = cache.source_lines(source, line, 5);
        }
    }
}

//! Which bundle a map was made with.

#![expect(clippy::unwrap_used, reason = "in a test a failure is a panic")]

use srcmap::fit::{Fit, fit};
use srcmap::map::{MapLimits, SourceMap};

fn parse(json: &str) -> SourceMap {
    SourceMap::parse(json.as_bytes(), &MapLimits::default()).unwrap()
}

const BUNDLES: [(&str, &str, &str); 4] = [
    (
        "esbuild",
        include_str!("fixtures/esbuild.js"),
        include_str!("fixtures/esbuild.js.map"),
    ),
    (
        "esbuild.min",
        include_str!("fixtures/esbuild.min.js"),
        include_str!("fixtures/esbuild.min.js.map"),
    ),
    (
        "terser.min",
        include_str!("fixtures/terser.min.js"),
        include_str!("fixtures/terser.min.js.map"),
    ),
    (
        "later.min",
        include_str!("fixtures/later.min.js"),
        include_str!("fixtures/later.min.js.map"),
    ),
];

#[test]
fn a_bundle_matches_its_own_map_and_no_other_one() {
    for (bundle, text, _) in BUNDLES {
        for (name, _, json) in BUNDLES {
            let fit = fit(text, &parse(json));
            assert_eq!(
                fit.is_match(),
                bundle == name,
                "{bundle} with the map of {name}: {fit:?}"
            );
        }
    }
}

#[test]
fn of_two_builds_that_differ_in_one_word_the_true_one_has_the_higher_share() {
    let (_, text, json) = BUNDLES[1];
    let other = json
        .replace("not a number", "not a nimber")
        .replace("\\\"tea\\\", 2", "\\\"ten\\\", 2");
    let (fits, other) = (fit(text, &parse(json)), fit(text, &parse(&other)));
    assert_eq!(fits.compared, other.compared);
    assert!(fits.share > other.share, "{fits:?}, {other:?}");
}

#[test]
fn positions_are_utf16_units_on_every_line() {
    let map = parse(
        r#"{"version":3,"sources":["a"],"sourcesContent":["'😀😀é'; alpha(12);\n\nbeta"],"names":[],"mappings":"AAAA,QAAS;;;IAAM;CACN,CAEA"}"#,
    );
    let own = "'😀😀é' alpha\r\n\u{2028}\n😀é 12\n bbeta";
    let fit = fit(own, &map);
    // The last two: one in the middle of a word, one on a line that is empty in the source.
    assert_eq!((fit.same, fit.compared, fit.outside), (3, 5, 0), "{fit:?}");
}

#[test]
fn tokens_beyond_the_text_are_counted() {
    let map = parse(
        r#"{"version":3,"sources":["a"],"sourcesContent":["alpha"],"names":[],"mappings":"AAAA,KAAA,CAAA;A;A"}"#,
    );
    let fit = fit("alpha\n", &map);
    assert_eq!((fit.same, fit.compared, fit.outside), (1, 1, 2));
    assert!(!fit.is_match());
}

#[test]
fn without_contents_nothing_is_compared() {
    let map = parse(r#"{"version":3,"sources":["a"],"names":[],"mappings":"AAAA"}"#);
    let fit = fit("alpha", &map);
    assert_eq!((fit.compared, fit.share), (0, 0.0));
    assert!(!fit.is_match());
}

#[test]
fn words_that_the_map_says_were_renamed_count_for_nothing() {
    let map = parse(
        r#"{"version":3,"sources":["a"],"sourcesContent":["alpha beta"],"names":["alpha"],"mappings":"AAAAA,KAAM"}"#,
    );
    let fit = fit("long beta", &map);
    assert_eq!((fit.same, fit.compared), (1, 1), "{fit:?}");
}

#[test]
fn builds_that_are_alike_up_to_a_place_do_not_match_behind_it() {
    let words: Vec<String> = (0..2000).map(|word| format!("word{word}")).collect();
    let source = words.join(" ");
    let mut builder = sourcemap::SourceMapBuilder::new(None);
    let id = builder.add_source("a.js");
    builder.set_source_contents(id, Some(&source));
    let mut column = 0;
    for word in &words {
        builder.add_raw(0, column, 0, column, Some(id), None, false);
        column += word.len() as u32 + 1;
    }
    let mut json = Vec::new();
    builder.into_sourcemap().to_writer(&mut json).unwrap();
    let map = SourceMap::parse(&json, &MapLimits::default()).unwrap();
    let own = fit(&source, &map);
    assert!(own.is_match() && own.same == 2000, "{own:?}");
    // The other build has some words more, at nine tenths.
    let longer = source.replace("word1800", "if (more) return; word1800");
    let other = fit(&longer, &map);
    assert!(
        other.share > Fit::MIN_SHARE && !other.is_match(),
        "{other:?}"
    );
}

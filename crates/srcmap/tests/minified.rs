//! What bundles say of themselves.

use proptest::prelude::*;
use srcmap::DebugId;
use srcmap::minified::{DataUrlError, DebugIdSource, decode_data_url, inspect};

const ID: &str = "85314830-023f-4cf1-a267-535f4e37bb17";
const OTHER_ID: &str = "95314830-023f-4cf1-a267-535f4e37bb17";

#[track_caller]
fn url_is(text: &str, expected: Option<&str>) {
    assert_eq!(
        inspect(text.as_bytes()).source_mapping_url.as_deref(),
        expected,
        "{text:?}"
    );
}

#[track_caller]
fn id_is(text: &str, expected: Option<(&str, DebugIdSource)>) {
    let facts = inspect(text.as_bytes());
    let expected = expected.map(|(id, source)| (DebugId::parse(id).unwrap(), source));
    assert_eq!(
        facts.debug_id.zip(facts.debug_id_source),
        expected,
        "{text:?}"
    );
}

#[test]
fn the_map_is_named_by_the_last_comment_with_no_code_behind_it() {
    for (text, expected) in [
        ("a()\n//# sourceMappingURL=a.js.map", Some("a.js.map")),
        ("a()\n//# sourceMappingURL=a.js.map\n", Some("a.js.map")),
        (
            "a()\r\n//# sourceMappingURL=a.js.map\r\n\r\n",
            Some("a.js.map"),
        ),
        (
            "a()\u{2028}//# sourceMappingURL=a.js.map\u{2029}",
            Some("a.js.map"),
        ),
        ("a() //# sourceMappingURL=a.js.map", Some("a.js.map")),
        ("//@ sourceMappingURL=a.js.map", Some("a.js.map")),
        ("//#sourceMappingURL=a.js.map", Some("a.js.map")),
        ("//# \tsourceMappingURL=a.js.map  \u{a0}", Some("a.js.map")),
        ("/*# sourceMappingURL=a.css.map */", Some("a.css.map")),
        (
            "a() /* b */ /*# sourceMappingURL=a.css.map */ // c",
            Some("a.css.map"),
        ),
        (
            "//# sourceMappingURL=a.map\n//# sourceMappingURL=b.map",
            Some("b.map"),
        ),
        (
            "/*# sourceMappingURL=a.map */ //# sourceMappingURL=b.map",
            Some("b.map"),
        ),
        (
            "//# sourceMappingURL=a.map\n// the end\n  \n//# debugId=x",
            Some("a.map"),
        ),
        (
            "//# sourceMappingURL=http://h/a.map?x=1#y",
            Some("http://h/a.map?x=1#y"),
        ),
        ("//# sourceMappingURL=a.map\na()", None),
        ("//# sourceMappingURL=a.map\n;", None),
        ("/*# sourceMappingURL=a.map */ a()", None),
        ("//# sourceMappingURL=a b.map", None),
        ("//# sourceMappingURL=", None),
        ("// # sourceMappingURL=a.map", None),
        ("# sourceMappingURL=a.map", None),
        ("'//# sourceMappingURL=a.map'", None),
        ("\"x\";/#//# sourceMappingURL=a.map", Some("a.map")),
        ("/*# sourceMappingURL=a.map", None),
        ("/*\n//# sourceMappingURL=a.map\n*/", None),
        ("", None),
        ("/", None),
        ("/*", None),
    ] {
        url_is(text, expected);
    }
}

#[test]
fn the_debug_id_is_in_a_comment_or_in_the_code_of_the_bundler_plugin() {
    let comment = |text: String, id| id_is(&text, Some((id, DebugIdSource::Comment)));
    comment(format!("a()\n//# debugId={ID}\n"), ID);
    comment(
        format!("a()\n//# debugId={ID}\n//# sourceMappingURL=a.js.map\n"),
        ID,
    );
    comment(
        format!(
            "a()\n//# sourceMappingURL=a.js.map\n//# debugId={}",
            ID.to_uppercase()
        ),
        ID,
    );
    comment(format!("//# debugId={OTHER_ID}\n//# debugId={ID}\n"), ID);
    // Code that something appended: the proposal has the last five lines looked at.
    comment(format!("//# debugId={ID}\na()\nb()\n"), ID);
    id_is(&format!("//# debugId={ID}\n1\n2\n3\n4\n5\n"), None);
    id_is("//# debugId=85314830\n", None);
    let snippet = |id: &str| {
        format!(
            "!function(){{try{{var e=globalThis,n=(new e.Error).stack;n&&(e._sentryDebugIds=e._sentryDebugIds||{{}},e._sentryDebugIds[n]=\"{id}\",e._sentryDebugIdIdentifier=\"sentry-dbid-{id}\")}}catch(e){{}}}}();"
        )
    };
    id_is(
        &format!("{}\nmain()", snippet(ID)),
        Some((ID, DebugIdSource::Snippet)),
    );
    id_is(
        &format!("e._sentryDebugIds[stack] = '{ID}';"),
        Some((ID, DebugIdSource::Snippet)),
    );
    id_is(
        &format!("{}\nmain()\n//# debugId={OTHER_ID}", snippet(ID)),
        Some((OTHER_ID, DebugIdSource::Comment)),
    );
    id_is(&format!("{}{}", snippet(ID), snippet(OTHER_ID)), None);
    id_is("e._sentryDebugIds[n]=id", None);
}

#[test]
fn a_map_in_the_comment_is_found_and_decoded() {
    let json = r#"{"version":3,"sources":[],"mappings":""}"#;
    let mut bundle =
        b"a()\n//# sourceMappingURL=data:application/json;charset=utf-8;base64,".to_vec();
    bundle.extend(b"eyJ2ZXJzaW9uIjozLCJzb3VyY2VzIjpbXSwibWFwcGluZ3MiOiIifQ");
    let facts = inspect(&bundle);
    assert!(facts.is_inline_map());
    assert_eq!(facts.source_mapping_url, None);
    let url = facts.inline_map.unwrap();
    assert_eq!(decode_data_url(url, 1000).unwrap(), json.as_bytes());
    assert_eq!(decode_data_url(url, json.len()).unwrap(), json.as_bytes());
    assert_eq!(
        decode_data_url(url, json.len() - 1),
        Err(DataUrlError::TooLarge {
            limit: json.len() - 1
        })
    );
}

#[test]
fn data_urls_are_decoded_by_what_they_say() {
    for (url, expected) in [
        ("data:,a%20b%", "a b%"),
        ("DATA:application/json,%7B%7D", "{}"),
        ("data:application/json;BASE64,e30=", "{}"),
        ("data:application/json;base64,e30%3D", "{}"),
        ("data:application/json;base64,e30", "{}"),
        ("data:base64,e30=", "e30="),
        ("data:;base64;x=y,e30=", "e30="),
    ] {
        assert_eq!(
            decode_data_url(url.as_bytes(), 100).unwrap(),
            expected.as_bytes(),
            "{url}"
        );
    }
    assert_eq!(
        decode_data_url(b"https://a", 9),
        Err(DataUrlError::NotADataUrl)
    );
    assert_eq!(
        decode_data_url(b"data:text/plain", 9),
        Err(DataUrlError::NotADataUrl)
    );
    assert!(matches!(
        decode_data_url(b"data:;base64,e3?=", 9),
        Err(DataUrlError::NotBase64(_))
    ));
    assert_eq!(
        decode_data_url(&[b"data:,".as_slice(), &[b'a'; 100]].concat(), 9),
        Err(DataUrlError::TooLarge { limit: 9 })
    );
}

proptest! {
    #[test]
    fn any_bytes_are_looked_at(bytes in proptest::collection::vec(prop_oneof![any::<u8>(), Just(b'/'), Just(b'*'), Just(b'#'), Just(b'\n'), Just(0xe2)], 0..200)) {
        let facts = inspect(&bytes);
        prop_assert!(facts.inline_map.is_none() && facts.debug_id.is_none());
        let _ = decode_data_url(&bytes, 100);
        let _ = decode_data_url(&[b"data:;base64,", bytes.as_slice()].concat(), 100);
    }

    #[test]
    fn the_comments_are_those_of_reading_from_the_front(lines in proptest::collection::vec(
        prop_oneof!["//# sourceMappingURL=[a-c]", "/\\*# sourceMappingURL=[a-c] \\*/", "// x", "/\\* x \\*/", "a", "[ \t]", "/", ""], 0..12),
        separators in proptest::collection::vec(prop_oneof![Just("\n"), Just("\r\n"), Just("\r"), Just(""), Just("\u{2028}")], 12),
    ) {
        let text: String = lines.iter().zip(&separators).map(|(line, end)| format!("{line}{end}")).collect();
        prop_assert_eq!(inspect(text.as_bytes()).source_mapping_url, from_the_front(&text), "{:?}", text);
    }
}

/// "JavaScriptExtractSourceMapURL, without parsing" as the specification words it.
fn from_the_front(text: &str) -> Option<String> {
    let mut last = None;
    for line in text
        .replace("\r\n", "\n")
        .split(['\n', '\r', '\u{2028}', '\u{2029}'])
    {
        let line: Vec<char> = line.chars().collect();
        let mut at = 0;
        while at < line.len() {
            let first = line[at];
            at += 1;
            if first == '/' && at < line.len() {
                let second = line[at];
                at += 1;
                if second == '/' {
                    last = value(&line[at..]).or(last);
                    at = line.len();
                } else if second == '*' {
                    let rest: String = line[at..].iter().collect();
                    let Some(end) = rest.find("*/") else { break };
                    let end = rest[..end].chars().count();
                    last = value(&line[at..at + end]).or(last);
                    at += end + 2;
                } else {
                    last = None;
                }
            } else if !first.is_whitespace() {
                last = None;
            }
        }
    }
    last
}

fn value(comment: &[char]) -> Option<String> {
    let text: String = comment.iter().collect();
    let url = text
        .strip_prefix('#')?
        .trim()
        .strip_prefix("sourceMappingURL=")?
        .to_owned();
    (!url.contains(char::is_whitespace)).then_some(url)
}

//! A search is one thing: the same conditions find the same traces, in the same order, in every API.
//!
//! What should be found is worked out here from the spans themselves, in the plainest way. Another API is one more entry in [`apis::ALL`].

mod apis;
mod corpus;

use std::collections::BTreeSet;

use apis::Reader;
use corpus::{Corpus, Value};
use tempfile::TempDir;

use crate::running::{Backtrail, Start, post};

/// What is asked for; all of it must hold on one span.
#[derive(Debug, Clone, Default)]
struct Asked {
    service: Option<&'static str>,
    operation: Option<&'static str>,
    /// As people write them, whatever their types are.
    tags: Vec<(&'static str, &'static str)>,
    kind: Option<&'static str>,
    error: bool,
    min_duration_us: Option<u64>,
    max_duration_us: Option<u64>,
    /// First and last millisecond in which a span may start, counted from the corpus' beginning.
    starts_ms: Option<(u64, u64)>,
    limit: Option<usize>,
}

/// More than there are traces.
const NO_LIMIT: usize = 500;

fn asked(change: impl FnOnce(&mut Asked)) -> Asked {
    let mut asked = Asked::default();
    change(&mut asked);
    asked
}

/// Every kind of condition alone, and some together.
fn questions() -> Vec<Asked> {
    let mut questions = vec![Asked::default()];
    questions.extend(corpus::SERVICES.map(|name| asked(|asked| asked.service = Some(name))));
    questions.extend(corpus::OPERATIONS.map(|name| asked(|asked| asked.operation = Some(name))));
    for tag in [
        ("customer", "acme"),
        ("customer", "ACME"),
        ("customer", "200"),
        ("http.response.status_code", "200"),
        ("http.response.status_code", "500"),
        ("http.response.status_code", "500.0"),
        ("cached", "true"),
        ("cached", "false"),
        ("ratio", "0.25"),
        ("ratio", "0.250"),
        ("items", "7"),
        ("items", "8"),
        ("region", "eu-west-1"),
        ("exception.type", "TypeError"),
        ("absent", "x"),
        ("note", "a \"quoted\" = word: \\ & more"),
        ("note", "ä/ö?#%20+"),
    ] {
        questions.push(asked(|asked| asked.tags = vec![tag]));
    }
    for kind in ["server", "client", "internal"] {
        questions.push(asked(|asked| asked.kind = Some(kind)));
    }
    questions.push(asked(|asked| asked.error = true));
    for (min, max) in [
        (Some(20_000), None),
        (Some(1), Some(20_000)),
        (Some(20_000), Some(20_000)),
        (Some(60_000_000), None),
    ] {
        questions.push(asked(|asked| {
            asked.min_duration_us = min;
            asked.max_duration_us = max;
        }));
    }
    for range in [
        (0, 0),
        (0, 5_000),
        (5_000, 5_000),
        (12_345, 40_000),
        (900_000, 1_000_000),
    ] {
        questions.push(asked(|asked| asked.starts_ms = Some(range)));
    }
    for limit in [1, 2, 7, 50] {
        questions.push(asked(|asked| asked.limit = Some(limit)));
    }
    questions.push(asked(|asked| {
        asked.service = Some("cart");
        asked.operation = Some("get /cart");
        asked.limit = Some(3);
    }));
    questions.push(asked(|asked| {
        asked.service = Some("cart");
        asked.error = true;
        asked.starts_ms = Some((10_000, 50_000));
    }));
    questions.push(asked(|asked| {
        asked.tags = vec![
            ("customer", "acme"),
            ("cached", "true"),
            ("region", "eu-west-1"),
        ];
        asked.min_duration_us = Some(5_000);
    }));
    questions.push(asked(|asked| {
        asked.kind = Some("client");
        asked.tags = vec![("http.response.status_code", "500")];
        asked.limit = Some(2);
    }));
    questions
}

fn send(server: &Backtrail, otlp_json: &[u8]) {
    let kind = ("Content-Type", "application/json");
    let reply = post(&server.url("otlp-http", "/v1/traces"), &[kind], otlp_json);
    assert_eq!((reply.status, reply.text().as_str()), (200, "{}"));
}

/// Asks every API everything.
fn assert_same_in_every_api(server: &Backtrail, corpus: &Corpus) {
    let reader = Reader::of(server);
    let mut sizes = BTreeSet::new();
    for question in questions() {
        let expected = corpus.find(&question);
        sizes.insert(expected.len());
        for (name, find) in apis::ALL {
            assert_eq!(find(&reader, &question), expected, "{name}: {question:?}");
        }
    }
    // Questions that all find nothing, or everything, would prove nothing.
    assert!(sizes.len() > 10, "{sizes:?}");
}

#[test]
fn the_same_conditions_find_the_same_traces_in_every_api() {
    let server = Backtrail::start();
    let corpus = Corpus::generate(80);
    for part in corpus.as_otlp_json() {
        send(&server, &part);
    }
    assert_same_in_every_api(&server, &corpus);
}

/// A server on these data that writes blocks at once.
fn start_that_flushes(data: &TempDir) -> Backtrail {
    Start::new()
        .data_dir(data.path())
        .arg("--storage-flush-interval-ms=20")
        .arg("--storage-trace-idle-ms=10")
        .start()
}

#[test]
fn it_is_the_same_whether_traces_are_in_blocks_or_in_memory_or_in_both() {
    let data = TempDir::new().unwrap();
    let corpus = Corpus::generate(80);
    let all = corpus.spans().count() as u64;
    let parts = corpus.as_otlp_json();
    let (first, rest) = parts.split_first().unwrap();

    let mut server = start_that_flushes(&data);
    send(&server, first);
    server.wait_until_flushed();
    server.stop();

    let mut server = Start::new()
        .data_dir(data.path())
        .arg("--storage-flush-interval-ms=3600000")
        .start();
    for part in rest {
        send(&server, part);
    }
    let [in_memory, in_blocks] =
        server.metrics(["backtrail_memtable_spans", "backtrail_block_spans"]);
    assert!(
        in_memory > 0 && in_blocks > 0,
        "{in_memory} in memory, {in_blocks} in blocks"
    );
    assert_eq!(in_memory + in_blocks, all);
    assert_same_in_every_api(&server, &corpus);
    server.stop();

    let server = start_that_flushes(&data);
    server.wait_until_flushed();
    assert_eq!(server.metric("backtrail_block_spans"), all);
    assert_same_in_every_api(&server, &corpus);
}

#[test]
fn an_id_may_be_short_upper_case_or_padded_in_every_api() {
    let server = Backtrail::start();
    let json = include_bytes!("../../../src/api/tests/shop.json");
    send(&server, json);
    let reader = Reader::of(&server);
    for (spellings, expected) in [
        (
            &[
                "463ac35c9f6413ad48485a3953bb6124",
                "463AC35C9F6413AD48485A3953BB6124",
            ][..],
            "463ac35c9f6413ad48485a3953bb6124",
        ),
        (
            &[
                "c3",
                "C3",
                "00000000000000c3",
                "000000000000000000000000000000C3",
            ],
            "000000000000000000000000000000c3",
        ),
    ] {
        for spelling in spellings {
            for (name, get) in apis::BY_ID {
                assert_eq!(get(&reader, spelling), expected, "{name}: {spelling}");
            }
        }
    }
}

#[test]
fn a_value_of_every_type_is_found_by_the_text_that_people_write() {
    let corpus = Corpus::generate(80);
    let written: Vec<_> = questions()
        .into_iter()
        .flat_map(|asked| asked.tags)
        .collect();
    let is_found = |is_type: fn(&Value) -> bool| {
        written.iter().any(|(key, text)| {
            let spans = corpus.spans();
            let mut values = spans.filter_map(|span| span.attribute(key));
            values.any(|value| is_type(value) && value.is_written(text))
        })
    };
    assert!(is_found(|value| matches!(value, Value::Text(_))));
    assert!(is_found(|value| matches!(value, Value::Int(_))));
    assert!(is_found(|value| matches!(value, Value::Bool(_))));
    assert!(is_found(|value| matches!(value, Value::Double(_))));
    assert!(is_found(|value| matches!(value, Value::List(_))));
}

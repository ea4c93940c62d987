//! What must hold of every statement's span, whatever the statement is.

use std::convert::Infallible;
use std::sync::{Arc, Mutex, OnceLock};

use backtrail::opentelemetry::trace::{Link, TraceState};
use backtrail::opentelemetry_sdk::trace::{SamplingDecision, SamplingResult, ShouldSample};
use backtrail::sql::Database;
use backtrail::testing::Recorder;
use backtrail::{Context, KeyValue, SpanKind, TraceId};

const SYSTEMS: [&str; 8] = [
    "postgresql",
    "mysql",
    "mariadb",
    "sqlite",
    "microsoft.sql_server",
    "oracle.db",
    "clickhouse",
    "other_sql",
];

/// What is in no statement but in its values.
const MARK: &str = "zqxmark";

/// Parts of statements. Each is whole, so that whatever stands before it, what is a value in it stays one.
const PARTS: [&str; 48] = [
    "SELECT",
    "INSERT INTO",
    "VALUES",
    "UPDATE",
    "DELETE FROM",
    "WITH",
    "AS",
    "FROM",
    "WHERE",
    "IN",
    "SET",
    "CALL",
    "(",
    ")",
    ",",
    ";",
    "=",
    "<>",
    "||",
    "::",
    "-",
    "+",
    ".",
    "*",
    "orders",
    "o.id",
    "\"order id\"",
    "`order id`",
    "[order id]",
    "$1",
    ":name",
    "?",
    "@p1",
    "IS NOT",
    "TRUE",
    "NULL",
    "-- it's\n",
    "/* it's \" */",
    "IDENTIFIED BY",
    "LIKE",
    "CASE WHEN",
    "END",
    "'zqxmark'",
    "'it''s zqxmark'",
    "'zqxmark (\"'",
    "'-- zqxmark'",
    "'/* zqxmark'",
    "'zqxmark\n'",
];

/// Runs a statement and looks at its span. The first byte chooses the database; after an even one come any characters, after an odd one each byte is
/// one of the parts that statements are made of, and the values among them must not be told.
pub fn sanitized(data: &[u8]) {
    let Some((&choice, rest)) = data.split_first() else {
        return;
    };
    let is_made_of_parts = choice % 2 == 1;
    let statement = if is_made_of_parts {
        let parts = rest
            .iter()
            .map(|&byte| PARTS[usize::from(byte) % PARTS.len()]);
        parts.collect::<Vec<_>>().join(" ")
    } else {
        String::from_utf8_lossy(rest).into_owned()
    };
    let system = SYSTEMS[usize::from(choice / 2) % SYSTEMS.len()];

    let told = told(&Database::new(system), &statement);
    assert!(told.iter().all(|text| text.len() <= 4096 + '…'.len_utf8()));
    if is_made_of_parts {
        let is_told = told.iter().any(|text| text.contains(MARK));
        assert!(!is_told, "{system}: {statement:?} is told as {told:?}");
    }
}

/// The name and the attributes of a statement's span.
fn told(database: &Database, statement: &str) -> Vec<String> {
    static RECORDER: OnceLock<(Recorder, Keeper)> = OnceLock::new();
    let (recorder, keeper) = RECORDER.get_or_init(|| {
        let keeper = Keeper::default();
        let sampler = keeper.clone();
        (Recorder::with(|system| system.sampler(sampler)), keeper)
    });
    let run = recorder.run_sync(|| {
        database
            .statement(statement)
            .run_sync(|_| Ok::<_, Infallible>(()))
    });
    assert_eq!(run, Ok(()));
    let told = std::mem::take(&mut *keeper.0.lock().expect("nothing panics with it"));
    let name = told.first().expect("one span of one statement");
    assert!((1..=255).contains(&name.len()), "{name:?}");
    told
}

/// Keeps what samplers are told of the last span, which is all that is known of a statement, and drops the span: quicker than having it exported.
#[derive(Clone, Debug, Default)]
struct Keeper(Arc<Mutex<Vec<String>>>);

impl ShouldSample for Keeper {
    fn should_sample(
        &self,
        _parent: Option<&Context>,
        _trace_id: TraceId,
        name: &str,
        _kind: &SpanKind,
        attributes: &[KeyValue],
        _links: &[Link],
    ) -> SamplingResult {
        let mut told = vec![name.to_owned()];
        told.extend(attributes.iter().map(|each| each.value.to_string()));
        *self.0.lock().expect("nothing panics with it") = told;
        SamplingResult {
            decision: SamplingDecision::Drop,
            attributes: Vec::new(),
            trace_state: TraceState::default(),
        }
    }
}

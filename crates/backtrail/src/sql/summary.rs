//! What a statement does, to which table: the name of its span.

use super::dialect::Dialect;
use super::lexer::{Lexer, Token};
use super::sanitize::MAX_INPUT_LEN_BYTES;

/// Tokens that are looked at.
const MAX_TOKENS: usize = 4_096;
/// Bytes of a table's name, with its schema.
const MAX_NAME_LEN_BYTES: usize = 128;
/// Names of common table expressions that are known.
const MAX_EXPRESSIONS: usize = 64;

/// What a statement does. Its parts are few in a service, whatever the values are.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub(super) struct Summary {
    /// `SELECT`, `CREATE TABLE`; nothing if it is none that is known.
    pub(super) operation: Option<String>,
    /// The first table, or the procedure.
    pub(super) target: Option<String>,
    pub(super) is_procedure: bool,
    /// Whether there is another statement behind it.
    pub(super) is_several: bool,
}

impl Summary {
    /// `SELECT orders`.
    pub(super) fn text(&self) -> Option<String> {
        let operation = self.operation.as_ref()?;
        Some(match &self.target {
            Some(target) => format!("{operation} {target}"),
            None => operation.clone(),
        })
    }
}

/// Reads what a statement does from its first words.
pub(super) fn summarize(statement: &str, dialect: Dialect) -> Summary {
    let end = statement.floor_char_boundary(MAX_INPUT_LEN_BYTES);
    let tokens: Vec<Token<'_>> = Lexer::new(&statement[..end], dialect)
        .filter(|&token| token != Token::Gap)
        .take(MAX_TOKENS)
        .skip_while(|&token| token == Token::Symbol('('))
        .collect();
    let end = tokens
        .iter()
        .position(|&token| token == Token::Symbol(';'))
        .unwrap_or(tokens.len());
    let mut reader = Reader {
        tokens: &tokens[..end],
        at: 0,
        expressions: Vec::new(),
    };
    let mut summary = reader.statement();
    summary.is_several = end + 1 < tokens.len();
    summary
}

struct Reader<'t, 'a> {
    tokens: &'t [Token<'a>],
    at: usize,
    /// Names of common table expressions.
    expressions: Vec<String>,
}

impl Reader<'_, '_> {
    fn statement(&mut self) -> Summary {
        if self.skip(&["WITH"]) {
            self.common_table_expressions();
        }
        let Some(first) = self.word().map(str::to_ascii_uppercase) else {
            return Summary::default();
        };
        self.at += 1;
        match first.as_str() {
            "SELECT" => self.on_table("SELECT", Self::selected),
            "INSERT" | "REPLACE" => {
                self.skip_all(INSERT_NOISE);
                self.on_table(&first, Self::name)
            }
            "UPDATE" | "MERGE" | "TRUNCATE" | "COPY" | "TABLE" => {
                self.skip_all(UPDATE_NOISE);
                self.on_table(&first, Self::name)
            }
            "DELETE" => {
                self.skip_all(&["LOW_PRIORITY", "QUICK", "IGNORE"]);
                self.on_table("DELETE", |reader| {
                    let start = reader.at;
                    reader.selected().or_else(|| {
                        reader.at = start;
                        reader.name()
                    })
                })
            }
            "CREATE" | "ALTER" | "DROP" => self.definition(&first),
            "CALL" | "EXEC" | "EXECUTE" => {
                let mut summary = self.on_table(&first, Self::name);
                summary.is_procedure = true;
                summary
            }
            known if PLAIN.contains(&known) => Summary {
                operation: Some(first),
                ..Summary::default()
            },
            _ => Summary::default(),
        }
    }

    fn on_table(
        &mut self,
        operation: &str,
        find: impl FnOnce(&mut Self) -> Option<String>,
    ) -> Summary {
        Summary {
            operation: Some(operation.to_owned()),
            target: find(self),
            ..Summary::default()
        }
    }

    /// `name [(columns)] AS [NOT MATERIALIZED] (…), …`
    fn common_table_expressions(&mut self) {
        self.skip(&["RECURSIVE"]);
        while let Some(name) = self.name() {
            if self.expressions.len() < MAX_EXPRESSIONS {
                self.expressions.push(name);
            }
            self.skip_brackets();
            self.skip_all(&["AS", "NOT", "MATERIALIZED"]);
            self.skip_brackets();
            if self.symbol() != Some(',') {
                return;
            }
            self.at += 1;
        }
    }

    /// The first table after `FROM`, on this level of brackets; in the brackets after `FROM`, if it is followed by some.
    fn selected(&mut self) -> Option<String> {
        let start = self.at;
        let found = self.first_from()?;
        if !self.expressions.contains(&found) {
            return Some(found);
        }
        // What an expression is made of says more than what it is called.
        self.at = 0;
        let real = self.any_from();
        self.at = start;
        Some(real.unwrap_or(found))
    }

    fn first_from(&mut self) -> Option<String> {
        let mut depth = 0_i32;
        let mut wanted = 0;
        while self.at < self.tokens.len() {
            let is_distance =
                self.is_after(["IS", "DISTINCT"]) || self.is_after(["NOT", "DISTINCT"]);
            match self.tokens[self.at] {
                Token::Symbol('(') => depth += 1,
                Token::Symbol(')') => depth -= 1,
                Token::Word(word) if depth == wanted && is(word, "FROM") && !is_distance => {
                    self.at += 1;
                    while self.symbol() == Some('(') {
                        self.at += 1;
                        depth += 1;
                        wanted += 1;
                    }
                    match self.word() {
                        Some(word)
                            if is(word, "SELECT") || is(word, "WITH") || is(word, "VALUES") => {}
                        _ => return self.name(),
                    }
                }
                _ => {}
            }
            self.at += 1;
        }
        None
    }

    fn any_from(&mut self) -> Option<String> {
        while self.at < self.tokens.len() {
            if self.skip(&["FROM"]) {
                if let Some(name) = self.name()
                    && !self.expressions.contains(&name)
                {
                    return Some(name);
                }
            } else {
                self.at += 1;
            }
        }
        None
    }

    /// `CREATE [OR REPLACE] [TEMPORARY] TABLE [IF NOT EXISTS] name`. Of users and the like the name is not told.
    fn definition(&mut self, verb: &str) -> Summary {
        self.skip_all(DEFINITION_NOISE);
        let Some(object) = self.word().map(str::to_ascii_uppercase) else {
            return self.on_table(verb, |_| None);
        };
        self.at += 1;
        if !OBJECTS.contains(&object.as_str()) {
            return self.on_table(verb, |_| None);
        }
        self.skip_all(&["CONCURRENTLY", "IF", "NOT", "EXISTS", "ONLY"]);
        self.on_table(&format!("{verb} {object}"), |reader| {
            match object.as_str() {
                "TABLE" | "VIEW" => reader.name(),
                "INDEX" => {
                    if !reader.skip(&["ON"]) {
                        reader.name()?;
                        reader.skip(&["ON"]).then_some(())?;
                    }
                    reader.skip_all(&["ONLY"]);
                    reader.name()
                }
                _ => None,
            }
        })
    }

    /// A name with what it is qualified by, without quotes.
    fn name(&mut self) -> Option<String> {
        self.skip_all(&["ONLY", "LATERAL"]);
        let mut name = String::new();
        loop {
            match self.tokens.get(self.at)? {
                Token::Word("::") => return None,
                Token::Word(word) => name.push_str(word),
                Token::Quoted(quoted) => name.push_str(&unquoted(quoted)),
                _ => return None,
            }
            self.at += 1;
            let mut is_qualified = false;
            while self.symbol() == Some('.') {
                name.push('.');
                self.at += 1;
                is_qualified = true;
            }
            if name.len() > MAX_NAME_LEN_BYTES {
                name.truncate(name.floor_char_boundary(MAX_NAME_LEN_BYTES));
                name.push('…');
                return Some(name);
            }
            if !is_qualified {
                return Some(name);
            }
        }
    }

    fn word(&self) -> Option<&str> {
        match self.tokens.get(self.at) {
            Some(Token::Word(word)) => Some(word),
            _ => None,
        }
    }

    fn symbol(&self) -> Option<char> {
        match self.tokens.get(self.at) {
            Some(&Token::Symbol(symbol)) => Some(symbol),
            _ => None,
        }
    }

    fn is_after(&self, words: [&str; 2]) -> bool {
        let Some(start) = self.at.checked_sub(2) else {
            return false;
        };
        self.tokens[start..self.at]
            .iter()
            .zip(words)
            .all(|(token, expected)| matches!(token, Token::Word(word) if is(word, expected)))
    }

    fn skip(&mut self, words: &[&str]) -> bool {
        let is_there = self
            .word()
            .is_some_and(|word| words.iter().any(|each| is(word, each)));
        if is_there {
            self.at += 1;
        }
        is_there
    }

    fn skip_all(&mut self, words: &[&str]) {
        while self.skip(words) {}
    }

    fn skip_brackets(&mut self) {
        if self.symbol() != Some('(') {
            return;
        }
        let mut depth = 0_u32;
        while self.at < self.tokens.len() {
            match self.symbol() {
                Some('(') => depth += 1,
                Some(')') => depth -= 1,
                _ => {}
            }
            self.at += 1;
            if depth == 0 {
                return;
            }
        }
    }
}

const INSERT_NOISE: &[&str] = &[
    "OR",
    "REPLACE",
    "IGNORE",
    "ABORT",
    "ROLLBACK",
    "FAIL",
    "LOW_PRIORITY",
    "DELAYED",
    "HIGH_PRIORITY",
    "OVERWRITE",
    "INTO",
    "TABLE",
];
const UPDATE_NOISE: &[&str] = &[
    "OR",
    "REPLACE",
    "IGNORE",
    "ABORT",
    "ROLLBACK",
    "FAIL",
    "LOW_PRIORITY",
    "INTO",
    "TABLE",
];
const DEFINITION_NOISE: &[&str] = &[
    "OR",
    "REPLACE",
    "TEMP",
    "TEMPORARY",
    "UNIQUE",
    "GLOBAL",
    "LOCAL",
    "UNLOGGED",
    "EXTERNAL",
    "FOREIGN",
    "MATERIALIZED",
    "VIRTUAL",
    "RECURSIVE",
    "FULLTEXT",
    "SPATIAL",
    "CLUSTERED",
    "NONCLUSTERED",
    "PUBLIC",
];
const OBJECTS: &[&str] = &[
    "TABLE",
    "VIEW",
    "INDEX",
    "SEQUENCE",
    "SCHEMA",
    "DATABASE",
    "FUNCTION",
    "PROCEDURE",
    "TRIGGER",
    "TYPE",
    "EXTENSION",
    "USER",
    "ROLE",
    "POLICY",
    "DOMAIN",
    "SYNONYM",
];
const PLAIN: &[&str] = &[
    "BEGIN",
    "START",
    "COMMIT",
    "END",
    "ROLLBACK",
    "ABORT",
    "SAVEPOINT",
    "RELEASE",
    "SET",
    "RESET",
    "SHOW",
    "USE",
    "EXPLAIN",
    "DESCRIBE",
    "DESC",
    "ANALYZE",
    "VACUUM",
    "PRAGMA",
    "LOCK",
    "UNLOCK",
    "GRANT",
    "REVOKE",
    "REFRESH",
    "REINDEX",
    "OPTIMIZE",
    "ATTACH",
    "DETACH",
    "LISTEN",
    "NOTIFY",
    "UNLISTEN",
    "VALUES",
    "PREPARE",
    "DEALLOCATE",
    "DECLARE",
    "FETCH",
    "CLOSE",
    "DISCARD",
    "DO",
    "COMMENT",
    "LOAD",
    "IMPORT",
    "CHECKPOINT",
    "CLUSTER",
    "KILL",
    "FLUSH",
    "RENAME",
];

fn unquoted(name: &str) -> String {
    let mut chars = name.chars();
    let (_, close) = (chars.next(), chars.next_back());
    let inner = chars.as_str();
    match close {
        Some(close) => inner.replace(&format!("{close}{close}"), &close.to_string()),
        None => inner.to_owned(),
    }
}

fn is(word: &str, keyword: &str) -> bool {
    word.eq_ignore_ascii_case(keyword)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(system: &str, statement: &str) -> Option<String> {
        summarize(statement, Dialect::of(system)).text()
    }

    #[test]
    fn a_statement_is_named_by_its_operation_and_its_first_table() {
        for (statement, expected) in [
            ("select * from Orders where id = 1", "SELECT Orders"),
            (
                "SELECT a FROM \"public\".\"order \"\"x\"\"\" o JOIN b ON true",
                "SELECT public.order \"x\"",
            ),
            (
                "SELECT (SELECT max(x) FROM a), extract(year FROM at) FROM b",
                "SELECT b",
            ),
            ("SELECT a IS NOT DISTINCT FROM c FROM b", "SELECT b"),
            ("SELECT 1", "SELECT"),
            ("SELECT * FROM (SELECT x FROM (a JOIN b))", "SELECT a"),
            ("((SELECT * FROM a) UNION (SELECT * FROM b))", "SELECT a"),
            ("INSERT INTO orders (id) VALUES ($1)", "INSERT orders"),
            (
                "INSERT OR REPLACE INTO orders DEFAULT VALUES",
                "INSERT orders",
            ),
            ("UPDATE ONLY orders SET a = 1", "UPDATE orders"),
            ("DELETE FROM shop.orders WHERE a = 1", "DELETE shop.orders"),
            ("/* hint */ TRUNCATE TABLE orders", "TRUNCATE orders"),
            (
                "CREATE TEMP TABLE IF NOT EXISTS orders (id int)",
                "CREATE TABLE orders",
            ),
            (
                "CREATE UNIQUE INDEX CONCURRENTLY by_id ON orders (id)",
                "CREATE INDEX orders",
            ),
            ("DROP TABLE IF EXISTS orders", "DROP TABLE orders"),
            ("CREATE USER ann PASSWORD 'x'", "CREATE USER"),
            ("CALL settle($1)", "CALL settle"),
            ("BEGIN", "BEGIN"),
            ("SAVEPOINT sp_7262", "SAVEPOINT"),
        ] {
            assert_eq!(
                text("postgresql", statement).as_deref(),
                Some(expected),
                "{statement}"
            );
        }
        assert_eq!(
            text("mysql", "DELETE a FROM a JOIN b").as_deref(),
            Some("DELETE a")
        );
        assert_eq!(
            text("mysql", "SELECT * FROM `a b`").as_deref(),
            Some("SELECT a b")
        );
        assert_eq!(
            text("mssql", "DELETE [orders]").as_deref(),
            Some("DELETE orders")
        );
        assert_eq!(
            text("mssql", "SELECT * FROM shop..[orders]").as_deref(),
            Some("SELECT shop..orders")
        );
    }

    #[test]
    fn a_common_table_expression_is_not_the_operation() {
        for (statement, expected) in [
            ("WITH a AS (SELECT * FROM t) SELECT * FROM b", "SELECT b"),
            (
                "WITH a (x) AS NOT MATERIALIZED (SELECT * FROM t), c AS (SELECT * FROM a) SELECT * FROM c",
                "SELECT t",
            ),
            (
                "WITH RECURSIVE a AS (VALUES (1)) SELECT * FROM a",
                "SELECT a",
            ),
            (
                "WITH a AS (SELECT 1) INSERT INTO b SELECT * FROM a",
                "INSERT b",
            ),
        ] {
            assert_eq!(
                text("postgresql", statement).as_deref(),
                Some(expected),
                "{statement}"
            );
        }
    }

    #[test]
    fn what_is_no_statement_has_no_name() {
        for statement in [
            "",
            "   ",
            "'x'",
            "7262 orders",
            "secret words",
            ";",
            "WITH",
            "WITH a",
        ] {
            assert_eq!(text("postgresql", statement), None, "{statement}");
        }
    }

    #[test]
    fn several_statements_are_named_by_the_first() {
        let summary = summarize("SELECT 1; DELETE FROM a", Dialect::of("postgresql"));
        assert_eq!(summary.text().as_deref(), Some("SELECT"));
        assert!(summary.is_several);
        assert!(!summarize("SELECT 1;", Dialect::of("postgresql")).is_several);
    }

    #[test]
    fn a_name_has_a_limit() {
        let statement = format!("SELECT * FROM {}", "a".repeat(1_000));
        let name = text("postgresql", &statement).unwrap();
        assert!(name.len() < 150, "{name}");
    }
}

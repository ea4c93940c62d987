//! A statement without its values.

use super::dialect::Dialect;
use super::lexer::{Lexer, Token};
use super::quotes::Quotes;

/// Bytes of a statement that are recorded.
const MAX_OUTPUT_LEN_BYTES: usize = 4 * 1024;
/// Bytes of a statement that are read for it.
pub(super) const MAX_INPUT_LEN_BYTES: usize = 64 * 1024;

/// The statement with `?` for each value, one space for white space and comments, `(?)` for lists after `IN`, and the first row
/// of several rows of values. What is too long ends in `…`.
pub(super) fn sanitize(statement: &str, dialect: Dialect) -> String {
    let end = statement.floor_char_boundary(MAX_INPUT_LEN_BYTES);
    let mut sanitizer = Sanitizer {
        lexer: Lexer::new(&statement[..end], dialect),
        text: String::new(),
        is_full: false,
        gap: false,
        words: ["", ""],
        previous: "",
        quotes: Quotes::of(dialect),
    };
    sanitizer.run();
    if end < statement.len() {
        sanitizer.is_full = true;
    }
    if sanitizer.is_full {
        sanitizer.text.push('…');
    }
    sanitizer.text
}

struct Sanitizer<'a> {
    lexer: Lexer<'a>,
    text: String,
    is_full: bool,
    gap: bool,
    /// The two last words, the last one last.
    words: [&'a str; 2],
    /// The token before, if that was a word.
    previous: &'a str,
    quotes: Quotes,
}

impl<'a> Sanitizer<'a> {
    fn run(&mut self) {
        while !self.is_full
            && let Some(token) = self.lexer.next()
        {
            match token {
                Token::Gap => {
                    self.gap = true;
                    continue;
                }
                Token::Symbol('(') if is(self.previous, "IN") => self.list(),
                Token::Symbol('(') if is(self.previous, "VALUES") => self.rows(),
                Token::Quoted(name) if self.quotes.is_text(name, &self.lexer) => {
                    self.push(Token::Literal);
                }
                token => self.push(token),
            }
            self.previous = match token {
                Token::Word(word) => word,
                _ => "",
            };
        }
    }

    fn push(&mut self, token: Token<'a>) {
        self.quotes.see(token);
        match token {
            Token::Gap => self.gap = true,
            Token::Literal => self.write("?"),
            Token::Symbol(symbol) => self.write(symbol.encode_utf8(&mut [0; 4])),
            Token::Placeholder(text) => self.write(text),
            // Oracle's passwords look like names.
            Token::Word(_) | Token::Quoted(_) if self.is_after(["IDENTIFIED", "BY"]) => {
                self.write("?");
                self.words = ["", ""];
            }
            Token::Quoted(name) => self.write(name),
            Token::Word(word) => {
                let is_truth = is(word, "TRUE") || is(word, "FALSE");
                let is_question = is(self.words[1], "IS") || self.is_after(["IS", "NOT"]);
                self.write(if is_truth && !is_question { "?" } else { word });
                self.words = [self.words[1], word];
            }
        }
    }

    fn is_after(&self, words: [&str; 2]) -> bool {
        is(self.words[0], words[0]) && is(self.words[1], words[1])
    }

    fn write(&mut self, text: &str) {
        let space = usize::from(self.gap && !self.text.is_empty());
        if self.text.len() + space + text.len() > MAX_OUTPUT_LEN_BYTES {
            self.is_full = true;
            return;
        }
        if space == 1 {
            self.text.push(' ');
        }
        self.text.push_str(text);
        self.gap = false;
    }

    /// What stands in brackets after `IN`: its length is no property of the statement.
    fn list(&mut self) {
        self.quotes.enter_values();
        match after_values(&self.lexer) {
            Some((rest, count)) if count > 1 => {
                self.lexer = rest;
                self.quotes.leave_values();
                self.write("(?)");
            }
            _ => self.push(Token::Symbol('(')),
        }
    }

    /// What stands after `VALUES`: of rows that are values only, the first is told.
    fn rows(&mut self) {
        self.quotes.enter_values();
        self.push(Token::Symbol('('));
        let Some((rest, _)) = after_values(&self.lexer) else {
            return;
        };
        while !self.is_full
            && let Some(token) = self.lexer.next()
        {
            self.push(token);
            if token == Token::Symbol(')') {
                break;
            }
        }
        self.lexer = rest;
        while let Some(rest) = after_row(&self.lexer) {
            self.lexer = rest;
        }
    }
}

/// What follows `, ( values )`, if that is what comes.
fn after_row<'a>(lexer: &Lexer<'a>) -> Option<Lexer<'a>> {
    let mut lexer = lexer.clone();
    for expected in [',', '('] {
        let token = lexer.find(|&token| token != Token::Gap)?;
        if token != Token::Symbol(expected) {
            return None;
        }
    }
    after_values(&lexer).map(|(rest, _)| rest)
}

/// What follows the bracket that closes a list of nothing but values and placeholders, and how many there are.
fn after_values<'a>(lexer: &Lexer<'a>) -> Option<(Lexer<'a>, usize)> {
    let mut lexer = lexer.clone();
    let mut count = 0;
    let mut is_type = false;
    loop {
        match lexer.next()? {
            Token::Literal | Token::Placeholder(_) => count += 1,
            Token::Word("::") => {
                is_type = true;
                continue;
            }
            Token::Word(_) if is_type => {}
            Token::Word(word)
                if ["NULL", "DEFAULT", "TRUE", "FALSE"]
                    .iter()
                    .any(|each| is(word, each)) =>
            {
                count += 1;
            }
            Token::Gap | Token::Symbol(',' | '-' | '+') => {}
            Token::Symbol(')') => return Some((lexer, count)),
            _ => return None,
        }
        is_type = false;
    }
}

fn is(word: &str, keyword: &str) -> bool {
    word.eq_ignore_ascii_case(keyword)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn check(system: &str, cases: &[(&str, &str)]) {
        for (statement, expected) in cases {
            assert_eq!(&sanitize(statement, Dialect::of(system)), expected);
        }
    }

    #[test]
    fn values_of_all_kinds_become_question_marks() {
        check(
            "postgresql",
            &[
                (
                    "SELECT 'it''s', 1, -2.5e-3, .5, 0xFF, TRUE",
                    "SELECT ?, ?, -?, ?, ?, ?",
                ),
                (
                    "SELECT E'it\\'s', X'1F', B'01', N'x', U&'\\0061'",
                    "SELECT ?, ?, ?, ?, ?",
                ),
                (
                    "SELECT $$it's$$, $tag$a $$ b$tag$ FROM t",
                    "SELECT ?, ? FROM t",
                ),
                ("a = '\\' AND b = 'x'", "a = ? AND b = ?"),
                ("SELECT '2020-01-01'::date, 1_000", "SELECT ?::date, ?"),
                (
                    "WHERE a IS TRUE AND b IS NOT FALSE AND c = true",
                    "WHERE a IS TRUE AND b IS NOT FALSE AND c = ?",
                ),
                ("WHERE a IS NULL", "WHERE a IS NULL"),
                ("a LIKE'x' OR b IN('y')", "a LIKE? OR b IN(?)"),
                ("SELECT 'never closed", "SELECT ?"),
                ("SELECT \"never closed", "SELECT ?"),
            ],
        );
        check(
            "mysql",
            &[
                (
                    "SELECT 'it\\'s', \"a\"\"b\", _utf8'x', `it's`",
                    "SELECT ?, ?, ?, `it's`",
                ),
                ("SELECT a#it's\nFROM t", "SELECT a FROM t"),
                ("SELECT 5--3", "SELECT ?--?"),
            ],
        );
        check(
            "oracle.db",
            &[
                ("SELECT q'[it's]' FROM dual", "SELECT ? FROM dual"),
                (
                    "CREATE USER ann IDENTIFIED BY hunter2 x",
                    "CREATE USER ann IDENTIFIED BY ? x",
                ),
            ],
        );
        check(
            "other_sql",
            &[
                ("SELECT 'a\\' b 'c'", "SELECT ?"),
                ("SELECT 'a\\b' c", "SELECT ? c"),
                ("SELECT 1 # it's\n, 'secret'", "SELECT ? ?"),
            ],
        );
    }

    #[test]
    fn names_and_placeholders_stay() {
        check(
            "postgresql",
            &[
                (
                    "SELECT \"order id\", o.t1 FROM \"public\".orders2 o WHERE a=$1 AND b = :name AND c=@p1 AND d=? AND e::int=?2",
                    "SELECT \"order id\", o.t1 FROM \"public\".orders2 o WHERE a=$1 AND b = :name AND c=@p1 AND d=? AND e::int=?2",
                ),
                (
                    "SELECT a->>'key', b @> '{}' FROM t",
                    "SELECT a->>?, b @> ? FROM t",
                ),
                ("SELECT größe FROM maße", "SELECT größe FROM maße"),
            ],
        );
        check(
            "sqlite",
            &[(
                "SELECT [it's] FROM `a b` WHERE x = $id",
                "SELECT [it's] FROM `a b` WHERE x = $id",
            )],
        );
    }

    #[test]
    fn double_quotes_in_the_place_of_a_value_are_text_where_they_may_be() {
        check(
            "sqlite",
            &[
                (
                    "SELECT \"a\", t.\"b\" FROM \"t\" WHERE \"c\" = \"secret\" AND d LIKE \"x\" OR \"e\" IN (\"y\")",
                    "SELECT \"a\", t.\"b\" FROM \"t\" WHERE \"c\" = ? AND d LIKE ? OR \"e\" IN (?)",
                ),
                (
                    "a BETWEEN \"x\" AND \"y\" AND \"b\" <> \"t\".\"c\"",
                    "a BETWEEN ? AND ? AND \"b\" <> \"t\".\"c\"",
                ),
                (
                    "INSERT INTO t (\"a\") VALUES (\"x\", f(\"y\")), (\"z\", 1) ON CONFLICT (\"a\") DO NOTHING",
                    "INSERT INTO t (\"a\") VALUES (?, f(?)), (?, ?) ON CONFLICT (\"a\") DO NOTHING",
                ),
                (
                    "x IN (SELECT \"a\" FROM \"t\") AND y IN (\"z\", 1) AND \"b\" = 1",
                    "x IN (SELECT \"a\" FROM \"t\") AND y IN (?, ?) AND \"b\" = ?",
                ),
                ("CASE WHEN \"x\" THEN \"y\" END", "CASE WHEN ? THEN ? END"),
            ],
        );
        check(
            "postgresql",
            &[("a = \"b\" AND c IN (\"d\")", "a = \"b\" AND c IN (\"d\")")],
        );
    }

    #[test]
    fn text_goes_on_in_the_next_line_and_money_is_a_number() {
        check(
            "postgresql",
            &[("SELECT E'a' -- b\n 'c\\'secret', 'd'", "SELECT ?, ?")],
        );
        check(
            "microsoft.sql_server",
            &[(
                "WHERE a = $1234.50 OR b = €17 OR c = $id",
                "WHERE a = ? OR b = ? OR c = $id",
            )],
        );
    }

    #[test]
    fn comments_go_and_white_space_is_one_space() {
        check(
            "postgresql",
            &[
                (
                    "  SELECT a -- it's\n  ,b /* 'x' /* nested */ y */ FROM\tt  ",
                    "SELECT a ,b FROM t",
                ),
                ("SELECT 1 /* never closed", "SELECT ?"),
                ("/* a */SELECT/**/a", "SELECT a"),
            ],
        );
        check("mysql", &[("SELECT /* a /* b */ c", "SELECT c")]);
    }

    #[test]
    fn the_length_of_a_list_is_no_property_of_a_statement() {
        check(
            "postgresql",
            &[
                ("WHERE id IN (1, 2, -3)", "WHERE id IN (?)"),
                ("WHERE id in($1,$2::uuid, NULL)", "WHERE id in(?)"),
                ("WHERE id IN ($1)", "WHERE id IN ($1)"),
                (
                    "WHERE id IN (SELECT id FROM t)",
                    "WHERE id IN (SELECT id FROM t)",
                ),
                ("WHERE id IN (1, f(2))", "WHERE id IN (?, f(?))"),
                (
                    "INSERT INTO t VALUES (1, 'a'), (2, 'b') , (3, 'c') RETURNING id",
                    "INSERT INTO t VALUES (?, ?) RETURNING id",
                ),
                (
                    "VALUES ($1, now()), ($2, now())",
                    "VALUES ($1, now()), ($2, now())",
                ),
            ],
        );
    }

    #[test]
    fn what_is_long_is_cut() {
        let names = "SELECT ".to_owned() + &"name, ".repeat(10_000);
        let told = sanitize(&names, Dialect::of("postgresql"));
        assert!(told.len() <= MAX_OUTPUT_LEN_BYTES + '…'.len_utf8());
        assert!(told.ends_with('…'));
        let values = "SELECT ".to_owned() + &"1".repeat(2 * MAX_INPUT_LEN_BYTES);
        assert_eq!(sanitize(&values, Dialect::of("postgresql")), "SELECT ?…");
    }

    const SYSTEMS: [&str; 7] = [
        "postgresql",
        "mysql",
        "sqlite",
        "microsoft.sql_server",
        "oracle.db",
        "clickhouse",
        "something else",
    ];

    /// Statements of which every `{}` is the place of a value.
    const STATEMENTS: [&str; 8] = [
        "SELECT * FROM orders WHERE id = {} AND name LIKE {}",
        "INSERT INTO orders (a, b) VALUES ({}, {}), ({},{})",
        "UPDATE \"orders\" SET a={}, `b` = {} WHERE c IN ({}, {})",
        "SELECT /* it's */ a FROM t -- don't\n WHERE x={}",
        "SELECT f({}), CASE WHEN a>{} THEN {} ELSE {} END",
        "SELECT a||{}||b, ({}), [a], x::text FROM \"it's\" WHERE {}=y",
        "CREATE USER ann IDENTIFIED BY {}",
        "SELECT {} {};{}",
    ];

    /// A value as a service would write it, with a mark that is found again if it gets out.
    fn literal(system: &'static str) -> impl Strategy<Value = (String, String)> {
        let quoted = ("[a-z]{6}", ".{0,12}", ".{0,12}").prop_map(move |(mark, before, after)| {
            let text = format!("{before}zq{mark}{after}");
            let escapes = Dialect::of(system).backslash_escapes;
            let text = if escapes {
                text.replace('\\', "\\\\")
            } else {
                text
            };
            (
                format!("zq{mark}"),
                format!("'{}'", text.replace('\'', "''")),
            )
        });
        let number = (10_000_u64.., any::<bool>()).prop_map(|(number, negative)| {
            let sign = if negative { "-" } else { "" };
            (number.to_string(), format!("{sign}{number}"))
        });
        let real = (10_000_u32..).prop_map(|n| (n.to_string(), format!("0.{n}e+{n}")));
        let hex = "[0-9A-F]{8}".prop_map(|hex| (hex.clone(), format!("0x{hex}")));
        let bytes = "[0-9A-F]{8}".prop_map(|hex| (hex.clone(), format!("X'{hex}'")));
        let dollar = "[a-z]{6}".prop_map(move |mark| {
            let text = format!("zq{mark} it's ; -- \"");
            let literal = if Dialect::of(system).dollar_quotes {
                format!("$b${text}$b$")
            } else {
                format!("'{}'", text.replace('\'', "''"))
            };
            (format!("zq{mark}"), literal)
        });
        prop_oneof![quoted, number, real, hex, bytes, dollar]
    }

    fn filled() -> impl Strategy<Value = (&'static str, String, Vec<String>)> {
        proptest::sample::select(&SYSTEMS[..]).prop_flat_map(|system| {
            (
                Just(system),
                proptest::sample::select(&STATEMENTS[..]),
                proptest::collection::vec(literal(system), 4),
            )
                .prop_map(|(system, statement, literals)| {
                    let mut text = String::new();
                    let mut parts = statement.split("{}");
                    text.push_str(parts.next().unwrap_or_default());
                    for (part, (_, literal)) in parts.zip(literals.iter().cycle()) {
                        text.push_str(literal);
                        text.push_str(part);
                    }
                    (
                        system,
                        text,
                        literals.into_iter().map(|(mark, _)| mark).collect(),
                    )
                })
        })
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(2_000))]

        #[test]
        fn no_value_gets_out((system, statement, marks) in filled()) {
            let told = sanitize(&statement, Dialect::of(system));
            for mark in marks {
                prop_assert!(!told.contains(&mark), "{mark} of {statement:?} is in {told:?} ({system})");
            }
        }

        #[test]
        fn anything_is_taken(text in "(?s).{0,200}", system in proptest::sample::select(&SYSTEMS[..])) {
            sanitize(&text, Dialect::of(system));
        }

        #[test]
        fn all_that_is_special_is_taken(
            text in "[-'\"`$?:@#/*()\\[\\]\\\\;.,qE0 \n]{0,60}",
            system in proptest::sample::select(&SYSTEMS[..]),
        ) {
            sanitize(&text, Dialect::of(system));
            super::super::summary::summarize(&text, Dialect::of(system));
        }
    }
}

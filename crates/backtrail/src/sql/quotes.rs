//! Double quotes where a database takes them for names or for text, as it fits.

use super::dialect::Dialect;
use super::lexer::{Lexer, Token};

/// Knows by what came before whether a value is expected. SQLite takes a name in double quotes that it does not know for text, and so does
/// SQL Server with `QUOTED_IDENTIFIER OFF`: what stands in the place of a value is told by neither.
#[derive(Debug)]
pub(super) struct Quotes {
    are_unclear: bool,
    expects_value: bool,
    follows_dot: bool,
    /// Whether the next `AND` is that of a `BETWEEN`.
    is_between: bool,
    depth: i32,
    /// The depth of the brackets after `IN` or `VALUES`.
    values_depth: Option<i32>,
}

impl Quotes {
    pub(super) fn of(dialect: Dialect) -> Self {
        Self {
            are_unclear: dialect.double_quotes_are_unclear,
            expects_value: false,
            follows_dot: false,
            is_between: false,
            depth: 0,
            values_depth: None,
        }
    }

    /// Whether this quoted token, behind which the lexer stands, is text. What is a part of a qualified name is a name.
    pub(super) fn is_text(&self, quoted: &str, behind: &Lexer<'_>) -> bool {
        self.are_unclear
            && quoted.starts_with('"')
            && (self.expects_value || self.values_depth.is_some())
            && !self.follows_dot
            && behind.clone().find(|&token| token != Token::Gap) != Some(Token::Symbol('.'))
    }

    /// The next bracket opens a list of values, or rows of them.
    pub(super) fn enter_values(&mut self) {
        self.values_depth = Some(self.depth);
    }

    pub(super) fn leave_values(&mut self) {
        self.values_depth = None;
    }

    pub(super) fn see(&mut self, token: Token<'_>) {
        self.expects_value = match token {
            Token::Gap => return,
            Token::Word(word) => self.see_word(word),
            Token::Symbol(symbol) => self.see_symbol(symbol),
            Token::Quoted(_) | Token::Placeholder(_) | Token::Literal => false,
        };
        self.follows_dot = token == Token::Symbol('.');
    }

    fn see_word(&mut self, word: &str) -> bool {
        let is = |keyword: &&str| word.eq_ignore_ascii_case(keyword);
        let is_outside = self.values_depth == Some(self.depth);
        if is_outside || ["SELECT", "WITH"].iter().any(is) {
            self.values_depth = None;
        }
        if is(&"BETWEEN") {
            self.is_between = true;
            return true;
        }
        if is(&"AND") {
            return std::mem::take(&mut self.is_between);
        }
        if is(&"NOT") {
            return self.expects_value;
        }
        BEFORE_VALUES.iter().any(is)
    }

    fn see_symbol(&mut self, symbol: char) -> bool {
        match symbol {
            '(' => self.depth += 1,
            ')' => self.depth -= 1,
            ';' => self.values_depth = None,
            _ => {}
        }
        "=<>!|~+-*/%&".contains(symbol)
    }
}

const BEFORE_VALUES: [&str; 10] = [
    "LIKE", "GLOB", "MATCH", "REGEXP", "ESCAPE", "IS", "WHEN", "THEN", "ELSE", "DEFAULT",
];

//! A statement as tokens. It reads what any of the dialects writes, takes whatever it is given, and errs on the side of calling
//! something a literal.

use super::dialect::Dialect;

/// One token, as a part of the statement.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Token<'a> {
    /// White space and comments.
    Gap,
    /// A keyword or a name without quotes.
    Word(&'a str),
    /// A name in quotes, which are part of it.
    Quoted(&'a str),
    /// `?`, `?1`, `$1`, `:name`, `@p1`.
    Placeholder(&'a str),
    /// A value of any kind: of what is in it nothing is to be seen.
    Literal,
    /// One character of anything else.
    Symbol(char),
}

/// The tokens of a statement, in order.
#[derive(Debug, Clone)]
pub(super) struct Lexer<'a> {
    rest: &'a str,
    dialect: Dialect,
    /// Whether the character before is part of a name or of a closed expression, so that a dot is no decimal point.
    follows_operand: bool,
}

impl<'a> Lexer<'a> {
    pub(super) fn new(statement: &'a str, dialect: Dialect) -> Self {
        Self {
            rest: statement,
            dialect,
            follows_operand: false,
        }
    }

    fn take(&mut self, len_bytes: usize) -> &'a str {
        let (taken, rest) = self.rest.split_at(len_bytes);
        self.rest = rest;
        taken
    }

    fn take_while(&mut self, is_part: impl Fn(char) -> bool) -> &'a str {
        let end = self.rest.find(|c| !is_part(c)).unwrap_or(self.rest.len());
        self.take(end)
    }

    fn gap(&mut self) -> bool {
        let before = self.rest.len();
        loop {
            let start = self.rest.len();
            self.rest = self.rest.trim_start();
            if self.rest.starts_with("--") && self.dialect.starts_comment(&self.rest[2..])
                || self.dialect.hash_comments && self.rest.starts_with('#')
            {
                let end = self.rest.find('\n').unwrap_or(self.rest.len());
                self.take(end);
            } else if self.rest.starts_with("/*") {
                self.block_comment();
            }
            if self.rest.len() == start {
                return start < before;
            }
        }
    }

    /// One that is never closed goes on to the end.
    fn block_comment(&mut self) {
        let mut depth = 0_usize;
        loop {
            if self.rest.starts_with("/*") && (depth == 0 || self.dialect.nested_comments) {
                depth += 1;
                self.take(2);
            } else if self.rest.starts_with("*/") {
                depth -= 1;
                self.take(2);
                if depth == 0 {
                    return;
                }
            } else {
                let skipped = self.rest.chars().next().map_or(0, char::len_utf8);
                if skipped == 0 {
                    return;
                }
                self.take(skipped);
            }
        }
    }

    /// Text in single quotes, from its opening quote.
    fn text(&mut self, quote: char, backslash_escapes: bool) -> Token<'a> {
        let mut chars = self.rest.char_indices().skip(1).peekable();
        while let Some((at, c)) = chars.next() {
            if c == '\\' && backslash_escapes {
                chars.next();
            } else if c == '\\' && self.dialect.backslash_is_unclear {
                if matches!(chars.peek(), Some(&(_, next)) if next == quote) {
                    // Whether the text ends here is anyone's guess: then nothing of the rest is told.
                    break;
                }
            } else if c == quote {
                if matches!(chars.peek(), Some(&(_, next)) if next == quote) {
                    chars.next();
                } else {
                    self.take(at + c.len_utf8());
                    return Token::Literal;
                }
            }
        }
        self.rest = "";
        Token::Literal
    }

    /// A name in quotes, from its opening quote. One that is never closed is no name.
    fn quoted(&mut self, close: char) -> Token<'a> {
        let mut chars = self.rest.char_indices().skip(1).peekable();
        while let Some((at, c)) = chars.next() {
            if c != close {
                continue;
            }
            if matches!(chars.peek(), Some(&(_, next)) if next == close) {
                chars.next();
            } else {
                return Token::Quoted(self.take(at + c.len_utf8()));
            }
        }
        self.rest = "";
        Token::Literal
    }

    /// `$1`, `$name`, `$$text$$`, `$tag$text$tag$`.
    fn dollar(&mut self) -> Token<'a> {
        let name_len = self.rest[1..]
            .find(|c| !is_name_part(c) || c == '$')
            .unwrap_or(self.rest.len() - 1);
        let after = 1 + name_len;
        let is_tag = !self.rest[1..after].starts_with(|c: char| c.is_ascii_digit());
        if self.dialect.dollar_quotes && is_tag && self.rest[after..].starts_with('$') {
            let tag = &self.rest[..=after];
            let text = &self.rest[tag.len()..];
            let len = text.find(tag).map_or(text.len(), |end| end + tag.len());
            self.take(after + 1 + len);
            return Token::Literal;
        }
        if name_len == 0 {
            self.take(1);
            return Token::Symbol('$');
        }
        Token::Placeholder(self.take(after))
    }

    /// Everything that hangs together with a digit: `1`, `1.5e-3`, `0xFF`, `1_000`.
    fn number(&mut self) -> Token<'a> {
        loop {
            let part = self.take_while(|c| is_name_part(c) || c == '.');
            let has_exponent = part.ends_with(['e', 'E']);
            let sign_and_digit = self.rest.starts_with(['+', '-'])
                && self.rest[1..].starts_with(|c: char| c.is_ascii_digit());
            if !(has_exponent && sign_and_digit) {
                return Token::Literal;
            }
            self.take(1);
        }
    }

    /// A comment in one dialect, an operator in the next: they differ in what a quote on the same line means.
    fn hash(&mut self) -> Token<'a> {
        let line = self.rest.lines().next().unwrap_or_default();
        if line.contains(['\'', '"', '`']) {
            self.rest = "";
            return Token::Literal;
        }
        self.take(1);
        Token::Symbol('#')
    }

    fn word(&mut self) -> Token<'a> {
        let word = self.take_while(is_name_part);
        if self.rest.starts_with('\'') && is_prefix(word) {
            if self.dialect.q_quotes && word.ends_with(['q', 'Q']) {
                return self.q_quoted();
            }
            if word.eq_ignore_ascii_case("e") {
                return self.escaped_text();
            }
            return self.text('\'', self.dialect.backslash_escapes);
        }
        if word.eq_ignore_ascii_case("u") {
            // `U&'text'` and `U&"name"`.
            if self.rest.starts_with("&'") {
                self.take(1);
                return self.text('\'', self.dialect.backslash_escapes);
            }
        }
        Token::Word(word)
    }

    /// PostgreSQL's `E'it\'s'`, from its quote. Text in quotes that follows it on another line is part of it, with the same escapes.
    fn escaped_text(&mut self) -> Token<'a> {
        loop {
            self.text('\'', true);
            let mut after = self.clone();
            if !after.gap() || !after.rest.starts_with('\'') {
                return Token::Literal;
            }
            *self = after;
        }
    }

    /// Oracle's `q'[it's]'`, from its first quote.
    fn q_quoted(&mut self) -> Token<'a> {
        self.take(1);
        let Some(open) = self.rest.chars().next() else {
            return Token::Literal;
        };
        let close = match open {
            '[' => ']',
            '(' => ')',
            '{' => '}',
            '<' => '>',
            same => same,
        };
        let end = format!("{close}'");
        self.take(open.len_utf8());
        let len = self
            .rest
            .find(&end)
            .map_or(self.rest.len(), |at| at + end.len());
        self.take(len);
        Token::Literal
    }

    fn colon(&mut self) -> Token<'a> {
        if self.rest.starts_with("::") {
            self.take(2);
            // As one: what follows is a type, and no placeholder.
            return Token::Word("::");
        }
        self.named_placeholder(1)
    }

    /// A placeholder with a name, after its sign; the sign alone, if there is none.
    fn named_placeholder(&mut self, sign_len: usize) -> Token<'a> {
        let name = &self.rest[sign_len..];
        if name.starts_with(is_name_start) {
            let end = name.find(|c| !is_name_part(c)).unwrap_or(name.len());
            return Token::Placeholder(self.take(sign_len + end));
        }
        let sign = if self.rest.starts_with('@') { '@' } else { ':' };
        self.take(1);
        Token::Symbol(sign)
    }

    fn token(&mut self, first: char) -> Token<'a> {
        match first {
            '\'' => self.text('\'', self.dialect.backslash_escapes),
            '"' if self.dialect.double_quotes_are_text => {
                self.text('"', self.dialect.backslash_escapes)
            }
            '"' | '`' => self.quoted(first),
            '[' if self.dialect.brackets_are_quotes => self.quoted(']'),
            c if self.dialect.currency_is_number
                && is_currency(c)
                && self.rest[c.len_utf8()..].starts_with(|c: char| c.is_ascii_digit()) =>
            {
                self.take(c.len_utf8());
                self.number()
            }
            '$' => self.dollar(),
            '?' => {
                let digits = self.rest[1..]
                    .find(|c: char| !c.is_ascii_digit())
                    .unwrap_or(self.rest.len() - 1);
                Token::Placeholder(self.take(1 + digits))
            }
            ':' => self.colon(),
            '@' => {
                let signs = if self.rest.starts_with("@@") { 2 } else { 1 };
                self.named_placeholder(signs)
            }
            '#' if self.dialect.hash_is_unclear => self.hash(),
            '.' if !self.follows_operand
                && self.rest[1..].starts_with(|c: char| c.is_ascii_digit()) =>
            {
                self.number()
            }
            c if c.is_ascii_digit() => self.number(),
            c if is_name_start(c) => self.word(),
            c => {
                self.take(c.len_utf8());
                Token::Symbol(c)
            }
        }
    }
}

impl<'a> Iterator for Lexer<'a> {
    type Item = Token<'a>;

    fn next(&mut self) -> Option<Token<'a>> {
        if self.gap() {
            self.follows_operand = false;
            return Some(Token::Gap);
        }
        let first = self.rest.chars().next()?;
        let token = self.token(first);
        self.follows_operand = !matches!(token, Token::Gap | Token::Symbol(_) | Token::Word("::"))
            || matches!(token, Token::Symbol(')' | ']'));
        Some(token)
    }
}

fn is_name_start(c: char) -> bool {
    c.is_alphabetic() || c == '_' || (!c.is_ascii() && !c.is_whitespace())
}

fn is_name_part(c: char) -> bool {
    is_name_start(c) || c.is_numeric() || c == '$'
}

/// Currency signs, as far as SQL Server knows them.
fn is_currency(c: char) -> bool {
    matches!(c, '$' | '¢'..='¥' | '\u{20a0}'..='\u{20cf}')
}

/// What may stand right before text and belongs to it: `E'…'`, `N'…'`, `X'…'`, `_utf8mb4'…'`.
fn is_prefix(word: &str) -> bool {
    let known = ["e", "n", "x", "b", "r", "q", "nq", "rb", "br"];
    word.starts_with('_') || known.iter().any(|each| each.eq_ignore_ascii_case(word))
}

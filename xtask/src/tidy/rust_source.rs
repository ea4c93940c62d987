//! Just enough of Rust's grammar to see which paths a file names: tokens without comments, literals and test modules.

use std::collections::BTreeMap;

/// An identifier or a punctuation mark (`::` is one), with the number of its line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Token<'a> {
    pub(super) text: &'a str,
    pub(super) line: usize,
}

/// Stands for any literal, so that what is around it is not joined.
const LITERAL: &str = "\"";

/// A path as the file means it: names that `use` brought in are replaced by what they stand for.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct NamedPath {
    pub(super) path: String,
    pub(super) line: usize,
}

/// Splits a source into tokens. Comments vanish, also those that hold the examples of the documentation.
pub(super) fn tokens(source: &str) -> Vec<Token<'_>> {
    let mut lexer = Lexer {
        rest: source,
        line: 1,
    };
    let mut tokens = Vec::new();
    while let Some(token) = lexer.next_token() {
        tokens.push(token);
    }
    tokens
}

struct Lexer<'a> {
    rest: &'a str,
    line: usize,
}

impl<'a> Lexer<'a> {
    fn next_token(&mut self) -> Option<Token<'a>> {
        loop {
            let first = self.rest.chars().next()?;
            let line = self.line;
            let text = if first.is_whitespace() {
                self.take(first.len_utf8());
                continue;
            } else if self.rest.starts_with("//") {
                self.take(self.rest.find('\n').unwrap_or(self.rest.len()));
                continue;
            } else if self.rest.starts_with("/*") {
                self.take(block_comment_len(self.rest));
                continue;
            } else if let Some(len) = string_len(self.rest).or_else(|| char_len(self.rest)) {
                self.take(len);
                LITERAL
            } else if first.is_ascii_digit() {
                self.take(word_len(self.rest));
                LITERAL
            } else if first == '\'' {
                // A lifetime: its name is no path.
                self.take(1 + word_len(&self.rest[1..]));
                LITERAL
            } else if is_word(first) {
                self.take(word_len(self.rest))
            } else if self.rest.starts_with("::") {
                self.take(2)
            } else {
                self.take(first.len_utf8())
            };
            return Some(Token { text, line });
        }
    }

    fn take(&mut self, len: usize) -> &'a str {
        let (taken, rest) = self.rest.split_at(len);
        self.line += taken.matches('\n').count();
        self.rest = rest;
        taken
    }
}

fn is_word(c: char) -> bool {
    c.is_alphanumeric() || c == '_'
}

fn word_len(text: &str) -> usize {
    text.find(|c| !is_word(c)).unwrap_or(text.len())
}

/// The length of a comment that may hold others.
fn block_comment_len(text: &str) -> usize {
    let mut depth = 0_usize;
    let mut at = 0;
    while at < text.len() {
        let rest = &text.as_bytes()[at..];
        if rest.starts_with(b"/*") {
            depth += 1;
            at += 2;
        } else if rest.starts_with(b"*/") {
            depth -= 1;
            at += 2;
            if depth == 0 {
                return at;
            }
        } else {
            at += 1;
        }
    }
    text.len()
}

/// The length of a string literal with its prefix: `"…"`, `b"…"`, `c"…"`, `r#"…"#`, `br"…"`.
fn string_len(text: &str) -> Option<usize> {
    let unprefixed = text.trim_start_matches(['b', 'c']);
    let prefix = text.len() - unprefixed.len();
    if prefix > 1 {
        return None;
    }
    if let Some(raw) = unprefixed.strip_prefix('r') {
        let body = raw.trim_start_matches('#');
        let hashes = raw.len() - body.len();
        let body = body.strip_prefix('"')?;
        let end = format!("\"{}", "#".repeat(hashes));
        let len = body.find(&end).map_or(body.len(), |at| at + end.len());
        return Some(prefix + 1 + hashes + 1 + len);
    }
    let body = unprefixed.strip_prefix('"')?;
    Some(prefix + 1 + escaped_len(body, b'"'))
}

/// The length of a character literal; `None` for a lifetime.
fn char_len(text: &str) -> Option<usize> {
    let unprefixed = text.strip_prefix('b').unwrap_or(text);
    let body = unprefixed.strip_prefix('\'')?;
    let first = body.chars().next()?;
    let is_char = first == '\\' || body[first.len_utf8()..].starts_with('\'');
    is_char.then(|| text.len() - body.len() + escaped_len(body, b'\''))
}

/// The length up to and with the closing mark, which a backslash hides.
fn escaped_len(body: &str, close: u8) -> usize {
    let mut bytes = body.bytes().enumerate();
    while let Some((index, byte)) = bytes.next() {
        if byte == b'\\' {
            bytes.next();
        } else if byte == close {
            return index + 1;
        }
    }
    body.len()
}

/// The tokens without the items that are marked `#[cfg(test)]`, and the names of modules among those items that are files.
pub(super) fn without_tests<'a>(tokens: &[Token<'a>]) -> (Vec<Token<'a>>, Vec<&'a str>) {
    const MARK: [&str; 7] = ["#", "[", "cfg", "(", "test", ")", "]"];
    let mut kept = Vec::new();
    let mut test_files = Vec::new();
    let mut at = 0;
    while at < tokens.len() {
        let is_mark = tokens[at..]
            .iter()
            .map(|token| token.text)
            .take(MARK.len())
            .eq(MARK);
        if !is_mark {
            kept.push(tokens[at]);
            at += 1;
            continue;
        }
        let item = &tokens[at + MARK.len()..];
        let len = item_len(item);
        if let Some(name) = module_file(&item[..len]) {
            test_files.push(name);
        }
        at += MARK.len() + len;
    }
    (kept, test_files)
}

/// The number of tokens up to the `;` or the closing brace that ends an item.
fn item_len(tokens: &[Token<'_>]) -> usize {
    let mut depth = 0_usize;
    for (index, token) in tokens.iter().enumerate() {
        match token.text {
            "{" | "(" | "[" => depth += 1,
            "}" | ")" | "]" => {
                depth = depth.saturating_sub(1);
                if depth == 0 && token.text == "}" {
                    return index + 1;
                }
            }
            ";" if depth == 0 => return index + 1,
            _ => {}
        }
    }
    tokens.len()
}

/// The name of `mod name;`.
fn module_file<'a>(item: &[Token<'a>]) -> Option<&'a str> {
    match item {
        [.., keyword, name, end] if keyword.text == "mod" && end.text == ";" => Some(name.text),
        _ => None,
    }
}

/// All paths of two names or more, and those of one name that `use` brought in.
pub(super) fn paths(tokens: &[Token<'_>]) -> Vec<NamedPath> {
    let mut imports = BTreeMap::new();
    let mut found = Vec::new();
    let mut at = 0;
    while at < tokens.len() {
        let is_use = tokens[at].text == "use";
        let start = if is_use { at + 1 } else { at };
        let mut leaves = Vec::new();
        let end = read_path(tokens, start, "", &mut leaves);
        if end == start {
            at = start.max(at + 1);
            continue;
        }
        for leaf in &leaves {
            if is_use && let Some(name) = leaf.alias.or_else(|| leaf.path.rsplit("::").next()) {
                imports.insert(name.to_owned(), leaf.path.clone());
            }
        }
        found.extend(leaves.into_iter().map(|leaf| (is_use, leaf)));
        at = end;
    }
    let resolve = |(is_use, leaf): (bool, Leaf<'_>)| {
        let (first, rest) = leaf
            .path
            .split_once("::")
            .map_or((&*leaf.path, None), |(a, b)| (a, Some(b)));
        let path = match (imports.get(first), rest) {
            (Some(full), Some(rest)) if !is_use => format!("{full}::{rest}"),
            (Some(full), None) if !is_use => full.clone(),
            _ => leaf.path,
        };
        path.contains("::").then_some(NamedPath {
            path,
            line: leaf.line,
        })
    };
    found.into_iter().filter_map(resolve).collect()
}

struct Leaf<'a> {
    path: String,
    alias: Option<&'a str>,
    line: usize,
}

/// Reads the path, or the tree of paths, that begins at `at`. Returns where it ends, `at` itself when there is none.
fn read_path<'a>(
    tokens: &[Token<'a>],
    at: usize,
    prefix: &str,
    leaves: &mut Vec<Leaf<'a>>,
) -> usize {
    let text = |index: usize| tokens.get(index).map_or("", |token| token.text);
    let is_name = |index: usize| text(index).starts_with(is_word);
    let mut path = prefix.to_owned();
    let mut index = at;
    if text(index) == "::" && is_name(index + 1) {
        index += 1; // `::std` is `std`
    }
    loop {
        if text(index) == "{" && (index > at || !prefix.is_empty()) {
            return read_group(tokens, index + 1, &path, leaves);
        }
        let is_glob = text(index) == "*" && !path.is_empty();
        if !is_name(index) && !is_glob {
            break;
        }
        let is_self = text(index) == "self" && !path.is_empty();
        if !is_self {
            path = if path.is_empty() {
                text(index).to_owned()
            } else {
                format!("{path}::{}", text(index))
            };
        }
        index += 1;
        let continues =
            text(index) == "::" && (is_name(index + 1) || ["{", "*"].contains(&text(index + 1)));
        if !continues {
            break;
        }
        index += 1;
    }
    if index == at {
        return at;
    }
    let line = tokens[index - 1].line;
    let alias = (text(index) == "as" && is_name(index + 1)).then(|| text(index + 1));
    leaves.push(Leaf { path, alias, line });
    if alias.is_some() { index + 2 } else { index }
}

fn read_group<'a>(
    tokens: &[Token<'a>],
    mut at: usize,
    prefix: &str,
    leaves: &mut Vec<Leaf<'a>>,
) -> usize {
    while at < tokens.len() && tokens[at].text != "}" {
        let end = read_path(tokens, at, prefix, leaves);
        at = if end == at { at + 1 } else { end };
    }
    at + 1
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(source: &str) -> Vec<&str> {
        tokens(source)
            .into_iter()
            .map(|token| token.text)
            .filter(|text| *text != LITERAL)
            .collect()
    }

    fn path_names(source: &str) -> Vec<String> {
        paths(&tokens(source))
            .into_iter()
            .map(|named| named.path)
            .collect()
    }

    #[test]
    fn comments_and_literals_are_no_code() {
        assert_eq!(words("a // std::fs\n b"), ["a", "b"]);
        assert_eq!(words("a /* std /* fs */ todo!() */ b"), ["a", "b"]);
        assert_eq!(
            words(r##"a("x \" dbg!()", r#"a " b"#, b"\"", br"\", 'x', '\'', b'"') b"##).last(),
            Some(&"b")
        );
        assert!(!words(r#"a("todo!()")"#).contains(&"todo"));
        assert_eq!(words("fn f<'a>(x: &'a str) {}").len(), 14 - 2);
        assert_eq!(
            words("brace carrot r b c"),
            ["brace", "carrot", "r", "b", "c"]
        );
    }

    #[test]
    fn lines_are_counted_through_literals_and_comments() {
        let found = tokens("a\n\"x\ny\"\n/* \n */ b");
        assert_eq!(found.last(), Some(&Token { text: "b", line: 5 }));
    }

    #[test]
    fn paths_are_read_from_expressions_and_trees_of_imports() {
        assert_eq!(path_names("let x = std::fs::read(p);"), ["std::fs::read"]);
        assert_eq!(
            path_names("use std::{fs, io::{self, Read}};"),
            ["std::fs", "std::io", "std::io::Read"]
        );
        assert_eq!(path_names("use ::std::time::*;"), ["std::time::*"]);
        assert_eq!(path_names("Vec::<u8>::new()"), Vec::<String>::new());
    }

    #[test]
    fn a_name_that_was_imported_stands_for_its_path() {
        assert_eq!(
            path_names("use std::time;\ntime::Instant::now()"),
            ["std::time", "std::time::Instant::now"]
        );
        assert_eq!(
            path_names("use std::fs as files; files::read"),
            ["std::fs", "std::fs::read"]
        );
        assert_eq!(
            path_names("use std::time::{Instant as T}; T::now()"),
            ["std::time::Instant", "std::time::Instant::now"]
        );
    }

    #[test]
    fn items_for_tests_are_left_out() {
        let source = "fn a() {} #[cfg(test)] #[derive(X)] mod tests { fn b() { {} } } fn c() {}
                      #[cfg(test)] mod more; #[cfg(test)] use x::y; fn d() {}";
        let all = tokens(source);
        let (kept, files) = without_tests(&all);
        let names: Vec<_> = kept
            .iter()
            .map(|token| token.text)
            .filter(|text| text.len() == 1 && is_word(text.chars().next().unwrap()))
            .collect();
        assert_eq!(names, ["a", "c", "d"]);
        assert_eq!(files, ["more"]);
    }
}

//! Errors of databases, whose messages quote values.

use std::borrow::Cow;

use crate::{Exception, ExceptionDetails, Span};

/// Records an error without what it quotes.
pub(super) fn record<M, T, E: Exception<M>>(output: &Result<T, E>, span: &Span) {
    if let Err(error) = output
        && span.is_recording()
    {
        span.fail(without_quotes(error.details()));
    }
}

/// The details without what they quote.
pub(super) fn without_quotes(mut details: ExceptionDetails) -> ExceptionDetails {
    details.message = masked(&details.message, &[]);
    details.stacktrace = details.stacktrace.map(|text| {
        let (chain, backtrace) = text.split_at(text.rfind(FIRST_FRAME).unwrap_or(text.len()));
        // By errors and not by lines: what is quoted may have several.
        let errors = chain.split(SOURCE).map(|error| masked(error, &[]));
        errors.collect::<Vec<_>>().join(SOURCE) + backtrace
    });
    details
}

/// What stands between the errors of a chain in a stack trace.
const SOURCE: &str = "\nCaused by: ";
/// What a backtrace begins with.
const FIRST_FRAME: &str = "\n   0: ";

/// The message with `?` for all that stands in quotes, unless it is one of the names that are known, and for all that stands in round
/// brackets. Where it is not clear what is quoted, because quotes stand in quotes, or are those of a language, the message ends at the first.
pub(crate) fn masked(message: &str, known: &[&str]) -> String {
    let message = &*without_brackets(message);
    let mut text = String::with_capacity(message.len());
    let mut first_quoted = None;
    let mut at = 0;
    while let Some(quote) = message[at..].chars().next() {
        let after = at + quote.len_utf8();
        if QUOTES_OF_LANGUAGES.contains(&quote) {
            text.truncate(first_quoted.unwrap_or(text.len()));
            text.push('?');
            return text;
        }
        let follows_word = message[..at].ends_with(char::is_alphanumeric);
        if !is_quote(quote) || quote == '\'' && is_apostrophe(follows_word, &message[after..]) {
            text.push(quote);
            at = after;
            continue;
        }
        let start = *first_quoted.get_or_insert(text.len());
        let end = (!follows_word).then(|| closing(&message[after..], quote));
        let Some(end) = end.flatten() else {
            text.truncate(start);
            text.push('?');
            return text;
        };
        let quoted = &message[after..after + end];
        text.push(quote);
        text.push_str(if known.contains(&quoted) { quoted } else { "?" });
        text.push(quote);
        at = after + end + quote.len_utf8();
    }
    text
}

/// A server that speaks the language of its operator quotes in it, as PostgreSQL does by `lc_messages`.
const QUOTES_OF_LANGUAGES: [char; 14] = [
    '«', '»', '‹', '›', '“', '”', '„', '‟', '‘', '‚', '「', '」', '『', '』',
];

/// Values stand in brackets too: `Key (email)=(ann@x.org) already exists`, `Failing row contains (7, ann)`. A value may hold brackets of its
/// own, so all from the first one to the last one of a line goes; one that is not closed may go on in the next line, so then all goes.
fn without_brackets(message: &str) -> Cow<'_, str> {
    if !message.contains('(') {
        return Cow::Borrowed(message);
    }
    let mut text = String::with_capacity(message.len());
    for line in message.split_inclusive('\n') {
        let Some(open) = line.find('(') else {
            text.push_str(line);
            continue;
        };
        text.push_str(&line[..open]);
        text.push_str("(?)");
        match line
            .rfind(')')
            .filter(|&close| !line[close..].contains('('))
        {
            Some(close) if close > open => text.push_str(&line[close + 1..]),
            _ => break,
        }
    }
    Cow::Owned(text)
}

fn is_quote(c: char) -> bool {
    matches!(c, '\'' | '"' | '`')
}

/// As in `can't`.
fn is_apostrophe(follows_word: bool, rest: &str) -> bool {
    follows_word && rest.starts_with(char::is_alphanumeric)
}

/// Where the quote closes: not before a word, and not where it is doubled.
fn closing(text: &str, quote: char) -> Option<usize> {
    let mut at = 0;
    while let Some(found) = text[at..].find(quote) {
        let after = at + found + quote.len_utf8();
        let rest = &text[after..];
        let is_doubled = rest.starts_with(quote);
        if !is_doubled && !rest.starts_with(|c: char| c.is_alphanumeric() || c == '_') {
            return Some(at + found);
        }
        at = after;
        if is_doubled {
            at += rest[..quote.len_utf8()].len();
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn what_a_message_quotes_is_not_told() {
        for (message, told) in [
            ("can't connect", "can't connect"),
            (
                "Duplicate entry 'ann@x.org' for key 'users.email'",
                "Duplicate entry '?' for key '?'",
            ),
            (
                "invalid input syntax for type integer: \"secret\"",
                "invalid input syntax for type integer: \"?\"",
            ),
            (
                "UNIQUE constraint failed: orders.id",
                "UNIQUE constraint failed: orders.id",
            ),
            (
                "unrecognized token: \"'secret\"",
                "unrecognized token: \"?\"",
            ),
            (
                "syntax error near 'a = 'secret' AND' at line 1",
                "syntax error near ?",
            ),
            (
                "syntax error near ''secret'' at line 1",
                "syntax error near ?",
            ),
            ("near 'never closed", "near ?"),
            ("type `a b`, 'it''s secret'", "type `?`, '?'"),
            (
                "ERROR: duplicate key value\nDETAIL: Key (email)=(ann@x.org) already exists.",
                "ERROR: duplicate key value\nDETAIL: Key (?) already exists.",
            ),
            (
                "Failing row contains (7, a) (b, null).",
                "Failing row contains (?).",
            ),
            (
                "The duplicate key value is (ann, x)",
                "The duplicate key value is (?)",
            ),
            ("Key (note)=(one\ntwo) already exists", "Key (?)"),
            (
                "ungültige Eingabesyntax für Typ integer: »secret«",
                "ungültige Eingabesyntax für Typ integer: ?",
            ),
            ("syntaxe invalide : « secret »", "syntaxe invalide : ?"),
        ] {
            assert_eq!(masked(message, &[]), told, "{message}");
        }
        assert_eq!(
            masked("violates \"orders_pkey\": \"x\"", &["orders_pkey"]),
            "violates \"orders_pkey\": \"?\""
        );
    }

    #[test]
    fn a_stack_trace_tells_no_value_of_several_lines() {
        let told = without_quotes(ExceptionDetails {
            kind: "Error".into(),
            message: "db error".to_owned(),
            stacktrace: Some(
                "Error: db error\nCaused by: Duplicate entry 'one\ntwo' for key 'x'\nCaused by: no\n   0: main<'a>(x)"
                    .to_owned(),
            ),
        });
        assert_eq!(
            told.stacktrace.unwrap(),
            "Error: db error\nCaused by: Duplicate entry '?' for key '?'\nCaused by: no\n   0: main<'a>(x)"
        );
    }

    proptest! {
        #[test]
        fn any_message_is_taken(message in "[a-z'\"`()» é\n]{0,40}") {
            masked(&message, &[]);
        }

        #[test]
        fn a_quoted_value_is_not_told(value in "[a-z]{5}[a-z ()=']{0,20}") {
            let told = masked(&format!("Duplicate entry '{value}' for key 'x'"), &[]);
            prop_assert!(!told.contains(&value), "{told}");
        }
    }
}

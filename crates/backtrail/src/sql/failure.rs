//! Errors of databases, whose messages quote values.

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
        text.lines()
            .map(|line| masked(line, &[]))
            .collect::<Vec<_>>()
            .join("\n")
    });
    details
}

/// The message with `?` for all that stands in quotes, unless it is one of the names that are known. Where it is not clear what is quoted,
/// because quotes stand in quotes, the message ends at the first.
pub(crate) fn masked(message: &str, known: &[&str]) -> String {
    let mut text = String::with_capacity(message.len());
    let mut first_quoted = None;
    let mut at = 0;
    while let Some(quote) = message[at..].chars().next() {
        let after = at + quote.len_utf8();
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
        ] {
            assert_eq!(masked(message, &[]), told, "{message}");
        }
        assert_eq!(
            masked("violates \"orders_pkey\": \"x\"", &["orders_pkey"]),
            "violates \"orders_pkey\": \"?\""
        );
    }

    proptest! {
        #[test]
        fn any_message_is_taken(message in "[a-z'\"` é]{0,40}") {
            masked(&message, &[]);
        }

        #[test]
        fn a_quoted_value_is_not_told(value in "[a-z]{5}[a-z ()=']{0,20}") {
            let told = masked(&format!("Duplicate entry '{value}' for key 'x'"), &[]);
            prop_assert!(!told.contains(&value), "{told}");
        }
    }
}

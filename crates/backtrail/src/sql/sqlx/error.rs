//! What a span says of an error of `sqlx`.

use std::borrow::Cow;

use ::sqlx::Error;
use opentelemetry::KeyValue;

use crate::sql::failure::{masked, without_quotes};
use crate::{Exception, ExceptionDetails, Span};

/// Marks a span as failed, with the database's own code and without the values that its message quotes.
pub(super) fn fail(span: &Span, error: &Error) {
    if !span.is_recording() {
        return;
    }
    let Error::Database(error) = error else {
        let mut details = without_quotes(error.details());
        details.kind = Cow::Borrowed(kind(error));
        span.fail(details);
        return;
    };
    let known: Vec<&str> = [error.constraint(), error.table()]
        .into_iter()
        .flatten()
        .collect();
    // Without its sources, which are the database's own error again.
    let details = ExceptionDetails {
        kind: Cow::Borrowed("sqlx::Error::Database"),
        message: masked(error.message(), &known),
        stacktrace: None,
    };
    let Some(code) = error.code().map(Cow::into_owned) else {
        span.fail(details);
        return;
    };
    span.put(KeyValue::new("db.response.status_code", code.clone()));
    span.fail_as(Cow::Owned(code), details);
}

fn kind(error: &Error) -> &'static str {
    match error {
        Error::Io(_) => "sqlx::Error::Io",
        Error::Tls(_) => "sqlx::Error::Tls",
        Error::Protocol(_) => "sqlx::Error::Protocol",
        Error::Encode(_) => "sqlx::Error::Encode",
        Error::Decode(_) => "sqlx::Error::Decode",
        Error::ColumnDecode { .. } => "sqlx::Error::ColumnDecode",
        Error::Configuration(_) => "sqlx::Error::Configuration",
        Error::PoolTimedOut => "sqlx::Error::PoolTimedOut",
        Error::PoolClosed => "sqlx::Error::PoolClosed",
        Error::WorkerCrashed => "sqlx::Error::WorkerCrashed",
        _ => "sqlx::Error",
    }
}

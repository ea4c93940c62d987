//! A connection that makes a client span of each command.

use std::borrow::Cow;

use opentelemetry::KeyValue;
use redis::aio::ConnectionLike;
use redis::{Cmd, ErrorKind, Pipeline, RedisError, RedisFuture, RedisResult, Value};

use super::text::{self, Parts, Told};
use crate::config::Instrumentation;
use crate::sql::masked;
use crate::system::{Scope, System};
use crate::{ExceptionDetails, Span, SpanBuilder, SpanKind, span};

/// Depth to which an answer is searched for errors.
const MAX_DEPTH: usize = 4;

/// Makes a client span of each command and each pipeline of a connection, be it asynchronous or not.
///
/// An error sets `error.type`: the server's own code, such as `WRONGTYPE`, which is `db.response.status_code` too; else the kind of the
/// error. What is quoted in its message becomes `?`, because servers quote arguments.
pub fn traced<C>(connection: C) -> Traced<C> {
    Traced {
        connection,
        attributes: vec![KeyValue::new("db.system.name", "redis")],
        shows_keys: false,
    }
}

/// A connection that [`traced`] made.
#[derive(Debug, Clone)]
pub struct Traced<C> {
    pub(super) connection: C,
    attributes: Vec<KeyValue>,
    shows_keys: bool,
}

impl<C> Traced<C> {
    /// `server.address` and `server.port`, which a connection does not tell.
    pub fn server(mut self, address: impl Into<Cow<'static, str>>, port: u16) -> Self {
        self.attributes
            .push(KeyValue::new("server.address", address.into()));
        self.attributes
            .push(KeyValue::new("server.port", i64::from(port)));
        self
    }

    /// Whether keys are recorded, of commands that are known to take keys. They are not, if nothing is said: keys often hold names and
    /// numbers of users.
    pub fn show_keys(mut self, shows_keys: bool) -> Self {
        self.shows_keys = shows_keys;
        self
    }

    /// The connection itself.
    pub fn into_inner(self) -> C {
        self.connection
    }

    /// The span of a command; nothing where Redis is switched off.
    pub(super) fn command<'c>(&self, command: impl Parts<'c>, db: i64) -> Option<SpanBuilder> {
        is_on().then(|| self.span(Told::of(command, self.shows_keys), db))
    }

    /// The same of a pipeline of so many commands.
    pub(super) fn pipeline<'c, P: Parts<'c>>(
        &self,
        commands: impl Iterator<Item = P>,
        len: usize,
        is_transaction: bool,
        db: i64,
    ) -> Option<SpanBuilder> {
        if !is_on() {
            return None;
        }
        let told = Told::pipeline(commands, is_transaction, self.shows_keys);
        let span = self.span(told, db);
        // By the conventions a batch of one is none.
        let size = (len != 1).then_some(len);
        Some(span.attribute("db.operation.batch.size", size))
    }

    fn span(&self, told: Told, db: i64) -> SpanBuilder {
        span(told.name.clone())
            .kind(SpanKind::Client)
            .scope(Scope::Redis)
            .attributes(self.attributes.clone())
            .attribute("db.namespace", db.to_string())
            .attribute("db.operation.name", told.name)
            .attribute("db.query.text", told.text)
    }
}

fn is_on() -> bool {
    System::current().is_some_and(|system| system.makes_spans_of(Instrumentation::Redis))
}

impl<C: ConnectionLike> ConnectionLike for Traced<C> {
    fn req_packed_command<'a>(&'a mut self, cmd: &'a Cmd) -> RedisFuture<'a, Value> {
        let db = self.connection.get_db();
        let Some(span) = self.command(text::parts(cmd), db) else {
            return self.connection.req_packed_command(cmd);
        };
        Box::pin(span.run_recorded(
            |_| self.connection.req_packed_command(cmd),
            |answer, span| record(answer, std::slice::from_ref, span),
        ))
    }

    fn req_packed_commands<'a>(
        &'a mut self,
        pipeline: &'a Pipeline,
        offset: usize,
        count: usize,
    ) -> RedisFuture<'a, Vec<Value>> {
        let commands = pipeline.cmd_iter().map(text::parts);
        let db = self.connection.get_db();
        let span = self.pipeline(commands, pipeline.len(), pipeline.is_transaction(), db);
        let Some(span) = span else {
            return self.connection.req_packed_commands(pipeline, offset, count);
        };
        Box::pin(span.run_recorded(
            |_| self.connection.req_packed_commands(pipeline, offset, count),
            |answers, span| record(answers, Vec::as_slice, span),
        ))
    }

    fn get_db(&self) -> i64 {
        self.connection.get_db()
    }
}

/// Records an error: that of the call, or the first that is in the answers.
pub(super) fn record<T>(answer: &RedisResult<T>, values: fn(&T) -> &[Value], span: &Span) {
    if !span.is_recording() {
        return;
    }
    match answer {
        Ok(answer) => {
            if let Some((code, details)) =
                values(answer).iter().find_map(|value| error_in(value, 0))
            {
                fail(span, Some(code), code, details.unwrap_or(code));
            }
        }
        Err(error) => fail(span, error.code(), kind(error), &error.to_string()),
    }
}

fn fail(span: &Span, code: Option<&str>, kind: &str, message: &str) {
    if let Some(code) = code {
        span.put(KeyValue::new("db.response.status_code", code.to_owned()));
    }
    let details = ExceptionDetails {
        kind: Cow::Borrowed("redis::RedisError"),
        message: masked(message, &[]),
        stacktrace: None,
    };
    span.fail_as(Cow::Owned(code.unwrap_or(kind).to_owned()), details);
}

fn error_in(value: &Value, depth: usize) -> Option<(&str, Option<&str>)> {
    match value {
        Value::ServerError(error) => Some((error.code(), error.details())),
        Value::Array(values) if depth < MAX_DEPTH => {
            values.iter().find_map(|value| error_in(value, depth + 1))
        }
        _ => None,
    }
}

fn kind(error: &RedisError) -> &'static str {
    match error.kind() {
        ErrorKind::Io if error.is_timeout() => "timeout",
        ErrorKind::Io => "io",
        ErrorKind::Parse => "parse",
        ErrorKind::AuthenticationFailed => "authentication_failed",
        ErrorKind::UnexpectedReturnType => "unexpected_return_type",
        ErrorKind::InvalidClientConfig => "invalid_client_config",
        ErrorKind::Client => "client",
        ErrorKind::Extension => "extension",
        ErrorKind::ClusterConnectionNotFound => "cluster_connection_not_found",
        _ => "_OTHER",
    }
}

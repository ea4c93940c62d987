//! The half of `redis` that is not asynchronous.

use redis::{Cmd, ConnectionLike, RedisResult, Value};

use super::connection::{Traced, record};
use super::packed::commands;
use super::text;
use crate::{Span, SpanBuilder};

impl<C: ConnectionLike> ConnectionLike for Traced<C> {
    fn req_packed_command(&mut self, cmd: &[u8]) -> RedisResult<Value> {
        let command = commands(cmd).next().into_iter().flatten();
        let span = self.command(command, self.connection.get_db());
        run(
            span,
            || self.connection.req_packed_command(cmd),
            |answer, span| record(answer, std::slice::from_ref, span),
        )
    }

    fn req_packed_commands(
        &mut self,
        cmd: &[u8],
        offset: usize,
        count: usize,
    ) -> RedisResult<Vec<Value>> {
        // Of a transaction the answers that count begin behind those to `MULTI` and to each of its commands.
        let is_transaction = offset > 0;
        let (skipped, len) = if is_transaction {
            (1, offset - 1)
        } else {
            (0, count)
        };
        let pipeline = commands(cmd).skip(skipped).take(len);
        let db = self.connection.get_db();
        let span = self.pipeline(pipeline, len, is_transaction, db);
        run(
            span,
            || self.connection.req_packed_commands(cmd, offset, count),
            |answers, span| record(answers, Vec::as_slice, span),
        )
    }

    fn req_command(&mut self, cmd: &Cmd) -> RedisResult<Value> {
        let span = self.command(text::parts(cmd), self.connection.get_db());
        run(
            span,
            || self.connection.req_command(cmd),
            |answer, span| record(answer, std::slice::from_ref, span),
        )
    }

    fn get_db(&self) -> i64 {
        self.connection.get_db()
    }

    fn supports_pipelining(&self) -> bool {
        self.connection.supports_pipelining()
    }

    fn check_connection(&mut self) -> bool {
        self.connection.check_connection()
    }

    fn is_open(&self) -> bool {
        self.connection.is_open()
    }
}

/// Runs a call in its span, if it has one.
fn run<T>(
    span: Option<SpanBuilder>,
    call: impl FnOnce() -> RedisResult<T>,
    record: impl FnOnce(&RedisResult<T>, &Span),
) -> RedisResult<T> {
    let Some(span) = span else {
        return call();
    };
    let (answer, span, _) = span.run_open(|_| call());
    record(&answer, &span);
    span.end();
    answer
}

//! An executor that makes a client span of each statement.

use std::future::Future;
use std::pin::Pin;
use std::task::{Context as TaskContext, Poll};

use ::sqlx::error::BoxDynError;
use ::sqlx::{Database as SqlxDatabase, Describe, Either, Error, Execute, Executor, SqlStr};
use futures_util::Stream;
use opentelemetry::KeyValue;

use super::error::fail;
use crate::Span;
use crate::span::cancel;
use crate::sql::Database;

pub(super) type BoxFuture<'e, T> = Pin<Box<dyn Future<Output = T> + Send + 'e>>;
type BoxStream<'e, T> = Pin<Box<dyn Stream<Item = T> + Send + 'e>>;
type Step<D> = Result<Either<<D as SqlxDatabase>::QueryResult, <D as SqlxDatabase>::Row>, Error>;

/// Makes a client span of each statement that is run with this executor: a pool, a connection, `&mut *transaction`.
///
/// ```
/// use backtrail::sql::sqlx::traced;
/// use backtrail::testing::Recorder;
///
/// # tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(async {
/// let pool = sqlx::SqlitePool::connect("sqlite::memory:").await?;
/// let traces = Recorder::new();
/// let query = sqlx::query_scalar::<_, i64>("SELECT 7 WHERE 'a' = $1").bind("a");
/// let seven = traces.run(query.fetch_one(traced(&pool))).await?;
/// assert_eq!(seven, 7);
/// # drop(traces);
/// # Ok::<_, sqlx::Error>(()) }).unwrap();
/// ```
///
/// The span is named as [`Statement`](crate::sql::Statement)s are. It starts when the executor is called, and ends when the rows are all read, an error arrives,
/// or the stream of rows is dropped; then it says that it was `cancelled`. `db.response.returned_rows` counts what was read. An error
/// sets `error.type` and `db.response.status_code` to the database's own code, and its message is recorded without what it quotes,
/// except for names of constraints and tables.
///
/// A transaction of a pool or a connection begins with [`Traced::begin`], so that its `BEGIN`, `COMMIT` and `ROLLBACK` are spans too.
///
/// Statements that are prepared explicitly are handed on without a span: their runs have one.
pub fn traced<E>(executor: E) -> Traced<E> {
    Traced {
        executor,
        database: None,
    }
}

/// An executor that [`traced`] made.
#[derive(Debug, Clone)]
pub struct Traced<E> {
    pub(super) executor: E,
    pub(super) database: Option<Database>,
}

impl<E> Traced<E> {
    /// Adds what is known of the database to the spans: its name and its server, which an executor does not tell.
    pub fn on(mut self, database: &Database) -> Self {
        self.database = Some(database.clone());
        self
    }

    fn span<'c>(&self, statement: &str) -> crate::SpanBuilder
    where
        E: Executor<'c>,
    {
        match &self.database {
            Some(database) => database.span(statement, None),
            None => Database::new(system(E::Database::NAME)).span(statement, None),
        }
    }
}

/// The conventions' name of a driver of `sqlx`.
pub(super) fn system(driver: &'static str) -> &'static str {
    match driver {
        "PostgreSQL" => "postgresql",
        "MySQL" => "mysql",
        "SQLite" => "sqlite",
        _ => "other_sql",
    }
}

impl<'c, X: Executor<'c>> Executor<'c> for Traced<X> {
    type Database = X::Database;

    fn fetch_many<'e, 'q: 'e, E>(self, query: E) -> BoxStream<'e, Step<Self::Database>>
    where
        'c: 'e,
        E: 'q + Execute<'q, Self::Database>,
    {
        let query = Parts::of(query);
        let span = self.span(query.sql.as_str()).start();
        let rows = {
            let _entered = span.enter();
            self.executor.fetch_many(query)
        };
        Box::pin(Rows::<X::Database> {
            inner: rows,
            span: Some(span),
            count: 0,
        })
    }

    fn fetch_optional<'e, 'q: 'e, E>(
        self,
        query: E,
    ) -> BoxFuture<'e, Result<Option<<Self::Database as SqlxDatabase>::Row>, Error>>
    where
        'c: 'e,
        E: 'q + Execute<'q, Self::Database>,
    {
        let query = Parts::of(query);
        let span = self.span(query.sql.as_str());
        let executor = self.executor;
        Box::pin(span.run_recorded(
            |_| executor.fetch_optional(query),
            |row, span| match row {
                Ok(row) => returned(span, i64::from(row.is_some())),
                Err(error) => fail(span, error),
            },
        ))
    }

    fn prepare_with<'e>(
        self,
        sql: SqlStr,
        parameters: &'e [<Self::Database as SqlxDatabase>::TypeInfo],
    ) -> BoxFuture<'e, Result<<Self::Database as SqlxDatabase>::Statement, Error>>
    where
        'c: 'e,
    {
        self.executor.prepare_with(sql, parameters)
    }

    fn describe<'e>(self, sql: SqlStr) -> BoxFuture<'e, Result<Describe<Self::Database>, Error>>
    where
        'c: 'e,
    {
        self.executor.describe(sql)
    }
}

/// A query in its parts: its text can't be had without taking it apart.
struct Parts<D: SqlxDatabase> {
    sql: SqlStr,
    statement: Option<D::Statement>,
    arguments: Option<Result<Option<D::Arguments>, BoxDynError>>,
    is_persistent: bool,
}

impl<D: SqlxDatabase> Parts<D> {
    fn of<'q>(mut query: impl Execute<'q, D>) -> Self {
        Self {
            arguments: Some(query.take_arguments()),
            statement: query.statement().cloned(),
            is_persistent: query.persistent(),
            sql: query.sql(),
        }
    }
}

impl<'q, D: SqlxDatabase> Execute<'q, D> for Parts<D> {
    fn sql(self) -> SqlStr {
        self.sql
    }

    fn statement(&self) -> Option<&D::Statement> {
        self.statement.as_ref()
    }

    fn take_arguments(&mut self) -> Result<Option<D::Arguments>, BoxDynError> {
        self.arguments.take().unwrap_or(Ok(None))
    }

    fn persistent(&self) -> bool {
        self.is_persistent
    }
}

/// The rows of a statement, in its span.
struct Rows<'e, D: SqlxDatabase> {
    inner: BoxStream<'e, Step<D>>,
    span: Option<Span>,
    count: i64,
}

impl<D: SqlxDatabase> Stream for Rows<'_, D> {
    type Item = Step<D>;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut TaskContext<'_>) -> Poll<Option<Step<D>>> {
        let this = &mut *self;
        let entered = this.span.as_ref().map(Span::enter);
        let polled = this.inner.as_mut().poll_next(cx);
        drop(entered);
        match &polled {
            Poll::Pending | Poll::Ready(Some(Ok(Either::Left(_)))) => {}
            Poll::Ready(Some(Ok(Either::Right(_)))) => this.count += 1,
            Poll::Ready(Some(Err(error))) => {
                if let Some(span) = this.span.take() {
                    fail(&span, error);
                    span.end();
                }
            }
            Poll::Ready(None) => {
                if let Some(span) = this.span.take() {
                    returned(&span, this.count);
                    span.end();
                }
            }
        }
        polled
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        self.inner.size_hint()
    }
}

impl<D: SqlxDatabase> Drop for Rows<'_, D> {
    fn drop(&mut self) {
        if let Some(span) = self.span.take() {
            returned(&span, self.count);
            cancel(&span);
        }
    }
}

fn returned(span: &Span, rows: i64) {
    span.put(KeyValue::new("db.response.returned_rows", rows));
}

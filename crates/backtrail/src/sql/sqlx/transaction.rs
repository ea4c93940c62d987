//! Transactions whose begin and end are spans.

use std::ops::{Deref, DerefMut};

use ::sqlx::{Acquire, Database as SqlxDatabase, Error, Pool, SqlSafeStr};

use super::error::fail;
use super::executor::{BoxFuture, Traced, system};
use crate::Span;
use crate::sql::Database;

impl<E> Traced<E> {
    /// Begins a transaction, of a pool (`&pool`) or of a connection (`&mut *connection`). It is a client span named `BEGIN`, with the wait for a
    /// connection of the pool in it. Within a transaction it is [`Transaction::begin`].
    ///
    /// ```
    /// use backtrail::sql::sqlx::traced;
    /// use backtrail::testing::Recorder;
    ///
    /// # tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(async {
    /// let pool = sqlx::SqlitePool::connect("sqlite::memory:").await?;
    /// let traces = Recorder::new();
    /// traces.run(async {
    ///     let mut transaction = traced(&pool).begin().await?;
    ///     sqlx::query("CREATE TABLE orders (id)").execute(transaction.traced()).await?;
    ///     transaction.commit().await
    /// }).await?;
    /// assert_eq!(traces.tree_of(&[]), "BEGIN [client]\nCREATE TABLE orders [client]\nCOMMIT [client]\n");
    /// # Ok::<_, sqlx::Error>(()) }).unwrap();
    /// ```
    pub fn begin<'c>(self) -> BoxFuture<'c, Result<Transaction<'c, E::Database>, Error>>
    where
        E: Acquire<'c>,
    {
        let database = self.described(E::Database::NAME);
        begin(database, "BEGIN", 1, || self.executor.begin())
    }

    fn described(&self, driver: &'static str) -> Database {
        let database = self.database.clone();
        database.unwrap_or_else(|| Database::new(system(driver)))
    }
}

impl<D: SqlxDatabase> Traced<&Pool<D>> {
    /// [`Traced::begin`] with a statement of the service's own, as `BEGIN IMMEDIATE`.
    pub fn begin_with(
        self,
        statement: impl SqlSafeStr,
    ) -> BoxFuture<'static, Result<Transaction<'static, D>, Error>> {
        let database = self.described(D::NAME);
        let statement = statement.into_sql_str();
        let text = statement.as_str().to_owned();
        let pool = self.executor.clone();
        begin(database, &text, 1, move || async move {
            pool.begin_with(statement).await
        })
    }
}

/// Runs what begins a transaction in its span.
fn begin<'c, D, F>(
    database: Database,
    statement: &str,
    depth: usize,
    code: impl FnOnce() -> F,
) -> BoxFuture<'c, Result<Transaction<'c, D>, Error>>
where
    D: SqlxDatabase,
    F: Future<Output = Result<::sqlx::Transaction<'c, D>, Error>> + Send + 'c,
{
    let span = database.span(statement, None);
    let beginning = span.run_recorded(|_| code(), record);
    Box::pin(async move {
        Ok(Transaction {
            inner: beginning.await?,
            end: End {
                database,
                depth,
                is_open: true,
            },
        })
    })
}

/// A transaction that [`Traced::begin`] began: a connection as that of `sqlx` is, whose end is a span. Statements are spans when they
/// are run with [`Transaction::traced`].
///
/// One that is dropped is rolled back by `sqlx` when its connection is used next. Its `ROLLBACK` is a span without length, at the time
/// of the drop.
#[derive(Debug)]
pub struct Transaction<'c, D: SqlxDatabase> {
    inner: ::sqlx::Transaction<'c, D>,
    end: End,
}

impl<'c, D: SqlxDatabase> Transaction<'c, D> {
    /// An executor of this transaction that makes a client span of each statement, with what is known of the database.
    pub fn traced(&mut self) -> Traced<&mut D::Connection> {
        Traced {
            executor: &mut self.inner,
            database: Some(self.end.database.clone()),
        }
    }

    /// The transaction as `sqlx` has it, for what asks for one.
    pub fn as_sqlx(&mut self) -> &mut ::sqlx::Transaction<'c, D> {
        &mut self.inner
    }

    /// Begins a transaction within this one: a span named `SAVEPOINT`. Its end is named `RELEASE` or `ROLLBACK`.
    pub fn begin(&mut self) -> BoxFuture<'_, Result<Transaction<'_, D>, Error>> {
        let database = self.end.database.clone();
        let depth = self.end.depth;
        let outer = &mut self.inner;
        begin(database, &savepoint(depth), depth + 1, || {
            Acquire::begin(outer)
        })
    }

    /// Keeps what was done: a client span named `COMMIT`.
    pub async fn commit(self) -> Result<(), Error> {
        let Self { inner, end } = self;
        let text = end.commit_text();
        end.run(&text, inner.commit()).await
    }

    /// Takes back what was done: a client span named `ROLLBACK`.
    pub async fn rollback(self) -> Result<(), Error> {
        let Self { inner, end } = self;
        let text = end.rollback_text();
        end.run(&text, inner.rollback()).await
    }
}

impl<D: SqlxDatabase> Deref for Transaction<'_, D> {
    type Target = D::Connection;

    fn deref(&self) -> &D::Connection {
        &self.inner
    }
}

impl<D: SqlxDatabase> DerefMut for Transaction<'_, D> {
    fn deref_mut(&mut self) -> &mut D::Connection {
        &mut self.inner
    }
}

impl<D: SqlxDatabase> AsMut<D::Connection> for Transaction<'_, D> {
    fn as_mut(&mut self) -> &mut D::Connection {
        &mut self.inner
    }
}

/// The end of a transaction, which is a span in any case.
#[derive(Debug)]
struct End {
    database: Database,
    /// 1 is the transaction itself, what is above it are savepoints.
    depth: usize,
    is_open: bool,
}

impl End {
    async fn run(
        mut self,
        text: &str,
        ending: impl Future<Output = Result<(), Error>>,
    ) -> Result<(), Error> {
        self.is_open = false;
        let span = self.database.span(text, None);
        span.run_recorded(|_| ending, record).await
    }

    fn commit_text(&self) -> String {
        match self.depth {
            0 | 1 => "COMMIT".to_owned(),
            depth => format!("RELEASE {}", savepoint(depth - 1)),
        }
    }

    fn rollback_text(&self) -> String {
        match self.depth {
            0 | 1 => "ROLLBACK".to_owned(),
            depth => format!("ROLLBACK TO {}", savepoint(depth - 1)),
        }
    }
}

impl Drop for End {
    fn drop(&mut self) {
        if self.is_open {
            let text = self.rollback_text();
            self.database.span(&text, None).start().end();
        }
    }
}

fn record<T>(done: &Result<T, Error>, span: &Span) {
    if let Err(error) = done {
        fail(span, error);
    }
}

/// As `sqlx` names them.
fn savepoint(number: usize) -> String {
    format!("SAVEPOINT _sqlx_savepoint_{number}")
}

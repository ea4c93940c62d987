//! Statements of databases, as spans. The text of a statement is recorded without the values in it.
//!
//! [`Database`] goes around calls of any driver. Statements and transactions of `sqlx` need no more than an executor: `sql::sqlx::traced`, with the
//! feature `sqlx`. The instrumentation's name is `sql`.
//!
//! ```
//! use backtrail::sql::Database;
//! use backtrail::testing::Recorder;
//!
//! # tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(async {
//! let traces = Recorder::new();
//! let shop = Database::new("postgresql").name("shop").server("db", 5432);
//! traces.run(async {
//!     let paid = shop.statement("SELECT total FROM orders WHERE id = $1 AND state = 'paid'");
//!     paid.run(async |span| {
//!         // The driver's call.
//!         span.set("db.response.returned_rows", 1);
//!         Ok::<_, std::io::Error>(12)
//!     }).await
//! }).await?;
//! assert_eq!(
//!     traces.tree_of(&["db.namespace", "db.query.text"]),
//!     "SELECT orders [client] db.namespace=shop db.query.text=SELECT total FROM orders WHERE id = $1 AND state = ?\n"
//! );
//! # Ok::<_, std::io::Error>(()) }).unwrap();
//! ```
//!
//! What is recorded of a statement: strings, numbers, bytes and truth values become `?`; comments go; a list after `IN` becomes `(?)`,
//! and of several rows of values the first stays. Names in quotes and placeholders stay. At most 64 KiB of a statement are read and 4 KiB are
//! recorded. Values that look like names can't be told from names: text in double quotes is text for MySQL, MariaDB and their like, and a name
//! for all others, as their manuals have it. SQLite and SQL Server, and databases that are not known, may take it for both: in the place of a value, as
//! after `=` and in `VALUES (…)`, it becomes `?`, a column's name too. Elsewhere, as an argument of a function, it stays.
//!
//! Source: OpenTelemetry semantic conventions, database client spans (stable).

mod database;
mod dialect;
mod failure;
mod lexer;
mod quotes;
mod sanitize;
#[cfg(feature = "sqlx")]
pub mod sqlx;
mod summary;

pub use database::{Database, Statement};
pub(crate) use failure::masked;

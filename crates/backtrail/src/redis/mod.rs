//! Commands of Redis, as spans. Their arguments are not recorded.
//!
//! Needs the feature `redis`. The instrumentation's name is `redis`.
//!
//! ```
//! # async fn count(connection: redis::aio::MultiplexedConnection) -> redis::RedisResult<i64> {
//! let mut connection = backtrail::redis::traced(connection).server("cache", 6379);
//! redis::cmd("INCR").arg("visits").query_async(&mut connection).await
//! # }
//! ```
//!
//! A connection that is not asynchronous is wrapped the same way. The span of this command is named `INCR`, and its `db.query.text` is `INCR ?`. A pipeline is one span, named `PIPELINE`, or `MULTI` if it is a transaction.
//! Source: OpenTelemetry semantic conventions, Redis client operations.

mod blocking;
mod connection;
mod packed;
mod text;

pub use connection::{Traced, traced};

//! The orders, in SQLite or PostgreSQL.

use backtrail::sql;
use backtrail::sql::sqlx::{Traced, traced};
use serde::{Deserialize, Serialize};
use sqlx::any::{AnyConnectOptions, AnyPoolOptions, install_default_drivers};
use sqlx::{AnyPool, raw_sql};

/// In memory, and gone with the process.
pub const DEFAULT_URL: &str = "sqlite::memory:";

/// An order as it is kept.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Order {
    /// A number, and text in the JSON as it is in the Express shop.
    pub id: String,
    /// What was ordered.
    pub lines: Vec<Line>,
}

/// One line of an order.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Line {
    /// The name of the article.
    pub article: String,
    /// How many of it.
    pub count: u32,
}

/// A pool of connections. Each statement is a span, and each begin and end of a transaction: with its text and never its values.
#[derive(Debug, Clone)]
pub struct Database {
    pool: AnyPool,
    /// The pool takes databases of both kinds, and so does not know whose spans it makes.
    described: sql::Database,
}

impl Database {
    /// Connects, and makes tables with two orders if there are none. The URL is like `sqlite:orders.db?mode=rwc` or
    /// `postgres://user:password@host/database`.
    pub async fn connect(url: &str) -> Result<Self, sqlx::Error> {
        install_default_drivers();
        let options: AnyConnectOptions = url.parse()?;
        let place = &options.database_url;
        let (described, pool, schema) = if url.starts_with("postgres") {
            let described = sql::Database::new("postgresql")
                .name(place.path().trim_start_matches('/').to_owned())
                .server(
                    place.host_str().unwrap_or("localhost").to_owned(),
                    place.port().unwrap_or(5432),
                );
            let pool = AnyPoolOptions::new().max_connections(8);
            (described, pool, include_str!("../schema/postgres.sql"))
        } else {
            // Each connection to a database in memory has one of its own, which goes with it: there is one, for ever.
            let pool = AnyPoolOptions::new()
                .max_connections(1)
                .idle_timeout(None)
                .max_lifetime(None);
            let described = sql::Database::new("sqlite");
            (described, pool, include_str!("../schema/sqlite.sql"))
        };
        let pool = pool.connect_with(options).await?;
        raw_sql(schema).execute(&pool).await?;
        Ok(Self { pool, described })
    }

    fn traced<E>(&self, executor: E) -> Traced<E> {
        traced(executor).on(&self.described)
    }

    /// The order with this id, if there is one.
    pub async fn order(&self, id: &str) -> Result<Option<Order>, sqlx::Error> {
        let Ok(number) = id.parse::<i64>() else {
            return Ok(None);
        };
        let lines: Vec<(String, i64)> = sqlx::query_as(
            "SELECT article, count FROM order_lines WHERE order_id = $1 ORDER BY position",
        )
        .bind(number)
        .fetch_all(self.traced(&self.pool))
        .await?;
        if lines.is_empty() {
            return Ok(None);
        }
        let lines = lines.into_iter().map(|(article, count)| Line {
            article,
            count: count.try_into().unwrap_or(u32::MAX),
        });
        Ok(Some(Order {
            id: number.to_string(),
            lines: lines.collect(),
        }))
    }

    /// Keeps an order, whole or not at all, and gives it an id.
    pub async fn save(&self, lines: Vec<Line>) -> Result<Order, sqlx::Error> {
        let mut transaction = self.traced(&self.pool).begin().await?;
        let id: i64 = sqlx::query_scalar("INSERT INTO orders DEFAULT VALUES RETURNING id")
            .fetch_one(transaction.traced())
            .await?;
        for (position, line) in (0_i64..).zip(&lines) {
            sqlx::query(
                "INSERT INTO order_lines (order_id, position, article, count) VALUES ($1, $2, $3, $4)",
            )
            .bind(id)
            .bind(position)
            .bind(&line.article)
            .bind(i64::from(line.count))
            .execute(transaction.traced())
            .await?;
        }
        transaction.commit().await?;
        Ok(Order {
            id: id.to_string(),
            lines,
        })
    }

    /// What one of an article costs, if it is sold.
    pub async fn price_in_cents(&self, article: &str) -> Result<Option<i64>, sqlx::Error> {
        sqlx::query_scalar("SELECT cents FROM prices WHERE article = $1")
            .bind(article)
            .fetch_optional(self.traced(&self.pool))
            .await
    }
}

//! Errors of databases that spans of the service's own code record.

use backtrail::sql::sqlx::traced;
use backtrail::testing::Recorder;
use backtrail::{Exception, create_span};
use sqlx::sqlite::SqlitePoolOptions;
use sqlx::{Executor as _, SqlitePool};

async fn pool() -> SqlitePool {
    let pool = SqlitePoolOptions::new()
        .max_connections(1)
        .connect("sqlite::memory:")
        .await
        .expect("a database in memory");
    pool.execute("CREATE TABLE orders (id INTEGER PRIMARY KEY)")
        .await
        .expect("a table");
    pool
}

/// SQLite quotes what it does not understand, as others quote values.
async fn ask(pool: &SqlitePool) -> Result<(), sqlx::Error> {
    let statement = "SELECT id FROM orders WHERE 'ann@example.org";
    sqlx::raw_sql(statement).execute(traced(pool)).await?;
    Ok(())
}

#[derive(Debug, thiserror::Error)]
enum OrderError {
    #[error("can't load the order")]
    Silent(#[source] sqlx::Error),
    #[error("can't load the order \"7\": {0}")]
    Repeating(#[source] sqlx::Error),
    #[error(transparent)]
    Transparent(#[from] sqlx::Error),
    #[error("no order: {0}")]
    Deep(#[source] Box<Self>),
}

async fn told<E: Exception<M>, M>(wrap: impl Fn(sqlx::Error) -> E) -> (String, String) {
    let pool = pool().await;
    let traces = Recorder::new();
    let failed = traces.run(async {
        create_span("load order", (), async |_| ask(&pool).await.map_err(&wrap)).await
    });
    assert!(failed.await.is_err());
    let spans = traces.spans();
    let all = format!("{spans:?}");
    assert!(!all.contains("example.org"), "{all}");
    let outer = spans
        .iter()
        .find(|span| span.name == "load order")
        .expect("it ended");
    let of = |key: &str| {
        let attributes = &outer.events.events[0].attributes;
        let found = attributes.iter().find(|each| each.key.as_str() == key);
        found.map_or_else(String::new, |each| each.value.to_string())
    };
    let chain = of("exception.stacktrace");
    let (chain, _) = chain.split_once("\n   0: ").unwrap_or((&chain, ""));
    (of("exception.message"), chain.to_owned())
}

const MASKED: &str = "error returned from database: (?) unrecognized token: \"?\"";

#[tokio::test]
async fn an_error_of_a_database_that_another_span_records_tells_no_value() {
    let (message, chain) = told(|error| error).await;
    assert_eq!(message, MASKED);
    assert_eq!(
        chain,
        format!("sqlx_core::error::Error: {MASKED}\nCaused by: (?) unrecognized token: \"?\"")
    );
    let (message, _) =
        told(|error| -> Box<dyn std::error::Error + Send + Sync> { error.into() }).await;
    assert_eq!(message, MASKED);
}

#[tokio::test]
async fn an_error_around_one_of_a_database_tells_its_own_words_and_no_value() {
    let (message, chain) = told(OrderError::Silent).await;
    assert_eq!(message, "can't load the order");
    assert!(
        chain.contains(&format!("\nCaused by: {MASKED}\n")),
        "{chain}"
    );
    let (message, _) = told(OrderError::Repeating).await;
    assert_eq!(message, format!("can't load the order \"7\": {MASKED}"));
    let (message, _) = told(OrderError::from).await;
    assert_eq!(message, MASKED);
    let (message, chain) =
        told(|error| OrderError::Deep(Box::new(OrderError::Repeating(error)))).await;
    assert_eq!(
        message,
        format!("no order: can't load the order \"7\": {MASKED}")
    );
    assert!(
        chain.contains("\nCaused by: can't load the order \"7\": "),
        "{chain}"
    );
}

#[cfg(feature = "anyhow")]
#[tokio::test]
async fn anyhow_around_an_error_of_a_database_tells_no_value() {
    let (message, chain) =
        told(|error| anyhow::Error::new(error).context("can't load \"7\"")).await;
    assert_eq!(message, "can't load \"7\"");
    assert!(
        chain.contains(&format!("\nCaused by: {MASKED}\n")),
        "{chain}"
    );
    let (message, _) = told(anyhow::Error::new).await;
    assert_eq!(message, MASKED);
}

#[tokio::test]
async fn a_long_error_around_one_of_a_database_is_masked_whole() {
    #[derive(Debug, thiserror::Error)]
    #[error("{}{error}", "x".repeat(8 * 1024 - 70))]
    struct Long {
        #[source]
        error: sqlx::Error,
    }
    let (message, _) = told(|error| Long { error }).await;
    assert!(
        message.ends_with("token: ?"),
        "{}",
        &message[message.len() - 100..]
    );
}

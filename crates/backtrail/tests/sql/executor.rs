use backtrail::in_span;
use backtrail::sql::Database;
use backtrail::sql::sqlx::traced;
use backtrail::testing::Recorder;
use futures_util::TryStreamExt as _;
use sqlx::sqlite::SqlitePoolOptions;
use sqlx::{Executor as _, SqlitePool};

/// One connection, since each has a database of its own.
async fn pool() -> SqlitePool {
    let pool = SqlitePoolOptions::new()
        .max_connections(1)
        .connect("sqlite::memory:")
        .await
        .expect("a database in memory");
    pool.execute("CREATE TABLE orders (id INTEGER PRIMARY KEY, owner TEXT UNIQUE)")
        .await
        .expect("a database in memory");
    pool.execute("INSERT INTO orders VALUES (1, 'ann'), (2, 'bob'), (3, 'cleo')")
        .await
        .expect("a database in memory");
    pool
}

const SHOWN: &[&str] = &[
    "db.query.text",
    "db.response.returned_rows",
    "db.response.status_code",
    "error.type",
    "cancelled",
];

#[tokio::test]
async fn every_way_to_run_a_statement_is_a_span() {
    let pool = pool().await;
    let traces = Recorder::new();
    traces
        .run(in_order(async {
            let one: String = sqlx::query_scalar("SELECT owner FROM orders WHERE id = ?")
                .bind(2)
                .fetch_one(traced(&pool))
                .await?;
            assert_eq!(one, "bob");
            let all = sqlx::query("SELECT id FROM orders WHERE id > 1")
                .fetch_all(traced(&pool))
                .await?;
            assert_eq!(all.len(), 2);
            let none = sqlx::query("SELECT id FROM orders WHERE owner = 'dan'")
                .fetch_optional(traced(&pool))
                .await?;
            assert!(none.is_none());
            let done = sqlx::query("UPDATE orders SET owner = ? WHERE id = 3")
                .bind("eve")
                .execute(traced(&pool))
                .await?;
            assert_eq!(done.rows_affected(), 1);
            let mut transaction = pool.begin().await?;
            sqlx::query("DELETE FROM orders WHERE id IN (1, 2)")
                .execute(traced(&mut *transaction))
                .await?;
            transaction.rollback().await?;
            sqlx::raw_sql("SELECT 1; SELECT 2")
                .fetch_all(traced(&pool))
                .await?;
            Ok::<_, sqlx::Error>(())
        }))
        .await
        .unwrap();
    assert_eq!(
        traces.tree_of(SHOWN),
        "SELECT orders [client] db.query.text=SELECT owner FROM orders WHERE id = ? db.response.returned_rows=1\n\
         SELECT orders [client] db.query.text=SELECT id FROM orders WHERE id > ? db.response.returned_rows=2\n\
         SELECT orders [client] db.query.text=SELECT id FROM orders WHERE owner = ? db.response.returned_rows=0\n\
         UPDATE orders [client] db.query.text=UPDATE orders SET owner = ? WHERE id = ? db.response.returned_rows=0\n\
         DELETE orders [client] db.query.text=DELETE FROM orders WHERE id IN (?) db.response.returned_rows=0\n\
         SELECT [client] db.query.text=SELECT ?; SELECT ? db.response.returned_rows=2\n"
    );
    let spans = traces.spans();
    let system = spans[0]
        .attributes
        .iter()
        .find(|attribute| attribute.key.as_str() == "db.system.name")
        .unwrap();
    assert_eq!(system.value.as_str(), "sqlite");
}

/// The future is sent to other threads by services; so it must be possible.
async fn in_order<T>(code: impl Future<Output = T> + Send) -> T {
    code.await
}

#[tokio::test]
async fn errors_have_the_databases_code_and_no_values() {
    let pool = pool().await;
    let traces = Recorder::new();
    let error = traces
        .run(async {
            let shop = Database::new("sqlite").name("shop");
            sqlx::query("INSERT INTO orders VALUES (4, ?)")
                .bind("ann")
                .execute(traced(&pool).on(&shop))
                .await
                .unwrap_err();
            sqlx::query("SELECT * FROM missing WHERE a = 'secret'")
                .fetch_one(traced(&pool))
                .await
                .unwrap_err();
            sqlx::query("SELECT 1 FROM orders WHERE 'secret")
                .fetch_all(traced(&pool))
                .await
                .unwrap_err();
            sqlx::query("SELECT 1 FROM orders WHERE id = 9")
                .fetch_one(traced(&pool))
                .await
                .unwrap_err()
        })
        .await;
    assert!(matches!(error, sqlx::Error::RowNotFound));
    assert_eq!(
        traces.tree_of(&[
            "db.namespace",
            "db.response.status_code",
            "error.type",
            "db.response.returned_rows"
        ]),
        "INSERT orders [client] error `UNIQUE constraint failed: orders.owner` db.namespace=shop db.response.status_code=2067 error.type=2067\n  · exception\n\
         SELECT missing [client] error `no such table: missing` db.response.status_code=1 error.type=1\n  · exception\n\
         SELECT orders [client] error `unrecognized token: \"?\"` db.response.status_code=1 error.type=1\n  · exception\n\
         SELECT orders [client] db.response.returned_rows=0\n"
    );
    let told = format!("{:?}", traces.spans());
    assert!(!told.contains("ann") && !told.contains("secret"), "{told}");
}

#[tokio::test]
async fn a_stream_of_rows_is_a_span_until_it_is_read_or_dropped() {
    let pool = pool().await;
    let traces = Recorder::new();
    traces
        .run(async {
            in_span("outer", (), async |_| {
                let mut rows = sqlx::query("SELECT id FROM orders").fetch(traced(&pool));
                let mut count = 0;
                while rows.try_next().await?.is_some() {
                    count += 1;
                }
                assert_eq!(count, 3);
                drop(rows);
                let mut rows = sqlx::query("SELECT id FROM orders").fetch(traced(&pool));
                rows.try_next().await?;
                assert_eq!(traces.spans().len(), 1, "it goes on");
                drop(rows);
                Ok::<_, sqlx::Error>(())
            })
            .await
        })
        .await
        .unwrap();
    assert_eq!(
        traces.tree_of(&["db.response.returned_rows", "cancelled"]),
        "outer\n\
         ├ SELECT orders [client] db.response.returned_rows=3\n\
         └ SELECT orders [client] db.response.returned_rows=1 cancelled=true\n  \
           \u{20} · cancelled\n"
    );
}

#[tokio::test]
async fn prepared_statements_and_their_arguments_go_through() {
    let pool = pool().await;
    let traces = Recorder::with(|system| system.disable("sql"));
    traces
        .run(async {
            let statement = traced(&pool)
                .prepare(sqlx::SqlStr::from_static(
                    "SELECT owner FROM orders WHERE id = ?",
                ))
                .await?;
            let owner: String = sqlx::Statement::query_scalar(&statement)
                .bind(1)
                .fetch_one(traced(&pool))
                .await?;
            assert_eq!(owner, "ann");
            Ok::<_, sqlx::Error>(())
        })
        .await
        .unwrap();
    assert_eq!(traces.tree(), "", "it is switched off");
}

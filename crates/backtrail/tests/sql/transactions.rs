use backtrail::in_span;
use backtrail::sql::Database;
use backtrail::sql::sqlx::{Transaction, traced};
use backtrail::testing::Recorder;
use sqlx::sqlite::SqlitePoolOptions;
use sqlx::{Connection as _, Executor as _, Sqlite, SqliteConnection, SqlitePool};

/// One connection, since each has a database of its own.
async fn pool() -> SqlitePool {
    let pool = SqlitePoolOptions::new()
        .max_connections(1)
        .connect("sqlite::memory:")
        .await
        .expect("a database in memory");
    pool.execute(
        "CREATE TABLE orders (id INTEGER PRIMARY KEY, parent INTEGER REFERENCES orders (id) DEFERRABLE INITIALLY DEFERRED)",
    )
    .await
    .expect("a database in memory");
    pool
}

async fn insert(transaction: &mut Transaction<'_, Sqlite>, id: i64) -> Result<(), sqlx::Error> {
    sqlx::query("INSERT INTO orders (id) VALUES (?)")
        .bind(id)
        .execute(transaction.traced())
        .await?;
    Ok(())
}

async fn count(pool: &SqlitePool) -> i64 {
    let count = sqlx::query_scalar("SELECT count(*) FROM orders");
    count.fetch_one(pool).await.expect("a count")
}

const SHOWN: &[&str] = &["db.query.text", "db.namespace", "db.response.status_code"];

#[tokio::test]
async fn the_begin_and_the_end_of_a_transaction_are_spans() {
    let pool = pool().await;
    let traces = Recorder::new();
    traces
        .run(in_task(async {
            in_span("save", (), async |_| {
                let shop = Database::new("sqlite").name("shop");
                let mut kept = traced(&pool).on(&shop).begin().await?;
                insert(&mut kept, 1).await?;
                kept.commit().await?;
                let mut taken_back = traced(&pool).begin().await?;
                insert(&mut taken_back, 2).await?;
                taken_back.rollback().await
            })
            .await
        }))
        .await
        .unwrap();
    assert_eq!(
        traces.tree_of(SHOWN),
        "save\n\
         ├ BEGIN [client] db.namespace=shop db.query.text=BEGIN\n\
         ├ INSERT orders [client] db.namespace=shop db.query.text=INSERT INTO orders (id) VALUES (?)\n\
         ├ COMMIT [client] db.namespace=shop db.query.text=COMMIT\n\
         ├ BEGIN [client] db.query.text=BEGIN\n\
         ├ INSERT orders [client] db.query.text=INSERT INTO orders (id) VALUES (?)\n\
         └ ROLLBACK [client] db.query.text=ROLLBACK\n"
    );
    let commit = traces
        .spans()
        .into_iter()
        .find(|span| span.name == "COMMIT");
    let attributes = commit.unwrap().attributes;
    for (key, value) in [
        ("db.system.name", "sqlite"),
        ("db.operation.name", "COMMIT"),
        ("db.query.summary", "COMMIT"),
    ] {
        let is_there = attributes
            .iter()
            .any(|each| each.key.as_str() == key && each.value.as_str() == value);
        assert!(is_there, "{key} in {attributes:?}");
    }
    assert_eq!(count(&pool).await, 1);
}

/// The future is sent to other threads by services; so it must be possible.
async fn in_task<T>(code: impl Future<Output = T> + Send) -> T {
    code.await
}

#[tokio::test]
async fn a_transaction_that_is_dropped_is_a_rollback_at_that_time() {
    let pool = pool().await;
    let traces = Recorder::new();
    traces
        .run(async {
            let mut dropped = traced(&pool).begin_with("BEGIN IMMEDIATE").await?;
            insert(&mut dropped, 1).await
        })
        .await
        .unwrap();
    assert_eq!(
        traces.tree_of(&["db.query.text"]),
        "BEGIN [client] db.query.text=BEGIN IMMEDIATE\n\
         INSERT orders [client] db.query.text=INSERT INTO orders (id) VALUES (?)\n\
         ROLLBACK [client] db.query.text=ROLLBACK\n"
    );
    assert_eq!(count(&pool).await, 0);
}

#[tokio::test]
async fn a_transaction_within_a_transaction_is_a_savepoint() {
    let pool = pool().await;
    let traces = Recorder::new();
    traces
        .run(async {
            let mut outer = traced(&pool).begin().await?;
            let mut kept = outer.begin().await?;
            insert(&mut kept, 1).await?;
            kept.begin().await?.rollback().await?;
            kept.commit().await?;
            outer.commit().await
        })
        .await
        .unwrap();
    assert_eq!(
        traces.tree_of(&["db.query.text"]),
        "BEGIN [client] db.query.text=BEGIN\n\
         SAVEPOINT [client] db.query.text=SAVEPOINT _sqlx_savepoint_1\n\
         INSERT orders [client] db.query.text=INSERT INTO orders (id) VALUES (?)\n\
         SAVEPOINT [client] db.query.text=SAVEPOINT _sqlx_savepoint_2\n\
         ROLLBACK [client] db.query.text=ROLLBACK TO SAVEPOINT _sqlx_savepoint_2\n\
         RELEASE [client] db.query.text=RELEASE SAVEPOINT _sqlx_savepoint_1\n\
         COMMIT [client] db.query.text=COMMIT\n"
    );
    assert_eq!(count(&pool).await, 1);
}

#[tokio::test]
async fn a_commit_or_begin_that_fails_has_the_databases_code() {
    let pool = pool().await;
    let traces = Recorder::new();
    traces
        .run(async {
            let mut transaction = traced(&pool).begin().await.unwrap();
            sqlx::query("INSERT INTO orders VALUES (1, 77)")
                .execute(transaction.traced())
                .await
                .unwrap();
            // The reference is looked at now.
            transaction.commit().await.unwrap_err();
            traced(&pool)
                .begin_with("BEGIN 'secret'")
                .await
                .unwrap_err();
        })
        .await;
    assert_eq!(
        traces.tree_of(&["db.query.text", "db.response.status_code", "error.type"]),
        "BEGIN [client] db.query.text=BEGIN\n\
         INSERT orders [client] db.query.text=INSERT INTO orders VALUES (?, ?)\n\
         COMMIT [client] error `FOREIGN KEY constraint failed` db.query.text=COMMIT db.response.status_code=787 error.type=787\n  · exception\n\
         BEGIN [client] error `near \"?\": syntax error` db.query.text=BEGIN ? db.response.status_code=1 error.type=1\n  · exception\n"
    );
    let told = format!("{:?}", traces.spans());
    assert!(!told.contains("secret"), "{told}");
}

#[tokio::test]
async fn what_takes_a_connection_or_a_transaction_of_sqlx_takes_a_traced_one() {
    async fn of_connection(connection: &mut SqliteConnection) -> Result<(), sqlx::Error> {
        sqlx::query("INSERT INTO orders (id) VALUES (1)")
            .execute(connection)
            .await?;
        Ok(())
    }
    async fn of_transaction(transaction: &mut sqlx::Transaction<'_, Sqlite>) {
        of_connection(transaction).await.unwrap_err();
    }
    let traces = Recorder::new();
    traces
        .run(async {
            let mut connection = SqliteConnection::connect("sqlite::memory:").await?;
            connection
                .execute("CREATE TABLE orders (id INTEGER UNIQUE)")
                .await?;
            let mut transaction = traced(&mut connection).begin().await?;
            of_connection(&mut transaction).await?;
            of_transaction(transaction.as_sqlx()).await;
            sqlx::query("DELETE FROM orders")
                .execute(&mut *transaction)
                .await?;
            sqlx::query("DELETE FROM orders")
                .execute(traced(&mut *transaction))
                .await?;
            transaction.commit().await
        })
        .await
        .unwrap();
    assert_eq!(
        traces.tree_of(&[]),
        "BEGIN [client]\nDELETE orders [client]\nCOMMIT [client]\n"
    );
}

#[tokio::test]
async fn a_transaction_runs_without_spans_where_sql_is_switched_off() {
    let pool = pool().await;
    let traces = Recorder::with(|system| system.disable("sql"));
    traces
        .run(async {
            let mut transaction = traced(&pool).begin().await?;
            insert(&mut transaction, 1).await?;
            transaction.commit().await?;
            drop(traced(&pool).begin().await?);
            Ok::<_, sqlx::Error>(())
        })
        .await
        .unwrap();
    assert_eq!(traces.tree(), "");
    assert_eq!(count(&pool).await, 1);
}

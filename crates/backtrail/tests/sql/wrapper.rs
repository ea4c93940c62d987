use std::io;

use backtrail::sql::Database;
use backtrail::testing::Recorder;
use backtrail::{current_span, in_span};

fn shop() -> Database {
    Database::new("postgresql").name("shop").server("db", 5432)
}

#[tokio::test]
async fn a_statement_is_a_client_span_with_what_the_conventions_ask_for() {
    let traces = Recorder::new();
    let shop = shop();
    traces
        .run(in_span_around(async {
            shop.statement("SELECT * FROM orders WHERE id = $1 AND state = 'paid'")
                .run(async |span| {
                    assert_eq!(current_span().span_id(), span.span_id());
                    span.set("db.response.returned_rows", 3);
                    Ok::<_, io::Error>(3)
                })
                .await
        }))
        .await
        .unwrap();
    // Futures that were made within belong to the trace.
    assert_eq!(
        traces.tree(),
        "SELECT orders [client] db.system.name=postgresql db.namespace=shop server.address=db server.port=5432 \
         db.query.text=SELECT * FROM orders WHERE id = $1 AND state = ? db.query.summary=SELECT orders \
         db.operation.name=SELECT db.collection.name=orders db.response.returned_rows=3\n"
    );
    let spans = traces.spans();
    assert_eq!(spans[0].instrumentation_scope.name(), "backtrail::sql");
}

async fn in_span_around<T>(code: impl Future<Output = T>) -> T {
    code.await
}

#[tokio::test]
async fn statements_are_below_the_span_that_runs_them() {
    let traces = Recorder::new();
    let shop = shop();
    let statement = shop.statement("COMMIT");
    traces
        .run(async {
            in_span("order", (), async |_| {
                statement.run(async |_| Ok::<_, io::Error>(())).await?;
                statement.run(async |_| Ok::<_, io::Error>(())).await
            })
            .await
        })
        .await
        .unwrap();
    assert_eq!(
        traces.tree_of(&[]),
        "order\n├ COMMIT [client]\n└ COMMIT [client]\n"
    );
}

#[test]
fn an_error_is_recorded_without_what_it_quotes() {
    let traces = Recorder::new();
    let error = traces.run_sync(|| {
        shop()
            .statement("INSERT INTO users VALUES ('ann', 726272627262)")
            .batch_size(2)
            .run_sync(|_| {
                let cause = io::Error::other("key (\"ann@example.org\") is there");
                Err::<(), _>(io::Error::other(format!("duplicate 'ann': {cause}")))
            })
            .unwrap_err()
    });
    assert!(error.to_string().contains("ann@example.org"));
    assert_eq!(
        traces.tree_of(&["error.type", "db.operation.batch.size", "exception.message"]),
        "INSERT users [client] error `duplicate '?': key (?) is there` db.operation.batch.size=2 error.type=std::io::error::Error\n  \
         · exception exception.message=duplicate '?': key (?) is there\n"
    );
    let told = format!("{:?}", traces.spans());
    assert!(
        !told.contains("ann") && !told.contains("726272627262"),
        "{told}"
    );
}

#[test]
fn a_summary_of_the_services_own_names_the_span() {
    let traces = Recorder::new();
    let other = Database::new("other_sql");
    traces.run_sync(|| {
        let run = |statement: backtrail::sql::Statement<'_>| {
            statement.run_sync(|_| Ok::<_, io::Error>(())).unwrap();
        };
        run(other
            .statement("?? 'x'")
            .summary("archive orders")
            .attribute("a", 1));
        run(other.statement("?? 'x'"));
        run(other.statement("SELECT 1; SELECT 2"));
    });
    assert_eq!(
        traces.tree_of(&["a", "db.operation.name", "db.query.text"]),
        "archive orders [client] db.query.text=?? ? a=1\n\
         other_sql [client] db.query.text=?? ?\n\
         SELECT [client] db.query.text=SELECT ?; SELECT ?\n"
    );
}

#[test]
fn what_is_switched_off_runs_without_a_span() {
    let traces = Recorder::with(|system| system.disable("sql"));
    let answer = traces.run_sync(|| {
        backtrail::in_span_sync("outer", (), |outer| {
            shop().statement("SELECT 1").run_sync(|span| {
                span.set("not", "here");
                assert_eq!(span.span_id(), outer.span_id());
                assert_eq!(current_span().span_id(), outer.span_id());
                Err::<(), _>("failed")
            })
        })
    });
    assert_eq!(answer, Err("failed"));
    assert_eq!(traces.tree(), "outer\n");
}

use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};

use backtrail::testing::Recorder;
use backtrail::{Environment, TracingSystem, in_span, in_span_sync};

#[test]
fn a_panic_is_recorded_and_goes_on() {
    let traces = Recorder::new();
    let id = traces.spans().len() + 7;
    let panicked = catch_unwind(AssertUnwindSafe(|| {
        traces.run_sync(|| in_span_sync("x", (), |_| panic!("no order {id}")));
    }));
    let payload = panicked.unwrap_err();
    assert_eq!(payload.downcast_ref::<String>().unwrap(), "no order 7");
    assert_eq!(
        traces.tree_of(&["exception.message", "error.type"]),
        "x error `no order 7` error.type=panic\n  · exception exception.message=no order 7\n"
    );
}

#[tokio::test]
async fn a_panic_in_a_task_is_recorded_in_every_span_around_it() {
    let traces = Recorder::new();
    let context = traces.tracing().context();
    let task = tokio::spawn(backtrail::in_context(&context, async {
        in_span("outer", (), async |_| {
            in_span("inner", (), async |_| {
                tokio::task::yield_now().await;
                panic!("broken")
            })
            .await
        })
        .await
    }));
    assert!(task.await.unwrap_err().is_panic());
    assert_eq!(
        traces.tree_of(&["exception.message"]),
        "outer error `broken`\n│ · exception exception.message=broken\n└ inner error `broken`\n    · exception exception.message=broken\n"
    );
}

#[test]
fn the_system_of_the_process_tells_where_a_panic_was() {
    let environment = Environment::of([("OTEL_TRACES_EXPORTER", "none")]);
    let tracing = TracingSystem::new("panics")
        .environment(environment)
        .initialize();
    let _tracing = tracing.unwrap();
    let traces = Recorder::new();
    let panicked = catch_unwind(AssertUnwindSafe(|| {
        traces.run_sync(|| in_span_sync("x", (), |_| panic!("here")));
    }));
    assert!(panicked.is_err());
    let spans = traces.spans();
    let stack = spans[0].events.events[0].attributes.last().unwrap();
    let text = stack.value.to_string();
    assert!(text.starts_with("panic: here\nat "), "{text}");
    assert!(text.contains("panics.rs:"), "{text}");

    // One that is resumed, as a task's is where it is joined, was elsewhere.
    traces.clear();
    let panicked = catch_unwind(AssertUnwindSafe(|| {
        traces.run_sync(|| in_span_sync("x", (), |_| resume_unwind(Box::new("elsewhere"))));
    }));
    assert!(panicked.is_err());
    assert_eq!(
        traces.tree_of(&["exception.message", "exception.stacktrace"]),
        "x error `elsewhere`\n  · exception exception.message=elsewhere\n"
    );
}

#[test]
fn a_panic_before_the_future_is_made_is_recorded() {
    let traces = Recorder::new();
    let panicked = catch_unwind(AssertUnwindSafe(|| {
        traces.run_sync(|| in_span("x", (), |_| -> std::future::Ready<()> { panic!("early") }))
    }));
    assert!(panicked.is_err());
    assert_eq!(
        traces.tree_of(&["exception.message"]),
        "x error `early`\n  · exception exception.message=early\n"
    );
}

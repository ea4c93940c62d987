use std::convert::Infallible;

use backtrail::testing::Recorder;
use backtrail::{
    SpanKind, create_span, create_span_sync, current_span, current_trace_id, in_span, in_span_sync,
    spawn, spawn_blocking, spawn_thread,
};

fn check(traces: &Recorder, expected: &str) {
    let lines = expected.trim().lines().map(str::trim_start);
    let lines: Vec<_> = lines.map(|line| line.trim_start_matches('|')).collect();
    let expected = lines.join("\n") + "\n";
    assert_eq!(traces.tree(), expected);
}

#[tokio::test]
async fn spans_nest_across_await() {
    let traces = Recorder::new();
    let code = create_span("outer", [("a", 1)], async |outer| {
        tokio::task::yield_now().await;
        create_span("first", (), async |first| {
            assert_eq!(first.trace_id(), outer.trace_id());
            tokio::task::yield_now().await;
            Ok::<_, Infallible>(())
        })
        .await?;
        create_span_sync("second", (), |_| Ok::<_, Infallible>(()))?;
        outer.set("b", true);
        Ok::<_, Infallible>(())
    });
    // The future was made outside: its span is of no system.
    code.await.unwrap();
    assert_eq!(traces.tree(), "");

    traces
        .run(async {
            create_span("outer", [("a", 1)], async |outer| {
                create_span("first", (), async |_| {
                    tokio::task::yield_now().await;
                    Ok::<_, Infallible>(())
                })
                .await?;
                create_span_sync("second", (), |_| Ok::<_, Infallible>(()))?;
                outer.set("b", true);
                Ok::<_, Infallible>(())
            })
            .await
        })
        .await
        .unwrap();
    check(
        &traces,
        "
        |outer ok a=1 b=true
        |├ first ok
        |└ second ok
        ",
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn spawned_work_stays_in_the_trace() {
    let traces = Recorder::new();
    traces
        .run(async {
            in_span("outer", (), async |_| {
                let task = spawn(async { in_span("in a task", (), async |_| ()).await });
                task.await.unwrap();
                spawn_blocking(|| in_span_sync("in the blocking pool", (), |_| ()))
                    .await
                    .unwrap();
                spawn_thread(|| in_span_sync("in a thread", (), |_| ()))
                    .join()
                    .unwrap();
                // The span begins here, so the task needs no help.
                tokio::spawn(in_span("given to a task", (), async |_| ()))
                    .await
                    .unwrap();
            })
            .await;
        })
        .await;
    check(
        &traces,
        "
        |outer
        |├ in a task
        |├ in the blocking pool
        |├ in a thread
        |└ given to a task
        ",
    );
}

#[test]
fn code_without_a_runtime_is_traced_too() {
    let traces = Recorder::new();
    let sum = traces.run_sync(|| {
        create_span_sync("add up", (), |span| {
            span.set("numbers", vec![1_i64, 2]);
            span.add_event("begun", [("at", "once")]);
            let other = backtrail::span("link to").root().start();
            span.add_link(other.span_context(), ());
            in_span_sync("inner", (), |_| {
                assert_eq!(current_trace_id(), Some(span.trace_id()));
            });
            Ok::<_, Infallible>(3)
        })
    });
    assert_eq!(sum, Ok(3));
    let spans = traces.spans();
    assert_eq!(spans.len(), 3);
    let add_up = spans.iter().find(|span| span.name == "add up").unwrap();
    assert_eq!(add_up.links.links.len(), 1);
    assert_eq!(add_up.events.events[0].name, "begun");
    let link_to = spans.iter().find(|span| span.name == "link to").unwrap();
    assert_ne!(
        link_to.span_context.trace_id(),
        add_up.span_context.trace_id(),
        "a root has a trace of its own"
    );
}

#[test]
fn the_current_span_is_the_innermost() {
    let traces = Recorder::new();
    traces.run_sync(|| {
        assert_eq!(current_trace_id(), None);
        in_span_sync("outer", (), |outer| {
            assert_eq!(current_span().span_id(), outer.span_id());
            let span = backtrail::span("by hand").kind(SpanKind::Client).start();
            assert_eq!(
                current_span().span_id(),
                outer.span_id(),
                "it is not entered"
            );
            {
                let _entered = span.enter();
                current_span().set("is.current", true);
            }
            span.end();
            span.set("too", "late");
        });
    });
    check(
        &traces,
        "
        |outer
        |└ by hand [client] is.current=true
        ",
    );
}

#[test]
fn without_a_system_nothing_is_recorded_and_the_code_runs() {
    assert_eq!(
        create_span_sync("nowhere", (), |span| span
            .trace_id()
            .to_string()
            .parse::<u8>()),
        Ok(0)
    );
}

#[tokio::test]
async fn the_future_of_a_span_can_be_sent_to_other_threads() {
    fn assert_send<T: Send>(value: T) -> T {
        value
    }
    let text = String::from("borrowed");
    let borrowed = &text;
    let future = assert_send(create_span("x", (), async |span| {
        tokio::task::yield_now().await;
        span.set("len", borrowed.len());
        Ok::<_, Infallible>(borrowed.len())
    }));
    assert_eq!(future.await, Ok(8));
}

#[test]
fn a_value_set_again_is_the_last_one() {
    let traces = Recorder::new();
    traces.run_sync(|| {
        in_span_sync("x", [("a", 1)], |span| {
            span.set("a", 2);
            span.set("a", "three");
        });
    });
    assert_eq!(traces.tree(), "x a=three\n");
}

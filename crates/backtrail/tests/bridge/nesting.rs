use backtrail::testing::Recorder;
use backtrail::{current_span, current_trace_id, in_span, in_span_sync, spawn, spawn_thread};
use tracing::{Instrument as _, info_span};

use crate::{bridged, check};

#[test]
fn spans_of_both_kinds_nest_whichever_is_outside() {
    let traces = Recorder::new();
    let _bridged = bridged(&traces);
    traces.run_sync(|| {
        info_span!("theirs").in_scope(|| {
            in_span_sync("ours in theirs", (), |_| ());
        });
        in_span_sync("ours", (), |span| {
            info_span!("theirs in ours").in_scope(|| {
                assert_eq!(current_trace_id(), Some(span.trace_id()));
                assert_ne!(current_span().span_id(), span.span_id());
            });
            assert_eq!(current_span().span_id(), span.span_id());
        });
    });
    check(
        &traces,
        &[],
        "
        |theirs
        |└ ours in theirs
        |ours
        |└ theirs in ours
        ",
    );
}

#[tokio::test]
async fn they_alternate_across_await() {
    let traces = Recorder::new();
    let _bridged = bridged(&traces);
    let code = async {
        tokio::task::yield_now().await;
        in_span("2 ours", (), async |_| {
            tokio::task::yield_now().await;
            async {
                tokio::task::yield_now().await;
                in_span("4 ours", (), async |_| tokio::task::yield_now().await).await;
                info_span!("4 theirs").in_scope(|| ());
            }
            .instrument(info_span!("3 theirs"))
            .await;
            info_span!("3 theirs too").in_scope(|| ());
        })
        .await;
    };
    // A span of `tracing` is made where it is made, so within the recorder's context.
    traces
        .run(async { code.instrument(info_span!("1 theirs")).await })
        .await;
    check(
        &traces,
        &[],
        "
        |1 theirs
        |└ 2 ours
        |  ├ 3 theirs
        |  │ ├ 4 ours
        |  │ └ 4 theirs
        |  └ 3 theirs too
        ",
    );
}

#[tokio::test]
async fn tasks_that_take_turns_keep_their_spans_apart() {
    let traces = Recorder::new();
    let _bridged = bridged(&traces);
    let task = |theirs: tracing::Span, ours: &'static str| {
        async move {
            for _ in 0..3 {
                in_span(ours, (), async |_| tokio::task::yield_now().await).await;
                tokio::task::yield_now().await;
            }
        }
        .instrument(theirs)
    };
    traces
        .run(async {
            let a = task(info_span!("a"), "of a");
            let b = task(info_span!("b"), "of b");
            tokio::join!(a, b);
        })
        .await;
    check(
        &traces,
        &[],
        "
        |a
        |├ of a
        |├ of a
        |└ of a
        |b
        |├ of b
        |├ of b
        |└ of b
        ",
    );
}

#[tokio::test]
async fn spawned_work_stays_in_the_trace() {
    let traces = Recorder::new();
    let _bridged = bridged(&traces);
    traces
        .run(async {
            async {
                spawn(async {
                    info_span!("theirs in a task").in_scope(|| ());
                    in_span("ours in a task", (), async |_| ()).await;
                })
                .await
                .unwrap();
                tokio::spawn(
                    in_span("ours in an instrumented task", (), async |_| ())
                        .instrument(info_span!("instrumented")),
                )
                .await
                .unwrap();
                spawn_thread(|| in_span_sync("ours in a thread", (), |_| ()))
                    .join()
                    .unwrap();
            }
            .instrument(info_span!("theirs"))
            .await;
        })
        .await;
    let names = [
        "theirs in a task",
        "ours in a task",
        "instrumented",
        "ours in a thread",
    ];
    let tree = traces.tree_of(&[]);
    assert!(tree.starts_with("theirs\n"), "{tree}");
    for name in names {
        assert!(
            tree.contains(&format!("├ {name}\n")) || tree.contains(&format!("└ {name}\n")),
            "{tree}"
        );
    }
    assert_eq!(
        tree.lines()
            .filter(|line| line.starts_with(char::is_alphabetic))
            .count(),
        1,
        "{tree}"
    );
}

#[test]
fn fields_are_attributes_and_the_place_is_told_but_not_the_thread() {
    let traces = Recorder::new();
    let _bridged = bridged(&traces);
    traces.run_sync(|| {
        info_span!("theirs", number = 7, late = tracing::field::Empty).in_scope(|| {
            tracing::Span::current().record("late", true);
        });
    });
    let spans = traces.spans();
    let mut keys: Vec<_> = spans[0].attributes.iter().map(|a| a.key.as_str()).collect();
    keys.sort_unstable();
    assert_eq!(
        keys,
        [
            "code.file.path",
            "code.line.number",
            "code.module.name",
            "late",
            "number"
        ]
    );
}

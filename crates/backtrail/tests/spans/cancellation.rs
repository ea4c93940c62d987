use backtrail::testing::Recorder;
use backtrail::{create_span, in_span};

#[tokio::test]
async fn a_future_that_is_dropped_ends_its_span_and_says_so() {
    let traces = Recorder::new();
    traces
        .run(async {
            let slow = in_span("slow", (), async |_| std::future::pending::<()>().await);
            tokio::select! {
                biased;
                () = slow => {}
                () = async {} => {}
            }
            // One that was never polled, too.
            drop(create_span("never polled", (), async |_| {
                Ok::<_, String>(())
            }));
        })
        .await;
    assert_eq!(
        traces.tree(),
        "slow cancelled=true\n  · cancelled\nnever polled cancelled=true\n  · cancelled\n"
    );
}

struct RollBack(backtrail::Span);

impl Drop for RollBack {
    fn drop(&mut self) {
        self.0.set("rolled_back", true);
        backtrail::in_span_sync("roll back", (), |_| ());
    }
}

#[tokio::test]
async fn what_cancelled_code_does_when_it_is_dropped_is_still_in_its_span() {
    let traces = Recorder::new();
    traces
        .run(async {
            let transfer = in_span("transfer", (), async |span| {
                let _undone = RollBack(span);
                in_span("send", (), async |_| std::future::pending::<()>().await).await;
            });
            tokio::select! {
                biased;
                () = transfer => {}
                () = async {} => {}
            }
        })
        .await;
    assert_eq!(
        traces.tree(),
        "transfer rolled_back=true cancelled=true\n│ · cancelled\n\
         ├ send cancelled=true\n│   · cancelled\n└ roll back\n"
    );
    let ended: Vec<_> = traces.spans().iter().map(|s| s.name.clone()).collect();
    assert_eq!(ended, ["send", "roll back", "transfer"]);
}

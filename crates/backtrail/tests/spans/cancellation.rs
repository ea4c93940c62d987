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

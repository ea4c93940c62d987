use std::error::Error;
use std::fmt;
use std::num::ParseIntError;

use backtrail::testing::Recorder;
use backtrail::traced;

type Aliased<T> = Result<T, ParseIntError>;

/// An error that is no [`Error`], and can be displayed.
struct Refused;

impl fmt::Display for Refused {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("no more than nine")
    }
}

struct Silent;

#[traced]
async fn aliased(text: &str) -> Aliased<u8> {
    text.parse()
}

#[traced]
async fn boxed(text: &str) -> Result<u8, Box<dyn Error + Send + Sync>> {
    Ok(text.parse::<u8>()?)
}

#[traced]
fn boxed_alone(text: &str) -> Result<u8, Box<dyn Error>> {
    Ok(text.parse::<u8>()?)
}

#[traced]
fn text(fails: bool) -> Result<(), String> {
    if fails {
        return Err("out of stock".to_owned());
    }
    Ok(())
}

#[traced]
fn displayed() -> Result<(), Refused> {
    Err(Refused)
}

#[traced]
fn silent() -> Result<u8, Silent> {
    Err(Silent)
}

#[traced]
fn generic<E: Error>(error: E) -> Result<(), E> {
    Err(error)
}

#[traced]
fn anything() -> Option<u8> {
    None
}

#[traced(ok_status = false)]
async fn quiet() -> Aliased<()> {
    Ok(())
}

fn tree(traces: &Recorder) -> String {
    traces.tree_of(&["error.type"])
}

#[tokio::test]
async fn results_are_told_by_what_they_are_and_not_by_how_they_are_named() {
    let traces = Recorder::new();
    traces
        .run(async {
            assert_eq!(aliased("7").await, Ok(7));
            aliased("x").await.unwrap_err();
            boxed("x").await.unwrap_err();
        })
        .await;
    assert_eq!(
        tree(&traces),
        "aliased ok\n\
         aliased error `invalid digit found in string` error.type=core::num::error::ParseIntError\n  · exception\n\
         boxed error `invalid digit found in string` error.type=core::num::error::ParseIntError\n  · exception\n"
    );
}

#[test]
fn every_kind_of_error_is_recorded() {
    let traces = Recorder::new();
    traces.run_sync(|| {
        boxed_alone("x").unwrap_err();
        text(true).unwrap_err();
        text(false).unwrap();
        displayed().map_err(drop).unwrap_err();
        silent().map_err(drop).unwrap_err();
        generic(fmt::Error).unwrap_err();
    });
    assert_eq!(
        tree(&traces),
        "boxed_alone error `invalid digit found in string` error.type=core::num::error::ParseIntError\n  · exception\n\
         text error `out of stock` error.type=error\n  · exception\n\
         text ok\n\
         displayed error `no more than nine` error.type=traced::outcomes::Refused\n  · exception\n\
         silent error error.type=traced::outcomes::Silent\n  · exception\n\
         generic error `an error occurred when formatting an argument` error.type=core::fmt::Error\n  · exception\n"
    );
}

#[cfg(feature = "anyhow")]
#[test]
fn errors_of_anyhow_are_recorded() {
    #[traced]
    fn with_anyhow() -> anyhow::Result<u8> {
        Ok("x".parse::<u8>()?)
    }
    let traces = Recorder::new();
    traces.run_sync(|| with_anyhow().unwrap_err());
    assert_eq!(
        tree(&traces),
        "with_anyhow error `invalid digit found in string` error.type=core::num::error::ParseIntError\n  · exception\n"
    );
}

#[tokio::test]
async fn what_is_no_result_is_not_looked_at_and_ok_may_be_left_out() {
    let traces = Recorder::new();
    traces
        .run(async {
            assert_eq!(anything(), None);
            quiet().await.unwrap();
        })
        .await;
    assert_eq!(tree(&traces), "anything\nquiet\n");
}

#[tokio::test]
async fn panics_and_cancellation_are_recorded() {
    #[traced]
    fn breaks() {
        panic!("no such shelf");
    }
    #[traced]
    async fn waits() {
        std::future::pending::<()>().await;
    }
    let traces = Recorder::new();
    traces.run_sync(|| std::panic::catch_unwind(breaks).unwrap_err());
    traces
        .run(async {
            tokio::select! {
                biased;
                () = waits() => {}
                () = async {} => {}
            }
        })
        .await;
    assert_eq!(
        traces.tree_of(&["error.type", "cancelled"]),
        "breaks error `no such shelf` error.type=panic\n  · exception\nwaits cancelled=true\n  · cancelled\n"
    );
}

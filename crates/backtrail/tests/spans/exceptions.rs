use std::error::Error;

use backtrail::testing::Recorder;
use backtrail::{Outcome, create_span_sync};

#[derive(Debug, thiserror::Error)]
#[error("can't load order {id}")]
struct LoadError {
    id: u64,
    #[source]
    source: std::num::ParseIntError,
}

fn load_order(id: u64, price: &str) -> Result<u64, LoadError> {
    price.parse().map_err(|source| LoadError { id, source })
}

fn check<M, T: Outcome<M>>(outcome: impl FnOnce() -> T, expected: &str) {
    let traces = Recorder::new();
    traces.run_sync(|| create_span_sync("x", (), |_| outcome()));
    // Not the stack trace: whether it has a backtrace is for `RUST_BACKTRACE` to say.
    let keys = ["error.type", "exception.type", "exception.message"];
    assert_eq!(traces.tree_of(&keys), expected);
}

#[test]
fn a_typed_error_is_recorded_with_its_sources_and_returned() {
    let traces = Recorder::new();
    let result = traces.run_sync(|| create_span_sync("load order", (), |_| load_order(7, "x")));
    assert_eq!(result.unwrap_err().id, 7);
    let spans = traces.spans();
    let stack = spans[0].events.events[0]
        .attributes
        .iter()
        .find(|attribute| attribute.key.as_str() == "exception.stacktrace")
        .map(|attribute| attribute.value.to_string());
    let kind = "spans::exceptions::LoadError";
    let chain = format!("{kind}: can't load order 7\nCaused by: invalid digit found in string");
    assert!(stack.unwrap().starts_with(&chain));
    assert_eq!(
        traces.tree(),
        format!(
            "load order error `can't load order 7` error.type={kind}\n  \
             · exception exception.type={kind} exception.message=can't load order 7 exception.stacktrace={kind}: can't load order 7\n"
        )
    );
}

#[test]
fn errors_of_every_kind_are_recorded() {
    check(
        || "x".parse::<u64>(),
        "x error `invalid digit found in string` error.type=core::num::error::ParseIntError\n  \
         · exception exception.type=core::num::error::ParseIntError exception.message=invalid digit found in string\n",
    );
    check(
        || Err::<(), Box<dyn Error + Send + Sync>>("boxed".into()),
        "x error `boxed` error.type=dyn Error\n  · exception exception.type=dyn Error exception.message=boxed\n",
    );
    check(
        || Err::<(), &str>("text"),
        "x error `text` error.type=error\n  · exception exception.type=error exception.message=text\n",
    );
    check(|| Ok::<_, String>(1), "x ok\n");
}

#[cfg(feature = "anyhow")]
#[test]
fn an_anyhow_error_tells_its_chain() {
    use anyhow::Context as _;
    check(
        || "x".parse::<u64>().context("no such order"),
        "x error `no such order` error.type=core::num::error::ParseIntError\n  \
         · exception exception.type=core::num::error::ParseIntError exception.message=no such order\n",
    );
}

#[test]
fn ok_may_leave_the_status_unset() {
    let traces = Recorder::with(|system| system.ok_status(false));
    traces.run_sync(|| {
        create_span_sync("x", (), |_| Ok::<_, String>(())).unwrap();
        let ok = |_| Ok::<_, String>(());
        backtrail::span("y").ok_status(true).run_sync(ok).unwrap();
    });
    assert_eq!(traces.tree(), "x\ny ok\n");
}

#[test]
fn urls_in_messages_and_sources_tell_no_secret() {
    #[derive(Debug, thiserror::Error)]
    #[error("can't fetch https://ann:HUSH@shop.example/a?sig=HUSH&page=2")]
    struct FetchError(#[source] std::io::Error);

    let traces = Recorder::new();
    let source = std::io::Error::other("no answer of redis://:HUSH@cache");
    let result: Result<(), _> =
        traces.run_sync(|| create_span_sync("fetch", (), |_| Err(FetchError(source))));
    result.unwrap_err();
    let told = format!("{:?}", traces.spans());
    assert!(!told.contains("HUSH"), "{told}");
    assert!(
        told.contains("can't fetch https://REDACTED:REDACTED@shop.example/a?sig=REDACTED&page=2"),
        "{told}"
    );
}

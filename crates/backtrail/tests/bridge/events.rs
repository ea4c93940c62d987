use std::convert::Infallible;
use std::error::Error;
use std::io;

use backtrail::testing::Recorder;
use backtrail::{create_span_sync, in_span_sync};
use tracing::{Level, error, event, info, info_span};

use crate::{bridged, check};

#[test]
fn events_belong_to_the_innermost_span_of_either_kind() {
    let traces = Recorder::new();
    let _bridged = bridged(&traces);
    traces.run_sync(|| {
        info!("outside");
        in_span_sync("ours", (), |_| {
            info!(count = 2, "in ours");
            info_span!("theirs").in_scope(|| {
                info!("in theirs");
                in_span_sync("ours again", (), |_| {
                    info!(wide = u64::MAX, "in ours again");
                });
            });
        });
    });
    check(
        &traces,
        &["level", "count", "wide"],
        "
        |ours
        |│ · in ours level=INFO count=2
        |└ theirs
        |  │ · in theirs level=INFO
        |  └ ours again
        |      · in ours again level=INFO wide=18446744073709551615
        ",
    );
}

#[test]
fn an_event_that_names_its_span_belongs_there() {
    let traces = Recorder::new();
    let _bridged = bridged(&traces);
    traces.run_sync(|| {
        let named = info_span!("named");
        in_span_sync("ours", (), |_| {
            event!(parent: &named, Level::INFO, "elsewhere");
            event!(parent: None, Level::INFO, "nowhere");
        });
    });
    check(
        &traces,
        &["level"],
        "
        |named
        |  · elsewhere level=INFO
        |ours
        ",
    );
}

#[test]
fn an_error_marks_its_span_unless_the_code_says_ok() {
    let traces = Recorder::new();
    let _bridged = bridged(&traces);
    traces.run_sync(|| {
        in_span_sync("marked", (), |_| error!("no tea left"));
        info_span!("marked too").in_scope(|| error!("no milk left"));
        create_span_sync("recovered", (), |_| {
            error!("no sugar left");
            Ok::<_, Infallible>(())
        })
        .unwrap();
    });
    check(
        &traces,
        &["level"],
        "
        |marked error `no tea left`
        |  · no tea left level=ERROR
        |marked too error `no milk left`
        |  · no milk left level=ERROR
        |recovered ok
        |  · no sugar left level=ERROR
        ",
    );
}

#[test]
fn errors_among_the_fields_are_exceptions_with_their_causes() {
    #[derive(Debug, thiserror::Error)]
    #[error("the order is not stored")]
    struct NotStored(#[source] io::Error);
    let traces = Recorder::new();
    let _bridged = bridged(&traces);
    traces.run_sync(|| {
        in_span_sync("ours", (), |_| {
            let error = NotStored(io::Error::other("the disk is full"));
            error!(error = &error as &(dyn Error + 'static));
        });
    });
    let spans = traces.spans();
    let event = &spans[0].events[0];
    assert_eq!(event.name, "exception");
    let attribute = |key: &str| {
        let found = event.attributes.iter().find(|a| a.key.as_str() == key);
        found.unwrap().value.to_string()
    };
    assert_eq!(attribute("exception.message"), "the order is not stored");
    assert_eq!(
        attribute("exception.stacktrace"),
        "the order is not stored\nCaused by: the disk is full"
    );
}

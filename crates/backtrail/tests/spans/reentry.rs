use std::borrow::Cow;
use std::cell::Cell;
use std::thread;

use backtrail::testing::Recorder;
use backtrail::{Span, current_span, current_trace_id, in_span_sync, span};

/// A name that has to ask the span for it.
struct Asks(Span);

impl From<Asks> for Cow<'static, str> {
    fn from(asks: Asks) -> Self {
        asks.0.set("asked", true);
        format!("of {}", asks.0.is_recording()).into()
    }
}

#[test]
fn a_name_that_asks_its_span_does_not_wait_for_itself() {
    let traces = Recorder::new();
    traces.run_sync(|| {
        in_span_sync("active", (), |span| {
            span.set_name(Asks(span.clone()));
            span.add_event(Asks(span.clone()), ());
        });
        let detached = span("detached").start();
        detached.set_name(Asks(detached.clone()));
        detached.add_event(Asks(detached.clone()), ());
    });
    let line = "of true asked=true\n  · of true\n";
    assert_eq!(traces.tree(), line.repeat(2));
}

/// What a thread keeps, and closes when it ends.
struct Connection(Cell<bool>);

impl Drop for Connection {
    fn drop(&mut self) {
        in_span_sync("close", (), |span| span.set("was_open", self.0.get()));
        assert_eq!(current_trace_id(), None);
        assert!(!current_span().is_recording());
    }
}

thread_local! {
    static CONNECTION: Connection = const { Connection(Cell::new(false)) };
}

/// A panic where a thread drops its values ends the process.
#[test]
fn code_that_is_traced_while_its_thread_ends_runs_without_a_span() {
    let traces = Recorder::new();
    let context = traces.tracing().context();
    let thread = thread::spawn(move || {
        CONNECTION.with(|connection| connection.0.set(true));
        let _entered = context.attach();
        in_span_sync("work", (), |_| ());
    });
    thread.join().unwrap();
    assert_eq!(traces.tree(), "work\n");
}

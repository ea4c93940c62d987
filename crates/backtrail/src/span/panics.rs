//! Where a panic came from: only the panic hook is told, so it remembers the place for the span that the panic goes through.

use std::any::Any;
use std::backtrace::{Backtrace, BacktraceStatus};
use std::cell::RefCell;
use std::panic;
use std::sync::Once;

use super::Span;
use super::exception::panic_details;

thread_local! {
    static LAST: RefCell<Option<(String, Option<String>)>> = const { RefCell::new(None) };
}

static INSTALLED: Once = Once::new();

/// Puts a hook before the one that is there, once in a process. The one that is there is called as before.
pub(crate) fn remember_places() {
    INSTALLED.call_once(|| {
        let previous = panic::take_hook();
        panic::set_hook(Box::new(move |info| {
            if let Some(location) = info.location() {
                let backtrace = Backtrace::capture();
                let backtrace = (backtrace.status() == BacktraceStatus::Captured)
                    .then(|| backtrace.to_string());
                let place = Some((location.to_string(), backtrace));
                // Not there any more while a thread ends: then the place is not told.
                let _thread_ends = LAST.try_with(|last| last.replace(place));
            }
            previous(info);
        }));
    });
}

/// Tells a span of the panic that goes through it on this thread.
pub(crate) fn record(span: &Span, payload: &(dyn Any + Send)) {
    if span.is_recording() {
        let place = LAST.try_with(|last| last.borrow().clone()).ok().flatten();
        span.fail(panic_details(payload, place));
    }
}

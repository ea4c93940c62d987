//! Where a panic came from: only the panic hook is told, so it remembers the place for the span that the panic goes through.

use std::any::Any;
use std::backtrace::{Backtrace, BacktraceStatus};
use std::cell::RefCell;
use std::panic;
use std::sync::Once;

use super::Span;
use super::exception::{panic_details, panic_message};

thread_local! {
    static LAST: RefCell<Option<Place>> = const { RefCell::new(None) };
}

struct Place {
    /// What the panic said, if that was text. A panic that is resumed passes no hook, and is told from others by this.
    message: Option<String>,
    location: String,
    backtrace: Option<String>,
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
                let place = Some(Place {
                    message: info.payload_as_str().map(str::to_owned),
                    location: location.to_string(),
                    backtrace,
                });
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
        let place = LAST.try_with(|last| place_of(payload, last.borrow().as_ref()));
        span.fail(panic_details(payload, place.ok().flatten()));
    }
}

/// Where this panic was and its backtrace; nothing when the last one on this thread was another.
fn place_of(payload: &(dyn Any + Send), last: Option<&Place>) -> Option<(String, Option<String>)> {
    let last = last?;
    let is_same = panic_message(payload) == last.message.as_deref();
    is_same.then(|| (last.location.clone(), last.backtrace.clone()))
}

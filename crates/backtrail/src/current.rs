//! The current span, and how it goes along to other tasks and threads.

use std::future::Future;
use std::thread;

use opentelemetry::Context;
use opentelemetry::trace::{FutureExt, TraceContextExt, TraceId, WithContext};
use tokio::task::JoinHandle;

use crate::Span;

/// Whether this thread has a current context: no more when it ends and drops its thread-local values, whose code may be traced. To ask
/// OpenTelemetry for the context is a panic then.
pub(crate) fn has_context() -> bool {
    thread_local! {
        static HAS_CONTEXT: UntilTheThreadEnds = {
            // Values are dropped from the last to the first, so the context has to be there first.
            Context::map_current(|_| ());
            UntilTheThreadEnds
        };
    }
    HAS_CONTEXT.try_with(|_| ()).is_ok()
}

/// Has a destructor, so that it is known when it is gone.
struct UntilTheThreadEnds;

impl Drop for UntilTheThreadEnds {
    fn drop(&mut self) {}
}

/// The span that is active here; one that does nothing when there is none.
pub fn current_span() -> Span {
    Span::current()
}

/// The id of the trace that is active here, or nothing. It displays as 32 hexadecimal digits.
pub fn current_trace_id() -> Option<TraceId> {
    if !has_context() {
        return None;
    }
    let trace_id = Context::map_current(|context| context.span().span_context().trace_id());
    (trace_id != TraceId::INVALID).then_some(trace_id)
}

/// Runs a future in a context: its spans go below the context's span, on whatever thread it is polled.
pub fn in_context<F: Future>(context: &Context, future: F) -> WithContext<F> {
    future.with_context(context.clone())
}

/// `tokio::spawn`, and the task is in the trace of the code that spawned it.
///
/// # Panics
/// Outside of a tokio runtime, as `tokio::spawn` does.
pub fn spawn<F>(future: F) -> JoinHandle<F::Output>
where
    F: Future + Send + 'static,
    F::Output: Send + 'static,
{
    tokio::spawn(future.with_current_context())
}

/// `tokio::task::spawn_blocking`, in the trace of the code that spawned it.
///
/// # Panics
/// Outside of a tokio runtime, as `tokio::task::spawn_blocking` does.
pub fn spawn_blocking<T: Send + 'static>(
    code: impl FnOnce() -> T + Send + 'static,
) -> JoinHandle<T> {
    tokio::task::spawn_blocking(with_current(code))
}

/// `std::thread::spawn`, in the trace of the code that spawned it.
///
/// # Panics
/// When the system has no thread left, as `std::thread::spawn` does.
pub fn spawn_thread<T: Send + 'static>(
    code: impl FnOnce() -> T + Send + 'static,
) -> thread::JoinHandle<T> {
    thread::spawn(with_current(code))
}

/// Code that runs in the context of now, wherever it is called: for pools of threads.
///
/// ```
/// let job = backtrail::with_current(|| backtrail::current_trace_id());
/// std::thread::spawn(job).join().unwrap();
/// ```
pub fn with_current<T>(code: impl FnOnce() -> T) -> impl FnOnce() -> T {
    let context = Context::current();
    move || {
        let _entered = context.attach();
        code()
    }
}

//! Code of the service that a layer calls.

use std::any::Any;
use std::fmt;
use std::mem;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::sync::atomic::Ordering::Relaxed;

use crate::report::TARGET;

/// A function of the service. A panic of it is told once, and goes no further: what was asked of it is then not known, and the request goes on.
pub(super) struct Hook<F: ?Sized> {
    /// What the service calls it.
    name: &'static str,
    code: Arc<F>,
    has_panicked: Arc<AtomicBool>,
}

impl<F: ?Sized> Hook<F> {
    pub(super) fn new(name: &'static str, code: Arc<F>) -> Self {
        Self {
            name,
            code,
            has_panicked: Arc::new(AtomicBool::new(false)),
        }
    }

    /// What the function says; nothing if it panics.
    pub(super) fn call<T>(&self, call: impl FnOnce(&F) -> T) -> Option<T> {
        match catch_unwind(AssertUnwindSafe(|| call(&self.code))) {
            Ok(said) => Some(said),
            Err(payload) => {
                self.report(payload);
                None
            }
        }
    }

    fn report(&self, payload: Box<dyn Any + Send>) {
        if !self.has_panicked.swap(true, Relaxed) {
            let text = payload.downcast_ref::<&str>().copied();
            let text = text.or_else(|| payload.downcast_ref::<String>().map(String::as_str));
            let panic = text.unwrap_or("a value that is not text");
            tracing::error!(target: TARGET, hook = self.name, panic, "a hook of HTTP panicked; its later panics are not told");
        }
        discard(payload);
    }
}

/// The value of a panic may panic in its turn when it is dropped. There has to be an end of it.
pub(super) fn discard(payload: Box<dyn Any + Send>) {
    if let Err(another) = catch_unwind(AssertUnwindSafe(|| drop(payload))) {
        mem::forget(another);
    }
}

impl<F: ?Sized> Clone for Hook<F> {
    fn clone(&self) -> Self {
        Self {
            name: self.name,
            code: self.code.clone(),
            has_panicked: self.has_panicked.clone(),
        }
    }
}

impl<F: ?Sized> fmt::Debug for Hook<F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Hook").field(&self.name).finish()
    }
}

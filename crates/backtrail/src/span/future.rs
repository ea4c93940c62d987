//! A future in a span.

use std::future::Future;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::pin::Pin;
use std::task::{Context as TaskContext, Poll};

use opentelemetry::{Context, KeyValue};
use pin_project_lite::pin_project;

use super::{Span, panics, run_within};

pin_project! {
    /// Code that runs in a span: made by [`create_span`](crate::create_span), [`in_span`](crate::in_span) and
    /// [`SpanBuilder`](crate::SpanBuilder). The span has started already, below the span that was current then, so the future may be
    /// given to any task.
    #[must_use = "futures do nothing unless they are awaited"]
    pub struct TracedFuture<F: Future> {
        // Nothing only while it is dropped.
        #[pin]
        code: Option<F>,
        span: Option<Span>,
        // Without a span of its own the code still runs in the trace of its caller.
        around: Option<Context>,
        record: fn(&F::Output, &Span),
    }

    impl<F: Future> PinnedDrop for TracedFuture<F> {
        fn drop(this: Pin<&mut Self>) {
            let mut this = this.project();
            let Some(span) = this.span.take() else {
                return;
            };
            // What the code drops may make spans of its own and tell this one something: both while it is still there.
            let entered = span.enter();
            this.code.set(None);
            drop(entered);
            cancel(&span);
        }
    }
}

impl<F: Future> TracedFuture<F> {
    pub(crate) fn new(
        span: Span,
        code: impl FnOnce(Span) -> F,
        record: fn(&F::Output, &Span),
    ) -> Self {
        if span.is_nothing() {
            return Self {
                code: Some(code(span)),
                span: None,
                around: None,
                record,
            };
        }
        if span.is_none() {
            let context = span.context();
            let code = {
                let _entered = context.clone().attach();
                code(span)
            };
            return Self {
                code: Some(code),
                span: None,
                around: Some(context),
                record,
            };
        }
        let code = run_within(&span, code);
        Self {
            code: Some(code),
            span: Some(span),
            around: None,
            record,
        }
    }
}

impl<F: Future> std::fmt::Debug for TracedFuture<F> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("TracedFuture")
            .field("span", &self.span)
            .finish_non_exhaustive()
    }
}

impl<F: Future> Future for TracedFuture<F> {
    type Output = F::Output;

    fn poll(self: Pin<&mut Self>, cx: &mut TaskContext<'_>) -> Poll<F::Output> {
        let this = self.project();
        let Some(code) = this.code.as_pin_mut() else {
            return Poll::Pending;
        };
        let Some(span) = this.span else {
            // Also when it is polled again after it was done: that is for the inner future to say.
            let _entered = this.around.clone().map(Context::attach);
            return code.poll(cx);
        };
        let polled = {
            let _entered = span.enter();
            // As in `run_within`: what the panic broke is not looked at.
            catch_unwind(AssertUnwindSafe(|| code.poll(cx)))
        };
        match polled {
            Ok(Poll::Pending) => Poll::Pending,
            Ok(Poll::Ready(output)) => {
                (this.record)(&output, span);
                span.end();
                *this.span = None;
                Poll::Ready(output)
            }
            Err(payload) => {
                panics::record(span, &*payload);
                span.end();
                *this.span = None;
                resume_unwind(payload)
            }
        }
    }
}

/// Cancellation is no error by itself: a request that lost a race is cancelled too. So it is told, and the status stays unset.
pub(crate) fn cancel(span: &Span) {
    span.add_event("cancelled", ());
    span.put(KeyValue::new("cancelled", true));
    span.end();
}

//! The wait for a response.

use std::any::Any;
use std::fmt::{self, Display};
use std::future::Future;
use std::panic::resume_unwind;
use std::pin::Pin;
use std::task::{Context as TaskContext, Poll};

use ::http::{Response, response};
use http_body::Body;
use opentelemetry::Context;
use pin_project_lite::pin_project;

use super::ResponseBody;
use super::body::BodyWatch;
use super::exchange::run_in;

/// What a side does when the wait is over. It ends the span, too, when it is dropped before.
pub(super) trait Watch {
    fn context(&self) -> &Context;
    fn head(self, head: &mut response::Parts) -> BodyWatch;
    fn failed<E: Display + 'static>(self, error: &E);
    fn panicked(self, payload: &(dyn Any + Send));
}

pin_project! {
    /// The response of a traced service. The service runs in the context of the span, or of the caller's trace if there is no span.
    #[must_use = "futures do nothing unless they are awaited"]
    pub struct ResponseFuture<F, W: Watch> {
        #[pin]
        future: Option<F>,
        watch: Option<W>,
    }

    impl<F, W: Watch> PinnedDrop for ResponseFuture<F, W> {
        fn drop(this: Pin<&mut Self>) {
            let mut this = this.project();
            let Some(watch) = this.watch else {
                return;
            };
            // What a handler drops when its client has gone may be traced, too: below the request, which ends after it. A panic goes on.
            if let Err(payload) = run_in(watch.context(), || this.future.set(None)) {
                resume_unwind(payload);
            }
        }
    }
}

/// Calls the service in the context of the watch.
pub(super) fn call<F, W: Watch>(watch: W, call: impl FnOnce() -> F) -> ResponseFuture<F, W> {
    match run_in(watch.context(), call) {
        Ok(future) => ResponseFuture {
            future: Some(future),
            watch: Some(watch),
        },
        Err(payload) => {
            watch.panicked(&*payload);
            resume_unwind(payload)
        }
    }
}

impl<F, W: Watch> fmt::Debug for ResponseFuture<F, W> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ResponseFuture").finish_non_exhaustive()
    }
}

impl<F, W, B, E> Future for ResponseFuture<F, W>
where
    F: Future<Output = Result<Response<B>, E>>,
    W: Watch,
    B: Body,
    E: Display + 'static,
{
    type Output = Result<Response<ResponseBody<B>>, E>;

    fn poll(self: Pin<&mut Self>, cx: &mut TaskContext<'_>) -> Poll<Self::Output> {
        let this = self.project();
        let Some(future) = this.future.as_pin_mut() else {
            // It is there until this future is dropped.
            return Poll::Pending;
        };
        let Some(watch) = this.watch else {
            // Polled again after it was done: that is for the inner future to say.
            return future.poll(cx).map_ok(unwatched);
        };
        let polled = run_in(watch.context(), || future.poll(cx));
        if let Ok(Poll::Pending) = polled {
            return Poll::Pending;
        }
        let Some(watch) = this.watch.take() else {
            return Poll::Pending;
        };
        match polled {
            Ok(Poll::Pending) => Poll::Pending,
            Ok(Poll::Ready(Ok(response))) => {
                let (mut head, body) = response.into_parts();
                let body = ResponseBody::new(body, watch.head(&mut head));
                Poll::Ready(Ok(Response::from_parts(head, body)))
            }
            Ok(Poll::Ready(Err(error))) => {
                watch.failed(&error);
                Poll::Ready(Err(error))
            }
            Err(payload) => {
                watch.panicked(&*payload);
                resume_unwind(payload)
            }
        }
    }
}

fn unwatched<B: Body>(response: Response<B>) -> Response<ResponseBody<B>> {
    response.map(|body| ResponseBody::new(body, BodyWatch::default()))
}

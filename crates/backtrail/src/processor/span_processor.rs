//! The processor as the SDK sees it, and the pipeline behind it.

use std::io;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::sync::atomic::Ordering::Relaxed;
use std::sync::mpsc::{RecvTimeoutError, sync_channel};
use std::thread;
use std::time::Duration;

use opentelemetry::Context;
use opentelemetry_sdk::error::{OTelSdkError, OTelSdkResult};
use opentelemetry_sdk::trace::{Span, SpanData, SpanProcessor};
use tokio::sync::oneshot;

use super::command::{Command, Reply};
use super::queue::Queue;
use super::worker::Worker;
use super::{FlushError, Stats};
use crate::config::BatchSettings;
use crate::export::Export;
use crate::export::encode::{EncodeLimits, with_field};
use crate::tracer::Tracer;

/// How much longer than its timeout an answer of the worker may take, on a machine that is very busy.
const GRACE: Duration = Duration::from_secs(1);
/// A flush that nobody gave a time.
const FLUSH_TIMEOUT: Duration = Duration::from_secs(30);

/// Queue and worker. The worker's thread has a runtime of its own, so it needs none of the service's and is not held up by it.
#[derive(Debug)]
pub(crate) struct Pipeline {
    pub(crate) queue: Arc<Queue>,
}

impl Pipeline {
    pub(crate) fn start(
        settings: BatchSettings,
        exporter: Arc<dyn Export>,
    ) -> io::Result<Arc<Self>> {
        let queue = Arc::new(Queue::new(&settings));
        let for_worker = Arc::clone(&queue);
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()?;
        thread::Builder::new()
            .name("backtrail".to_owned())
            .spawn(move || {
                // Whatever happens on this thread makes no spans: they would be about the export of spans.
                let _suppressed = Context::enter_telemetry_suppressed_scope();
                runtime.block_on(Worker::new(for_worker, exporter, &settings).run());
                // A look-up of a host name may hang in a thread of the runtime: nobody waits for it.
                runtime.shutdown_background();
            })?;
        Ok(Arc::new(Self { queue }))
    }

    pub(crate) fn stats(&self) -> Stats {
        self.queue.stats()
    }

    /// What the exporter said of the last batch that it lost, or lost in part; empty when it never did.
    pub(crate) fn last_failure(&self) -> String {
        self.queue.counts.last_failure()
    }

    /// Waits on this thread until what has ended is exported.
    pub(crate) fn flush(&self, timeout: Duration) -> Result<(), FlushError> {
        self.wait(timeout, false)
    }

    pub(crate) async fn flush_async(&self, timeout: Duration) -> Result<(), FlushError> {
        self.wait_async(timeout).await
    }

    /// Waits on this thread until what has ended is exported; what ends later is dropped.
    pub(crate) fn shutdown(&self, timeout: Duration) -> Result<(), FlushError> {
        self.wait(timeout, true)
    }

    /// A thread waits for it: it has a clock whatever the runtime, so that not even a worker that hangs keeps a process from ending.
    pub(crate) async fn shutdown_async(&self, timeout: Duration) -> Result<(), FlushError> {
        let (sender, receiver) = oneshot::channel();
        let pipeline = Self {
            queue: Arc::clone(&self.queue),
        };
        let waiting = thread::Builder::new()
            .name("backtrail-end".to_owned())
            .spawn(move || {
                // The caller's future may have been dropped.
                let _gone = sender.send(pipeline.shutdown(timeout));
            });
        if waiting.is_err() {
            return self.shutdown(timeout);
        }
        receiver.await.unwrap_or(Err(FlushError::ShutDown))
    }

    fn wait(&self, timeout: Duration, is_shutdown: bool) -> Result<(), FlushError> {
        let (sender, receiver) = sync_channel(1);
        self.ask(
            timeout,
            is_shutdown,
            Box::new(move |result| {
                // Nobody listens any more when the grace is over too.
                let _gone = sender.send(result);
            }),
        )?;
        match receiver.recv_timeout(timeout.saturating_add(GRACE)) {
            Ok(result) => result,
            Err(RecvTimeoutError::Timeout) => Err(FlushError::Timeout {
                pending: self.queue.stats().pending(),
                timeout,
            }),
            Err(RecvTimeoutError::Disconnected) => Err(FlushError::ShutDown),
        }
    }

    async fn wait_async(&self, timeout: Duration) -> Result<(), FlushError> {
        let (sender, receiver) = oneshot::channel();
        self.ask(
            timeout,
            false,
            Box::new(move |result| {
                // The caller's future may have been dropped.
                let _gone = sender.send(result);
            }),
        )?;
        receiver.await.unwrap_or(Err(FlushError::ShutDown))
    }

    fn ask(&self, timeout: Duration, is_shutdown: bool, reply: Reply) -> Result<(), FlushError> {
        self.queue.ask(Command {
            timeout,
            is_shutdown,
            reply,
        })
    }
}

/// Puts a pipeline below the SDK's tracers.
#[derive(Debug)]
pub(crate) struct BatchProcessor {
    pipeline: Option<Arc<Pipeline>>,
    limits: EncodeLimits,
    is_shut_down: Arc<AtomicBool>,
}

impl BatchProcessor {
    /// One for spans that shall go where those of a tracer of the crate go.
    pub(crate) fn of(tracer: &Tracer) -> Self {
        Self {
            pipeline: tracer.pipeline.clone(),
            limits: tracer.limits.of_encoding(),
            is_shut_down: Arc::clone(&tracer.is_shut_down),
        }
    }
}

impl SpanProcessor for BatchProcessor {
    fn on_start(&self, _span: &mut Span, _context: &Context) {
        if let Some(pipeline) = &self.pipeline {
            pipeline.queue.count_created();
        }
    }

    fn on_end(&self, span: SpanData) {
        if let Some(pipeline) = &self.pipeline
            && span.span_context.is_sampled()
            && !pipeline.queue.refuses()
        {
            let scope = &span.instrumentation_scope;
            with_field(&span, &self.limits, |field| {
                pipeline
                    .queue
                    .offer(scope, field.len(), |out| field.put(out));
            });
        }
    }

    fn force_flush(&self) -> OTelSdkResult {
        match &self.pipeline {
            Some(pipeline) => pipeline.flush(FLUSH_TIMEOUT).map_err(sdk_error),
            None => Ok(()),
        }
    }

    fn shutdown_with_timeout(&self, timeout: Duration) -> OTelSdkResult {
        self.is_shut_down.store(true, Relaxed);
        match &self.pipeline {
            Some(pipeline) => pipeline.shutdown(timeout).map_err(sdk_error),
            None => Ok(()),
        }
    }
}

fn sdk_error(error: FlushError) -> OTelSdkError {
    match error {
        FlushError::Timeout { timeout, .. } => OTelSdkError::Timeout(timeout),
        FlushError::ShutDown => OTelSdkError::AlreadyShutdown,
        FlushError::Lost { .. } | FlushError::Busy => {
            OTelSdkError::InternalFailure(error.to_string())
        }
    }
}

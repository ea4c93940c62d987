//! A system that keeps its spans in memory.

use std::future::Future;
use std::time::Duration;

use opentelemetry_sdk::trace::SpanData;

use super::tree::tree;
use crate::export::{Exporter, Memory};
use crate::{Environment, TracingSystem, TracingSystemBuilder, in_context};

/// Keeps what is traced within it. It is no system of the process, so that tests run beside each other; code finds it by the context in
/// which it runs. The first 100,000 spans are kept.
#[derive(Debug)]
pub struct Recorder {
    tracing: TracingSystem,
    memory: Memory,
}

impl Default for Recorder {
    fn default() -> Self {
        Self::new()
    }
}

impl Recorder {
    /// A recorder for a service named `test`, which no variable of the environment changes.
    pub fn new() -> Self {
        Self::with(|system| system)
    }

    /// A recorder whose system is described further: its sampler, its instrumentations, its environment.
    ///
    /// ```
    /// use backtrail::testing::Recorder;
    ///
    /// let traces = Recorder::with(|system| system.enable("fs").ok_status(false));
    /// # drop(traces);
    /// ```
    ///
    /// # Panics
    /// When the system can't be initialized: this is for tests.
    pub fn with(describe: impl FnOnce(TracingSystemBuilder) -> TracingSystemBuilder) -> Self {
        let memory = Memory::default();
        let system = TracingSystem::builder("test")
            .environment(Environment::of([]))
            .max_queue_spans(100_000);
        let system = describe(system)
            .exporter(Exporter::memory(memory.clone()))
            .local();
        let tracing = match system.initialize() {
            Ok(tracing) => tracing,
            Err(error) => panic!("{error}"),
        };
        Self { tracing, memory }
    }

    /// The system, for layers and clients.
    pub fn tracing(&self) -> &TracingSystem {
        &self.tracing
    }

    /// Runs asynchronous code whose spans are kept.
    pub async fn run<F: Future>(&self, code: F) -> F::Output {
        in_context(&self.tracing.context(), code).await
    }

    /// Runs code whose spans are kept.
    pub fn run_sync<T>(&self, code: impl FnOnce() -> T) -> T {
        let _entered = self.tracing.context().attach();
        code()
    }

    /// The spans that have ended, in the order of their ends for each thread, as they would be exported: each key once, values cut as the limits
    /// say, no end before the start, and an empty array is one of texts.
    ///
    /// # Panics
    /// When they do not arrive within ten seconds: this is for tests.
    pub fn spans(&self) -> Vec<SpanData> {
        if let Err(error) = self.tracing.force_flush(Duration::from_secs(10)) {
            panic!("{error}");
        }
        self.memory.spans()
    }

    /// Forgets the spans that have ended.
    pub fn clear(&self) {
        drop(self.spans());
        self.memory.clear();
    }

    /// The spans that have ended as trees, the earliest first: name, kind unless it is internal, status, attributes; events below their span. A span whose parent
    /// is not among them says so. Of a stack trace the first line is told, so that a snapshot is the same on every machine.
    pub fn tree(&self) -> String {
        tree(&self.spans(), |_| true)
    }

    /// [`Recorder::tree`] with the attributes that a test is about: the others differ from run to run, or are none of its business.
    pub fn tree_of(&self, keys: &[&str]) -> String {
        tree(&self.spans(), |key| keys.contains(&key))
    }

    /// [`Recorder::tree`] but for these attributes: those that differ from run to run.
    pub fn tree_without(&self, keys: &[&str]) -> String {
        tree(&self.spans(), |key| !keys.contains(&key))
    }
}

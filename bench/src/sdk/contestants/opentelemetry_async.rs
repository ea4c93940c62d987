//! `opentelemetry_sdk`, called directly, with its experimental processor that runs on a runtime and
//! exports several batches at once.

use std::time::{Duration, Instant};

use anyhow::{Result, bail};
use opentelemetry::trace::TracerProvider as _;
use opentelemetry_sdk::runtime::Tokio;
use opentelemetry_sdk::trace::span_processor_with_async_runtime::BatchSpanProcessor;
use opentelemetry_sdk::trace::{SdkTracer, SdkTracerProvider};
use tokio::runtime::Runtime;

use super::drop_reports::DropReports;
use super::opentelemetry::span;
use super::{Contestant, pipeline};
use crate::sdk::request::Request;
use crate::sdk::task::{Mode, Task};

pub(in crate::sdk) struct OpenTelemetryAsync {
    tracer: SdkTracer,
    provider: SdkTracerProvider,
    drops: DropReports,
    /// Runs the exports.
    _runtime: Runtime,
}

impl Contestant for OpenTelemetryAsync {
    fn start(task: &Task) -> Result<Self> {
        if task.mode == Mode::Disable {
            bail!("without an SDK there is no processor");
        }
        let drops = DropReports::default();
        drops.listen()?;
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .enable_all()
            .build()?;
        let entered = runtime.enter();
        let processor = BatchSpanProcessor::builder(pipeline::async_exporter(task)?, Tokio).build();
        let provider = SdkTracerProvider::builder()
            .with_span_processor(processor)
            .with_resource(pipeline::resource())
            .build();
        drop(entered);
        Ok(Self {
            tracer: provider.tracer("bench"),
            provider,
            drops,
            _runtime: runtime,
        })
    }

    #[inline]
    fn span(&self, request: &Request) {
        span(&self.tracer, request);
    }

    fn flush(&self, _created: u64, until: Instant) {
        pipeline::flush(&self.provider, until);
    }

    fn finish(self, timeout: Duration) -> Option<u64> {
        pipeline::shut_down(&self.provider, timeout);
        Some(self.drops.total())
    }
}

//! An exporter that somebody wrote for `opentelemetry_sdk`.

use std::fmt::Debug;
use std::sync::Arc;
use std::time::Duration;

use opentelemetry_sdk::Resource;
use opentelemetry_sdk::error::OTelSdkResult;
use opentelemetry_sdk::trace::{SpanData, SpanExporter};
use tokio::runtime::Handle;
use tokio::sync::Mutex;

use super::blocking::blocking;
use super::{Closing, Export, Exporting, Outcome, decode};
use crate::processor::{Batch, Recycle};

/// [`SpanExporter`] as an object.
pub(super) trait BoxedExporter: Debug + Send + Sync {
    fn export_now(&self, spans: Vec<SpanData>) -> OTelSdkResult;

    fn be_told_the_resource(&mut self, resource: &Resource);

    fn shut_down(&self, timeout: Duration) -> OTelSdkResult;
}

impl<E: SpanExporter> BoxedExporter for E {
    fn export_now(&self, spans: Vec<SpanData>) -> OTelSdkResult {
        Handle::current().block_on(self.export(spans))
    }

    fn be_told_the_resource(&mut self, resource: &Resource) {
        self.set_resource(resource);
    }

    fn shut_down(&self, timeout: Duration) -> OTelSdkResult {
        self.shutdown_with_timeout(timeout)
    }
}

/// One batch at a time: that is what such exporters are promised. In a thread of its own, because many block theirs.
#[derive(Debug)]
pub(super) struct Custom {
    exporter: Arc<Mutex<Box<dyn BoxedExporter>>>,
}

impl Custom {
    pub(super) fn new(mut exporter: Box<dyn BoxedExporter>, resource: &Resource) -> Self {
        exporter.be_told_the_resource(resource);
        Self {
            exporter: Arc::new(Mutex::new(exporter)),
        }
    }
}

impl Export for Custom {
    fn export<'a>(&'a self, batch: Batch, recycle: Arc<dyn Recycle>) -> Exporting<'a> {
        Box::pin(async move {
            let spans = match decode::spans(batch.chunks()) {
                Ok(spans) => spans,
                Err(error) => return Outcome::unreadable(&error),
            };
            recycle.recycle(batch);
            let exporter = Arc::clone(&self.exporter).lock_owned().await;
            match blocking(move || exporter.export_now(spans)).await {
                Ok(Ok(())) => Outcome::accepted(),
                Ok(Err(error)) => Outcome::Failed(error.to_string()),
                Err(stopped) => Outcome::Failed(stopped),
            }
        })
    }

    fn close(&self, timeout: Duration) -> Closing<'_> {
        Box::pin(async move {
            let exporter = Arc::clone(&self.exporter).lock_owned().await;
            let closed = blocking(move || exporter.shut_down(timeout)).await;
            if let Ok(Err(error)) = closed {
                tracing::warn!(target: crate::report::TARGET, %error, "the exporter did not shut down well");
            }
        })
    }

    fn describe(&self) -> String {
        "an exporter of the service".to_owned()
    }
}

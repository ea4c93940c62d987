//! An exporter that somebody wrote for `opentelemetry_sdk`.

use std::fmt::Debug;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;

use opentelemetry_sdk::Resource;
use opentelemetry_sdk::error::OTelSdkResult;
use opentelemetry_sdk::trace::{SpanData, SpanExporter};
use tokio::sync::Mutex;

use super::encode::{EncodeLimits, normalize};
use super::{Export, Exporting, Outcome};
use crate::processor::{Batch, Recycle};

/// [`SpanExporter`] as an object.
pub(super) trait BoxedExporter: Debug + Send + Sync {
    fn export_boxed(
        &self,
        spans: Vec<SpanData>,
    ) -> Pin<Box<dyn Future<Output = OTelSdkResult> + Send + '_>>;

    fn be_told_the_resource(&mut self, resource: &Resource);
}

impl<E: SpanExporter> BoxedExporter for E {
    fn export_boxed(
        &self,
        spans: Vec<SpanData>,
    ) -> Pin<Box<dyn Future<Output = OTelSdkResult> + Send + '_>> {
        Box::pin(self.export(spans))
    }

    fn be_told_the_resource(&mut self, resource: &Resource) {
        self.set_resource(resource);
    }
}

/// One batch at a time: that is what such exporters are promised.
#[derive(Debug)]
pub(super) struct Custom {
    exporter: Mutex<Box<dyn BoxedExporter>>,
    limits: EncodeLimits,
}

impl Custom {
    pub(super) fn new(
        mut exporter: Box<dyn BoxedExporter>,
        resource: &Resource,
        limits: EncodeLimits,
    ) -> Self {
        exporter.be_told_the_resource(resource);
        Self {
            exporter: Mutex::new(exporter),
            limits,
        }
    }
}

impl Export for Custom {
    fn export<'a>(&'a self, batch: Batch, _recycle: Arc<dyn Recycle>) -> Exporting<'a> {
        Box::pin(async move {
            let mut spans = batch.into_spans();
            for span in &mut spans {
                normalize(span, &self.limits);
            }
            match self.exporter.lock().await.export_boxed(spans).await {
                Ok(()) => Outcome::accepted(),
                Err(error) => Outcome::Failed(error.to_string()),
            }
        })
    }

    fn describe(&self) -> String {
        "an exporter of the service".to_owned()
    }
}

//! Exporters: where batches go.

mod console;
mod custom;
pub(crate) mod encode;
mod error;
mod exporter;
mod fan_out;
mod grpc;
mod http_sender;
mod memory;
mod retry;
mod tls;
mod wire;

use std::fmt::Debug;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;

pub use error::ExporterError;
pub(crate) use exporter::BuildContext;
pub use exporter::Exporter;
pub(crate) use fan_out::all_of;
pub(crate) use memory::Memory;

use crate::processor::{Batch, Recycle};

/// What the worker has batches exported with. Several exports run at once.
pub(crate) trait Export: Debug + Send + Sync {
    /// Exports a batch; the worker bounds the time. Memory that is not needed any more goes back by `recycle`.
    fn export<'a>(&'a self, batch: Batch, recycle: Arc<dyn Recycle>) -> Exporting<'a>;

    /// Whereto, for the log: without credentials.
    fn describe(&self) -> String;
}

pub(crate) type Exporting<'a> = Pin<Box<dyn Future<Output = Outcome> + Send + 'a>>;

/// How an export went.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Outcome {
    /// The other side has the batch, but for some spans.
    Accepted { rejected: u64, message: String },
    /// The other side has nothing of it.
    Failed(String),
}

impl Outcome {
    pub(crate) const fn accepted() -> Self {
        Self::Accepted {
            rejected: 0,
            message: String::new(),
        }
    }
}

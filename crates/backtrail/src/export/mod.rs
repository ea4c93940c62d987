//! Exporters: where batches go.

mod blocking;
mod console;
mod credentials;
mod custom;
pub(crate) mod decode;
mod dial;
pub(crate) mod encode;
mod error;
mod exporter;
mod fan_out;
mod grpc;
mod http_sender;
mod memory;
mod retry;
mod source;
mod tally;
mod tls;
mod wire;

use std::fmt::Debug;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use backtrail_wire::WireError;

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

    /// Told once, when no batch will come any more; at most for this long.
    fn close(&self, _timeout: Duration) -> Closing<'_> {
        Box::pin(async {})
    }

    /// What the last attempt met, while it is not known yet whether the batch will be given up.
    fn trouble(&self) -> Option<String> {
        None
    }

    /// Whereto, for the log: without credentials.
    fn describe(&self) -> String;
}

pub(crate) type Exporting<'a> = Pin<Box<dyn Future<Output = Outcome> + Send + 'a>>;
pub(crate) type Closing<'a> = Pin<Box<dyn Future<Output = ()> + Send + 'a>>;

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

    /// Spans that were encoded here can be read here, so this is a bug.
    pub(crate) fn unreadable(error: &WireError) -> Self {
        Self::Failed(format!("can't read the spans that were encoded: {error}"))
    }

    pub(crate) fn timed_out(limit: Duration) -> Self {
        Self::Failed(format!("not done within {} ms", limit.as_millis()))
    }
}

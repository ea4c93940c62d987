//! Why a system could not be initialized.

use std::io;

use crate::export::ExporterError;

/// What [`TracingSystemBuilder::initialize`](crate::TracingSystemBuilder::initialize) may end with.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum InitializeError {
    /// The exporter that code asked for can't be made.
    #[error("can't make the exporter: {0}")]
    Exporter(#[from] ExporterError),
    /// The thread that exports can't be started.
    #[error("can't start the thread that exports: {0}")]
    Thread(#[source] io::Error),
    /// The process has a system already; [`TracingSystemBuilder::local`](crate::TracingSystemBuilder::local) makes a second one.
    #[error("tracing is initialized already, for the service `{0}`")]
    AlreadyInitialized(String),
}

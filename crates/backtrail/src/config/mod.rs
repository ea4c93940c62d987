//! Settings from the environment: all that the OpenTelemetry specification has for traces, and the few names of our own.
//!
//! Source: OpenTelemetry specification, "Environment Variable Specification" and "OTLP Exporter Configuration". A variable that is empty
//! counts as not set. A value that cannot be read is told once, as a warning with the value in it, and the default holds.

mod environment;
mod exporter;
mod instrumentations;
mod limits;
mod proxy;
mod resource;

pub use environment::Environment;
pub(crate) use environment::Warnings;
#[cfg(feature = "tls")]
pub(crate) use exporter::Identity;
pub(crate) use exporter::{
    DEFAULT_TIMEOUT, ExporterChoice, OtlpSettings, Protocol, TlsFiles, absolute_uri, choose, otlp,
    without_credentials,
};
pub use instrumentations::Instrumentation;
pub(crate) use instrumentations::Instrumentations;
pub(crate) use limits::{BatchSettings, Limits};
pub(crate) use proxy::proxy;
pub(crate) use resource::{Overrides, percent_decoded, resource};

//! A tracing system: what a service sets up once, and everything else finds.

mod builder;
mod error;
mod inner;
mod tracing_system;

pub use builder::TracingSystemBuilder;
pub use error::InitializeError;
pub(crate) use inner::{Scope, System};
pub(crate) use tracing_system::SHUTDOWN_TIMEOUT;
pub use tracing_system::TracingSystem;

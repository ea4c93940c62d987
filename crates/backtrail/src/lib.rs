//! Tracing for Rust services.

pub mod propagation;
pub mod sampling;

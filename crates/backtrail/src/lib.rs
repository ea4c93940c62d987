//! Tracing for Rust services.

mod export;

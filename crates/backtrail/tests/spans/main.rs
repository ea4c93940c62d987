//! Spans around code: how they nest, and how they end.

mod cancellation;
mod exceptions;
mod nesting;
mod panics;
mod reentry;

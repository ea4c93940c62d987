//! For tests of a service: what it traces, as a tree.
//!
//! ```
//! use backtrail::{create_span, testing::Recorder};
//!
//! async fn load_order(id: u64) -> Result<(), std::fmt::Error> {
//!     create_span("load order", [("order.id", id)], async |_| Ok(())).await
//! }
//!
//! # tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(async {
//! let traces = Recorder::new();
//! traces.run(load_order(7)).await.unwrap();
//! assert_eq!(traces.tree(), "load order ok order.id=7\n");
//! # });
//! ```
//!
//! A span starts where it is made: `traces.run(create_span(…))` makes it outside, and `traces.run(async { create_span(…).await })` within.
//! The span of an HTTP server ends with the body of its answer, so a test reads that to its end before it looks.

mod recorder;
mod tree;

pub use recorder::Recorder;

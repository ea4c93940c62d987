//! For tests of a service: what it traces, as a tree.
//!
//! ```
//! use backtrail::testing::Recorder;
//!
//! # tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(async {
//! let traces = Recorder::new();
//! traces.run(backtrail::create_span("load order", [("order.id", 7)], async |_| Ok::<_, std::fmt::Error>(()))).await;
//! assert_eq!(traces.tree(), "load order ok order.id=7\n");
//! # });
//! ```

mod recorder;
mod tree;

pub use recorder::Recorder;

//! What was acknowledged is there: after `kill -9` at any instant, and only when the disk has it.

#![expect(
    clippy::unwrap_used,
    reason = "a test that meets something unexpected fails, in its helpers too"
)]

#[path = "../running/mod.rs"]
mod running;

mod kill;
mod preload;
mod reading;
mod sending;

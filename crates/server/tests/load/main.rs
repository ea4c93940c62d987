//! Fifty connections over every protocol for a minute, and `kill -9` in the middle: what was acknowledged is there once, in every API.

#![expect(
    clippy::unwrap_used,
    reason = "a test that meets something unexpected fails, in its helpers too"
)]

#[path = "../running/mod.rs"]
mod running;

mod minute;
mod readers;
mod senders;
mod zipkin;

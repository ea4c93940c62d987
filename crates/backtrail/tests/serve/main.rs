//! Services that are asked to end, as processes of their own: the test's own binary, started again.

#![cfg(unix)]
#![expect(clippy::unwrap_used, reason = "in a test a failure is a panic")]

#[path = "../collector/mod.rs"]
mod collector;
mod process;
mod programs;
mod start;
mod termination;

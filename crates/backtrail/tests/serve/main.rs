//! Services that are asked to end, as processes of their own: the test's own binary, started again.

#[path = "../collector/mod.rs"]
mod collector;
mod process;
mod programs;
#[cfg(unix)]
mod termination;

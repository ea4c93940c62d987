//! What was acknowledged is there, once, whatever happens in between.

#![allow(
    clippy::unwrap_used,
    reason = "a test that can't go on should say where"
)]

mod backup;
mod check;
mod deletion;
mod keeping;
mod lone_events;
mod machine;
mod model_test;

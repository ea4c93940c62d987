//! The answers, held against a model that keeps spans in a vector and does everything the slow way.

#![expect(
    clippy::unwrap_used,
    reason = "a test may panic, and so may what builds its data"
)]

mod dependencies;
mod lone_events;
mod naive;
mod scans;
mod search;
mod trace;
mod vocabulary;

//! The upload API of the real binary, by raw HTTP: each row of the protocol that Sentry's clients speak, what is kept, and what is refused.
//!
//! `clients/sentry` runs the clients themselves.

#![expect(
    clippy::unwrap_used,
    reason = "a test that meets something unexpected fails, in its helpers too"
)]

#[path = "../running/mod.rs"]
mod running;

mod bundle;
mod hostile;
mod listing;
mod protocol;
mod uploader;

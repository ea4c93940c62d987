//! What was uploaded: organisations, projects, releases, bundles and debug ids; and which map serves a frame of a stack trace.
//!
//! Not for: HTTP (`server` has the upload API), and not for reading maps ([`srcmap`] does).

pub mod digest;
pub mod folder;
pub mod ladder;
pub mod resolve;

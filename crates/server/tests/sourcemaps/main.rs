//! From a minified stack trace to the line of source, with the real binary: a build is uploaded by its own command, exceptions come over OTLP,
//! and every API shows where they were thrown. The command line is tested without a server, too.

#![expect(
    clippy::unwrap_used,
    reason = "a test that meets something unexpected fails, in its helpers too"
)]

#[path = "../running/mod.rs"]
mod running;

mod asked;
mod backup;
mod builds;
mod check;
mod debug_ids;
mod explain;
mod filter;
mod healing;
mod inject;
mod jaeger;
mod log_records;
mod projects;
mod service;
mod source_lines;
mod structured;
mod tokens;
mod upload;

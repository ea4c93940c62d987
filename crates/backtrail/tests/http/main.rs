//! HTTP: what the layers make of requests, and what they leave alone.

#![expect(
    clippy::unwrap_used,
    reason = "what the tests have in common is not marked as a test"
)]

mod bodies;
mod captures;
mod client;
mod endings;
mod exchange;
mod grpc;
mod hooks;
mod isolation;
mod leaks;
mod old_names;
mod passing_on;
mod routes;
mod server;
mod sockets;
mod tonic;
mod w3c_suite;

#[cfg(feature = "actix")]
mod actix;
#[cfg(feature = "reqwest")]
mod reqwest;

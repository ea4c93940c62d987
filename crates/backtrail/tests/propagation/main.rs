//! Headers in, headers out, as a service sees them.

mod any_headers;
mod b3;
mod baggage;
mod composite;
mod jaeger;
mod samplers;
mod service;
mod trace_context;
mod w3c_suite;

//! The real binary from outside: its settings, its life, and what each protocol says to good and bad requests.

#![expect(
    clippy::unwrap_used,
    reason = "a test that meets something unexpected fails, in its helpers too"
)]

#[path = "../running/mod.rs"]
mod running;

mod deletion;
mod hosts;
mod jaeger_agent;
mod jaeger_grpc;
mod jaeger_http;
mod jaeger_query_grpc;
mod lifecycle;
mod metrics;
mod one_search;
mod otlp_grpc;
mod otlp_http;
mod otlp_signals;
mod overload;
mod sampling;
mod settings;
mod tokens;
mod zipkin;
mod zipkin_fixtures;

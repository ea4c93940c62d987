//! The real binary from outside: its settings, its life, and what each protocol says to good and bad requests.

#[path = "../running/mod.rs"]
mod running;

mod jaeger_http;
mod lifecycle;
mod metrics;
mod otlp_grpc;
mod otlp_http;
mod overload;
mod settings;

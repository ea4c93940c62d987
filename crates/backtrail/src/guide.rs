//! Guides for those who come from elsewhere. Only in the documentation.

#[doc = include_str!("../docs/from-node.md")]
pub mod from_node {}

#[doc = include_str!("../docs/from-tracing-opentelemetry.md")]
pub mod from_tracing_opentelemetry {}

#[doc = include_str!("../docs/from-opentelemetry-otlp.md")]
pub mod from_opentelemetry_otlp {}

#[doc = include_str!("../docs/from-fastrace.md")]
pub mod from_fastrace {}

#[doc = include_str!("../docs/environment.md")]
pub mod environment {}

#[doc = include_str!("../README.md")]
mod readme {}

//! Receivers: what each protocol calls things, and how it says no.
//!
//! A receiver turns a request into a [`RawPayload`](crate::ingest::RawPayload) and the outcome into
//! its protocol's reply. It decodes nothing and keeps nothing.

mod collector;
mod cors;
mod guarded;
mod headers;
mod jaeger_agent;
mod jaeger_grpc;
mod jaeger_http;
mod jaeger_sampling;
mod otlp_grpc;
mod otlp_http;
mod rpc_status;
mod unary;
mod zipkin;

use std::time::Duration;

use crate::ingest::BodyLimits;

pub(crate) use guarded::guarded;
pub(crate) use headers::media_type;
pub(crate) use jaeger_agent::{JaegerAgent, UdpSockets, watch_kernel_drops};
pub(crate) use jaeger_grpc::{COLLECTOR_SERVICE, SAMPLING_SERVICE, router as jaeger_grpc};
pub(crate) use jaeger_http::router as jaeger_http;
pub(crate) use jaeger_sampling::router as jaeger_sampling;
pub(crate) use otlp_grpc::{OTLP_SERVICES, router as otlp_grpc};
pub(crate) use otlp_http::router as otlp_http;
pub(crate) use zipkin::router as zipkin;

/// Bounds of requests, by what carries them.
#[derive(Debug, Clone, Copy)]
pub(crate) struct ReceiverLimits {
    /// Bytes of an HTTP body on the wire.
    pub(crate) max_body_bytes: usize,
    /// Bytes of a gRPC message on the wire.
    pub(crate) grpc_max_message_bytes: usize,
    /// How long a body may take to arrive.
    pub(crate) body_timeout: Duration,
}

impl ReceiverLimits {
    fn http(&self) -> BodyLimits {
        BodyLimits {
            max_bytes: self.max_body_bytes,
            setting: "limits.max_body_bytes",
            timeout: self.body_timeout,
        }
    }

    fn grpc(&self) -> BodyLimits {
        BodyLimits {
            max_bytes: self.grpc_max_message_bytes,
            setting: "limits.grpc_max_message_bytes",
            timeout: self.body_timeout,
        }
    }
}

//! A request as it arrived.

use bytes::Bytes;
use codec::{ContentEncoding, Encoding};
use model::TenantId;

use super::Reservation;

/// How a request came in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Protocol {
    /// OTLP over gRPC.
    OtlpGrpc,
    /// OTLP over HTTP, protobuf.
    OtlpHttpProtobuf,
    /// OTLP over HTTP, JSON.
    OtlpHttpJson,
    /// Jaeger Thrift over HTTP.
    JaegerHttp,
    /// Jaeger's protobuf over gRPC.
    JaegerGrpc,
    /// Jaeger Thrift over UDP, at the port for the compact protocol.
    JaegerAgentCompact,
    /// Jaeger Thrift over UDP, at the port for the binary protocol.
    JaegerAgentBinary,
    /// Zipkin over HTTP.
    ZipkinHttp,
}

impl Protocol {
    /// All of them, for metrics that are there from the start.
    pub(crate) const ALL: [Self; 8] = [
        Self::OtlpGrpc,
        Self::OtlpHttpProtobuf,
        Self::OtlpHttpJson,
        Self::JaegerHttp,
        Self::JaegerGrpc,
        Self::JaegerAgentCompact,
        Self::JaegerAgentBinary,
        Self::ZipkinHttp,
    ];

    /// Those that come in datagrams, without a reply.
    pub(crate) const DATAGRAMS: [Self; 2] = [Self::JaegerAgentCompact, Self::JaegerAgentBinary];

    /// Its name as a label of a metric.
    pub(crate) fn label(self) -> &'static str {
        match self {
            Self::OtlpGrpc => "otlp_grpc",
            Self::OtlpHttpProtobuf => "otlp_http_protobuf",
            Self::OtlpHttpJson => "otlp_http_json",
            Self::JaegerHttp => "jaeger_http",
            Self::JaegerGrpc => "jaeger_grpc",
            Self::JaegerAgentCompact => "jaeger_agent_compact",
            Self::JaegerAgentBinary => "jaeger_agent_binary",
            Self::ZipkinHttp => "zipkin_http",
        }
    }
}

/// A request's body, received and not yet looked at.
#[derive(Debug)]
pub(crate) struct RawPayload<E = Encoding> {
    /// How it came in.
    pub(crate) protocol: Protocol,
    /// What it is.
    pub(crate) encoding: E,
    /// How it is compressed.
    pub(crate) content_encoding: ContentEncoding,
    /// Whose it is.
    pub(crate) tenant: TenantId,
    /// The bytes.
    pub(crate) body: Bytes,
    /// Their place in the bounded queue.
    pub(crate) reservation: Reservation,
}

impl<E> RawPayload<E> {
    /// The same, with what it is in other words.
    pub(crate) fn map_encoding<F>(self, map: impl FnOnce(E) -> F) -> RawPayload<F> {
        RawPayload {
            protocol: self.protocol,
            encoding: map(self.encoding),
            content_encoding: self.content_encoding,
            tenant: self.tenant,
            body: self.body,
            reservation: self.reservation,
        }
    }
}

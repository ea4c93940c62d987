//! Bytes of a request to a [`SpanBatch`], for every protocol that Backtrail receives.
//!
//! Whatever arrives becomes OTLP protobuf first, for that is what the log keeps; then one decoder makes the batch and decides
//! which spans are admitted. Decoders are total: any bytes give an answer, in bounded memory and without a panic.
//!
//! ```
//! use bytes::Bytes;
//! use codec::{Encoding, decode};
//! use model::Limits;
//!
//! let decoded = decode(Encoding::OtlpProtobuf, Bytes::new(), &Limits::default(), 0)?;
//! assert_eq!((decoded.received, decoded.batch.len()), (0, 0));
//! # Ok::<(), codec::DecodeError>(())
//! ```
//!
//! Not for: HTTP or gRPC (`server` maps errors to status codes), and not for reading the log ([`SpanBatch::from_otlp`] does, without
//! rejecting what was acknowledged).

mod inflate;
mod logs;
mod metrics;
mod otlp;

pub use backtrail_wire::otlp::IgnoreReason;
pub use backtrail_wire::{IgnoredLogs, MetricsSummary, RejectReason, Rejections, ServiceNames};
pub use inflate::{ContentEncoding, InflateError, UnsupportedContentEncoding, inflate};
pub use logs::{DecodedLogs, decode_logs};
pub use metrics::summarize_metrics;

use backtrail_wire::WireError;
use backtrail_wire::jaeger_json;
use backtrail_wire::jaeger_proto::{self, PostSpansError};
use backtrail_wire::jaeger_thrift::{self, MessageError, ThriftError};
use backtrail_wire::otlp::SpanLimits;
use backtrail_wire::otlp_json;
use backtrail_wire::{JsonError, zipkin};
use bytes::Bytes;
use model::{Limits, SpanBatch};

/// How spans are written in a request's body.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Encoding {
    /// `ExportTraceServiceRequest` of OTLP as protobuf.
    OtlpProtobuf,
    /// The same as JSON.
    OtlpJson,
    /// `jaeger.thrift` `Batch` in Thrift's binary protocol.
    JaegerThriftBinary,
    /// The same in Thrift's compact protocol.
    JaegerThriftCompact,
    /// A Thrift message to a Jaeger agent, `emitBatch`, in either protocol.
    JaegerAgentMessage,
    /// `PostSpansRequest` of Jaeger's protobuf model.
    JaegerProtobuf,
    /// A list of Zipkin's spans of version 2 as JSON.
    ZipkinJsonV2,
    /// The same as protobuf: `zipkin.proto3.ListOfSpans`.
    ZipkinProtobuf,
    /// A list of Zipkin's spans of version 1 as JSON.
    ZipkinJsonV1,
    /// The same in Thrift's binary protocol.
    ZipkinThrift,
    /// Traces as Jaeger's page downloads them.
    JaegerJson,
}

/// How OTLP's log records and metrics are written: no other protocol brings them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum OtlpEncoding {
    /// Protobuf.
    Protobuf,
    /// JSON.
    Json,
}

impl From<OtlpEncoding> for Encoding {
    fn from(encoding: OtlpEncoding) -> Self {
        match encoding {
            OtlpEncoding::Protobuf => Self::OtlpProtobuf,
            OtlpEncoding::Json => Self::OtlpJson,
        }
    }
}

/// What a request held.
#[derive(Debug, Clone)]
pub struct Decoded {
    /// The admitted spans.
    pub batch: SpanBatch,
    /// The admitted spans as OTLP protobuf, which is what the log keeps: the request's body itself (not a copy of it) when it was OTLP protobuf and
    /// all of it was admitted, else encoded anew.
    pub payload: Bytes,
    /// How many spans the request held, rejected ones included.
    pub received: usize,
    /// The spans that were not admitted.
    pub rejected: Rejections,
}

/// Why a request can't be read at all. Nothing of it is accepted.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum DecodeError {
    /// The body is not an OTLP protobuf message.
    #[error("not an {message}: at byte {offset}: {error}")]
    Protobuf {
        /// What was expected.
        message: &'static str,
        /// Where the field begins that can't be read.
        offset: usize,
        /// What is wrong with it.
        error: WireError,
    },
    /// The body is not OTLP/JSON.
    #[error("not OTLP/JSON: {0}")]
    Json(#[source] JsonError),
    /// The body is not a list of Zipkin's spans.
    #[error("not a list of Zipkin spans: {0}")]
    Zipkin(#[source] JsonError),
    /// The body is not a list of Zipkin's spans in protobuf.
    #[error("not a zipkin.proto3.ListOfSpans: {0}")]
    ZipkinProtobuf(#[source] WireError),
    /// The body is not a list of Zipkin's spans in Thrift.
    #[error("not a list of Zipkin spans in Thrift: {0}")]
    ZipkinThrift(#[source] ThriftError),
    /// The body is not a Thrift `Batch`.
    #[error("not a Jaeger batch in Thrift: {0}")]
    Thrift(#[from] ThriftError),
    /// The datagram is not a message that an agent takes.
    #[error("not an emitBatch message in Thrift: {0}")]
    AgentMessage(#[from] MessageError),
    /// The body is not Jaeger's protobuf.
    #[error("not a PostSpansRequest: {0}")]
    JaegerProtobuf(#[from] PostSpansError),
    /// The body is not Jaeger's JSON.
    #[error("not Jaeger's JSON: {0}")]
    JaegerJson(JsonError),
    /// The request would take far more memory than bytes on the wire.
    #[error("{events} events in one request, over the limit of {max_events}")]
    TooManyEvents {
        /// How many there are.
        events: usize,
        /// The limit.
        max_events: usize,
    },
    /// Log records with exceptions would take far more memory than bytes on the wire.
    #[error(
        "the resources and scopes of the exceptions take {bytes} bytes when each has its own, over the limit of {max_bytes}"
    )]
    ResourcesTooLarge {
        /// How many they take.
        bytes: usize,
        /// The limit.
        max_bytes: usize,
    },
    /// The spans were admitted but can't be kept: a defect of this crate.
    #[error("admitted spans can't be encoded: {0}")]
    Encode(#[from] WireError),
}

impl Encoding {
    /// The Thrift protocol of a body whose sender does not say which it is, by its first byte.
    pub fn sniff_thrift(body: &[u8]) -> Self {
        match body
            .first()
            .map(|byte| jaeger_thrift::Encoding::sniff(*byte))
        {
            Some(jaeger_thrift::Encoding::Compact) => Self::JaegerThriftCompact,
            Some(jaeger_thrift::Encoding::Binary) | None => Self::JaegerThriftBinary,
        }
    }
}

/// Reads the body of a request.
///
/// A span that breaks OTLP's rules is rejected alone and counted; one whose resource or scope can't be read goes with it. Broken framing of
/// the whole is an error, and then nothing is accepted. A request without spans is fine.
///
/// `received_unix_nano` is when the request arrived: Zipkin's spans may be without any time of their own.
pub fn decode(
    encoding: Encoding,
    body: Bytes,
    limits: &Limits,
    received_unix_nano: u64,
) -> Result<Decoded, DecodeError> {
    let span_limits = SpanLimits {
        max_value_depth: limits.max_value_depth,
        max_span_bytes: limits.max_span_bytes,
    };
    let transcoded = match encoding {
        Encoding::OtlpProtobuf => return otlp::decode(body, limits),
        Encoding::OtlpJson => {
            otlp_json::to_protobuf(&body, &span_limits).map_err(DecodeError::Json)?
        }
        Encoding::JaegerThriftBinary => {
            jaeger_thrift::to_otlp(&body, jaeger_thrift::Encoding::Binary, &span_limits)?
        }
        Encoding::JaegerThriftCompact => {
            jaeger_thrift::to_otlp(&body, jaeger_thrift::Encoding::Compact, &span_limits)?
        }
        Encoding::JaegerAgentMessage => {
            jaeger_thrift::message_to_otlp(&body, &span_limits, received_unix_nano)?
        }
        Encoding::JaegerProtobuf => jaeger_proto::to_otlp(&body, &span_limits)?,
        Encoding::ZipkinJsonV2 => zipkin::json_v2_to_otlp(&body, &span_limits, received_unix_nano)
            .map_err(DecodeError::Zipkin)?,
        Encoding::ZipkinProtobuf => {
            zipkin::protobuf_to_otlp(&body, &span_limits, received_unix_nano)
                .map_err(DecodeError::ZipkinProtobuf)?
        }
        Encoding::ZipkinJsonV1 => zipkin::json_v1_to_otlp(&body, &span_limits, received_unix_nano)
            .map_err(DecodeError::Zipkin)?,
        Encoding::ZipkinThrift => {
            zipkin::thrift_v1_to_otlp(&body, &span_limits, received_unix_nano)
                .map_err(DecodeError::ZipkinThrift)?
        }
        Encoding::JaegerJson => {
            jaeger_json::to_otlp(&body, &span_limits).map_err(DecodeError::JaegerJson)?
        }
    };
    otlp::decode_transcoded(transcoded)
}

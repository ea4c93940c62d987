//! The wires that are measured, written by code that is not Backtrail's.

mod jaeger;
mod jaeger_model;
mod zipkin;

use anyhow::Result;
use bytes::Bytes;
use clap::ValueEnum;
use prost::Message as _;

use crate::server::Addresses;
use crate::workload::Request;

/// A protocol and its encoding.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Wire {
    /// OTLP/HTTP, protobuf
    OtlpProtobuf,
    /// OTLP/gRPC
    OtlpGrpc,
    /// OTLP/HTTP, JSON
    OtlpJson,
    /// Jaeger's Thrift, binary, over HTTP
    JaegerThrift,
    /// Jaeger's protobuf model, over gRPC
    JaegerGrpc,
    /// Zipkin v2, JSON
    ZipkinJson,
    /// Zipkin v2, protobuf
    ZipkinProtobuf,
}

/// Where requests of a wire go, and how.
pub(crate) enum Target {
    /// `POST` to an address.
    Http {
        url: String,
        content_type: &'static str,
    },
    /// A unary call.
    Grpc {
        origin: String,
        method: &'static str,
    },
}

/// A request that is ready to be sent.
pub(crate) struct Body {
    pub(crate) bytes: Bytes,
    pub(crate) spans: usize,
}

impl Wire {
    pub(crate) const fn title(self) -> &'static str {
        match self {
            Self::OtlpProtobuf => "OTLP protobuf",
            Self::OtlpGrpc => "OTLP gRPC",
            Self::OtlpJson => "OTLP JSON",
            Self::JaegerThrift => "Jaeger Thrift",
            Self::JaegerGrpc => "Jaeger gRPC",
            Self::ZipkinJson => "Zipkin JSON",
            Self::ZipkinProtobuf => "Zipkin protobuf",
        }
    }

    pub(crate) fn target(self, addresses: &Addresses) -> Target {
        let http = |address: &str, path: &str, content_type| Target::Http {
            url: format!("http://{address}{path}"),
            content_type,
        };
        let grpc = |address: &str, method| Target::Grpc {
            origin: format!("http://{address}"),
            method,
        };
        match self {
            Self::OtlpProtobuf => http(&addresses.otlp_http, "/v1/traces", PROTOBUF),
            Self::OtlpJson => http(&addresses.otlp_http, "/v1/traces", JSON),
            Self::OtlpGrpc => grpc(
                &addresses.otlp_grpc,
                "/opentelemetry.proto.collector.trace.v1.TraceService/Export",
            ),
            Self::JaegerThrift => http(
                &addresses.jaeger_http,
                "/api/traces",
                "application/x-thrift",
            ),
            Self::JaegerGrpc => grpc(
                &addresses.jaeger_grpc,
                "/jaeger.api_v2.CollectorService/PostSpans",
            ),
            Self::ZipkinJson => http(&addresses.zipkin, "/api/v2/spans", JSON),
            Self::ZipkinProtobuf => http(&addresses.zipkin, "/api/v2/spans", PROTOBUF),
        }
    }

    pub(crate) fn encode(self, request: &Request) -> Result<Body> {
        let message = &request.message;
        let bytes = match self {
            Self::OtlpProtobuf | Self::OtlpGrpc => message.encode_to_vec(),
            Self::OtlpJson => serde_json::to_vec(message)?,
            Self::JaegerThrift => jaeger::encode(message)?,
            Self::JaegerGrpc => jaeger_model::encode(message)?,
            Self::ZipkinJson => zipkin::encode_json(message)?,
            Self::ZipkinProtobuf => zipkin::encode_protobuf(message)?,
        };
        Ok(Body {
            bytes: bytes.into(),
            spans: request.spans,
        })
    }
}

const PROTOBUF: &str = "application/x-protobuf";
const JSON: &str = "application/json";

#[cfg(test)]
mod tests {
    use super::*;
    use crate::workload::Workload;

    #[test]
    fn json_is_as_otlp_has_it() {
        let request = Workload::new(1, 1_000_000_000).request();
        let body = Wire::OtlpJson.encode(&request).unwrap();
        let json: serde_json::Value = serde_json::from_slice(&body.bytes).unwrap();
        let span = &json["resourceSpans"][0]["scopeSpans"][0]["spans"][0];
        assert_eq!(span["traceId"].as_str().map(str::len), Some(32), "{span}");
        assert!(span["startTimeUnixNano"].is_string(), "{span}");
        assert_eq!(body.spans, request.spans);
    }

    #[test]
    fn thrift_is_a_struct_with_process_and_spans() {
        let request = Workload::new(1, 1_000_000_000).request();
        let body = Wire::JaegerThrift.encode(&request).unwrap();
        // Field 1, a struct, whose field 1 is a string: the service's name.
        assert_eq!(body.bytes[..6], [12, 0, 1, 11, 0, 1]);
        assert!(body.bytes[10..].starts_with(b"service-"));
        assert_eq!(body.bytes.last(), Some(&0));
    }

    #[test]
    fn zipkin_has_the_fields_that_its_clients_send() {
        let request = Workload::new(1, 1_000_000_000).request();
        let body = Wire::ZipkinJson.encode(&request).unwrap();
        let json: serde_json::Value = serde_json::from_slice(&body.bytes).unwrap();
        assert_eq!(json.as_array().map(Vec::len), Some(request.spans));
        let span = &json[0];
        assert_eq!(span["traceId"].as_str().map(str::len), Some(32), "{span}");
        assert!(
            span["timestamp"].is_u64() && span["duration"].is_u64(),
            "{span}"
        );
        assert!(span["localEndpoint"]["serviceName"].is_string(), "{span}");
        assert!(span["tags"].is_object(), "{span}");
    }

    #[test]
    fn every_wire_carries_every_span() {
        let request = Workload::new(1, 1_000_000_000).request();
        for wire in Wire::value_variants() {
            assert_eq!(wire.encode(&request).unwrap().spans, request.spans);
        }
    }
}

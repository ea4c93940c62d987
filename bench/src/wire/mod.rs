//! The wires that are measured, written by code that is not Backtrail's.

mod jaeger;

use anyhow::Result;
use clap::ValueEnum;
use prost::Message as _;

use crate::server::Addresses;
use crate::workload::Request;

/// A protocol and its encoding.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Wire {
    /// OTLP/HTTP, protobuf
    OtlpProtobuf,
    /// OTLP/HTTP, JSON
    OtlpJson,
    /// Jaeger's Thrift, binary, over HTTP
    JaegerThrift,
}

/// A request that is ready to be sent.
pub(crate) struct Body {
    pub(crate) bytes: Vec<u8>,
    pub(crate) spans: usize,
}

impl Wire {
    pub(crate) const fn title(self) -> &'static str {
        match self {
            Self::OtlpProtobuf => "OTLP protobuf",
            Self::OtlpJson => "OTLP JSON",
            Self::JaegerThrift => "Jaeger Thrift",
        }
    }

    pub(crate) const fn content_type(self) -> &'static str {
        match self {
            Self::OtlpProtobuf => "application/x-protobuf",
            Self::OtlpJson => "application/json",
            Self::JaegerThrift => "application/x-thrift",
        }
    }

    pub(crate) fn url(self, addresses: &Addresses) -> String {
        match self {
            Self::OtlpProtobuf | Self::OtlpJson => {
                format!("http://{}/v1/traces", addresses.otlp_http)
            }
            Self::JaegerThrift => format!("http://{}/api/traces", addresses.jaeger_http),
        }
    }

    pub(crate) fn encode(self, request: &Request) -> Result<Body> {
        let bytes = match self {
            Self::OtlpProtobuf => request.message.encode_to_vec(),
            Self::OtlpJson => serde_json::to_vec(&request.message)?,
            Self::JaegerThrift => jaeger::encode(&request.message)?,
        };
        Ok(Body {
            bytes,
            spans: request.spans,
        })
    }
}

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
}

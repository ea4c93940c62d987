//! Traces over every protocol.

use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceResponse;
use prost::Message;

use crate::running::grpc::GrpcClient;
use crate::running::{Backtrail, jaeger, otlp, try_post};

/// How a trace is sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Protocol {
    Protobuf,
    Json,
    Thrift,
    Grpc,
}

impl Protocol {
    pub(crate) const ALL: [Self; 4] = [Self::Protobuf, Self::Json, Self::Thrift, Self::Grpc];
}

/// A client of one server.
pub(crate) struct Sender {
    protocol: Protocol,
    agent: ureq::Agent,
    url: String,
    grpc: Option<GrpcClient>,
}

impl Sender {
    pub(crate) fn new(protocol: Protocol, server: &Backtrail) -> Self {
        let url = match protocol {
            Protocol::Protobuf | Protocol::Json => server.url("otlp-http", "/v1/traces"),
            Protocol::Thrift => server.url("jaeger-http", "/api/traces"),
            Protocol::Grpc => String::new(),
        };
        Self {
            protocol,
            agent: crate::running::agent(),
            url,
            grpc: (protocol == Protocol::Grpc)
                .then(|| GrpcClient::connect(server.address("otlp-grpc"))),
        }
    }

    /// Sends a trace. `Ok` is an acknowledgement of all of it; an error begins with the status.
    pub(crate) fn send(&self, trace: u128, spans: u64) -> Result<(), String> {
        let (kind, body) = match self.protocol {
            Protocol::Protobuf => (
                "application/x-protobuf",
                otlp::trace(trace, spans).encode_to_vec(),
            ),
            Protocol::Json => ("application/json", otlp::trace_json(trace, spans)),
            Protocol::Thrift => ("application/x-thrift", jaeger::binary("shop", trace, spans)),
            Protocol::Grpc => return self.send_grpc(trace, spans),
        };
        let reply = try_post(&self.agent, &self.url, &[("Content-Type", kind)], &body)
            .map_err(|error| error.to_string())?;
        match (self.protocol, reply.status) {
            (Protocol::Thrift, 202) | (Protocol::Protobuf | Protocol::Json, 200) => {
                // Nothing was rejected.
                assert!(matches!(&reply.body[..], b"" | b"{}"), "{reply:?}");
                Ok(())
            }
            (_, status) => Err(format!("{status} {}", String::from_utf8_lossy(&reply.body))),
        }
    }

    fn send_grpc(&self, trace: u128, spans: u64) -> Result<(), String> {
        let client = self.grpc.as_ref().unwrap();
        match client.export(otlp::trace(trace, spans), None) {
            Ok(reply) => {
                assert_eq!(reply, ExportTraceServiceResponse::default());
                Ok(())
            }
            Err(status) if status.code() == tonic::Code::Unavailable => {
                Err(format!("UNAVAILABLE {}", status.message()))
            }
            Err(status) => Err(status.to_string()),
        }
    }
}

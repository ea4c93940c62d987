//! Every way in.

use std::net::{SocketAddr, UdpSocket};
use std::ops::RangeInclusive;

use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use prost::Message;

use crate::running::grpc::GrpcClient;
use crate::running::jaeger::{self, ONE_WAY};
use crate::running::{agent, jaeger_proto, otlp, try_post};
use crate::zipkin;

/// Span ids of one request.
pub(crate) type Ids = RangeInclusive<u64>;

/// A way to send spans, and how many connections use it.
pub(crate) struct Protocol {
    pub(crate) name: &'static str,
    pub(crate) listener: &'static str,
    pub(crate) connections: usize,
    /// Whether a reply says that the spans are kept.
    pub(crate) acknowledges: bool,
    pub(crate) connect: fn(SocketAddr) -> Box<dyn Connection>,
}

/// Fifty connections, and two that send datagrams.
pub(crate) const PROTOCOLS: &[Protocol] = &[
    Protocol {
        name: "OTLP/gRPC",
        listener: "otlp-grpc",
        connections: 6,
        acknowledges: true,
        connect: |address| grpc(address, otlp_grpc),
    },
    Protocol {
        name: "OTLP/HTTP protobuf",
        listener: "otlp-http",
        connections: 6,
        acknowledges: true,
        connect: |address| {
            http(
                address,
                "/v1/traces",
                "application/x-protobuf",
                |trace, ids| otlp_request(trace, ids).encode_to_vec(),
            )
        },
    },
    Protocol {
        name: "OTLP/HTTP JSON",
        listener: "otlp-http",
        connections: 6,
        acknowledges: true,
        connect: |address| http(address, "/v1/traces", "application/json", otlp::json_of),
    },
    Protocol {
        name: "Jaeger Thrift over HTTP, binary",
        listener: "jaeger-http",
        connections: 5,
        acknowledges: true,
        connect: |address| {
            http(
                address,
                "/api/traces",
                "application/x-thrift",
                |trace, ids| jaeger::binary_of(SERVICE, trace, ids),
            )
        },
    },
    Protocol {
        name: "Jaeger Thrift over HTTP, compact",
        listener: "jaeger-http",
        connections: 5,
        acknowledges: true,
        connect: |address| {
            let kind = "application/vnd.apache.thrift.compact";
            http(address, "/api/traces", kind, |trace, ids| {
                jaeger::compact_of(SERVICE, trace, ids)
            })
        },
    },
    Protocol {
        name: "Jaeger PostSpans",
        listener: "jaeger-grpc",
        connections: 6,
        acknowledges: true,
        connect: |address| grpc(address, post_spans),
    },
    Protocol {
        name: "Zipkin JSON",
        listener: "zipkin",
        connections: 4,
        acknowledges: true,
        connect: |address| http(address, "/api/v2/spans", "application/json", zipkin::json),
    },
    Protocol {
        name: "Zipkin protobuf",
        listener: "zipkin",
        connections: 4,
        acknowledges: true,
        connect: |address| {
            http(
                address,
                "/api/v2/spans",
                "application/x-protobuf",
                zipkin::protobuf,
            )
        },
    },
    Protocol {
        name: "Zipkin JSON of version 1",
        listener: "zipkin",
        connections: 4,
        acknowledges: true,
        connect: |address| {
            http(
                address,
                "/api/v1/spans",
                "application/json",
                zipkin::json_v1,
            )
        },
    },
    Protocol {
        name: "Zipkin Thrift of version 1",
        listener: "zipkin",
        connections: 4,
        acknowledges: true,
        connect: |address| {
            http(
                address,
                "/api/v1/spans",
                "application/x-thrift",
                zipkin::thrift_v1,
            )
        },
    },
    Protocol {
        name: "Jaeger UDP, compact",
        listener: "jaeger-agent-compact",
        connections: 1,
        acknowledges: false,
        connect: |address| {
            datagrams(address, |trace, ids| {
                let batch = jaeger::compact_of(SERVICE, trace, ids);
                jaeger::compact_message("emitBatch", ONE_WAY, &batch)
            })
        },
    },
    Protocol {
        name: "Jaeger UDP, binary",
        listener: "jaeger-agent-binary",
        connections: 1,
        acknowledges: false,
        connect: |address| {
            datagrams(address, |trace, ids| {
                let batch = jaeger::binary_of(SERVICE, trace, ids);
                jaeger::strict_message("emitBatch", ONE_WAY, &batch)
            })
        },
    },
];

pub(crate) const SERVICE: &str = "shop";

/// A connection to one server.
pub(crate) trait Connection {
    /// `Ok` is an acknowledgement of all of it, where the protocol has one.
    fn send(&self, trace: u128, ids: Ids) -> Result<(), SendError>;
}

/// Why spans were not acknowledged.
#[derive(Debug)]
pub(crate) enum SendError {
    /// The connection broke before there was a reply.
    Broken,
    /// The server asked to come back later.
    Busy,
}

impl SendError {
    pub(crate) fn is_broken(&self) -> bool {
        matches!(self, Self::Broken)
    }
}

struct Http {
    agent: ureq::Agent,
    url: String,
    content_type: &'static str,
    encode: fn(u128, Ids) -> Vec<u8>,
}

fn http(
    address: SocketAddr,
    path: &str,
    content_type: &'static str,
    encode: fn(u128, Ids) -> Vec<u8>,
) -> Box<dyn Connection> {
    Box::new(Http {
        agent: agent(),
        url: format!("http://{address}{path}"),
        content_type,
        encode,
    })
}

impl Connection for Http {
    fn send(&self, trace: u128, ids: Ids) -> Result<(), SendError> {
        let body = (self.encode)(trace, ids);
        let headers = [("Content-Type", self.content_type)];
        let reply =
            try_post(&self.agent, &self.url, &headers, &body).map_err(|_| SendError::Broken)?;
        match reply.status {
            200 | 202 => {
                // Nothing was rejected.
                assert!(matches!(&reply.body[..], b"" | b"{}"), "{reply:?}");
                Ok(())
            }
            429 | 503 => Err(SendError::Busy),
            _ => panic!("{} answered {reply:?}", self.url),
        }
    }
}

type Call = fn(&GrpcClient, u128, Ids) -> Result<(), tonic::Status>;

struct GrpcConnection {
    client: GrpcClient,
    call: Call,
}

fn grpc(address: SocketAddr, call: Call) -> Box<dyn Connection> {
    let client = GrpcClient::connect(address);
    Box::new(GrpcConnection { client, call })
}

impl Connection for GrpcConnection {
    fn send(&self, trace: u128, ids: Ids) -> Result<(), SendError> {
        (self.call)(&self.client, trace, ids).map_err(|status| match status.code() {
            tonic::Code::ResourceExhausted => SendError::Busy,
            tonic::Code::Unavailable if !status.details().is_empty() => SendError::Busy,
            tonic::Code::InvalidArgument | tonic::Code::Unimplemented => panic!("{status}"),
            _ => SendError::Broken,
        })
    }
}

fn otlp_request(trace: u128, ids: Ids) -> ExportTraceServiceRequest {
    otlp::request(ids.map(|id| otlp::span(trace, id)).collect())
}

fn otlp_grpc(client: &GrpcClient, trace: u128, ids: Ids) -> Result<(), tonic::Status> {
    let reply = client.export(otlp_request(trace, ids), None)?;
    assert_eq!(reply.partial_success, None, "nothing was rejected");
    Ok(())
}

fn post_spans(client: &GrpcClient, trace: u128, ids: Ids) -> Result<(), tonic::Status> {
    let request = jaeger_proto::request_of(SERVICE, trace, ids);
    jaeger_proto::post_spans(client, request, None).map(drop)
}

struct Datagrams {
    socket: UdpSocket,
    encode: fn(u128, Ids) -> Vec<u8>,
}

fn datagrams(address: SocketAddr, encode: fn(u128, Ids) -> Vec<u8>) -> Box<dyn Connection> {
    let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
    socket.connect(address).unwrap();
    Box::new(Datagrams { socket, encode })
}

impl Connection for Datagrams {
    fn send(&self, trace: u128, ids: Ids) -> Result<(), SendError> {
        // That nobody listens is told at a later datagram, or never: it is no reason to stop.
        let _ = self.socket.send(&(self.encode)(trace, ids));
        Ok(())
    }
}

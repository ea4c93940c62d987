//! Every way out: the span ids of a trace as an API gives them, each as often as it does.

use std::net::SocketAddr;

use opentelemetry_proto::tonic::trace::v1::TracesData;
use prost::Message;
use serde_json::Value;
use tonic::Code;

use crate::running::grpc::GrpcClient;
use crate::running::jaeger_query::{GetTraceV2, GetTraceV3, Spans};
use crate::running::{Backtrail, Reply, agent};

pub(crate) struct Reader {
    pub(crate) name: &'static str,
    /// Empty when the trace is not there.
    pub(crate) spans: fn(&Apis, u128) -> Vec<u64>,
}

pub(crate) const READERS: &[Reader] = &[
    Reader {
        name: "/api/v1",
        spans: |apis, trace| {
            let path = format!("/api/v1/traces/{trace:032x}/skeleton");
            apis.get(apis.web, &path).map_or_else(Vec::new, |skeleton| {
                // Repeats collapse on read: they are counted, so that they can't hide.
                assert_eq!(skeleton["repeats"], 0, "trace {trace:032x} is stored twice");
                from_hex(elements(&skeleton["columns"]["span_id"]))
            })
        },
    },
    Reader {
        name: "/api/v1 as OTLP",
        spans: |apis, trace| {
            let found = apis.get(apis.web, &format!("/api/v1/traces/{trace:032x}"));
            found.map_or_else(Vec::new, |found| of_otlp(&found))
        },
    },
    Reader {
        name: "Jaeger's HTTP API v1",
        spans: |apis, trace| {
            let found = apis.get(apis.web, &format!("/api/traces/{trace:032x}"));
            found.map_or_else(Vec::new, |found| {
                let [trace] = elements(&found["data"]) else {
                    panic!("{found}");
                };
                from_hex(elements(&trace["spans"]).iter().map(|span| &span["spanID"]))
            })
        },
    },
    Reader {
        name: "Jaeger's HTTP API v3",
        spans: |apis, trace| {
            let found = apis.get(apis.web, &format!("/api/v3/traces/{trace:032x}"));
            found.map_or_else(Vec::new, |found| of_otlp(&found["result"]))
        },
    },
    Reader {
        name: "Jaeger's gRPC API v3",
        spans: |apis, trace| {
            let request = GetTraceV3 {
                trace_id: format!("{trace:032x}"),
                ..GetTraceV3::default()
            };
            let messages: Vec<TracesData> =
                apis.stream("/jaeger.api_v3.QueryService/GetTrace", request);
            let resources = messages.iter().flat_map(|data| &data.resource_spans);
            let scopes = resources.flat_map(|resource| &resource.scope_spans);
            let spans = scopes.flat_map(|scope| &scope.spans);
            spans.map(|span| from_bytes(&span.span_id)).collect()
        },
    },
    Reader {
        name: "Jaeger's gRPC API v2",
        spans: |apis, trace| {
            let request = GetTraceV2 {
                trace_id: trace.to_be_bytes().to_vec(),
            };
            let messages: Vec<Spans> = apis.stream("/jaeger.api_v2.QueryService/GetTrace", request);
            let spans = messages.iter().flat_map(|chunk| &chunk.spans);
            spans.map(|span| from_bytes(&span.span_id)).collect()
        },
    },
    Reader {
        name: "Zipkin's API",
        spans: |apis, trace| {
            let found = apis.get(apis.zipkin, &format!("/api/v2/trace/{trace:032x}"));
            found.map_or_else(Vec::new, |spans| {
                from_hex(elements(&spans).iter().map(|span| &span["id"]))
            })
        },
    },
];

/// Clients of one server's APIs.
pub(crate) struct Apis {
    agent: ureq::Agent,
    web: SocketAddr,
    zipkin: SocketAddr,
    jaeger: GrpcClient,
}

impl Apis {
    pub(crate) fn of(server: &Backtrail) -> Self {
        Self {
            agent: agent(),
            web: server.address("web"),
            zipkin: server.address("zipkin"),
            jaeger: GrpcClient::connect(server.address("jaeger-query-grpc")),
        }
    }

    /// `None` when it is not there.
    fn get(&self, address: SocketAddr, path: &str) -> Option<Value> {
        let reply = self.agent.get(format!("http://{address}{path}")).call();
        let reply = Reply::from(reply.unwrap());
        if reply.status == 404 {
            return None;
        }
        assert_eq!(reply.status, 200, "{path}: {}", reply.text());
        Some(serde_json::from_slice(&reply.body).unwrap())
    }

    /// Nothing when it is not there.
    fn stream<Q, R>(&self, path: &'static str, request: Q) -> Vec<R>
    where
        Q: Message + Send + Sync + 'static,
        R: Message + Default + Send + Sync + 'static,
    {
        match self.jaeger.stream(path, tonic::Request::new(request)) {
            Ok(streamed) => streamed.messages,
            Err(status) if status.code() == Code::NotFound => Vec::new(),
            Err(status) => panic!("{path}: {status}"),
        }
    }
}

fn of_otlp(traces: &Value) -> Vec<u64> {
    let resources = elements(&traces["resourceSpans"]).iter();
    let scopes = resources.flat_map(|resource| elements(&resource["scopeSpans"]));
    let spans = scopes.flat_map(|scope| elements(&scope["spans"]));
    from_hex(spans.map(|span| &span["spanId"]))
}

fn elements(list: &Value) -> &[Value] {
    list.as_array().unwrap()
}

fn from_hex<'a>(ids: impl IntoIterator<Item = &'a Value>) -> Vec<u64> {
    ids.into_iter()
        .map(|id| u64::from_str_radix(id.as_str().unwrap(), 16).unwrap())
        .collect()
}

fn from_bytes(id: &[u8]) -> u64 {
    u64::from_be_bytes(id.try_into().unwrap())
}

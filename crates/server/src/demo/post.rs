//! Brings the services' spans to the server's listeners, each over its own wire.

use std::collections::VecDeque;
use std::net::SocketAddr;
use std::time::Duration;

use anyhow::{Context as _, bail};
use bytes::Bytes;
use tonic::transport::{Channel, Endpoint};

use super::grpc;
use super::service::{SERVICES, Service, Wire};
use super::span::DemoSpan;
use super::{jaeger_thrift, otlp};
use crate::state::BoundListener;

/// As many as OpenTelemetry's exporters send at once.
const SPANS_PER_REQUEST: usize = 512;
/// What waits for a server that does not answer; beyond it the oldest spans are given up.
const WAITING_SPANS_MAX: usize = 50_000;
const REQUEST_TIMEOUT: Duration = Duration::from_secs(10);

/// Requests that are on their way, in order.
pub(super) struct Post {
    routes: Routes,
    waiting: VecDeque<Parcel>,
    waiting_spans: usize,
    /// Why the last attempt failed, if it did: said once, not at each retry.
    trouble: Option<String>,
    sent_spans: u64,
    lost_spans: u64,
}

/// One request.
struct Parcel {
    service: &'static Service,
    wire: Wire,
    body: Bytes,
    spans: usize,
}

/// Why a request did not arrive.
enum SendError {
    /// Another attempt may do.
    Retry(String),
    /// The server will not take it.
    Refused(String),
}

impl Post {
    pub(super) fn new(listeners: &[BoundListener]) -> anyhow::Result<Self> {
        Ok(Self {
            routes: Routes::new(listeners)?,
            waiting: VecDeque::new(),
            waiting_spans: 0,
            trouble: None,
            sent_spans: 0,
            lost_spans: 0,
        })
    }

    /// How many spans the server has taken.
    pub(super) fn sent_spans(&self) -> u64 {
        self.sent_spans
    }

    /// Takes spans to be sent.
    pub(super) fn put(&mut self, spans: Vec<DemoSpan>) -> anyhow::Result<()> {
        let mut by_service = SERVICES.map(|service| (service, Vec::new()));
        for span in spans {
            if let Some((_, group)) = by_service
                .iter_mut()
                .find(|(service, _)| *service == span.service)
            {
                group.push(span);
            }
        }
        for (service, spans) in by_service {
            let wire = self.routes.wire(service.wire)?;
            for spans in spans.chunks(SPANS_PER_REQUEST) {
                self.waiting_spans += spans.len();
                self.waiting.push_back(Parcel {
                    service,
                    wire,
                    body: encode(wire, service, spans)?,
                    spans: spans.len(),
                });
            }
        }
        while self.waiting_spans > WAITING_SPANS_MAX
            && let Some(parcel) = self.take_first()
        {
            self.lost_spans += parcel.spans as u64;
        }
        Ok(())
    }

    /// Sends what is waiting, until all is sent or the server has to be given time.
    /// Returns whether all is sent.
    pub(super) async fn send(&mut self) -> bool {
        while let Some(parcel) = self.take_first() {
            match self.routes.send(&parcel).await {
                Ok(()) => {
                    self.sent_spans += parcel.spans as u64;
                    self.report_recovery();
                }
                Err(SendError::Retry(reason)) => {
                    self.report(parcel.service, &reason, "trying again");
                    self.waiting_spans += parcel.spans;
                    self.waiting.push_front(parcel);
                    return false;
                }
                Err(SendError::Refused(reason)) => {
                    self.report(parcel.service, &reason, "these spans are given up");
                    self.lost_spans += parcel.spans as u64;
                }
            }
        }
        true
    }

    fn take_first(&mut self) -> Option<Parcel> {
        let parcel = self.waiting.pop_front()?;
        self.waiting_spans -= parcel.spans;
        Some(parcel)
    }

    fn report(&mut self, service: &Service, reason: &str, consequence: &str) {
        if self.trouble.as_deref() != Some(reason) {
            tracing::warn!(
                "demo: spans of {} were not taken: {reason}; {consequence}",
                service.name
            );
            self.trouble = Some(reason.to_owned());
        }
    }

    fn report_recovery(&mut self) {
        if self.trouble.take().is_some() {
            tracing::info!(
                "demo: spans are taken again; {} were lost so far",
                self.lost_spans
            );
        }
    }
}

fn encode(wire: Wire, service: &Service, spans: &[DemoSpan]) -> anyhow::Result<Bytes> {
    let body = match wire {
        Wire::OtlpGrpc | Wire::OtlpProtobuf => otlp::protobuf(service, spans)
            .with_context(|| format!("spans of {} can't be written", service.name))?,
        Wire::OtlpJson => otlp::json(service, spans),
        Wire::JaegerThrift => jaeger_thrift::batch(service, spans),
    };
    Ok(Bytes::from(body))
}

/// The listeners that are on.
struct Routes {
    agent: ureq::Agent,
    otlp_grpc: Option<Channel>,
    otlp_http: Option<SocketAddr>,
    jaeger_http: Option<SocketAddr>,
}

impl Routes {
    fn new(listeners: &[BoundListener]) -> anyhow::Result<Self> {
        let address = |name: &str| {
            let listener = listeners.iter().find(|listener| listener.name == name)?;
            Some(listener.address)
        };
        let otlp_grpc = match address("otlp-grpc") {
            None => None,
            Some(address) => {
                let endpoint = Endpoint::from_shared(format!("http://{address}"))
                    .with_context(|| format!("{address} is no address of a gRPC server"))?;
                Some(endpoint.timeout(REQUEST_TIMEOUT).connect_lazy())
            }
        };
        let agent = ureq::Agent::config_builder()
            .timeout_global(Some(REQUEST_TIMEOUT))
            .http_status_as_error(false)
            // Our own listeners are not behind anybody's proxy.
            .proxy(None)
            .build()
            .new_agent();
        Ok(Self {
            agent,
            otlp_grpc,
            otlp_http: address("otlp-http"),
            jaeger_http: address("jaeger-http"),
        })
    }

    /// The wire that is wanted, or another one where its listener is off.
    fn wire(&self, wanted: Wire) -> anyhow::Result<Wire> {
        let is_on = |wire: &Wire| match wire {
            Wire::OtlpGrpc => self.otlp_grpc.is_some(),
            Wire::OtlpProtobuf | Wire::OtlpJson => self.otlp_http.is_some(),
            Wire::JaegerThrift => self.jaeger_http.is_some(),
        };
        let choices = [
            wanted,
            Wire::OtlpProtobuf,
            Wire::OtlpGrpc,
            Wire::JaegerThrift,
        ];
        match choices.into_iter().find(is_on) {
            Some(wire) => Ok(wire),
            None => bail!(
                "otlp_grpc, otlp_http and jaeger_http are all off: the demo has nowhere to send spans"
            ),
        }
    }

    async fn send(&self, parcel: &Parcel) -> Result<(), SendError> {
        let off = || SendError::Refused("its listener is off".to_owned());
        let body = parcel.body.clone();
        match parcel.wire {
            Wire::OtlpGrpc => {
                let channel = self.otlp_grpc.clone().ok_or_else(off)?;
                let reply = grpc::export(channel, body).await.map_err(of_status)?;
                check_reply(&reply)
            }
            Wire::OtlpProtobuf | Wire::OtlpJson => {
                let address = self.otlp_http.ok_or_else(off)?;
                let content_type = match parcel.wire {
                    Wire::OtlpJson => "application/json",
                    _ => "application/x-protobuf",
                };
                let url = format!("http://{address}/v1/traces");
                let reply = self.post(url, content_type, body).await?;
                check_reply(&reply)
            }
            Wire::JaegerThrift => {
                let address = self.jaeger_http.ok_or_else(off)?;
                let url = format!("http://{address}/api/traces");
                self.post(url, "application/x-thrift", body).await?;
                Ok(())
            }
        }
    }

    async fn post(
        &self,
        url: String,
        content_type: &'static str,
        body: Bytes,
    ) -> Result<Vec<u8>, SendError> {
        let agent = self.agent.clone();
        let exchange = move || -> Result<(u16, Vec<u8>), ureq::Error> {
            let mut response = agent
                .post(url)
                .header("content-type", content_type)
                .send(&body[..])?;
            let reply = response.body_mut().read_to_vec()?;
            Ok((response.status().as_u16(), reply))
        };
        let (status, reply) = tokio::task::spawn_blocking(exchange)
            .await
            .map_err(|error| SendError::Retry(error.to_string()))?
            .map_err(|error| SendError::Retry(error.to_string()))?;
        let reason = || format!("status {status}: {}", String::from_utf8_lossy(&reply));
        match status {
            200..300 => Ok(reply),
            429 | 500.. => Err(SendError::Retry(reason())),
            _ => Err(SendError::Refused(reason())),
        }
    }
}

fn of_status(status: tonic::Status) -> SendError {
    let reason = format!("{:?}: {}", status.code(), status.message());
    match status.code() {
        tonic::Code::InvalidArgument | tonic::Code::Unimplemented => SendError::Refused(reason),
        _ => SendError::Retry(reason),
    }
}

/// OTLP's reply is empty when every span was taken.
fn check_reply(reply: &[u8]) -> Result<(), SendError> {
    if matches!(reply, b"" | b"{}" | br#"{"partialSuccess":{}}"#) {
        return Ok(());
    }
    let reply = String::from_utf8_lossy(reply);
    Err(SendError::Refused(format!("the reply is {reply:?}")))
}

#[cfg(test)]
mod tests {
    use super::super::random::Random;
    use super::super::service::{CART, FRONTEND};
    use super::super::shop::{Payment, checkout};
    use super::*;

    fn listener(name: &'static str, address: &str) -> BoundListener {
        BoundListener {
            name,
            address: address.parse().unwrap(),
        }
    }

    #[tokio::test]
    async fn a_wire_whose_listener_is_off_is_replaced() {
        let post = Post::new(&[listener("otlp-http", "127.0.0.1:1")]).unwrap();
        assert_eq!(post.routes.wire(FRONTEND.wire).unwrap(), Wire::OtlpJson);
        assert_eq!(post.routes.wire(CART.wire).unwrap(), Wire::OtlpProtobuf);
        let nowhere = Post::new(&[listener("web", "127.0.0.1:1")]).unwrap();
        let error = nowhere.routes.wire(CART.wire).unwrap_err();
        assert!(error.to_string().contains("nowhere to send"), "{error}");
    }

    #[tokio::test]
    async fn what_was_not_taken_waits_but_not_without_bound() {
        // A port that was free a moment ago: nobody answers there.
        let free = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let address = free.local_addr().unwrap().to_string();
        drop(free);
        let mut post = Post::new(&[listener("otlp-http", &address)]).unwrap();
        let (order, _) = checkout(&mut Random::new(1), 1_000_000, Payment::Authorized);
        let spans = order.spans.len();
        post.put(order.spans.clone()).unwrap();
        assert!(!post.send().await);
        assert!(post.trouble.is_some());
        assert_eq!((post.waiting_spans, post.sent_spans), (spans, 0));

        while post.lost_spans == 0 {
            post.put(order.spans.clone()).unwrap();
        }
        assert!(post.waiting_spans <= WAITING_SPANS_MAX);
        let waiting: usize = post.waiting.iter().map(|parcel| parcel.spans).sum();
        assert_eq!(post.waiting_spans, waiting);
    }

    #[test]
    fn a_reply_that_is_not_empty_is_a_refusal() {
        assert!(check_reply(b"").is_ok());
        assert!(check_reply(b"{}").is_ok());
        let partial = br#"{"partialSuccess":{"rejectedSpans":"1","errorMessage":"no"}}"#;
        assert!(matches!(check_reply(partial), Err(SendError::Refused(_))));
    }
}

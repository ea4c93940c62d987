//! The read APIs over a small shop's traces (`shop.json`), asked as clients ask.

mod conditions;
mod deletion;
mod events;
mod export;
mod jaeger;
mod jaeger_v3;
mod openapi;
mod sourcemaps;
mod truncation;
mod v1;
mod zipkin;

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use artifacts::Uploads;
use artifacts::resolve::Resolver;
use axum::Router;
use axum::body::Body;
use backtrail_wire::otlp::SpanLimits;
use backtrail_wire::otlp_json;
use host::Clock;
use http::{HeaderMap, Method, Request, StatusCode};
use http_body_util::BodyExt as _;
use model::SpanBatch;
use serde_json::Value;
use store::{Deleted, Deletion, MemoryScan, Snapshot};
use tower::ServiceExt as _;

use super::gate::Gate;
use super::stacks::Stacks;
use super::{Api, routes};
use crate::auth::Guard;
use crate::state::BoundListener;

const CHECKOUT: &str = "463ac35c9f6413ad48485a3953bb6124";
const ORPHAN: &str = "000000000000000000000000000000c3";
const LAST: &str = "000000000000000000000000000000c4";

/// It is a minute after the first span.
struct StoppedClock;

impl Clock for StoppedClock {
    fn now_unix_nano(&self) -> u64 {
        1_760_000_060_000_000_000
    }

    fn monotonic(&self) -> Duration {
        Duration::ZERO
    }
}

/// The shop's spans, of which the newest batch repeats the first.
fn shop() -> Snapshot {
    let limits = SpanLimits {
        max_value_depth: 32,
        max_span_bytes: 1 << 20,
    };
    let request = otlp_json::to_protobuf(include_bytes!("shop.json"), &limits).unwrap();
    assert_eq!(request.accepted, 5);
    let scan = || MemoryScan::new(SpanBatch::from_otlp(&request.protobuf).unwrap()).into_scan();
    Snapshot::new(vec![scan(), scan()])
}

fn api(snapshot: Snapshot) -> Api {
    let listeners = [
        ("otlp-http", SocketAddr::from(([127, 0, 0, 1], 4318))),
        ("web", SocketAddr::from(([127, 0, 0, 1], 16686))),
    ];
    let artifacts = sourcemaps::artifacts();
    Api {
        take_snapshot: Arc::new(move || snapshot.clone()),
        delete: Arc::new(|deletion| Box::pin(async move { Ok(deleted_by(&deletion)) })),
        clock: Arc::new(StoppedClock),
        listeners: listeners
            .map(|(name, address)| BoundListener { name, address })
            .into(),
        artifacts: artifacts.clone(),
        gate: Gate::new(4, 4),
        stacks: Stacks::of(Arc::new(Resolver::new(Arc::new(Uploads::new(artifacts))))),
        resolves_for_jaeger: true,
    }
}

/// Nothing is deleted in these tests: the answer is that of a trace of two spans.
fn deleted_by(deletion: &Deletion) -> Deleted {
    let events = match deletion {
        Deletion::Trace(_) => 1,
        Deletion::Spans { .. } => 0,
    };
    Deleted { spans: 2, events }
}

/// Whoever asks.
struct Client(Router);

struct Reply {
    status: StatusCode,
    headers: HeaderMap,
    body: Vec<u8>,
}

impl Reply {
    fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap()
    }
}

impl Client {
    fn of_shop() -> Self {
        Self::of(shop())
    }

    fn of(snapshot: Snapshot) -> Self {
        Self(routes(api(snapshot)))
    }

    async fn send(&self, mut request: Request<Body>) -> Reply {
        request.extensions_mut().insert(Guard::open());
        let response = self.0.clone().oneshot(request).await.unwrap();
        let (head, body) = response.into_parts();
        Reply {
            status: head.status,
            headers: head.headers,
            body: body.collect().await.unwrap().to_bytes().to_vec(),
        }
    }

    async fn request(&self, method: Method, address: &str) -> Reply {
        let request = Request::builder().method(method).uri(address);
        self.send(request.body(Body::empty()).unwrap()).await
    }

    async fn get(&self, address: &str) -> Reply {
        self.request(Method::GET, address).await
    }

    /// The answer, which must be a success.
    async fn json(&self, address: &str) -> Value {
        let reply = self.get(address).await;
        let text = String::from_utf8_lossy(&reply.body);
        assert_eq!(reply.status, StatusCode::OK, "{address}: {text}");
        reply.json()
    }
}

//! What was left out is said, also where a form has no place for it in the answer itself.

use std::sync::atomic::{AtomicUsize, Ordering};

use backtrail_wire::protobuf::Fields;
use serde_json::json;

use super::*;
use crate::api::jaeger_grpc_router;

const KEY: &str = "backtrail-truncated";
const TRACES: usize = 3;

/// A trace in each second, each in a scan of its own, so that a search may find some of them.
fn traces_apart() -> Snapshot {
    let limits = SpanLimits {
        max_value_depth: 32,
        max_span_bytes: 1 << 20,
    };
    let scan = |number| {
        let span = json!({
            "traceId": format!("{number:032x}"),
            "spanId": format!("{number:016x}"),
            "startTimeUnixNano": (1_760_000_000 + number as u64) * 1_000_000_000,
        });
        let request = json!({ "resourceSpans": [{ "scopeSpans": [{ "spans": [span] }] }] });
        let request = otlp_json::to_protobuf(request.to_string().as_bytes(), &limits).unwrap();
        MemoryScan::new(SpanBatch::from_otlp(&request.protobuf).unwrap()).into_scan()
    };
    Snapshot::new((1..=TRACES).map(scan).collect())
}

/// Fifteen seconds pass before one look at it: more than a search may take, and less than reading what it found may.
struct SlowOnce {
    looks: AtomicUsize,
    slow_look: usize,
}

impl Clock for SlowOnce {
    fn now_unix_nano(&self) -> u64 {
        StoppedClock.now_unix_nano()
    }

    fn monotonic(&self) -> Duration {
        let look = self.looks.fetch_add(1, Ordering::Relaxed);
        Duration::from_secs(if look < self.slow_look { 0 } else { 15 })
    }
}

/// An answer to a search for everything.
struct Found {
    traces: usize,
    says_truncated: bool,
}

/// Searches so that time is over at the first place where a search looks at it, at the second and so on, until it is over at none.
async fn assert_says_when_truncated(search: impl AsyncFn(Api) -> Found) {
    let mut found_some = false;
    // The first two looks are for the deadlines.
    for slow_look in 2.. {
        let clock = SlowOnce {
            looks: AtomicUsize::new(0),
            slow_look,
        };
        let found = search(Api {
            clock: Arc::new(clock),
            ..api(traces_apart())
        });
        let Found {
            traces,
            says_truncated,
        } = found.await;
        assert_eq!(says_truncated, traces < TRACES, "{traces} traces");
        found_some |= (1..TRACES).contains(&traces);
        if traces == TRACES {
            break;
        }
    }
    assert!(found_some, "no search found a part");
}

#[tokio::test]
async fn over_http_a_header_says_it() {
    for (path, list) in [
        ("/api/v3/trace-summaries", "/summaries"),
        ("/api/v3/traces", "/result/resourceSpans"),
        ("/zipkin/api/v2/traces", ""),
    ] {
        assert_says_when_truncated(async |api| {
            let reply = Client(routes(api)).get(path).await;
            if reply.status == StatusCode::SERVICE_UNAVAILABLE {
                // Nothing was found in time, and that nothing is there would be a lie.
                return Found {
                    traces: 0,
                    says_truncated: true,
                };
            }
            assert_eq!(reply.status, StatusCode::OK, "{path}");
            let answer = reply.json();
            Found {
                traces: answer.pointer(list).unwrap().as_array().unwrap().len(),
                says_truncated: reply.headers.contains_key(KEY),
            }
        })
        .await;
    }
}

#[tokio::test]
async fn over_grpc_the_metadata_behind_the_answer_says_it() {
    for path in [
        "/jaeger.api_v3.QueryService/FindTraces",
        "/jaeger.api_v3.QueryService/FindTraceSummaries",
        "/jaeger.api_v2.QueryService/FindTraces",
    ] {
        assert_says_when_truncated(async |api| find_by_grpc(api, path).await).await;
    }
}

/// Calls with a `FindTracesRequest` that holds an empty query, by hand: what a client makes of metadata behind a success is its own affair.
async fn find_by_grpc(api: Api, path: &str) -> Found {
    let (health, _) = tonic_health::server::health_reporter();
    let router = jaeger_grpc_router(api, Guard::open(), &health).unwrap();
    let request = Request::post(path)
        .header("content-type", "application/grpc")
        .body(Body::from(&b"\0\0\0\0\x02\x0a\0"[..]));
    let (head, body) = router.oneshot(request.unwrap()).await.unwrap().into_parts();
    let body = body.collect().await.unwrap();
    // A reply without a message has everything in its head.
    let trailers = body.trailers().cloned().unwrap_or(head.headers);
    assert_eq!(trailers["grpc-status"], "0", "{path}");
    let mut messages = &body.to_bytes()[..];
    let mut traces = 0;
    while let Some((prefix, rest)) = messages.split_first_chunk::<5>() {
        let [flag, length @ ..] = *prefix;
        assert_eq!(flag, 0, "not compressed");
        let (message, rest) = rest.split_at(u32::from_be_bytes(length) as usize);
        // Summaries, resources or spans: one for each of these traces.
        traces += Fields::new(message)
            .filter(|field| field.as_ref().unwrap().number == 1)
            .count();
        messages = rest;
    }
    Found {
        traces,
        says_truncated: trailers.contains_key(KEY),
    }
}

use std::io::Read as _;
use std::sync::atomic::{AtomicU64, Ordering};

use super::*;

/// The ids of the traces that a search finds.
async fn found(client: &Client, parameters: &str) -> Vec<String> {
    let answer = client.json(&format!("/api/v1/search?{parameters}")).await;
    let traces = answer["traces"].as_array().unwrap().iter();
    traces
        .map(|trace| trace["trace_id"].as_str().unwrap().to_owned())
        .collect()
}

#[tokio::test]
async fn names() {
    let client = Client::of_shop();
    insta::assert_json_snapshot!("services", client.json("/api/v1/services").await);
    insta::assert_json_snapshot!("operations", client.json("/api/v1/operations").await);
    let of_cart = client.json("/api/v1/operations?service=cart").await;
    assert_eq!(of_cart["operations"][0]["name"], "GET /cart/{id}");
    assert_eq!(of_cart["operations"].as_array().unwrap().len(), 1);
}

#[tokio::test]
async fn status_says_how_much_there_is() {
    let client = Client::of_shop();
    let mut status = client.json("/api/v1/status").await;
    assert_eq!(status["version"], env!("CARGO_PKG_VERSION"));
    status["version"] = "[version]".into();
    insta::assert_json_snapshot!("status", status);
    let empty = Client(routes(api(Snapshot::default())));
    let status = empty.json("/api/v1/status").await;
    assert_eq!(status["spans"], 0);
    assert_eq!(status["oldest_start_unix_nano"], Value::Null);
}

#[tokio::test]
async fn a_search_shows_each_trace_in_short() {
    let client = Client::of_shop();
    insta::assert_json_snapshot!("search", client.json("/api/v1/search").await);
}

#[tokio::test]
async fn a_search_finds_what_meets_all_conditions() {
    let client = Client::of_shop();
    for (parameters, expected) in [
        ("", &[LAST, ORPHAN, CHECKOUT][..]),
        ("service=cart", &[CHECKOUT]),
        ("service=mail+/+%3Cout%3E", &[LAST, ORPHAN]),
        ("service=cart&name=send", &[]),
        ("name=send&kind=consumer", &[ORPHAN]),
        ("kind=unspecified", &[LAST]),
        ("status=error", &[CHECKOUT]),
        ("status=unset&service=cart", &[]),
        ("min_duration=100ms", &[CHECKOUT]),
        ("min_duration=250us&max_duration=1ms", &[ORPHAN]),
        ("max_duration=0s", &[LAST]),
        ("attr=http.response.status_code%3E%3D500", &[CHECKOUT]),
        ("attr=http.response.status_code%3E500", &[]),
        (
            "attr=http.response.status_code=200&attr=http.request.method=GET",
            &[CHECKOUT],
        ),
        ("attr=http.response.status_code=200&attr=user=200", &[]),
        ("attr=http.response.status_code=%22200%22", &[]),
        ("attr=user=%22200%22", &[CHECKOUT]),
        ("attr=resource.host.name=a1", &[CHECKOUT]),
        ("attr=span.host.name=a1", &[]),
        ("attr=event.exception.type=TypeError", &[CHECKOUT]),
        ("attr=exception.escaped=true", &[CHECKOUT]),
        ("attr=scope.name=http", &[CHECKOUT]),
        ("attr=host.name!=a1", &[]),
        ("attr=host.name!=b2", &[CHECKOUT]),
        ("attr=ids=7", &[CHECKOUT]),
        (
            "start=1760000001000000000&end=1760000001000000000",
            &[ORPHAN],
        ),
        ("start=2025-10-09T08:53:22Z", &[LAST]),
        ("end=2025-10-09T08:53:20.5Z", &[CHECKOUT]),
        ("limit=1", &[LAST]),
        ("service=&limit=1", &[LAST]),
    ] {
        assert_eq!(found(&client, parameters).await, expected, "{parameters}");
    }
}

#[tokio::test]
async fn a_cursor_continues_to_the_end() {
    let client = Client::of_shop();
    let mut traces = Vec::new();
    let mut cursor = String::new();
    loop {
        let page = client
            .json(&format!("/api/v1/search?limit=1&cursor={cursor}"))
            .await;
        traces.push(page["traces"][0]["trace_id"].as_str().unwrap().to_owned());
        assert_eq!(page["truncated"], false);
        match page["next_cursor"].as_str() {
            Some(next) => next.clone_into(&mut cursor),
            None => break,
        }
    }
    assert_eq!(traces, [LAST, ORPHAN, CHECKOUT]);
}

#[tokio::test]
async fn a_trace_opens_by_its_skeleton() {
    let client = Client::of_shop();
    for (name, id) in [("skeleton", CHECKOUT), ("skeleton_orphan", ORPHAN)] {
        let answer = client.json(&format!("/api/v1/traces/{id}/skeleton")).await;
        insta::assert_json_snapshot!(name, answer);
    }
}

#[tokio::test]
async fn a_span_has_everything_that_was_sent() {
    let client = Client::of_shop();
    for (name, span) in [
        ("span", "00f067aa0ba902b9"),
        ("span_root", "f067aa0ba902b7"),
    ] {
        let address = format!("/api/v1/traces/{CHECKOUT}/spans/{span}");
        insta::assert_json_snapshot!(name, client.json(&address).await);
    }
}

#[tokio::test]
async fn a_whole_trace_is_what_was_sent() {
    let client = Client::of_shop();
    let answer = client.json(&format!("/api/v1/traces/{CHECKOUT}")).await;
    insta::assert_json_snapshot!("trace", answer);
}

#[tokio::test]
async fn ids_may_be_short_in_upper_case_or_padded() {
    let client = Client::of_shop();
    for id in ["c3", "C3", ORPHAN, &format!("0000{ORPHAN}")] {
        let skeleton = client.json(&format!("/api/v1/traces/{id}/skeleton")).await;
        assert_eq!(skeleton["trace_id"], ORPHAN);
        let spans = client
            .json(&format!("/api/v1/traces/{id}/spans/00C1"))
            .await;
        assert_eq!(spans["spans"][0]["span_id"], "00000000000000c1");
    }
}

#[tokio::test]
async fn what_can_not_be_answered_says_why() {
    let client = Client::of_shop();
    let mut answers = Vec::new();
    for address in [
        "/api/v1/search?limit=0",
        "/api/v1/search?limit=1001",
        "/api/v1/search?kind=Server",
        "/api/v1/search?status=bad",
        "/api/v1/search?min_duration=5",
        "/api/v1/search?min_duration=2s&max_duration=1s",
        "/api/v1/search?start=yesterday",
        "/api/v1/search?start=2&end=1",
        "/api/v1/search?attr=http.route",
        "/api/v1/search?attr=a%3Eb",
        "/api/v1/search?cursor=123",
        "/api/v1/search?min_durration=1s",
        "/api/v1/traces/xyz",
        "/api/v1/traces/1/skeleton",
        "/api/v1/traces/0123456789012345678901234567890123456789",
        "/api/v1/traces/c3/spans/1",
        "/api/v1/traces/c3/spans/-",
        "/api/v1/nothing",
    ] {
        let reply = client.get(address).await;
        answers.push(format!("{address}\n{} {}", reply.status, reply.json()));
    }
    let reply = client.request(Method::POST, "/api/v1/search").await;
    answers.push(format!(
        "POST /api/v1/search\n{} {}",
        reply.status,
        reply.json()
    ));
    insta::assert_snapshot!("errors", answers.join("\n\n"));
}

#[tokio::test]
async fn too_many_queries_are_sent_away() {
    let api = Api {
        gate: Gate::new(0, 0),
        ..api(shop())
    };
    let client = Client(routes(api));
    let reply = client.get("/api/v1/services").await;
    assert_eq!(reply.status, StatusCode::SERVICE_UNAVAILABLE);
    assert_eq!(reply.headers["retry-after"], "2");
    assert_eq!(reply.json()["error"]["code"], "overloaded");
    let status = client.get("/api/v1/status").await;
    assert_eq!(
        status.status,
        StatusCode::OK,
        "the status does not wait in line"
    );
}

#[tokio::test]
async fn a_large_answer_is_compressed_for_whoever_can_read_it() {
    let client = Client::of_shop();
    let request = Request::get(format!("/api/v1/traces/{CHECKOUT}"))
        .header("accept-encoding", "gzip, br")
        .body(Body::empty());
    let reply = client.send(request.unwrap()).await;
    assert_eq!(reply.headers["content-encoding"], "gzip");
    assert_eq!(reply.headers["content-type"], "application/json");
    let mut inflated = Vec::new();
    flate2::read::GzDecoder::new(&reply.body[..])
        .read_to_end(&mut inflated)
        .unwrap();
    assert_eq!(
        inflated,
        client.get(&format!("/api/v1/traces/{CHECKOUT}")).await.body
    );
}

/// An hour passes whenever somebody looks.
#[derive(Default)]
struct RacingClock(AtomicU64);

impl Clock for RacingClock {
    fn now_unix_nano(&self) -> u64 {
        StoppedClock.now_unix_nano()
    }

    fn monotonic(&self) -> Duration {
        Duration::from_hours(self.0.fetch_add(1, Ordering::Relaxed))
    }
}

#[tokio::test]
async fn a_search_that_takes_too_long_is_cut_short_and_continues() {
    let client = Client(routes(Api {
        clock: Arc::new(RacingClock::default()),
        ..api(shop())
    }));
    let mut traces = Vec::new();
    let mut cut_short = 0;
    let mut cursor = String::new();
    loop {
        let page = client
            .json(&format!("/api/v1/search?cursor={cursor}"))
            .await;
        for trace in page["traces"].as_array().unwrap() {
            traces.push(trace["trace_id"].as_str().unwrap().to_owned());
        }
        cut_short += usize::from(page["truncated"] == true);
        match page["next_cursor"].as_str() {
            Some(next) => next.clone_into(&mut cursor),
            None => break,
        }
    }
    traces.sort();
    assert_eq!(traces, [ORPHAN, LAST, CHECKOUT]);
    assert!(cut_short > 0);
}

#[tokio::test]
async fn a_trace_that_takes_too_long_is_an_error() {
    let client = Client(routes(Api {
        clock: Arc::new(RacingClock::default()),
        ..api(shop())
    }));
    let reply = client.get(&format!("/api/v1/traces/{CHECKOUT}")).await;
    assert_eq!(reply.status, StatusCode::SERVICE_UNAVAILABLE);
    assert_eq!(reply.headers["retry-after"], "2");
    assert_eq!(reply.json()["error"]["code"], "timed_out");
}

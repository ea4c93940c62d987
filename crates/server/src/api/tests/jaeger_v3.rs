use super::*;

/// The ids of the traces that a search finds, by both addresses, which must agree.
async fn found(client: &Client, parameters: &str) -> Vec<String> {
    let summaries = client
        .json(&format!("/api/v3/trace-summaries?{parameters}"))
        .await;
    let summaries = summaries["summaries"].as_array().unwrap().iter();
    let ids: Vec<String> = summaries
        .map(|summary| summary["traceId"].as_str().unwrap().to_owned())
        .collect();

    let reply = client.get(&format!("/api/v3/traces?{parameters}")).await;
    if ids.is_empty() {
        assert_eq!(reply.status, StatusCode::NOT_FOUND);
        return ids;
    }
    let mut of_spans = trace_ids(&reply.json());
    of_spans.dedup();
    assert_eq!(of_spans, ids, "{parameters}");
    ids
}

fn trace_ids(answer: &Value) -> Vec<String> {
    let resources = answer["result"]["resourceSpans"].as_array().unwrap().iter();
    let scopes = resources.flat_map(|resource| resource["scopeSpans"].as_array().unwrap());
    let spans = scopes.flat_map(|scope| scope["spans"].as_array().unwrap());
    spans
        .map(|span| span["traceId"].as_str().unwrap().to_owned())
        .collect()
}

#[tokio::test]
async fn names_and_calls() {
    let client = Client::of_shop();
    let mut answers = Vec::new();
    for address in [
        "/api/v3/services",
        "/api/v3/operations?service=frontend",
        "/api/v3/operations?service=frontend&spanKind=server",
        "/api/v3/operations?service=frontend&span_kind=client",
        "/api/v3/operations?service=mail+/+%3Cout%3E",
        "/api/v3/dependencies?startTime=2025-10-09T08:00:00Z&endTime=2025-10-09T09:00:00Z",
        "/api/v3/dependencies?start_time=2025-10-09T09:00:00Z&end_time=2025-10-09T10:00:00Z",
        "/api/v3/capabilities",
    ] {
        answers.push(format!("{address}\n{:#}", client.json(address).await));
    }
    insta::assert_snapshot!("jaeger_v3_names", answers.join("\n\n"));
}

#[tokio::test]
async fn a_trace_is_otlp_in_a_result() {
    let client = Client::of_shop();
    let ours = client.json(&format!("/api/v1/traces/{CHECKOUT}")).await;
    for id in [
        CHECKOUT,
        "463AC35C9F6413AD48485A3953BB6124",
        "000463ac35c9f6413ad48485a3953bb6124",
    ] {
        let address = format!(
            "/api/v3/traces/{id}?start_time=2000-01-01T00:00:00Z&endTime=2000-01-02T00:00:00Z&raw_traces=true"
        );
        assert_eq!(client.json(&address).await["result"], ours);
    }
    let short = client.json("/api/v3/traces/c4").await;
    assert_eq!(trace_ids(&short), [LAST]);
}

#[tokio::test]
async fn a_summary_counts_spans_errors_and_orphans() {
    let client = Client::of_shop();
    insta::assert_json_snapshot!(
        "jaeger_v3_summaries",
        client.json("/api/v3/trace-summaries").await
    );
}

#[tokio::test]
async fn a_search_takes_both_spellings() {
    let client = Client::of_shop();
    for (parameters, expected) in [
        ("", &[LAST, ORPHAN, CHECKOUT][..]),
        ("query.serviceName=frontend", &[CHECKOUT]),
        (
            "query.service_name=frontend&query.operation_name=GET",
            &[CHECKOUT],
        ),
        ("query.serviceName=frontend&query.operationName=POST", &[]),
        ("query.service_name=frontend&query.span_name=POST", &[]),
        // The name of today wins.
        (
            "query.service_name=mail&query.serviceName=frontend",
            &[CHECKOUT],
        ),
        ("query.searchDepth=2", &[LAST, ORPHAN]),
        ("query.search_depth=2", &[LAST, ORPHAN]),
        ("query.num_traces=1", &[LAST]),
        ("query.durationMin=152.5ms", &[CHECKOUT]),
        (
            "query.duration_min=0.00025s&query.duration_max=1ms",
            &[ORPHAN],
        ),
        // The end is exclusive.
        (
            "query.startTimeMin=2025-10-09T08:53:21Z&query.startTimeMax=2025-10-09T08:53:22Z",
            &[ORPHAN],
        ),
        (
            "query.start_time_min=2025-10-09T08:53:21Z&query.start_time_max=2025-10-09T08:53:21.000000001Z",
            &[ORPHAN],
        ),
        (
            "query.startTimeMin=2025-10-09T08:53:21Z&query.startTimeMax=2025-10-09T08:53:21Z",
            &[],
        ),
        (
            "query.attributes=%7B%22http.response.status_code%22%3A%22500%22%7D",
            &[CHECKOUT],
        ),
        (
            "query.attributes=%7B%22ok%22%3Afalse%2C%22ratio%22%3A0.25%7D",
            &[CHECKOUT],
        ),
        (
            "query.tags=%7B%22error%22%3A%22true%22%7D&query.serviceName=cart",
            &[CHECKOUT],
        ),
        (
            "query.rawTraces=true&query.serviceName=frontend",
            &[CHECKOUT],
        ),
    ] {
        assert_eq!(found(&client, parameters).await, expected, "{parameters}");
    }
}

#[tokio::test]
async fn what_can_not_be_answered_says_why() {
    let client = Client::of_shop();
    let mut answers = Vec::new();
    for address in [
        "/api/v3/traces/77",
        "/api/v3/traces/xyz",
        "/api/v3/traces/c4?startTime=now",
        "/api/v3/traces/c4?raw_traces=perhaps",
        "/api/v3/traces?query.service_name=none",
        "/api/v3/trace-summaries?query.start_time_min=x",
        "/api/v3/trace-summaries?query.startTimeMin=2026-01-02T00:00:00Z&query.startTimeMax=2026-01-01T00:00:00Z",
        "/api/v3/trace-summaries?query.searchDepth=0",
        "/api/v3/trace-summaries?query.duration_min=1",
        "/api/v3/trace-summaries?query.durationMin=2s&query.durationMax=1s",
        "/api/v3/trace-summaries?query.attributes=%7B",
        "/api/v3/trace-summaries?query.filter=%7B%7D",
        "/api/v3/dependencies?startTime=2026-01-01T00:00:00Z",
        "/api/v3/spans",
    ] {
        let reply = client.get(address).await;
        answers.push(format!("{address}\n{} {}", reply.status, reply.json()));
    }
    let reply = client.request(Method::POST, "/api/v3/traces").await;
    answers.push(format!("POST\n{} {}", reply.status, reply.json()));
    insta::assert_snapshot!("jaeger_v3_errors", answers.join("\n\n"));
}

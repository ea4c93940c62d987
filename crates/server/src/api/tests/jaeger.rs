use super::*;

/// The ids of the traces that a search finds.
async fn found(client: &Client, parameters: &str) -> Vec<String> {
    let answer = client.json(&format!("/api/traces?{parameters}")).await;
    assert_eq!(answer["errors"], Value::Null);
    let traces = answer["data"].as_array().unwrap().iter();
    traces
        .map(|trace| trace["traceID"].as_str().unwrap().to_owned())
        .collect()
}

#[tokio::test]
async fn names() {
    let client = Client::of_shop();
    insta::assert_json_snapshot!("jaeger_services", client.json("/api/services").await);
    let names = client.json("/api/services/frontend/operations").await;
    insta::assert_json_snapshot!("jaeger_operation_names", names);
    let of_mail = client
        .json("/api/services/mail%20%2F%20%3Cout%3E/operations")
        .await;
    assert_eq!(of_mail["data"], serde_json::json!(["send"]));
    let operations = client.json("/api/operations?service=frontend").await;
    insta::assert_json_snapshot!("jaeger_operations", operations);
    let servers = client
        .json("/api/operations?service=frontend&spanKind=server")
        .await;
    assert_eq!(servers["data"].as_array().unwrap().len(), 1);
}

#[tokio::test]
async fn a_trace_is_as_the_collector_writes_it_for_jaeger() {
    let client = Client::of_shop();
    insta::assert_json_snapshot!(
        "jaeger_trace",
        client.json(&format!("/api/traces/{CHECKOUT}")).await
    );
    insta::assert_json_snapshot!("jaeger_trace_orphan", client.json("/api/traces/C3").await);
}

#[tokio::test]
async fn a_search_finds_what_meets_all_conditions() {
    let client = Client::of_shop();
    for (parameters, expected) in [
        ("service=frontend", &[CHECKOUT][..]),
        ("", &[LAST, ORPHAN, CHECKOUT]),
        ("service=frontend&operation=GET", &[CHECKOUT]),
        ("service=frontend&operation=POST", &[]),
        ("limit=2", &[LAST, ORPHAN]),
        ("start=1760000001000000&end=1760000001000000", &[ORPHAN]),
        ("lookback=59s", &[LAST, ORPHAN]),
        ("lookback=1h", &[LAST, ORPHAN, CHECKOUT]),
        ("lookback=2d&end=1760000000500000", &[CHECKOUT]),
        ("lookback=custom&start=1760000002000000", &[LAST]),
        ("minDuration=152.5ms", &[CHECKOUT]),
        ("minDuration=0h0m0.00025s&maxDuration=1ms", &[ORPHAN]),
        ("tag=http.response.status_code:500", &[CHECKOUT]),
        ("tag=user:200&tag=ok:false", &[CHECKOUT]),
        ("tag=user:200&tag=http.response.status_code:200", &[]),
        (
            "tags=%7B%22host.name%22%3A%22a1%22%2C%22process.pid%22%3A%224242%22%7D",
            &[CHECKOUT],
        ),
        (
            "tags=%7B%22ok%22%3Afalse%2C%22ratio%22%3A0.25%7D",
            &[CHECKOUT],
        ),
        ("tag=exception.type:TypeError", &[CHECKOUT]),
        ("service=cart&tag=error:true", &[CHECKOUT]),
        ("service=frontend&tag=error:true", &[]),
        ("tag=otel.status_code:OK", &[CHECKOUT]),
        ("tag=span.kind:consumer", &[ORPHAN]),
        (
            "tag=otel.scope.name:http&tag=otel.scope.version:1.2.3",
            &[CHECKOUT],
        ),
        (
            "traceID=c4&traceID=463AC35C9F6413AD48485A3953BB6124",
            &[LAST, CHECKOUT],
        ),
    ] {
        assert_eq!(found(&client, parameters).await, expected, "{parameters}");
    }
}

#[tokio::test]
async fn a_trace_that_is_not_there_is_named_beside_those_that_are() {
    let client = Client::of_shop();
    let answer = client.json("/api/traces?traceID=c4&traceID=77").await;
    assert_eq!(answer["data"].as_array().unwrap().len(), 1);
    let missing =
        serde_json::json!([{ "msg": "trace not found", "traceID": format!("{:032x}", 0x77) }]);
    assert_eq!(answer["errors"], missing);
}

#[tokio::test]
async fn calls_between_services() {
    let client = Client::of_shop();
    let address = "/api/dependencies?endTs=1760000060000&lookback=3600000";
    insta::assert_json_snapshot!("jaeger_dependencies", client.json(address).await);
    for (parameters, calls) in [
        ("", 1),
        ("endTs=1760000060000&lookback=1000", 0),
        ("endTs=1759999999999", 0),
        ("service=cart", 1),
        ("service=mail", 0),
    ] {
        let answer = client
            .json(&format!("/api/dependencies?{parameters}"))
            .await;
        assert_eq!(
            answer["data"].as_array().unwrap().len(),
            calls,
            "{parameters}"
        );
    }
}

#[tokio::test]
async fn what_can_not_be_answered_says_why() {
    let client = Client::of_shop();
    let mut answers = Vec::new();
    for address in [
        "/api/traces/77",
        "/api/traces/xyz",
        "/api/traces?start=x",
        "/api/traces?limit=0",
        "/api/traces?lookback=long",
        "/api/traces?minDuration=1",
        "/api/traces?minDuration=2s&maxDuration=1s",
        "/api/traces?tag=novalue",
        "/api/traces?tags=%7B",
        "/api/traces?tags=%7B%22a%22%3A%5B%5D%7D",
        "/api/traces?traceID=-",
        "/api/operations",
        "/api/dependencies?endTs=now",
    ] {
        let reply = client.get(address).await;
        answers.push(format!("{address}\n{} {}", reply.status, reply.json()));
    }
    insta::assert_snapshot!("jaeger_errors", answers.join("\n\n"));
}

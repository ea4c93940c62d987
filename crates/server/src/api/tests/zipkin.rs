use serde_json::json;

use super::*;

/// The ids of the traces that a search finds.
async fn found(client: &Client, parameters: &str) -> Vec<String> {
    let answer = client
        .json(&format!("/zipkin/api/v2/traces?{parameters}"))
        .await;
    let traces = answer.as_array().unwrap().iter();
    traces
        .map(|trace| trace[0]["traceId"].as_str().unwrap().to_owned())
        .collect()
}

/// As Zipkin writes ids of 64 bits.
fn short(id: &str) -> String {
    id.strip_prefix("0000000000000000").unwrap_or(id).to_owned()
}

#[tokio::test]
async fn names() {
    let client = Client::of_shop();
    let services = client.json("/zipkin/api/v2/services").await;
    assert_eq!(services, json!(["cart", "frontend", "mail / <out>"]));
    for service in ["frontend", "FrontEnd"] {
        let address = format!("/zipkin/api/v2/spans?serviceName={service}");
        let names = client.json(&address).await;
        assert_eq!(names, json!(["GET", "GET /checkout"]), "{service}");
    }
    let names = client.json("/zipkin/api/v2/spans?serviceName=nobody").await;
    assert_eq!(names, json!([]));
    let remote = "/zipkin/api/v2/remoteServices?serviceName=frontend";
    assert_eq!(client.json(remote).await, json!([]));
    let keys = client.json("/zipkin/api/v2/autocompleteKeys").await;
    assert!(
        keys.as_array()
            .unwrap()
            .contains(&json!("http.request.method")),
        "{keys}"
    );
    let values = "/zipkin/api/v2/autocompleteValues?key=http.request.method";
    assert_eq!(client.json(values).await, json!(["GET"]));
}

#[tokio::test]
async fn a_trace_is_as_the_specification_has_it_for_zipkin() {
    let client = Client::of_shop();
    let trace = client
        .json(&format!("/zipkin/api/v2/trace/{CHECKOUT}"))
        .await;
    insta::assert_json_snapshot!("zipkin_trace", trace);
    for id in ["c3", "C3", "00000000000000C3", ORPHAN] {
        let trace = client.json(&format!("/zipkin/api/v2/trace/{id}")).await;
        assert_eq!(trace[0]["traceId"], json!(short(ORPHAN)), "{id}");
    }
}

#[tokio::test]
async fn a_search_finds_what_meets_all_conditions() {
    let client = Client::of_shop();
    let (last, orphan) = (&*short(LAST), &*short(ORPHAN));
    for (parameters, expected) in [
        ("", &[last, orphan, CHECKOUT][..]),
        ("serviceName=frontend", &[CHECKOUT]),
        ("serviceName=FRONTEND&spanName=get", &[CHECKOUT]),
        ("serviceName=frontend&spanName=all", &[CHECKOUT]),
        ("serviceName=frontend&spanName=POST", &[]),
        ("serviceName=nobody", &[]),
        ("limit=2", &[last, orphan]),
        ("endTs=1760000001000&lookback=1", &[orphan]),
        ("endTs=1760000000500", &[CHECKOUT]),
        ("lookback=59000", &[last, orphan]),
        ("minDuration=152500", &[CHECKOUT]),
        ("minDuration=250&maxDuration=1000", &[orphan]),
        (
            "annotationQuery=http.response.status_code%3D500",
            &[CHECKOUT],
        ),
        ("annotationQuery=user%3D200%20and%20ok%3Dfalse", &[CHECKOUT]),
        (
            "annotationQuery=user%3D200%20and%20http.response.status_code%3D200",
            &[],
        ),
        // An annotation, and a tag without a value.
        ("annotationQuery=exception", &[CHECKOUT]),
        ("annotationQuery=ratio%20and%20exception", &[CHECKOUT]),
        ("annotationQuery=nothing", &[]),
        ("annotationQuery=host.name%3Da1", &[CHECKOUT]),
    ] {
        assert_eq!(found(&client, parameters).await, expected, "{parameters}");
    }
    let many = format!("/zipkin/api/v2/traceMany?traceIds={CHECKOUT},c3,ffff");
    let answer = client.json(&many).await;
    let ids: Vec<&Value> = answer
        .as_array()
        .unwrap()
        .iter()
        .map(|trace| &trace[0]["traceId"])
        .collect();
    assert_eq!(ids, [CHECKOUT, orphan]);
}

#[tokio::test]
async fn who_calls_whom() {
    let client = Client::of_shop();
    let links = client
        .json("/zipkin/api/v2/dependencies?endTs=1760000060000")
        .await;
    assert_eq!(
        links,
        json!([{ "parent": "frontend", "child": "cart", "callCount": 1, "errorCount": 1 }])
    );
}

#[tokio::test]
async fn errors_are_lines_of_text() {
    let client = Client::of_shop();
    for (address, status, text) in [
        ("trace/ffff", 404, "ffff not found"),
        (
            "trace/xyz",
            400,
            "id \"xyz\" has a character that is not a hexadecimal digit: 'x'",
        ),
        ("traceMany", 400, "parameter traceIds is missing"),
        ("traceMany?traceIds=1,01", 400, "redundant trace ID: 01"),
        ("spans", 400, "parameter serviceName is missing"),
        ("autocompleteValues", 400, "parameter key is missing"),
        (
            "traces?limit=0",
            400,
            "parameter limit: \"0\" is not an integer from 1 to 10000",
        ),
        (
            "traces?endTs=0",
            400,
            "parameter endTs: \"0\" is not a positive integer of milliseconds since 1970",
        ),
        (
            "traces?maxDuration=5",
            400,
            "maxDuration is only valid with minDuration",
        ),
        (
            "traces?minDuration=6&maxDuration=5",
            400,
            "maxDuration < minDuration",
        ),
    ] {
        let reply = client.get(&format!("/zipkin/api/v2/{address}")).await;
        let body = String::from_utf8(reply.body).unwrap();
        assert_eq!((reply.status.as_u16(), &*body), (status, text), "{address}");
        assert_eq!(reply.headers["content-type"], "text/plain; charset=utf-8");
    }
    let health = client.json("/zipkin/health").await;
    assert_eq!(health["status"], "UP");
}

//! What deleting answers to good and bad requests. That something is gone afterwards is shown with the real binary.

use super::*;

#[tokio::test]
async fn deleting_says_how_much_it_was() {
    let client = Client::of_shop();
    let reply = client
        .request(Method::DELETE, &format!("/api/v1/traces/{CHECKOUT}"))
        .await;
    assert_eq!(reply.status, StatusCode::OK);
    let expected = serde_json::json!({"deleted_spans": 2, "deleted_events": 1});
    assert_eq!(reply.json(), expected);
    let address = "/api/v1/spans?service=cart&start=1&end=2026-01-31T12:00:00Z";
    let reply = client.request(Method::DELETE, address).await;
    assert_eq!(reply.status, StatusCode::OK);
    assert_eq!(reply.json()["deleted_spans"], 2);
}

#[tokio::test]
async fn a_request_that_leaves_open_what_to_delete_deletes_nothing() {
    let client = Client::of_shop();
    for (address, message) in [
        (
            "/api/v1/traces/x",
            "trace_id: id \"x\" has a character that is not a hexadecimal digit: 'x'",
        ),
        (
            "/api/v1/traces/c3?start=1",
            "parameter \"start\" is not known here; there are none",
        ),
        (
            "/api/v1/spans",
            "parameter service is missing; deleting spans needs service, start and end",
        ),
        (
            "/api/v1/spans?service=&start=1&end=2",
            "parameter service is missing; deleting spans needs service, start and end",
        ),
        (
            "/api/v1/spans?service=cart&end=2",
            "parameter start is missing; deleting spans needs service, start and end",
        ),
        (
            "/api/v1/spans?service=cart&start=1",
            "parameter end is missing; deleting spans needs service, start and end",
        ),
        (
            "/api/v1/spans?service=cart&start=2&end=2",
            "parameter end: 2 is not after start 2",
        ),
        (
            "/api/v1/spans?service=cart&start=1&end=2&name=GET",
            "parameter \"name\" is not known here; there are service, start, end",
        ),
        (
            "/api/v1/spans?service=cart&start=1&end=2&service=frontend",
            "parameter service is given more than once",
        ),
        (
            "/api/v1/spans?service=cart&start=now&end=2",
            "parameter start: \"now\" is not an integer of nanoseconds since 1970, or RFC 3339 such as 2026-01-31T12:00:00Z",
        ),
    ] {
        let reply = client.request(Method::DELETE, address).await;
        assert_eq!(reply.status, StatusCode::BAD_REQUEST, "{address}");
        assert_eq!(reply.json()["error"]["message"], message, "{address}");
    }
    let reply = client.get("/api/v1/spans").await;
    assert_eq!(reply.status, StatusCode::METHOD_NOT_ALLOWED);
}

#[tokio::test]
async fn a_page_of_another_site_deletes_nothing() {
    let client = Client::of_shop();
    for (name, value) in [
        ("origin", "https://evil.example"),
        ("sec-fetch-site", "cross-site"),
    ] {
        for address in [
            "/api/v1/traces/c3",
            "/api/v1/spans?service=cart&start=1&end=2",
        ] {
            let request = Request::delete(address)
                .header("host", "localhost:16686")
                .header(name, value);
            let reply = client.send(request.body(Body::empty()).unwrap()).await;
            assert_eq!(reply.status, StatusCode::FORBIDDEN);
            assert_eq!(reply.json()["error"]["code"], "forbidden");
        }
    }
    // A browser asks first, and no answer allows it.
    let preflight = Request::builder()
        .method(Method::OPTIONS)
        .uri("/api/v1/traces/c3")
        .header("origin", "https://evil.example")
        .header("access-control-request-method", "DELETE");
    let reply = client.send(preflight.body(Body::empty()).unwrap()).await;
    assert_eq!(reply.status, StatusCode::METHOD_NOT_ALLOWED);
    let mut headers = reply.headers.keys();
    assert!(!headers.any(|name| name.as_str().starts_with("access-control")));
}

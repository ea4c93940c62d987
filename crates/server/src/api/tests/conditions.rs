//! A search of very many conditions is refused in every API: one address must not cost a minute.

use http::{Method, StatusCode};

use super::Client;

/// Conditions, joined as the API joins them.
fn conditions(count: usize, separator: &str, condition: impl Fn(usize) -> String) -> String {
    let conditions: Vec<String> = (0..count).map(condition).collect();
    conditions.join(separator)
}

/// Addresses of a search with so many conditions.
fn addresses(count: usize) -> [String; 3] {
    let own = conditions(count, "&", |key| format!("attr=k{key}%3Dv"));
    let v1 = conditions(count, "&", |key| format!("tag=k{key}%3Av"));
    let v3 = conditions(count, ",", |key| format!("%22k{key}%22:%22v%22"));
    [
        format!("/api/v1/search?{own}"),
        format!("/api/traces?{v1}"),
        format!("/api/v3/trace-summaries?query.attributes=%7B{v3}%7D"),
    ]
}

#[tokio::test]
async fn more_conditions_than_a_search_takes_are_refused() {
    let client = Client::of_shop();
    for address in addresses(129) {
        let reply = client.request(Method::GET, &address).await;
        let text = String::from_utf8_lossy(&reply.body);
        assert_eq!(reply.status, StatusCode::BAD_REQUEST, "{text}");
        let expected = "129 conditions are too many for one search, which takes at most 128";
        assert!(text.contains(expected), "{text}");
    }
    for address in addresses(128) {
        let reply = client.request(Method::GET, &address).await;
        assert_eq!(reply.status, StatusCode::OK);
    }
}

#[tokio::test]
async fn a_parameter_that_is_given_twice_is_refused() {
    let client = Client::of_shop();
    let address = "/api/v1/search?service=cart&service=frontend";
    let reply = client.request(Method::GET, address).await;
    assert_eq!(reply.status, StatusCode::BAD_REQUEST);
    let message = &reply.json()["error"]["message"];
    assert_eq!(message, "parameter service is given more than once");
}

//! The OpenAPI document says what is served, and what is served is of the shapes that it says.

use std::collections::BTreeSet;

use super::*;

const DOCUMENT: &str = include_str!("../v1/openapi.json");
const ROUTES: &str = concat!(
    include_str!("../v1/mod.rs"),
    include_str!("../v1/sourcemaps/mod.rs")
);

fn document() -> Value {
    serde_json::from_str(DOCUMENT).unwrap()
}

/// What keeps a value from being what a schema says, of the part of JSON Schema that the document uses.
fn problems(schema: &Value, value: &Value, place: &str, document: &Value) -> Vec<String> {
    let mut found = Vec::new();
    let known = [
        "$ref",
        "type",
        "description",
        "example",
        "default",
        "enum",
        "pattern",
        "minimum",
        "maximum",
        "required",
        "properties",
        "additionalProperties",
        "items",
        "allOf",
    ];
    for key in schema.as_object().unwrap().keys() {
        assert!(known.contains(&key.as_str()), "{key} is not checked here");
    }
    if let Some(name) = schema.get("$ref") {
        let path = name.as_str().unwrap().trim_start_matches('#');
        return problems(document.pointer(path).unwrap(), value, place, document);
    }
    for part in schema["allOf"].as_array().into_iter().flatten() {
        found.extend(problems(part, value, place, document));
    }
    let types: Vec<&str> = match &schema["type"] {
        Value::String(one) => vec![one],
        Value::Array(several) => several.iter().filter_map(Value::as_str).collect(),
        _ => Vec::new(),
    };
    let is_of = |name: &&str| match *name {
        "string" => value.is_string(),
        "integer" => value.is_i64() || value.is_u64(),
        "boolean" => value.is_boolean(),
        "null" => value.is_null(),
        "array" => value.is_array(),
        "object" => value.is_object(),
        other => panic!("{other} is not checked here"),
    };
    if !types.is_empty() && !types.iter().any(is_of) {
        found.push(format!("{place}: {value} is no {types:?}"));
        return found;
    }
    if let Some(allowed) = schema["enum"].as_array()
        && !allowed.contains(value)
    {
        found.push(format!("{place}: {value} is none of {allowed:?}"));
    }
    if let (Some(pattern), Some(text)) = (schema["pattern"].as_str(), value.as_str()) {
        let fits = match pattern {
            "^[0-9]+$" => !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit()),
            "^[0-9a-f]{32}$" => text.len() == 32 && text.bytes().all(is_lower_hex),
            "^[0-9a-f]{16}$" => text.len() == 16 && text.bytes().all(is_lower_hex),
            other => panic!("{other} is not checked here"),
        };
        if !fits {
            found.push(format!("{place}: {text:?} does not match {pattern}"));
        }
    }
    if let Some(number) = value.as_i64() {
        let min = schema["minimum"].as_i64().unwrap_or(i64::MIN);
        let max = schema["maximum"].as_i64().unwrap_or(i64::MAX);
        if !(min..=max).contains(&number) {
            found.push(format!("{place}: {number} is not from {min} to {max}"));
        }
    }
    for name in schema["required"].as_array().into_iter().flatten() {
        if value.get(name.as_str().unwrap()).is_none() {
            found.push(format!("{place}: {name} is missing"));
        }
    }
    if let (Some(properties), Some(members)) = (schema["properties"].as_object(), value.as_object())
    {
        for (name, member) in members {
            match properties.get(name) {
                Some(schema) => {
                    found.extend(problems(
                        schema,
                        member,
                        &format!("{place}.{name}"),
                        document,
                    ));
                }
                None if schema["additionalProperties"] == false => {
                    found.push(format!("{place}: {name} is not in the document"));
                }
                None => {}
            }
        }
    }
    if let (Some(schema), Some(items)) = (schema.get("items"), value.as_array()) {
        for (index, item) in items.iter().enumerate() {
            found.extend(problems(
                schema,
                item,
                &format!("{place}[{index}]"),
                document,
            ));
        }
    }
    found
}

fn is_lower_hex(byte: u8) -> bool {
    byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte)
}

#[test]
fn every_route_is_in_the_document() {
    let routes: BTreeSet<&str> = ROUTES
        .split("\"/api/v1")
        .skip(1)
        .map(|rest| &rest[..rest.find('"').unwrap()])
        .filter(|route| *route != "/{*rest}")
        .collect();
    let document = document();
    let documented: BTreeSet<&str> = document["paths"]
        .as_object()
        .unwrap()
        .keys()
        .map(String::as_str)
        .collect();
    assert_eq!(routes, documented);
    assert!(routes.len() > 5);
}

#[tokio::test]
async fn answers_have_the_shapes_of_the_document() {
    let api = api(shop());
    let artifacts = api.artifacts.clone();
    sourcemaps::fill(&artifacts);
    let client = Client(routes(api));
    assert_eq!(client.json("/api/v1/openapi.json").await, document());
    let mut examples = Vec::new();
    for (path, addresses) in [
        ("/services", vec!["/services".to_owned()]),
        (
            "/operations",
            vec![
                "/operations".to_owned(),
                "/operations?service=cart".to_owned(),
            ],
        ),
        ("/status", vec!["/status".to_owned()]),
        (
            "/search",
            vec![
                "/search".to_owned(),
                "/search?limit=1".to_owned(),
                "/search?service=x".to_owned(),
            ],
        ),
        (
            "/export",
            vec![
                "/export?format=jaeger".to_owned(),
                "/export?service=x&format=zipkin".to_owned(),
            ],
        ),
        (
            "/traces/{trace_id}",
            vec![
                format!("/traces/{CHECKOUT}"),
                format!("/traces/{CHECKOUT}?format=zipkin"),
            ],
        ),
        (
            "/traces/{trace_id}/skeleton",
            vec![
                format!("/traces/{CHECKOUT}/skeleton"),
                "/traces/c3/skeleton".to_owned(),
            ],
        ),
        (
            "/traces/{trace_id}/spans/{span_id}",
            vec![
                format!("/traces/{CHECKOUT}/spans/00f067aa0ba902b9"),
                "/traces/c4/spans/d1".to_owned(),
            ],
        ),
        (
            "/traces/{trace_id}/exceptions",
            vec![format!("/traces/{CHECKOUT}/exceptions")],
        ),
        (
            "/sourcemaps/needs",
            vec!["/sourcemaps/needs?start=1&end=2000000000000000000".to_owned()],
        ),
        (
            "/traces/{trace_id}/events-without-span",
            vec!["/traces/e1/events-without-span".to_owned()],
        ),
    ] {
        examples.extend(addresses.into_iter().map(|address| (path, "200", address)));
    }
    examples.extend(sourcemaps::examples(&artifacts));
    examples.push(("/traces/{trace_id}", "404", "/traces/77".to_owned()));
    examples.push(("/traces/{trace_id}", "400", "/traces/x".to_owned()));
    examples.push(("/search", "400", "/search?limit=x".to_owned()));
    examples.push(("/export", "400", "/export?format=x".to_owned()));

    let document = document();
    for (path, status, address) in examples {
        let reply = client.get(&format!("/api/v1{address}")).await;
        assert_eq!(reply.status.as_str(), status, "{address}");
        let mut response = &document["paths"][path]["get"]["responses"][status];
        if let Some(name) = response.get("$ref") {
            let pointer = name.as_str().unwrap().trim_start_matches('#');
            response = document.pointer(pointer).unwrap();
        }
        let schema = &response["content"]["application/json"]["schema"];
        let found = problems(schema, &reply.json(), &address, &document);
        assert_eq!(found, Vec::<String>::new());
    }
    let service = "/sourcemaps/organizations/{organization}/projects/{project}/services/{service}";
    let mapped = "/sourcemaps/organizations/acme/projects/web/services/cart";
    for (method, path, address) in [
        (Method::DELETE, "/traces/{trace_id}", "/traces/c3"),
        (
            Method::DELETE,
            "/spans",
            "/spans?service=cart&start=1&end=2",
        ),
        (Method::PUT, service, mapped),
        (Method::DELETE, service, mapped),
        (
            Method::DELETE,
            "/sourcemaps/organizations/{organization}/releases/{version}",
            "/sourcemaps/organizations/acme/releases/web%401",
        ),
    ] {
        let key = method.as_str().to_lowercase();
        let reply = client.request(method, &format!("/api/v1{address}")).await;
        let response = &document["paths"][path][&key]["responses"]["200"];
        let schema = &response["content"]["application/json"]["schema"];
        let found = problems(schema, &reply.json(), address, &document);
        assert_eq!(found, Vec::<String>::new());
    }
}

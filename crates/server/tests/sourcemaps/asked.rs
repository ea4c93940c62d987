//! `needs`, and stacks that are asked about.

use serde_json::{Value, json};

use crate::running::{Backtrail, Reply, post};
use crate::service::{
    HASHED, SHOP, Thrower, assert_healed, assert_raw, build, get_json, plain, upload,
};

/// All times.
const NEEDS: &str = "/api/v1/sourcemaps/needs?start=0&end=9999999999999999999";

fn ask(server: &Backtrail, body: &[u8]) -> Reply {
    let url = server.url("web", "/api/v1/sourcemaps/resolve");
    post(&url, &[("Content-Type", "application/json")], body)
}

fn asked(server: &Backtrail, body: &Value) -> Value {
    let reply = ask(server, body.to_string().as_bytes());
    assert_eq!(reply.status, 200, "{}", reply.text());
    serde_json::from_slice(&reply.body).unwrap()
}

#[test]
fn needs_name_each_script_with_what_to_do_until_its_map_is_there() {
    let server = Backtrail::start();
    let shop = Thrower {
        version: Some("1.0.0"),
        ..SHOP
    };
    let empty = get_json(&server, NEEDS);
    assert_eq!(empty["scripts"], json!([]));
    for trace in [1, 2] {
        shop.throws_stack(&server, trace, HASHED);
    }
    let cart = Thrower {
        service: "cart",
        version: None,
    };
    cart.throws_stack(&server, 3, &plain());

    let needs = get_json(&server, NEEDS);
    assert_eq!(
        (&needs["exceptions"], &needs["traces"]),
        (&json!(3), &json!(3))
    );
    assert_eq!(needs["truncated"], false);
    let scripts = needs["scripts"].as_array().unwrap();
    assert_eq!(scripts.len(), 2, "{needs:#}");
    let first = &scripts[0];
    assert_eq!(first["service"], "shop");
    assert_eq!(first["version"], "1.0.0");
    assert_eq!(first["url"], "/var/task/main.efbcacc41ec5b6ccc1e4.js");
    assert_eq!(first["map"], Value::Null);
    assert_eq!(
        (&first["exceptions"], &first["frames"]),
        (&json!(2), &json!(10))
    );
    assert_eq!(first["resolved_frames"], 0);
    assert!(first["fix"].as_str().unwrap().contains("--project shop"));

    let hashed = build("hashed");
    upload(
        &server,
        hashed.path(),
        &["--release", "1.0.0", "--project", "shop"],
    );
    let of_shop = get_json(&server, &format!("{NEEDS}&service=shop"));
    let script = &of_shop["scripts"][0];
    assert_eq!(of_shop["scripts"].as_array().unwrap().len(), 1);
    assert_eq!(script["map"]["release"], "1.0.0");
    let counts = ["frames", "resolved_frames", "not_covered_frames"].map(|name| &script[name]);
    assert_eq!(counts, [&json!(10), &json!(8), &json!(2)]);
    assert_eq!(script["fix"], Value::Null);
}

#[test]
fn needs_refuse_what_they_do_not_understand() {
    let server = Backtrail::start();
    for query in ["start=x", "start=2&end=1", "servce=shop", "end=1&end=2"] {
        let (status, body) = server.get(&format!("/api/v1/sourcemaps/needs?{query}"));
        assert_eq!(status, 400, "{query}: {body}");
        let body: Value = serde_json::from_str(&body).unwrap();
        assert!(body["error"]["message"].is_string(), "{body}");
    }
    // Nothing was thrown in the last day.
    assert_eq!(
        get_json(&server, "/api/v1/sourcemaps/needs")["exceptions"],
        0
    );
}

#[test]
fn a_stack_from_elsewhere_is_resolved_with_what_was_uploaded() {
    let server = Backtrail::start();
    let question = json!({"service": "shop", "version": "1.0.0", "stack": HASHED});
    assert_raw(&asked(&server, &question), "nothing_uploaded");
    upload(&server, build("hashed").path(), &["--release", "1.0.0"]);
    assert_healed(&asked(&server, &question));
    let bare = json!({"service": "shop", "stack": HASHED, "version": null, "dist": "", "message": "", "debug_images": []});
    assert_healed(&asked(&server, &bare));

    // A line of the message that looks like a frame is none.
    let message = "limit at n (/var/task/main.efbcacc41ec5b6ccc1e4.js:1:209)\n    at n (/var/task/main.efbcacc41ec5b6ccc1e4.js:1:404)";
    let stack =
        format!("Error: {message}\n    at n (/var/task/main.efbcacc41ec5b6ccc1e4.js:1:404)");
    let found = asked(
        &server,
        &json!({"service": "shop", "message": message, "stack": stack}),
    );
    assert_eq!(found["resolved_frames"], 1, "{found:#}");
    let text = "no frame at all";
    let found = asked(&server, &json!({"service": "shop", "stack": text}));
    assert_eq!(found["resolved"], text);
    assert_eq!(found["frames"], json!([]));
}

#[test]
fn a_question_that_cannot_be_read_is_refused_with_its_reason() {
    let server = Backtrail::start();
    let large = json!({"service": "shop", "stack": "x".repeat((4 << 20) + 1)}).to_string();
    for (body, reason) in [
        ("", "EOF"),
        ("[]", "invalid"),
        ("{\"service\":\"shop\"}", "stack"),
        ("{\"stack\":\"\"}", "service"),
        ("{\"service\":\"shop\",\"stack\":\"\",\"maps\":[]}", "maps"),
        (
            "{\"service\":\"shop\",\"stack\":\"\",\"debug_images\":[{}]}",
            "code_file",
        ),
        (&large, "stack: 4194305 bytes"),
    ] {
        let reply = ask(&server, body.as_bytes());
        let shown: String = body.chars().take(80).collect();
        assert_eq!(reply.status, 400, "{shown}: {}", reply.text());
        let answer: Value = serde_json::from_slice(&reply.body).unwrap();
        let message = answer["error"]["message"].as_str().unwrap();
        assert!(message.contains(reason), "{shown}: {message}");
    }
    let broken = ask(&server, b"{\"service\":\"\xff\",\"stack\":\"\"}");
    assert_eq!(broken.status, 400);
}

//! Lines of source have a permission of their own, as soon as a token has it.

use std::path::Path;

use serde_json::{Value, json};
use tempfile::TempDir;

use crate::log_records::send_log;
use crate::running::{Backtrail, Reply, Start, agent, command, run_in, try_post};
use crate::service::{
    HASHED, SHOP, TRUTH, assert_healed, build, healed, stack, stderr, stdout, upload,
};

/// What an answer says where lines are left out.
const SENTENCE: &str =
    "the lines of source are left out: seeing them needs a token with the scope sources";
/// Of the line that threw.
const LINE: &str = "throw new PaymentError";

/// A header of a request that says who asks.
type Asker = (&'static str, String);

/// A server with tokens of these scopes, the build uploaded and its crash thrown.
struct Shop {
    server: Backtrail,
    tokens: Vec<String>,
    _dir: TempDir,
}

impl Shop {
    fn with(scopes: &[&str]) -> Self {
        let dir = TempDir::new().unwrap();
        let create = |scopes: &&str| create(dir.path(), scopes);
        let tokens: Vec<String> = scopes.iter().map(create).collect();
        let server = Start::new().data_dir(dir.path()).start();
        upload(&server, build("hashed").path(), &["--release", "1.0.0"]);
        SHOP.throws_stack(&server, 1, HASHED);
        send_log(&server, 2, 1);
        Self {
            server,
            tokens,
            _dir: dir,
        }
    }

    fn bearer(&self, token: usize) -> Asker {
        ("Authorization", format!("Bearer {}", self.tokens[token]))
    }

    /// Who logged in to the page with a token.
    fn session(&self, token: usize) -> Asker {
        let body = json!({ "token": self.tokens[token] }).to_string();
        let url = self.server.url("web", "/api/v1/session");
        let reply = try_post(&agent(), &url, &[], body.as_bytes()).unwrap();
        assert_eq!(reply.status, 200, "{}", reply.text());
        let cookie = reply.header("Set-Cookie");
        ("Cookie", cookie.split(';').next().unwrap().to_owned())
    }

    fn get(&self, asker: Option<&Asker>, path: &str) -> Reply {
        let mut request = agent().get(self.server.url("web", path));
        if let Some((name, value)) = asker {
            request = request.header(*name, value);
        }
        let reply = Reply::from(request.call().unwrap());
        assert_eq!(reply.status, 200, "{path}: {}", reply.text());
        reply
    }

    /// The stack in each answer that has one.
    fn stacks(&self, asker: Option<&Asker>) -> Vec<(&'static str, Value)> {
        let trace = format!("/api/v1/traces/{:032x}", 1);
        let json = |reply: Reply| -> Value { serde_json::from_slice(&reply.body).unwrap() };
        let exceptions = json(self.get(asker, &format!("{trace}/exceptions")));
        let span = json(self.get(asker, &format!("{trace}/spans/{:016x}", 1)));

        let waiting = json(self.get(
            asker,
            &format!("/api/v1/traces/{:032x}/events-without-span", 2),
        ));

        let question = json!({"service": "shop", "stack": HASHED}).to_string();
        let mut headers = vec![("Content-Type", "application/json")];
        headers.extend(asker.map(|(name, value)| (*name, value.as_str())));
        let url = self.server.url("web", "/api/v1/sourcemaps/resolve");
        let asked = try_post(&agent(), &url, &headers, question.as_bytes()).unwrap();
        assert_eq!(asked.status, 200, "{}", asked.text());
        vec![
            ("exceptions", exceptions["exceptions"][0]["stack"].clone()),
            (
                "span",
                span["spans"][0]["events"][0]["exception"]["stack"].clone(),
            ),
            (
                "events without span",
                waiting["events"][0]["exception"]["stack"].clone(),
            ),
            ("resolve", json(asked)),
        ]
    }

    fn assert_shown(&self, asker: Option<&Asker>) {
        for (answer, stack) in self.stacks(asker) {
            assert_healed(&stack);
            assert_eq!(stack["source_withheld"], Value::Null, "{answer}");
            assert!(stack.to_string().contains(LINE), "{answer}");
        }
    }

    /// All but the lines is there, and why they are not.
    fn assert_withheld(&self, asker: Option<&Asker>) {
        for (answer, stack) in self.stacks(asker) {
            assert_eq!(stack["source_withheld"], SENTENCE, "{answer}");
            assert!(!stack.to_string().contains(LINE), "{answer}: {stack:#}");
            assert_eq!(stack["resolved"], healed(HASHED), "{answer}");
            assert_eq!(stack["resolved_frames"], 4, "{answer}");
            assert_eq!(stack["scripts"][0]["map"]["step"], 4, "{answer}");
            let frames = stack["frames"].as_array().unwrap();
            for (frame, (file, line, column)) in frames.iter().zip(TRUTH) {
                let place = &frame["resolved"];
                assert_eq!(place["context"], Value::Null, "{answer}");
                assert_eq!(place["file"], file, "{answer}");
                assert_eq!(
                    (&place["line"], &place["column"]),
                    (&line.into(), &column.into())
                );
            }
            assert_eq!(frames[0]["resolved"]["function"], "chargeCustomer");
        }
    }
}

/// A token with these scopes: `read`, `read+sources`.
fn create(data_dir: &Path, scopes: &str) -> String {
    let mut args = vec!["tokens", "create", "--name", scopes];
    for scope in scopes.split('+') {
        args.extend(["--scope", scope]);
    }
    args.push("--data-dir");
    let output = command().args(args).arg(data_dir).output().unwrap();
    assert!(output.status.success(), "{output:?}");
    stdout(&output).trim().to_owned()
}

#[test]
fn without_a_token_for_sources_whoever_may_read_sees_their_lines() {
    let open = Shop::with(&[]);
    open.assert_shown(None);
    let closed = Shop::with(&["read", "admin"]);
    closed.assert_shown(Some(&closed.bearer(0)));
    closed.assert_shown(Some(&closed.session(0)));
    closed.assert_shown(Some(&closed.bearer(1)));
}

#[test]
fn with_a_token_for_sources_their_lines_are_for_who_has_the_scope() {
    let shop = Shop::with(&["read", "read+sources", "admin"]);
    for with_scope in [1, 2] {
        shop.assert_shown(Some(&shop.bearer(with_scope)));
        shop.assert_shown(Some(&shop.session(with_scope)));
    }
    shop.assert_withheld(Some(&shop.bearer(0)));
    shop.assert_withheld(Some(&shop.session(0)));
    // Jaeger's API has places and no lines, for anybody.
    for asker in [shop.bearer(0), shop.bearer(1)] {
        let trace = shop
            .get(Some(&asker), &format!("/api/traces/{:032x}", 1))
            .text();
        assert!(trace.contains("payment.js:12:11") && !trace.contains(LINE));
    }
    // Nobody was denied for it.
    let metrics = shop.get(Some(&shop.bearer(0)), "/metrics").text();
    let mut denied = metrics
        .lines()
        .filter(|line| line.starts_with("backtrail_denied_requests_total"));
    assert!(denied.all(|line| line.ends_with(" 0")), "{metrics}");
}

#[test]
fn a_token_for_sources_leaves_reading_open() {
    let shop = Shop::with(&["sources"]);
    shop.assert_withheld(None);
    let stranger = ("Authorization", format!("Bearer {}", "f".repeat(64)));
    shop.assert_withheld(Some(&stranger));
    shop.assert_shown(Some(&shop.bearer(0)));
    let found = stack(&shop.server, 1);
    assert_eq!(found["source_withheld"], SENTENCE);
}

#[test]
fn an_answer_without_lines_of_source_says_nothing_of_a_scope() {
    let shop = Shop::with(&["sources"]);
    let question = json!({"service": "shop", "stack": "Error\n    at a (/srv/other.js:1:2)"});
    let url = shop.server.url("web", "/api/v1/sourcemaps/resolve");
    let headers = [("Content-Type", "application/json")];
    let reply = try_post(&agent(), &url, &headers, question.to_string().as_bytes()).unwrap();
    let found: Value = serde_json::from_slice(&reply.body).unwrap();
    assert_eq!(found["frames"].as_array().unwrap().len(), 1, "{found:#}");
    assert_eq!(found["source_withheld"], Value::Null);
}

#[test]
fn the_commands_print_what_the_server_gives() {
    let shop = Shop::with(&["read", "read+sources"]);
    let dir = TempDir::new().unwrap();
    std::fs::write(dir.path().join("stack.txt"), HASHED).unwrap();
    let url = shop.server.url("web", "");
    let run = |command: &[&str], token: usize| {
        let rest = ["stack.txt", "--service", "shop", "--server", &url];
        let args = [&["sourcemaps"], command, &rest].concat();
        let env = [("BACKTRAIL_TOKEN", shop.tokens[token].as_str())];
        let output = run_in(dir.path(), &args, &env);
        assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
        stdout(&output)
    };
    for token in [0, 1] {
        assert_eq!(run(&["resolve"], token), healed(HASHED));
        assert!(run(&["explain"], token).contains("src/payment.js:12:11"));
    }
    let explained = run(&["explain", "--json"], 0);
    assert!(explained.contains(SENTENCE) && !explained.contains(LINE));
    let explained = run(&["explain", "--json"], 1);
    assert!(explained.contains(LINE) && !explained.contains(SENTENCE));
}

//! No log line, metric, error or file holds a token.

use std::path::Path;

use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceResponse;

use super::{Closed, STRANGER, basic, bearer};
use crate::running::grpc::GrpcClient;
use crate::running::otlp::{self, trace_json};
use crate::running::{Start, agent, try_post};

const EXPORT: &str = "/opentelemetry.proto.collector.trace.v1.TraceService/Export";

/// Every file below a folder.
fn files(dir: &Path, found: &mut Vec<(String, Vec<u8>)>) {
    for entry in std::fs::read_dir(dir).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            files(&path, found);
        } else {
            found.push((path.display().to_string(), std::fs::read(&path).unwrap()));
        }
    }
}

#[test]
fn no_log_line_metric_error_or_file_holds_a_token() {
    let start = Start::new().arg("--log-level=trace,hyper=trace,h2=trace,tower_http=trace");
    let mut closed = Closed::start(start, &["read", "ingest", "admin", "upload"]);
    let mut said: Vec<(String, Vec<u8>)> = Vec::new();
    let json = "application/json";
    let mut secrets: Vec<String> = closed
        .tokens
        .iter()
        .map(|(_, token)| token.clone())
        .collect();
    secrets.push(STRANGER.to_owned());
    for secret in secrets.clone() {
        // The library below gRPC tells the log of each frame.
        let client = GrpcClient::connect(closed.server.address("otlp-grpc"));
        let call: Result<ExportTraceServiceResponse, _> =
            client.call_as(Some(&bearer(&secret)), EXPORT, otlp::trace(9, 1));
        let answer = call.map_or_else(|status| status.message().to_owned(), |_| String::new());
        said.push(("an answer over gRPC".to_owned(), answer.into_bytes()));
        for value in [bearer(&secret), basic(&secret), format!("Digest {secret}")] {
            let value = Some(value.as_str());
            for reply in [
                closed.post(value, "otlp-http", "/v1/traces", json, &trace_json(7, 1)),
                closed.post(value, "zipkin", "/api/v2/spans", json, b"[]"),
                closed.get(value, "web", "/api/v1/services"),
                closed.get(value, "web", "/api/services"),
                closed.get(value, "web", "/metrics"),
                closed.delete(value, "/api/v1/traces/8"),
            ] {
                said.push((format!("an answer of {}", reply.status), reply.body));
            }
        }
        let body = format!(r#"{{"token": "{secret}"}}"#);
        for body in [body.clone(), body.replace('}', "")] {
            let url = closed.server.url("web", "/api/v1/session");
            let reply = try_post(&agent(), &url, &[], body.as_bytes()).unwrap();
            if let Some((_, session)) = reply.header("Set-Cookie").split_once('=') {
                let session = session.split(';').next().unwrap();
                let request = agent().get(closed.server.url("web", "/api/v1/status"));
                let cookie = format!("backtrail_session={session}");
                request.header("Cookie", cookie).call().unwrap();
                secrets.push(session.to_owned());
            }
            said.push(("the session".to_owned(), reply.body));
        }
    }
    let admin = closed.bearer("admin");
    let metrics = closed.get(Some(&admin), "web", "/metrics").body;
    said.push(("/metrics".to_owned(), metrics));
    let (status, log) = closed.server.stop();
    assert!(status.success(), "{log}");
    assert!(
        log.contains("TRACE"),
        "the log is not that of the finest level"
    );
    said.push(("the log".to_owned(), log.into_bytes()));
    files(closed.server.data_dir(), &mut said);
    assert!(said.iter().any(|(name, _)| name.ends_with("tokens.json")));

    // Two of the tokens can begin a session.
    assert_eq!(secrets.len(), 5 + 2);
    for (name, bytes) in &said {
        let text = String::from_utf8_lossy(bytes);
        for secret in &secrets {
            assert!(!text.contains(secret.as_str()), "{name} holds a token");
            // Nor as the password of Basic.
            let pair = basic(secret);
            let pair = pair.strip_prefix("Basic ").unwrap();
            assert!(!text.contains(pair), "{name} holds a token");
        }
    }
}

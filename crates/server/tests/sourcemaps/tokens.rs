//! Sources are what is read: who may not read traces may not read them.

use std::path::Path;

use tempfile::TempDir;

use crate::running::{Reply, Start, agent, command, run_in, try_post};
use crate::service::{HASHED, SHOP, build, healed, stderr, stdout};

fn create(data_dir: &Path, scope: &str) -> String {
    let args = [
        "tokens",
        "create",
        "--name",
        scope,
        "--scope",
        scope,
        "--data-dir",
    ];
    let output = command().args(args).arg(data_dir).output().unwrap();
    assert!(output.status.success(), "{output:?}");
    stdout(&output).trim().to_owned()
}

#[test]
fn sources_are_shown_to_who_may_read_alone() {
    let dir = TempDir::new().unwrap();
    let [read, write] = ["read", "upload"].map(|scope| create(dir.path(), scope));
    let server = Start::new().data_dir(dir.path()).start();
    let url = server.url("web", "");
    let build = build("hashed");
    let upload = [
        "sourcemaps",
        "upload",
        ".",
        "--release",
        "1.0.0",
        "--server",
        &url,
    ];
    let refused = run_in(build.path(), &upload, &[("BACKTRAIL_TOKEN", &read)]);
    assert_eq!(refused.status.code(), Some(2), "{refused:?}");
    assert!(
        stderr(&refused).contains("the token lacks a scope"),
        "{refused:?}"
    );
    let done = run_in(build.path(), &upload, &[("SENTRY_AUTH_TOKEN", &write)]);
    assert_eq!(done.status.code(), Some(0), "{done:?}");
    SHOP.throws_stack(&server, 1, HASHED);

    let question = serde_json::json!({"service": "shop", "stack": HASHED}).to_string();
    for (token, status) in [(None, 401), (Some(&write), 403), (Some(&read), 200)] {
        let bearer = token.map(|token| format!("Bearer {token}"));
        for path in [
            format!("/api/v1/traces/{:032x}/exceptions", 1),
            "/api/v1/sourcemaps/needs?start=0".to_owned(),
            format!("/api/traces/{:032x}", 1),
        ] {
            let mut request = agent().get(server.url("web", &path));
            if let Some(bearer) = &bearer {
                request = request.header("Authorization", bearer);
            }
            let reply = Reply::from(request.call().unwrap());
            assert_eq!(reply.status, status, "{path}: {}", reply.text());
            assert_eq!(
                reply.text().contains("payment.js"),
                status == 200 && !path.contains("needs")
            );
        }
        let mut headers = vec![("Content-Type", "application/json")];
        headers.extend(bearer.as_deref().map(|bearer| ("Authorization", bearer)));
        let resolve = server.url("web", "/api/v1/sourcemaps/resolve");
        let reply = try_post(&agent(), &resolve, &headers, question.as_bytes()).unwrap();
        assert_eq!(reply.status, status, "{}", reply.text());
    }

    std::fs::write(build.path().join("stack.txt"), HASHED).unwrap();
    let resolve = [
        "sourcemaps",
        "resolve",
        "stack.txt",
        "--service",
        "shop",
        "--server",
        &url,
    ];
    let refused = run_in(build.path(), &resolve, &[]);
    assert_eq!(refused.status.code(), Some(2), "{refused:?}");
    assert_eq!(stdout(&refused), HASHED);
    let done = run_in(build.path(), &resolve, &[("BACKTRAIL_TOKEN", &read)]);
    assert_eq!(done.status.code(), Some(0), "{done:?}");
    assert_eq!(stdout(&done), healed(HASHED));
}

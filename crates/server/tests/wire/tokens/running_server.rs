//! A server follows its tokens while it runs.

use std::time::{Duration, Instant};

use super::{Closed, create, tokens};

fn eventually(mut holds: impl FnMut() -> bool, what: &str) {
    let deadline = Instant::now() + Duration::from_mins(1);
    while !holds() {
        assert!(Instant::now() < deadline, "not seen: {what}");
        std::thread::sleep(Duration::from_millis(20));
    }
}

#[test]
fn a_server_that_runs_sees_new_tokens_and_revoked_ones() {
    let open = Closed::with(&[]);
    let data_dir = open.server.data_dir().to_owned();
    let status = |token: Option<&str>| {
        let authorization = token.map(super::bearer);
        open.get(authorization.as_deref(), "web", "/api/v1/services")
            .status
    };
    assert_eq!(status(None), 200);
    let token = create(&data_dir, "read");
    eventually(|| status(None) == 401, "the token");
    assert_eq!(status(Some(&token)), 200);
    let second = create(&data_dir, "read+ingest");
    eventually(|| status(Some(&second)) == 200, "the second token");
    assert!(tokens(&data_dir, &["revoke", "read"]).status.success());
    eventually(|| status(Some(&token)) == 401, "the end of the first");
    assert_eq!(status(Some(&second)), 200);
    assert!(
        tokens(&data_dir, &["revoke", "read+ingest"])
            .status
            .success()
    );
    eventually(|| status(None) == 200, "the end of all");
    open.server
        .eventually_logs("the tokens have changed: 0 are in force");
}

#[test]
fn a_file_that_cannot_be_read_leaves_the_tokens_in_force_and_is_said_once() {
    let closed = Closed::with(&["read"]);
    let path = closed.server.data_dir().join("tokens.json");
    std::fs::write(&path, "{").unwrap();
    eventually(
        || {
            let status = closed.get(None, "web", "/api/v1/services").status;
            assert_eq!(status, 401);
            closed
                .server
                .log()
                .contains("the tokens are not read again")
        },
        "the complaint",
    );
    let reader = closed.bearer("read");
    assert_eq!(
        closed.get(Some(&reader), "web", "/api/v1/services").status,
        200
    );
}

#[test]
fn a_server_does_not_start_on_tokens_that_it_cannot_read() {
    let dir = tempfile::TempDir::new().unwrap();
    let data_dir = super::data_dir(&dir);
    create(&data_dir, "read");
    std::fs::write(
        data_dir.join("tokens.json"),
        r#"{"format":"backtrail tokens","version":9}"#,
    )
    .unwrap();
    let start = crate::running::Start::new().data_dir(&data_dir).try_start();
    let (status, said) = start.err().unwrap();
    assert!(!status.success());
    assert!(said.contains("tokens.json has format version 9"), "{said}");
}

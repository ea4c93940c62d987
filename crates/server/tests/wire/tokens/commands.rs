//! `backtrail tokens`, and the commands that send a token.

use serde_json::Value;
use tempfile::TempDir;

use super::{Closed, create, data_dir, tokens};
use crate::running::otlp::trace_json;
use crate::running::{command, run_in};

fn text(bytes: &[u8]) -> String {
    String::from_utf8(bytes.to_vec()).unwrap()
}

#[test]
fn a_token_is_shown_once_and_listed_without_it() {
    let dir = TempDir::new().unwrap();
    let dir = data_dir(&dir);
    let args = ["--name", "ci", "--scope", "upload", "--expires-in", "90d"];
    let output = tokens(&dir, &[&["create"], &args[..]].concat());
    assert!(output.status.success(), "{output:?}");
    let token = text(&output.stdout);
    let token = token.trim();
    assert_eq!(token.len(), 64);
    let said = text(&output.stderr);
    assert!(said.contains("shown this once"), "{said}");
    assert!(
        said.contains("scope upload is needed for uploads"),
        "{said}"
    );
    assert!(!said.contains(token), "{said}");

    let listed = text(&tokens(&dir, &["list"]).stdout);
    assert!(
        listed.starts_with("id        name  scopes  created"),
        "{listed}"
    );
    assert!(listed.contains("  ci    upload  20"), "{listed}");
    assert!(!listed.contains(&token[..16]), "{listed}");
    let listed = text(&tokens(&dir, &["list", "--json"]).stdout);
    let listed: Value = serde_json::from_str(&listed).unwrap();
    assert_eq!(listed["tokens"][0]["name"], "ci");
    assert_eq!(listed["tokens"][0]["scopes"][0], "upload");
    assert_eq!(listed["tokens"][0]["expired"], false);
    assert!(listed["tokens"][0]["expires"].is_string());
}

#[test]
fn json_holds_the_token_when_it_is_made_and_never_again() {
    let dir = TempDir::new().unwrap();
    let dir = data_dir(&dir);
    let args = [
        "create", "--name", "me", "--scope", "read", "--scope", "admin",
    ];
    let made = tokens(&dir, &[&args[..], &["--json"]].concat());
    let made: Value = serde_json::from_slice(&made.stdout).unwrap();
    let token = made["token"].as_str().unwrap();
    assert_eq!(made["scopes"], serde_json::json!(["read", "admin"]));
    assert_eq!(made["expires"], Value::Null);
    let revoked = tokens(&dir, &["revoke", made["id"].as_str().unwrap(), "--json"]);
    let revoked = text(&revoked.stdout);
    assert!(!revoked.contains(token));
    let revoked: Value = serde_json::from_str(&revoked).unwrap();
    assert_eq!(revoked["opened"], serde_json::json!(["read", "admin"]));
}

#[test]
fn revoking_the_last_token_of_a_scope_says_what_is_open_now() {
    let dir = TempDir::new().unwrap();
    let dir = data_dir(&dir);
    create(&dir, "read");
    create(&dir, "read+ingest");
    let output = tokens(&dir, &["revoke", "read+ingest"]);
    assert!(text(&output.stdout).starts_with("token read+ingest ("));
    let said = text(&output.stderr);
    assert!(
        said.contains("no token with scope ingest any more"),
        "{said}"
    );
    let output = tokens(&dir, &["revoke", "read"]);
    assert!(text(&output.stderr).contains("scope read any more"));
    create(&dir, "sources");
    let output = tokens(&dir, &["revoke", "sources"]);
    assert!(text(&output.stderr).contains("whoever may read sees the lines of source"));
    let empty = text(&tokens(&dir, &["list"]).stdout);
    assert!(empty.starts_with("there are no tokens in "), "{empty}");
}

#[test]
fn what_is_wrong_is_said_and_fails() {
    let dir = TempDir::new().unwrap();
    let dir = data_dir(&dir);
    create(&dir, "read");
    for (args, message) in [
        (
            &["revoke", "other"][..],
            "no token with the name or id \"other\"",
        ),
        (&["create", "--name", "x"], "--scope"),
        (
            &["create", "--name", "x", "--scope", "write"],
            "upload, read, sources, ingest, admin",
        ),
        (&["create", "--scope", "read"], "--name"),
        (
            &["create", "--name", "read", "--scope", "read"],
            "there is a token \"read\" already",
        ),
        (
            &[
                "create",
                "--name",
                "x",
                "--scope",
                "read",
                "--expires-in",
                "soon",
            ],
            "\"soon\" is not an age",
        ),
    ] {
        let output = tokens(&dir, args);
        assert!(!output.status.success(), "{args:?}");
        let said = text(&output.stderr);
        assert!(said.contains(message), "{args:?}: {said}");
    }
}

#[test]
fn the_data_directory_is_found_as_the_server_finds_it() {
    let dir = TempDir::new().unwrap();
    // A server would not start with this: the token is what it lacks.
    let file = "data_dir = 'kept'\nweb = '0.0.0.0:16686'\n";
    std::fs::write(dir.path().join("backtrail.toml"), file).unwrap();
    let create = ["tokens", "create", "--scope", "read", "--name"];
    let by_file = run_in(dir.path(), &[&create[..], &["file"]].concat(), &[]);
    assert!(by_file.status.success(), "{by_file:?}");
    assert!(dir.path().join("kept/tokens.json").exists());
    let env = [("BACKTRAIL_DATA_DIR", "other")];
    run_in(dir.path(), &[&create[..], &["variable"]].concat(), &env);
    assert!(dir.path().join("other/tokens.json").exists());
    let checked = run_in(dir.path(), &["config", "check"], &[]);
    assert!(checked.status.success(), "{checked:?}");
}

#[test]
fn help_teaches_what_a_scope_closes() {
    let help = command().args(["tokens", "--help"]).output().unwrap();
    let help = text(&help.stdout);
    for word in [
        "Examples:",
        "SENTRY_AUTH_TOKEN",
        "BACKTRAIL_TOKEN",
        "--allow-anonymous",
        "--scope read --scope sources",
    ] {
        assert!(help.contains(word), "{word} is not in\n{help}");
    }
}

#[test]
fn commands_send_the_token_of_the_variable_or_the_flag() {
    let closed = Closed::with(&["ingest", "read", "admin"]);
    let (web, otlp) = (
        closed.server.url("web", ""),
        closed.server.url("otlp-http", ""),
    );
    let dir = TempDir::new().unwrap();
    std::fs::write(dir.path().join("spans.json"), trace_json(7, 3)).unwrap();
    let import = ["import", "spans.json", "--server", &otlp];
    let export = ["export", "7", "--server", &web];
    let delete = ["delete", "trace", "7", "--yes", "--server", &web];
    for (args, scope, wrong) in [
        (&import[..], "ingest", "read"),
        (&export[..], "read", "ingest"),
        (&delete[..], "admin", "read"),
    ] {
        let run = |token: Option<&str>, flag: bool| {
            let flags: Vec<&str> = match token {
                Some(token) if flag => vec!["--token", token],
                _ => Vec::new(),
            };
            let env = token
                .filter(|_| !flag)
                .map(|token| ("BACKTRAIL_TOKEN", token));
            let env: Vec<_> = env.into_iter().collect();
            let output = run_in(dir.path(), &[args, &flags[..]].concat(), &env);
            let said = text(&output.stdout) + &text(&output.stderr);
            (output.status.success(), said)
        };
        let (done, said) = run(None, false);
        assert!(!done && said.contains("needs a token with scope"), "{said}");
        let (done, said) = run(Some(closed.token(wrong)), false);
        assert!(
            !done && said.contains(&format!("has no scope {scope}")),
            "{said}"
        );
        assert!(!said.contains(closed.token(wrong)), "{said}");
        for flag in [true, false] {
            let (done, said) = run(Some(closed.token(scope)), flag);
            assert!(done, "{said}");
        }
    }
}

#[test]
fn the_variable_of_the_token_is_no_unknown_setting() {
    let dir = TempDir::new().unwrap();
    let env = [("BACKTRAIL_TOKEN", "abc")];
    let output = run_in(dir.path(), &["config", "print"], &env);
    assert!(output.status.success(), "{output:?}");
    assert!(!text(&output.stdout).contains("abc"));
}

//! Tokens: what each closes and opens, in the words of each protocol, and the command that makes them.

mod commands;
mod ingest;
mod leak;
mod public;
mod read;
mod running_server;
mod session;

use std::path::{Path, PathBuf};
use std::process::Output;

use tempfile::TempDir;

use crate::running::{Backtrail, Reply, Start, agent, command, try_post};

/// A token that was never made.
const STRANGER: &str = "bac77a110123456789abcdef0123456789abcdef0123456789abcdef01234567";

/// `backtrail tokens …` on a data directory.
fn tokens(data_dir: &Path, args: &[&str]) -> Output {
    command()
        .arg("tokens")
        .args(args)
        .arg("--data-dir")
        .arg(data_dir)
        .output()
        .unwrap()
}

/// A token with these scopes, which is its name, too: `read`, `read+admin`.
fn create(data_dir: &Path, scopes: &str) -> String {
    let mut args = vec!["create", "--name", scopes];
    for scope in scopes.split('+') {
        args.extend(["--scope", scope]);
    }
    let output = tokens(data_dir, &args);
    assert!(output.status.success(), "{output:?}");
    String::from_utf8(output.stdout).unwrap().trim().to_owned()
}

/// A server whose tokens were there before it.
struct Closed {
    server: Backtrail,
    tokens: Vec<(String, String)>,
    _dir: TempDir,
}

impl Closed {
    fn with(scopes: &[&str]) -> Self {
        Self::start(Start::new(), scopes)
    }

    fn start(start: Start, scopes: &[&str]) -> Self {
        let dir = TempDir::new().unwrap();
        let data_dir = data_dir(&dir);
        let create = |scopes: &&str| ((*scopes).to_owned(), create(&data_dir, scopes));
        let tokens = scopes.iter().map(create).collect();
        Self {
            server: start.data_dir(&data_dir).start(),
            tokens,
            _dir: dir,
        }
    }

    fn token(&self, scopes: &str) -> &str {
        let mut tokens = self.tokens.iter();
        let (_, token) = tokens.find(|(name, _)| name == scopes).unwrap();
        token
    }

    fn bearer(&self, scopes: &str) -> String {
        bearer(self.token(scopes))
    }

    /// GET, with an `Authorization` where there is one.
    fn get(&self, authorization: Option<&str>, listener: &str, path: &str) -> Reply {
        let mut request = agent().get(self.server.url(listener, path));
        if let Some(value) = authorization {
            request = request.header("Authorization", value);
        }
        Reply::from(request.call().unwrap())
    }

    fn delete(&self, authorization: Option<&str>, path: &str) -> Reply {
        let mut request = agent().delete(self.server.url("web", path));
        if let Some(value) = authorization {
            request = request.header("Authorization", value);
        }
        Reply::from(request.call().unwrap())
    }

    fn post(
        &self,
        authorization: Option<&str>,
        listener: &str,
        path: &str,
        content_type: &str,
        body: &[u8],
    ) -> Reply {
        let mut headers = vec![("Content-Type", content_type)];
        headers.extend(authorization.map(|value| ("Authorization", value)));
        let url = self.server.url(listener, path);
        try_post(&agent(), &url, &headers, body).unwrap()
    }

    /// A sample of `/metrics`, read with this authorization.
    fn metric(&self, authorization: &str, sample: &str) -> u64 {
        let text = self.get(Some(authorization), "web", "/metrics").text();
        let value = text
            .lines()
            .find_map(|line| line.strip_prefix(sample)?.strip_prefix(' '));
        value.map_or(0, |value| value.parse().unwrap())
    }
}

fn data_dir(dir: &TempDir) -> PathBuf {
    dir.path().join("data")
}

fn bearer(token: &str) -> String {
    format!("Bearer {token}")
}

/// `Basic` with the token as the password.
fn basic(token: &str) -> String {
    use base64::Engine as _;
    let pair = format!("anybody:{token}");
    let pair = base64::engine::general_purpose::STANDARD.encode(pair);
    format!("Basic {pair}")
}

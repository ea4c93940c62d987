//! A server as the commands ask it.

use std::fmt::Write as _;
use std::time::Duration;

use anyhow::{Context, bail};
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::commands::bearer::TokenArg;

const TIMEOUT: Duration = Duration::from_mins(5);
const DEFAULT: &str = "http://127.0.0.1:16686";

/// Where the server is and who asks.
#[derive(Debug, clap::Args)]
pub(super) struct ServerArgs {
    /// The address of the server's page
    #[arg(long, value_name = "URL", env = "BACKTRAIL_SERVER")]
    server: Option<String>,
    #[command(flatten)]
    token: TokenArg,
}

pub(super) struct Server {
    agent: ureq::Agent,
    pub(super) base: String,
    /// The value of `Authorization`.
    authorization: Option<String>,
}

impl ServerArgs {
    /// Whether a server was named, rather than the one that runs here by default.
    pub(super) fn is_named(&self) -> bool {
        self.server.is_some()
    }

    pub(super) fn connect(&self) -> anyhow::Result<Server> {
        let variable = |name| std::env::var(name).ok().filter(|value| !value.is_empty());
        let base = self.server.clone().or_else(|| variable("SENTRY_URL"));
        let base = base.unwrap_or_else(|| DEFAULT.to_owned());
        let agent = ureq::Agent::config_builder()
            .timeout_global(Some(TIMEOUT))
            .http_status_as_error(false)
            .build()
            .new_agent();
        let sentrys = || Some(format!("Bearer {}", variable("SENTRY_AUTH_TOKEN")?));
        // While a server has no token for uploads it takes any, but not none, so that no page of another site can post.
        let anyones = || Some("Bearer anyone".to_owned());
        Ok(Server {
            agent,
            base: base.trim_end_matches('/').to_owned(),
            authorization: self
                .token
                .bearer()?
                .header()
                .or_else(sentrys)
                .or_else(anyones),
        })
    }
}

impl Server {
    pub(super) fn get<T: DeserializeOwned>(&self, path: &str) -> anyhow::Result<T> {
        let mut request = self.agent.get(self.url(path));
        if let Some(authorization) = &self.authorization {
            request = request.header("authorization", authorization);
        }
        read(request.call().with_context(|| self.silence())?)
    }

    pub(super) fn post<T: DeserializeOwned>(
        &self,
        path: &str,
        body: &impl Serialize,
    ) -> anyhow::Result<T> {
        self.send(
            self.agent.post(self.url(path)),
            "application/json",
            &serde_json::to_vec(body)?,
        )
    }

    pub(super) fn put<T: DeserializeOwned>(
        &self,
        path: &str,
        body: &impl Serialize,
    ) -> anyhow::Result<T> {
        self.send(
            self.agent.put(self.url(path)),
            "application/json",
            &serde_json::to_vec(body)?,
        )
    }

    pub(super) fn delete<T: DeserializeOwned>(&self, path: &str) -> anyhow::Result<T> {
        let mut request = self.agent.delete(self.url(path));
        if let Some(authorization) = &self.authorization {
            request = request.header("authorization", authorization);
        }
        read(request.call().with_context(|| self.silence())?)
    }

    /// Sends parts of a form; an answer has no content.
    pub(super) fn post_form(&self, path: &str, boundary: &str, body: &[u8]) -> anyhow::Result<()> {
        let kind = format!("multipart/form-data; boundary={boundary}");
        let request = self.agent.post(self.url(path)).header("content-type", kind);
        let request = match &self.authorization {
            Some(authorization) => request.header("authorization", authorization),
            None => request,
        };
        refuse_failures(request.send(body).with_context(|| self.silence())?).map(drop)
    }

    fn send<T: DeserializeOwned>(
        &self,
        request: ureq::RequestBuilder<ureq::typestate::WithBody>,
        content_type: &str,
        body: &[u8],
    ) -> anyhow::Result<T> {
        let mut request = request.header("content-type", content_type);
        if let Some(authorization) = &self.authorization {
            request = request.header("authorization", authorization);
        }
        read(request.send(body).with_context(|| self.silence())?)
    }

    /// An absolute address of the server itself is taken as it is.
    fn url(&self, path: &str) -> String {
        if path.contains("://") {
            path.to_owned()
        } else {
            format!("{}{path}", self.base)
        }
    }

    fn silence(&self) -> String {
        format!(
            "{} does not answer; is a server running there? --server names another",
            self.base
        )
    }
}

type Response = http::Response<ureq::Body>;

fn read<T: DeserializeOwned>(response: Response) -> anyhow::Result<T> {
    let mut response = refuse_failures(response)?;
    let body = response.body_mut().read_to_vec()?;
    serde_json::from_slice(&body).context("the answer cannot be understood")
}

/// The sentence that the server says: `detail` in the upload API, `error.message` in our own.
fn refuse_failures(mut response: Response) -> anyhow::Result<Response> {
    let status = response.status();
    if status.is_success() {
        return Ok(response);
    }
    let body = response.body_mut().read_to_string().unwrap_or_default();
    let json: serde_json::Value = serde_json::from_str(&body).unwrap_or_default();
    let said = json["detail"]
        .as_str()
        .or_else(|| json["error"]["message"].as_str());
    let said = said.map_or_else(|| body.chars().take(300).collect(), str::to_owned);
    let hint = match status.as_u16() {
        401 => "; a token is due: BACKTRAIL_TOKEN, made by `backtrail tokens create`",
        403 => "; the token lacks a scope",
        _ => "",
    };
    bail!("the server answers {status}: {said}{hint}")
}

/// A text as a segment of a path.
pub(super) fn segment(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.' | b'~') {
            escaped.push(char::from(byte));
        } else {
            let _infallible = write!(escaped, "%{byte:02X}");
        }
    }
    escaped
}

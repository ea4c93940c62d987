//! `backtrail tokens`: makes tokens, shows which there are, takes them back. A server on the same data directory follows within a second.

use std::path::{Path, PathBuf};

use anyhow::{Context, bail};
use clap::{Args, Subcommand};
use host::Host;
use serde_json::{Value, json};

use crate::auth::{NewToken, Scope, Scopes, TokenFile, TokenRecord, rfc3339};
use crate::config::{Age, Environment, Loader, SettingValue, Sources};

pub(crate) const HELP: &str = "\
A scope is closed as soon as a token has it, and only that: a token for uploads leaves sending and reading open.
  ingest   sending spans, logs and metrics, over HTTP and gRPC
  read     the page, the read APIs, /metrics; deleting then needs admin
  sources  the lines of source in stack traces, for who may read; others read the traces without them
  upload   source maps, under /api/0
  admin    deleting, and all of the above
An address that other machines reach needs tokens for sending and reading, or --allow-anonymous.

Examples:
  backtrail tokens create --name ci --scope upload             for SENTRY_AUTH_TOKEN of a build
  backtrail tokens create --name shop --scope ingest           OTEL_EXPORTER_OTLP_HEADERS=authorization=Bearer%20TOKEN
  backtrail tokens create --name me --scope read --scope admin --expires-in 90d
  backtrail tokens create --name dev --scope read --scope sources
  backtrail tokens list
  backtrail tokens revoke ci

Commands that ask a server (export, delete, import) send the token that BACKTRAIL_TOKEN holds.";

/// Where the tokens are.
#[derive(Debug, Args)]
pub(crate) struct Place {
    /// The server's data directory [env: BACKTRAIL_DATA_DIR] [default: as `serve` finds it]
    #[arg(long, value_name = "DIR")]
    data_dir: Option<PathBuf>,
    /// The server's settings file, which may name the data directory [env: BACKTRAIL_CONFIG] [default: ./backtrail.toml where it exists]
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

#[derive(Debug, Subcommand)]
pub(crate) enum TokensAction {
    /// Make a token; it is shown once, and only its hash is kept
    #[command(after_help = HELP)]
    Create {
        /// What to call it: the machine or the person that has it
        #[arg(long)]
        name: String,
        /// What it is good for; repeatable
        #[arg(long = "scope", value_enum, value_name = "SCOPE", required = true)]
        scopes: Vec<Scope>,
        /// How long it is good, such as 90d or 12h; without it, until it is revoked
        #[arg(long, value_name = "AGE", value_parser = parse_age)]
        expires_in: Option<u64>,
        #[command(flatten)]
        place: Place,
    },
    /// Show which tokens there are; not the tokens themselves, which nobody knows
    List {
        #[command(flatten)]
        place: Place,
    },
    /// Take a token back; what used it, and sessions of the page that began with it, are refused within a second
    Revoke {
        /// Its name or its id
        #[arg(value_name = "NAME|ID")]
        token: String,
        #[command(flatten)]
        place: Place,
    },
}

/// Seconds.
fn parse_age(text: &str) -> Result<u64, String> {
    let Age(age) = Age::parse(text)?;
    let age = age.ok_or("a token without an end is made without --expires-in")?;
    Ok(age.as_secs())
}

pub(crate) fn run(action: TokensAction) -> anyhow::Result<()> {
    let host = Host::real();
    match action {
        TokensAction::Create {
            name,
            scopes,
            expires_in,
            place,
        } => {
            let new = NewToken {
                name,
                scopes: scopes.into_iter().collect(),
                expires_after_s: expires_in,
            };
            create(&host, new, &place)
        }
        TokensAction::List { place } => list(&host, &place),
        TokensAction::Revoke { token, place } => revoke(&host, &token, &place),
    }
}

fn create(host: &Host, new: NewToken, place: &Place) -> anyhow::Result<()> {
    let (dir, file) = place.file(host)?;
    let (secret, token) = file.create(new)?;
    if place.json {
        let mut shown = shown(&token, host);
        shown["token"] = secret.reveal().into();
        println!("{shown:#}");
        return Ok(());
    }
    // The token alone goes to standard output: TOKEN=$(backtrail tokens create …)
    eprintln!(
        "token {} ({}) with scope {}, {}, in {}; it is shown this once:",
        token.name,
        token.id,
        token.scopes,
        until(&token),
        dir.display()
    );
    println!("{}", secret.reveal());
    let closes = |scope| match scope {
        Scope::Upload => "uploads",
        Scope::Read => "the page, the read APIs and /metrics",
        Scope::Sources => "the lines of source in stack traces",
        Scope::Ingest => "sending spans (Jaeger's agent over UDP stays open on loopback)",
        Scope::Admin => "deleting",
    };
    for scope in token.scopes.iter() {
        eprintln!(
            "from now on a token with scope {scope} is needed for {}",
            closes(scope)
        );
    }
    Ok(())
}

fn list(host: &Host, place: &Place) -> anyhow::Result<()> {
    let (dir, file) = place.file(host)?;
    let tokens = file.read()?;
    if place.json {
        let tokens: Vec<Value> = tokens.iter().map(|token| shown(token, host)).collect();
        println!("{:#}", json!({ "tokens": tokens }));
        return Ok(());
    }
    if tokens.is_empty() {
        println!("there are no tokens in {}", dir.display());
        return Ok(());
    }
    let width = |of: fn(&TokenRecord) -> usize, title: &str| {
        let longest = tokens.iter().map(of).max();
        longest.unwrap_or_default().max(title.len())
    };
    let name_width = width(|token| token.name.chars().count(), "name");
    let scopes_width = width(|token| token.scopes.to_string().len(), "scopes");
    println!(
        "{:8}  {:name_width$}  {:scopes_width$}  {:20}  expires",
        "id", "name", "scopes", "created"
    );
    let now = host.clock.now_unix_nano();
    for token in &tokens {
        let end = match token.expires_unix_s {
            None => "never".to_owned(),
            Some(end) if token.has_expired(now) => format!("{} (expired)", rfc3339(end)),
            Some(end) => rfc3339(end),
        };
        println!(
            "{:8}  {:name_width$}  {:scopes_width$}  {:20}  {end}",
            token.id,
            token.name,
            token.scopes.to_string(),
            rfc3339(token.created_unix_s),
        );
    }
    Ok(())
}

fn revoke(host: &Host, token: &str, place: &Place) -> anyhow::Result<()> {
    let (_, file) = place.file(host)?;
    let (revoked, left) = file.revoke(token)?;
    let is_last = |scope: &Scope| !left.iter().any(|token| token.scopes.names(*scope));
    let opened: Scopes = revoked.scopes.iter().filter(is_last).collect();
    if place.json {
        let mut shown = shown(&revoked, host);
        let opened: Vec<&str> = opened.iter().map(Scope::name).collect();
        shown["opened"] = opened.into();
        println!("{shown:#}");
        return Ok(());
    }
    println!("token {} ({}) is revoked", revoked.name, revoked.id);
    // Who may read sees the sources then, on loopback and elsewhere.
    let of_readers = opened.names(Scope::Sources);
    let opened: Scopes = opened
        .iter()
        .filter(|scope| *scope != Scope::Sources)
        .collect();
    if !opened.is_empty() {
        eprintln!(
            "there is no token with scope {opened} any more: where a server listens on loopback, that is open to all now"
        );
    }
    if of_readers {
        eprintln!(
            "there is no token with scope sources any more: whoever may read sees the lines of source now"
        );
    }
    Ok(())
}

impl Place {
    fn file(&self, host: &Host) -> anyhow::Result<(PathBuf, TokenFile)> {
        let dir = match &self.data_dir {
            Some(dir) => dir.clone(),
            None => self.configured(host)?,
        };
        if dir.as_os_str().is_empty() {
            bail!("data_dir: is empty; a path was expected");
        }
        let file = TokenFile::of(host, Path::new(&dir));
        Ok((dir, file))
    }

    /// Where a server would keep its data that was started here.
    fn configured(&self, host: &Host) -> anyhow::Result<PathBuf> {
        let loader = Loader {
            environment: Environment::new(std::env::vars_os()),
            sources: Sources {
                file: self.config.clone(),
                flags: Vec::new(),
            },
        };
        loader
            .data_dir(&*host.files)
            .context("the data directory is not known; name it with --data-dir")
    }
}

/// All but the token.
fn shown(token: &TokenRecord, host: &Host) -> Value {
    let scopes: Vec<&str> = token.scopes.iter().map(Scope::name).collect();
    json!({
        "id": token.id,
        "name": token.name,
        "scopes": scopes,
        "created": rfc3339(token.created_unix_s),
        "expires": token.expires_unix_s.map(rfc3339),
        "expired": token.has_expired(host.clock.now_unix_nano()),
    })
}

fn until(token: &TokenRecord) -> String {
    match token.expires_unix_s {
        None => "until it is revoked".to_owned(),
        Some(end) => format!("until {}", rfc3339(end)),
    }
}

//! `backtrail delete`: has a running server delete traces, or a service's spans.

use std::io::{BufRead, IsTerminal, Write};
use std::time::Duration;

use anyhow::{Context, bail};
use model::TraceId;
use serde::Deserialize;

use super::bearer::{Bearer, TokenArg};

/// A deletion waits for a flush or a merge that is under way, and reads the blocks that may hold something of it.
const TIMEOUT: Duration = Duration::from_mins(5);

/// What to delete, and where.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    #[command(subcommand)]
    what: What,
    /// The address of the server's page
    #[arg(
        long,
        value_name = "URL",
        global = true,
        default_value = "http://127.0.0.1:16686"
    )]
    server: String,
    #[command(flatten)]
    token: TokenArg,
    /// Delete without asking
    #[arg(long, global = true)]
    yes: bool,
}

#[derive(Debug, clap::Subcommand)]
enum What {
    /// Delete traces by their ids
    Trace {
        /// Ids in hexadecimal digits
        #[arg(value_name = "ID", required = true, value_parser = TraceId::parse)]
        ids: Vec<TraceId>,
    },
    /// Delete a service's spans that started in a range of time, and its exceptions from log records of that time
    Spans {
        /// The service's name, exactly
        #[arg(long)]
        service: String,
        /// From this instant on: RFC 3339 such as 2026-01-31T12:00:00Z, or nanoseconds since 1970
        #[arg(long, value_name = "TIME")]
        start: String,
        /// Before this instant
        #[arg(long, value_name = "TIME")]
        end: String,
    },
}

/// What the server answers.
#[derive(Debug, Default, Deserialize)]
struct Deleted {
    deleted_spans: u64,
    deleted_events: u64,
}

impl std::fmt::Display for Deleted {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let one = |count: u64, name: &str| match count {
            1 => format!("1 {name}"),
            count => format!("{count} {name}s"),
        };
        f.write_str(&one(self.deleted_spans, "span"))?;
        if self.deleted_events > 0 {
            write!(f, " and {}", one(self.deleted_events, "exception"))?;
            f.write_str(" from log records")?;
        }
        Ok(())
    }
}

pub(crate) fn run(args: &Args) -> anyhow::Result<()> {
    let server = Server::new(&args.server, args.token.bearer()?);
    if !args.yes {
        let question = question(&args.what, &server.url);
        let input = std::io::stdin();
        if !input.is_terminal() {
            bail!("there is no terminal to ask at whether to delete for good; say it with --yes");
        }
        if !confirm(&question, input.lock(), std::io::stderr())? {
            bail!("nothing was deleted");
        }
    }
    match &args.what {
        What::Trace { ids } => {
            for id in ids {
                let deleted = server
                    .delete(&format!("/api/v1/traces/{id}"), &[])
                    .with_context(|| format!("trace {id}"))?;
                println!("trace {id}: {deleted} deleted");
            }
        }
        What::Spans {
            service,
            start,
            end,
        } => {
            let query = [("service", service), ("start", start), ("end", end)];
            let query = query.map(|(name, value)| (name, value.as_str()));
            let deleted = server.delete("/api/v1/spans", &query)?;
            println!("service {service}: {deleted} deleted");
        }
    }
    Ok(())
}

fn question(what: &What, server: &str) -> String {
    let what = match what {
        What::Trace { ids } if ids.len() == 1 => format!("trace {}", ids[0]),
        What::Trace { ids } => format!("{} traces", ids.len()),
        What::Spans {
            service,
            start,
            end,
        } => format!("all spans of service {service} that started from {start} to {end}"),
    };
    format!("Delete {what} at {server} for good?")
}

/// Anything but a yes is a no.
fn confirm(
    question: &str,
    mut input: impl BufRead,
    mut output: impl Write,
) -> std::io::Result<bool> {
    write!(output, "{question} [y/N] ")?;
    output.flush()?;
    let mut answer = String::new();
    input.read_line(&mut answer)?;
    Ok(matches!(answer.trim(), "y" | "Y" | "yes"))
}

struct Server {
    agent: ureq::Agent,
    bearer: Bearer,
    url: String,
}

impl Server {
    fn new(url: &str, bearer: Bearer) -> Self {
        let agent = ureq::Agent::config_builder()
            .timeout_global(Some(TIMEOUT))
            .http_status_as_error(false)
            .build()
            .new_agent();
        Self {
            agent,
            bearer,
            url: url.trim_end_matches('/').to_owned(),
        }
    }

    fn delete(&self, path: &str, query: &[(&str, &str)]) -> anyhow::Result<Deleted> {
        #[derive(Deserialize)]
        struct Refusal {
            error: Content,
        }
        #[derive(Deserialize)]
        struct Content {
            message: String,
        }
        let url = format!("{}{path}", self.url);
        let request = self.agent.delete(&url).query_pairs(query.iter().copied());
        let response = self
            .bearer
            .add(request)
            .call()
            .with_context(|| format!("no answer from {}; is the server running?", self.url))?;
        let (head, mut body) = response.into_parts();
        let body = body.read_to_vec().context("the answer broke off")?;
        if head.status.is_success() {
            return serde_json::from_slice(&body)
                .with_context(|| format!("{} is no backtrail server", self.url));
        }
        match serde_json::from_slice::<Refusal>(&body) {
            Ok(refusal) => bail!("{}", refusal.error.message),
            Err(_) => bail!("{url} answers {}", head.status),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_yes_is_a_yes() {
        for (answer, is_yes) in [
            ("y\n", true),
            ("Y\n", true),
            ("yes\n", true),
            ("\n", false),
            ("", false),
            ("n\n", false),
            ("yesterday\n", false),
        ] {
            let mut asked = Vec::new();
            let confirmed = confirm("Delete trace 7?", answer.as_bytes(), &mut asked);
            assert_eq!(confirmed.unwrap(), is_yes, "{answer:?}");
            assert_eq!(asked, b"Delete trace 7? [y/N] ");
        }
    }

    #[test]
    fn counts_are_exact_and_readable() {
        for (deleted_spans, deleted_events, text) in [
            (0, 0, "0 spans"),
            (1, 0, "1 span"),
            (12, 1, "12 spans and 1 exception from log records"),
            (0, 2, "0 spans and 2 exceptions from log records"),
        ] {
            let deleted = Deleted {
                deleted_spans,
                deleted_events,
            };
            assert_eq!(deleted.to_string(), text);
        }
    }
}

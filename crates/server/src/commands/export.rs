//! `backtrail export`: traces of a running server as a file.

use std::io::Write;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, bail};
use host::{File, Host};
use http::StatusCode;
use model::TraceId;

use super::bearer::{Bearer, TokenArg};
use super::progress::{Progress, bytes};
use crate::api::ExportFormat;

/// Traces that are asked for at once.
const PAGE_TRACES: u64 = 100;
/// A server may take as long as it needs for one trace; nothing at all for so long is no answer.
const TIMEOUT: Duration = Duration::from_mins(10);
/// Bytes of one answer that are held in memory.
const MAX_ANSWER_BYTES: u64 = 4 << 30;

#[derive(Debug, clap::Args)]
pub(crate) struct ExportArgs {
    /// Traces by their ids; without any, those that a search finds
    #[arg(value_name = "TRACE_ID", value_parser = TraceId::parse)]
    ids: Vec<TraceId>,
    /// What to write
    #[arg(long, value_enum, default_value = "otlp")]
    format: ExportFormat,
    /// Where to write it, instead of to standard output
    #[arg(long, short, value_name = "FILE")]
    output: Option<PathBuf>,
    /// The address of the server's page
    #[arg(long, value_name = "URL", default_value = "http://127.0.0.1:16686")]
    server: String,
    #[command(flatten)]
    token: TokenArg,
    #[command(flatten)]
    search: SearchArgs,
}

/// The search's parameters, as the API names them.
#[derive(Debug, clap::Args)]
#[command(next_help_heading = "Search: all must hold on one span of a trace")]
struct SearchArgs {
    /// Service name, exactly
    #[arg(long, conflicts_with = "ids")]
    service: Option<String>,
    /// Span name, exactly
    #[arg(long, conflicts_with = "ids")]
    name: Option<String>,
    /// internal, server, client, producer, consumer or unspecified
    #[arg(long, conflicts_with = "ids")]
    kind: Option<String>,
    /// ok, error or unset
    #[arg(long, conflicts_with = "ids")]
    status: Option<String>,
    /// The span took so long, such as 250ms or 1.5s
    #[arg(long, value_name = "DURATION", conflicts_with = "ids")]
    min_duration: Option<String>,
    /// The span took no longer
    #[arg(long, value_name = "DURATION", conflicts_with = "ids")]
    max_duration: Option<String>,
    /// A condition on an attribute, such as http.response.status_code>=500; repeatable
    #[arg(long, value_name = "CONDITION", conflicts_with = "ids")]
    attr: Vec<String>,
    /// The span started at this instant or later: RFC 3339, or nanoseconds since 1970
    #[arg(long, value_name = "TIME", conflicts_with = "ids")]
    start: Option<String>,
    /// The span started at this instant or before
    #[arg(long, value_name = "TIME", conflicts_with = "ids")]
    end: Option<String>,
    /// Traces at most, the newest; all without it
    #[arg(long, value_name = "TRACES", conflicts_with = "ids")]
    limit: Option<u64>,
}

pub(crate) fn run(args: &ExportArgs) -> anyhow::Result<()> {
    let host = Host::real();
    let mut bar = Progress::new("");
    let mut document = Document::begin(&host, args.format, args.output.as_deref())?;
    let server = Server::new(&args.server, args.token.bearer()?, args.format);
    let missing = if args.ids.is_empty() {
        export_search(&server, &args.search, &mut document, &mut bar)?;
        Vec::new()
    } else {
        export_traces(&server, &args.ids, &mut document, &mut bar)?
    };
    bar.clear();
    document.end(&host)?;
    if !missing.is_empty() {
        bail!("not there: {}", missing.join(", "));
    }
    Ok(())
}

/// Writes each trace; those that are not there are returned.
fn export_traces(
    server: &Server,
    ids: &[TraceId],
    document: &mut Document,
    bar: &mut Progress,
) -> anyhow::Result<Vec<String>> {
    let mut missing = Vec::new();
    for id in ids {
        match server.get(&format!("/api/v1/traces/{id}"), &[])? {
            Some(answer) => {
                warn_if_truncated(&answer, bar);
                document.add(&answer.elements)?;
            }
            None => missing.push(id.to_string()),
        }
        bar.show(document.written, None);
    }
    Ok(missing)
}

fn export_search(
    server: &Server,
    search: &SearchArgs,
    document: &mut Document,
    bar: &mut Progress,
) -> anyhow::Result<()> {
    let conditions = search.parameters();
    let mut left = search.limit.unwrap_or(u64::MAX);
    let mut cursor: Option<String> = None;
    while left > 0 {
        let mut parameters = conditions.clone();
        let limit = left.min(PAGE_TRACES);
        parameters.push(("limit", limit.to_string()));
        parameters.extend(cursor.take().map(|cursor| ("cursor", cursor)));
        let Some(answer) = server.get("/api/v1/export", &parameters)? else {
            bail!("{} has no export; is it an older version?", server.base);
        };
        document.add(&answer.elements)?;
        bar.show(document.written, None);
        cursor.clone_from(&answer.next_cursor);
        // A search that met its budget goes on with its cursor; without one it is a trace that was cut.
        if cursor.is_none() {
            warn_if_truncated(&answer, bar);
            break;
        }
        left -= limit;
    }
    Ok(())
}

fn warn_if_truncated(answer: &Answer, bar: &Progress) {
    if answer.is_truncated {
        bar.suspend(|| {
            eprintln!("backtrail: a trace has more spans than are given; the earliest are written");
        });
    }
}

impl SearchArgs {
    fn parameters(&self) -> Vec<(&'static str, String)> {
        let single = [
            ("service", &self.service),
            ("name", &self.name),
            ("kind", &self.kind),
            ("status", &self.status),
            ("min_duration", &self.min_duration),
            ("max_duration", &self.max_duration),
            ("start", &self.start),
            ("end", &self.end),
        ];
        let single = single
            .into_iter()
            .filter_map(|(name, value)| Some((name, value.clone()?)));
        let conditions = self
            .attr
            .iter()
            .map(|condition| ("attr", condition.clone()));
        single.chain(conditions).collect()
    }
}

struct Server {
    agent: ureq::Agent,
    bearer: Bearer,
    base: String,
    format: ExportFormat,
}

struct Answer {
    elements: Vec<u8>,
    next_cursor: Option<String>,
    is_truncated: bool,
}

impl Server {
    fn new(base: &str, bearer: Bearer, format: ExportFormat) -> Self {
        let agent = ureq::Agent::config_builder()
            .timeout_global(Some(TIMEOUT))
            .http_status_as_error(false)
            .build()
            .new_agent();
        Self {
            agent,
            bearer,
            base: base.trim_end_matches('/').to_owned(),
            format,
        }
    }

    /// A part of the document; `None` when there is nothing at this address.
    fn get(&self, path: &str, parameters: &[(&str, String)]) -> anyhow::Result<Option<Answer>> {
        let url = format!("{}{path}", self.base);
        let parameters = parameters
            .iter()
            .map(|(name, value)| (*name, value.as_str()));
        let request = self.agent.get(&url).query("format", self.format.name());
        let mut response = self
            .bearer
            .add(request.query_pairs(parameters))
            .call()
            .with_context(|| {
                format!("{} does not answer; is a server running there?", self.base)
            })?;
        let header = |name: &str| {
            let value = response.headers().get(name)?.to_str().ok()?;
            Some(value.to_owned())
        };
        let next_cursor = header("backtrail-next-cursor");
        let is_truncated = header("backtrail-truncated").is_some();
        let status = response.status();
        let body = response
            .body_mut()
            .with_config()
            .limit(MAX_ANSWER_BYTES)
            .read_to_vec()
            .with_context(|| format!("the answer of {url} broke off"))?;
        match status {
            StatusCode::OK => {}
            StatusCode::NOT_FOUND => return Ok(None),
            status => bail!("{url} answers {status}: {}", String::from_utf8_lossy(&body)),
        }
        let Some(elements) = self.format.elements(&body) else {
            bail!("what {url} answers is no document of this format");
        };
        Ok(Some(Answer {
            elements: elements.to_vec(),
            next_cursor,
            is_truncated,
        }))
    }
}

/// A document that is being written.
struct Document {
    format: ExportFormat,
    to: Output,
    is_empty: bool,
    written: u64,
}

/// A file gets its name when it is whole.
enum Output {
    Stdout,
    File {
        file: Arc<dyn File>,
        partial: PathBuf,
        path: PathBuf,
    },
}

impl Document {
    fn begin(host: &Host, format: ExportFormat, path: Option<&Path>) -> anyhow::Result<Self> {
        let to = match path {
            None => Output::Stdout,
            Some(path) => {
                let mut partial = path.as_os_str().to_owned();
                partial.push(".partial");
                let partial = PathBuf::from(partial);
                let file = host
                    .files
                    .create_new(&partial)
                    .with_context(|| partial.display().to_string())?;
                Output::File {
                    file,
                    partial,
                    path: path.to_owned(),
                }
            }
        };
        let mut document = Self {
            format,
            to,
            is_empty: true,
            written: 0,
        };
        document.write(format.begin().as_bytes())?;
        Ok(document)
    }

    fn add(&mut self, elements: &[u8]) -> anyhow::Result<()> {
        if elements.is_empty() {
            return Ok(());
        }
        if !self.is_empty {
            self.write(b",")?;
        }
        self.is_empty = false;
        self.write(elements)
    }

    fn end(mut self, host: &Host) -> anyhow::Result<()> {
        self.write(self.format.end().as_bytes())?;
        self.write(b"\n")?;
        if let Output::File {
            file,
            partial,
            path,
        } = self.to
        {
            file.sync_data()?;
            host.files
                .rename(&partial, &path)
                .with_context(|| path.display().to_string())?;
            eprintln!("{}: {} written", path.display(), bytes(self.written));
        }
        Ok(())
    }

    fn write(&mut self, bytes: &[u8]) -> anyhow::Result<()> {
        match &self.to {
            Output::Stdout => std::io::stdout().write_all(bytes)?,
            Output::File { file, partial, .. } => file
                .write_all_at(bytes, self.written)
                .with_context(|| partial.display().to_string())?,
        }
        self.written += bytes.len() as u64;
        Ok(())
    }
}

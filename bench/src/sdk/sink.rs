//! Where spans end: a process of its own, so that its CPU time is not the contestant's. It takes
//! OTLP over HTTP/1.1, counts spans, and answers after a delay.

use std::collections::HashMap;
use std::io::{self, BufRead as _, BufReader, Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::thread::{sleep, spawn};
use std::time::Duration;

use anyhow::{Context as _, Result, anyhow, bail};
use clap::Args;
use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use prost::Message as _;
use serde::{Deserialize, Serialize};

use super::count_spans::count_spans;

/// The path that answers with what was received so far.
pub(super) const STATS_PATH: &str = "/stats";
const BODY_MAX_BYTES: usize = 1 << 30;

#[derive(Args)]
pub(crate) struct Options {
    /// How long an answer takes
    #[arg(long)]
    delay_ms: u64,
}

/// What came in.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub(super) struct Received {
    pub(super) spans: u64,
    pub(super) requests: u64,
    /// Bytes of bodies.
    pub(super) bytes: u64,
    /// The first request that could not be read.
    pub(super) problem: Option<String>,
    pub(super) first: Option<Sample>,
}

/// The first span of all, for a check that contestants send the same.
#[derive(Debug, Clone, Serialize, Deserialize, PartialEq, Eq)]
pub(super) struct Sample {
    pub(super) name: String,
    pub(super) kind: i32,
    pub(super) attributes: Vec<String>,
}

/// Prints the port that it listens on, then serves until its standard input ends.
pub(crate) fn run(options: &Options) -> Result<()> {
    let listener = TcpListener::bind(("127.0.0.1", 0)).context("cannot listen")?;
    println!("{}", listener.local_addr()?.port());
    let delay = Duration::from_millis(options.delay_ms);
    let received = Arc::new(Mutex::new(Received::default()));
    spawn(move || {
        for connection in listener.incoming().flatten() {
            let received = Arc::clone(&received);
            spawn(move || {
                if let Err(error) = serve(connection, delay, &received)
                    && let Ok(mut received) = received.lock()
                {
                    received.problem.get_or_insert(format!("{error:#}"));
                }
            });
        }
    });
    io::copy(&mut io::stdin(), &mut io::sink())?;
    Ok(())
}

fn serve(connection: TcpStream, delay: Duration, received: &Mutex<Received>) -> Result<()> {
    connection.set_nodelay(true)?;
    let mut output = connection.try_clone()?;
    let mut input = BufReader::new(connection);
    let mut body = Vec::new();
    while let Some(path) = read_request(&mut input, &mut body)? {
        let answer = if path == STATS_PATH {
            let received = received.lock().map_err(|_| anyhow!("a thread panicked"))?;
            serde_json::to_vec(&*received)?
        } else {
            note(&body, received)?;
            sleep(delay);
            // An `ExportTraceServiceResponse` without a field set has no bytes.
            Vec::new()
        };
        let kind = if path == STATS_PATH {
            "application/json"
        } else {
            "application/x-protobuf"
        };
        let head = format!(
            "HTTP/1.1 200 OK\r\ncontent-type: {kind}\r\ncontent-length: {}\r\n\r\n",
            answer.len()
        );
        output.write_all(&[head.as_bytes(), &answer].concat())?;
    }
    Ok(())
}

/// Reads one request and returns its path; `None` when the client has closed the connection, which
/// it may do at any time between two requests.
fn read_request(input: &mut BufReader<TcpStream>, body: &mut Vec<u8>) -> Result<Option<String>> {
    let mut line = String::new();
    if !matches!(input.read_line(&mut line), Ok(1..)) {
        return Ok(None);
    }
    let path = line
        .split(' ')
        .nth(1)
        .with_context(|| format!("not a request: {line:?}"))?
        .to_owned();
    let headers = read_headers(input)?;
    if let Some(coding) = headers.get("content-encoding") {
        bail!("the body is coded as {coding}, so its size says nothing");
    }
    let len: usize = headers
        .get("content-length")
        .map_or(Ok(0), |len| len.parse())
        .context("content-length is not a number")?;
    if len > BODY_MAX_BYTES || headers.contains_key("transfer-encoding") {
        bail!("a body of {len} bytes with the headers {headers:?} is not read");
    }
    body.resize(len, 0);
    input.read_exact(body).context("a body is cut off")?;
    Ok(Some(path))
}

fn read_headers(input: &mut BufReader<TcpStream>) -> Result<HashMap<String, String>> {
    let mut headers = HashMap::new();
    loop {
        let mut line = String::new();
        input.read_line(&mut line)?;
        let Some((name, value)) = line.split_once(':') else {
            return Ok(headers);
        };
        headers.insert(name.to_ascii_lowercase(), value.trim().to_owned());
    }
}

fn note(body: &[u8], received: &Mutex<Received>) -> Result<()> {
    let spans = count_spans(body)?;
    let mut received = received.lock().map_err(|_| anyhow!("a thread panicked"))?;
    received.spans += spans;
    received.requests += 1;
    received.bytes += body.len() as u64;
    if received.first.is_none() {
        received.first = sample(body)?;
    }
    Ok(())
}

fn sample(body: &[u8]) -> Result<Option<Sample>> {
    let request = ExportTraceServiceRequest::decode(body)?;
    let scopes = request
        .resource_spans
        .into_iter()
        .flat_map(|r| r.scope_spans);
    Ok(scopes.flat_map(|s| s.spans).next().map(|span| Sample {
        name: span.name,
        kind: span.kind,
        attributes: span.attributes.into_iter().map(|kv| kv.key).collect(),
    }))
}

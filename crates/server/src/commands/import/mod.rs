//! `backtrail import`: files of spans to a running server.
//!
//! A file is read document by document (a line of the collector's file exporter is one, a download of Jaeger's page is one), each document becomes
//! OTLP, and that goes to the server in requests of at most two MiB. What is in memory is one document, as it was read and as OTLP, and one request.

mod input;
mod post;
mod report;
mod split;
#[cfg(test)]
mod tests;

use std::path::PathBuf;

use anyhow::bail;
use backtrail_wire::otlp::{SpanLimits, TracesData};
use backtrail_wire::{JsonError, Transcoded, WireError, jaeger_json, otlp_json, zipkin};
use host::Host;
use model::Limits;

use super::bearer::TokenArg;
use super::progress::Progress;
use input::{Document, Documents, Source};
use post::Server;
use report::FileReport;

#[derive(Debug, clap::Args)]
pub(crate) struct ImportArgs {
    /// Files to send, gzip and zstd too; - is standard input
    #[arg(required = true, value_name = "FILE")]
    files: Vec<PathBuf>,
    /// Where to send: the server's OTLP/HTTP listener
    #[arg(long, value_name = "URL", default_value = "http://127.0.0.1:4318")]
    server: String,
    #[command(flatten)]
    token: TokenArg,
    /// What the files hold, instead of looking into them
    #[arg(long, value_enum)]
    format: Option<Format>,
}

/// What a document is written in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum Format {
    /// TracesData or ExportTraceServiceRequest as JSON, one or more
    OtlpJson,
    /// The same as protobuf, bare or with lengths as the collector's file exporter writes them
    OtlpProtobuf,
    /// The download of Jaeger's page, or the answer of its HTTP API
    JaegerJson,
    /// Spans of version 2: a list, or a list of lists
    ZipkinJson,
}

impl Format {
    fn name(self) -> &'static str {
        match self {
            Self::OtlpJson => "OTLP JSON",
            Self::OtlpProtobuf => "OTLP protobuf",
            Self::JaegerJson => "Jaeger JSON",
            Self::ZipkinJson => "Zipkin JSON",
        }
    }
}

/// Sends each file and prints what became of it. Fails when anything was not kept.
pub(crate) fn run(args: &ImportArgs) -> anyhow::Result<()> {
    let host = Host::real();
    let mut server = Server::new(&args.server, args.token.bearer()?, host.clone());
    let mut lost_files = 0;
    for path in &args.files {
        let report = import(&host, &mut server, path, args.format);
        print!("{report}");
        lost_files += u64::from(!report.is_whole());
    }
    if lost_files > 0 {
        bail!(
            "not everything was kept, of {lost_files} of {} files",
            args.files.len()
        );
    }
    Ok(())
}

fn import(
    host: &Host,
    server: &mut Server,
    path: &std::path::Path,
    format: Option<Format>,
) -> FileReport {
    let mut report = FileReport::new(path);
    let mut bar = Progress::new(path.display().to_string());
    let source = match Source::open(host, path) {
        Ok(source) => source,
        Err(error) => {
            report.fail(error.to_string());
            return report;
        }
    };
    let (done, total) = (source.counter(), source.len());
    let documents = match Documents::new(source, format) {
        Ok(documents) => documents,
        Err(error) => {
            report.fail(error.to_string());
            return report;
        }
    };
    let mut begin = 0;
    for document in documents {
        // A document is read whole, and then takes long to send.
        let end = done.bytes();
        let sent = document.map_err(anyhow::Error::from).and_then(|document| {
            send(host, server, &document, &mut report, |share| {
                let sent = (end.saturating_sub(begin) as f64 * share) as u64;
                bar.show(begin + sent, total);
            })
        });
        begin = end;
        if let Err(error) = sent {
            report.fail(error.to_string());
            break;
        }
    }
    bar.clear();
    report
}

/// Sends a document, and tells before each request which share of it has been sent. An error is one after which the next document can do no better.
fn send(
    host: &Host,
    server: &mut Server,
    document: &Document,
    report: &mut FileReport,
    mut on_request: impl FnMut(f64),
) -> anyhow::Result<()> {
    let transcoded = match to_otlp(document, host.clock.now_unix_nano()) {
        Ok(transcoded) => transcoded,
        Err(error) => {
            report.unreadable(document.format, document.number, error.to_string());
            return Ok(());
        }
    };
    report.read(document.format, &transcoded);
    let mut sent_bytes = 0;
    split::for_each_request(
        &transcoded.protobuf,
        split::MAX_REQUEST_BYTES,
        &mut |request| {
            on_request(sent_bytes as f64 / transcoded.protobuf.len() as f64);
            sent_bytes += request.body.len();
            server.send(request, report)
        },
    )
}

/// Why a document can't be read.
#[derive(Debug, thiserror::Error)]
enum UnreadableDocument {
    #[error("it is no {}: {source}", .format.name())]
    Json { format: Format, source: JsonError },
    #[error("it is no OTLP protobuf: {0}")]
    Protobuf(#[from] WireError),
}

fn to_otlp(document: &Document, now_unix_nano: u64) -> Result<Transcoded, UnreadableDocument> {
    let limits = Limits::default();
    let limits = SpanLimits {
        max_value_depth: limits.max_value_depth,
        max_span_bytes: limits.max_span_bytes,
    };
    let bytes = &document.bytes;
    let json = |source| UnreadableDocument::Json {
        format: document.format,
        source,
    };
    match document.format {
        Format::OtlpJson => otlp_json::to_protobuf(bytes, &limits).map_err(json),
        Format::JaegerJson => jaeger_json::to_otlp(bytes, &limits).map_err(json),
        Format::ZipkinJson => zipkin::json_v2_to_otlp(bytes, &limits, now_unix_nano).map_err(json),
        Format::OtlpProtobuf => Ok(Transcoded {
            accepted: count_spans(bytes)?,
            protobuf: bytes.clone(),
            // The server looks at each span.
            rejected: backtrail_wire::Rejections::default(),
        }),
    }
}

fn count_spans(protobuf: &[u8]) -> Result<usize, WireError> {
    let mut spans = 0;
    for resource_spans in TracesData::new(protobuf).resource_spans() {
        for scope_spans in resource_spans?.scope_spans() {
            for span in scope_spans?.raw_spans() {
                span?;
                spans += 1;
            }
        }
    }
    Ok(spans)
}

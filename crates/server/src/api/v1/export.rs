//! `/export`, and a trace in a format to be kept: what other tracing systems, and `backtrail import`, read.

use std::io;

use axum::body::Body;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use backtrail_wire::{otlp_json, zipkin};
use bytes::Bytes;
use futures_util::stream;
use http::header::{CACHE_CONTROL, CONTENT_DISPOSITION, CONTENT_TYPE};
use http::{HeaderMap, HeaderName, HeaderValue, Uri};
use model::TraceId;
use query::{SearchQuery, Trace};

use super::{Error, search};
use crate::api::failure::Failure;
use crate::api::jaeger;
use crate::api::parameters::Parameters;
use crate::api::{Api, READ_TIMEOUT, SEARCH_TIMEOUT, truncated_header};

/// Where the next page begins; a document of traces has no place for it.
const NEXT_CURSOR: HeaderName = HeaderName::from_static("backtrail-next-cursor");

/// A format that traces are kept in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum ExportFormat {
    /// OTLP JSON: everything about a span
    Otlp,
    /// Jaeger's JSON, as its page uploads and downloads it
    Jaeger,
    /// Zipkin's JSON, a list of spans of version 2
    Zipkin,
}

impl ExportFormat {
    pub(crate) const ALL: [Self; 3] = [Self::Otlp, Self::Jaeger, Self::Zipkin];

    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Otlp => "otlp",
            Self::Jaeger => "jaeger",
            Self::Zipkin => "zipkin",
        }
    }

    /// What a document begins with. The elements of its list follow, with commas between them.
    pub(crate) fn begin(self) -> &'static str {
        match self {
            Self::Otlp => r#"{"resourceSpans":["#,
            Self::Jaeger => r#"{"data":["#,
            Self::Zipkin => "[",
        }
    }

    /// What a document ends with.
    pub(crate) fn end(self) -> &'static str {
        match self {
            Self::Otlp => "]}",
            Self::Jaeger => r#"],"total":0,"limit":0,"offset":0,"errors":null}"#,
            Self::Zipkin => "]",
        }
    }

    /// The elements of a document's list; `None` for bytes that are no such document.
    pub(crate) fn elements(self, document: &[u8]) -> Option<&[u8]> {
        document
            .strip_prefix(self.begin().as_bytes())?
            .strip_suffix(self.end().as_bytes())
    }

    fn document(self, trace: &Trace) -> Result<Vec<u8>, Failure> {
        Ok(match self {
            Self::Otlp => otlp_json::from_protobuf(&trace.by_resource().to_otlp()?)?,
            Self::Zipkin => zipkin::from_otlp(&trace.by_resource().to_otlp()?)?,
            Self::Jaeger => {
                let trace = jaeger::stored_trace(trace)?;
                [self.begin().as_bytes(), &trace, self.end().as_bytes()].concat()
            }
        })
    }
}

/// How an export is asked for, beside what is exported.
pub(super) struct ExportOptions {
    format: ExportFormat,
    download: bool,
}

impl ExportOptions {
    pub(super) const PARAMETERS: [&str; 2] = ["format", "download"];

    pub(super) fn of(parameters: &Parameters) -> Result<Self, Failure> {
        let names = ExportFormat::ALL.map(ExportFormat::name).join(", ");
        let format = parameters.parse("format", &format!("one of {names}"), |text| {
            ExportFormat::ALL
                .into_iter()
                .find(|format| format.name() == text)
        })?;
        let download = parameters.parse("download", "0 or 1", |text| match text {
            "0" => Some(false),
            "1" => Some(true),
            _ => None,
        })?;
        Ok(Self {
            format: format.unwrap_or(ExportFormat::Otlp),
            download: download.unwrap_or_default(),
        })
    }

    pub(super) fn document(&self, trace: &Trace) -> Result<Vec<u8>, Failure> {
        self.format.document(trace)
    }

    /// `name` is the file's, without its ending.
    pub(super) fn headers(&self, name: &str) -> Result<HeaderMap, Failure> {
        let mut headers = HeaderMap::new();
        headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
        headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-cache"));
        if self.download {
            let file = format!(
                "attachment; filename=\"{name}.{}.json\"",
                self.format.name()
            );
            let file = HeaderValue::from_str(&file).map_err(Failure::internal)?;
            headers.insert(CONTENT_DISPOSITION, file);
        }
        Ok(headers)
    }
}

/// The traces that a search finds. They are read one by one while the answer is on its way, so that it takes the memory of one; an answer that can't go
/// on breaks off, which every client notices.
pub(super) async fn export(State(api): State<Api>, uri: Uri) -> Result<Response, Error> {
    let parameters = Parameters::of(&uri)?;
    let options = ExportOptions::of(&parameters)?;
    let query = search::parse(&parameters, &ExportOptions::PARAMETERS)?;
    let found = api
        .ask(SEARCH_TIMEOUT, move |question| Found::of(question, &query))
        .await?;
    let mut headers = options.headers("traces")?;
    headers.extend(truncated_header(found.is_truncated));
    if let Some(cursor) = &found.next_cursor {
        let cursor = HeaderValue::from_str(cursor).map_err(Failure::internal)?;
        headers.insert(NEXT_CURSOR, cursor);
    }
    let body = Body::from_stream(traces(api, options.format, found.ids));
    Ok((headers, body).into_response())
}

/// What a search says before any trace is read.
struct Found {
    ids: Vec<TraceId>,
    next_cursor: Option<String>,
    is_truncated: bool,
}

impl Found {
    fn of(question: &crate::api::Question<'_>, query: &SearchQuery) -> Result<Self, Failure> {
        let page = query::search(question.snapshot, query, &question.budget)?;
        Ok(Self {
            is_truncated: page.truncated || page.traces.iter().any(|trace| trace.truncated),
            ids: page
                .traces
                .into_iter()
                .map(|trace| trace.trace_id)
                .collect(),
            next_cursor: page.next.map(|cursor| cursor.to_string()),
        })
    }
}

/// What is left to be written of a document.
struct Writing {
    api: Api,
    format: ExportFormat,
    ids: std::vec::IntoIter<TraceId>,
    /// What stands before the next trace; `None` when the document is at its end.
    before: Option<&'static str>,
}

fn traces(
    api: Api,
    format: ExportFormat,
    ids: Vec<TraceId>,
) -> impl stream::Stream<Item = io::Result<Bytes>> {
    let writing = Writing {
        api,
        format,
        ids: ids.into_iter(),
        before: Some(format.begin()),
    };
    stream::try_unfold(writing, |mut writing| async move {
        let next = writing.next().await?;
        Ok(next.map(|bytes| (bytes, writing)))
    })
}

impl Writing {
    async fn next(&mut self) -> io::Result<Option<Bytes>> {
        let Some(before) = self.before else {
            return Ok(None);
        };
        let format = self.format;
        for id in self.ids.by_ref() {
            let read = self.api.ask(READ_TIMEOUT, move |question| {
                let trace = query::trace(question.snapshot, id, &question.budget)?;
                trace.map(|trace| format.document(&trace)).transpose()
            });
            let document = read
                .await
                .map_err(|failure| io::Error::other(failure.message().to_owned()))?;
            // One that is gone was deleted, or is too old, since the search.
            let Some(document) = document else { continue };
            let elements = format.elements(&document).unwrap_or(&document);
            if elements.is_empty() {
                continue;
            }
            self.before = Some(",");
            return Ok(Some([before.as_bytes(), elements].concat().into()));
        }
        self.before = None;
        let is_empty = before == format.begin();
        let begin = if is_empty { before } else { "" };
        Ok(Some(format!("{begin}{}", format.end()).into()))
    }
}

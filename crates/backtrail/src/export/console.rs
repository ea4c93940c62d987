//! Spans as lines of text, for a look at what a service traces.

use std::fmt::Write as _;
use std::io::{self, Write as _};
use std::sync::Arc;

use opentelemetry::trace::{SpanKind, Status};
use opentelemetry_sdk::trace::SpanData;

use super::blocking::blocking;
use super::{Export, Exporting, Outcome, decode};
use crate::processor::{Batch, Recycle};

/// Writes a line for each span to stdout.
#[derive(Debug)]
pub(super) struct Console;

impl Export for Console {
    fn export<'a>(&'a self, batch: Batch, recycle: Arc<dyn Recycle>) -> Exporting<'a> {
        Box::pin(async move {
            let spans = match decode::spans(batch.chunks()) {
                Ok(spans) => spans,
                Err(error) => return Outcome::unreadable(&error),
            };
            let mut text = String::new();
            for span in &spans {
                write_span(&mut text, span);
            }
            recycle.recycle(batch);
            // Whoever reads stdout may be slow.
            let written = blocking(move || io::stdout().lock().write_all(text.as_bytes())).await;
            match written {
                Ok(Ok(())) => Outcome::accepted(),
                Ok(Err(error)) => Outcome::Failed(format!("can't write to stdout: {error}")),
                Err(stopped) => Outcome::Failed(stopped),
            }
        })
    }

    fn describe(&self) -> String {
        "the console".to_owned()
    }
}

fn write_span(text: &mut String, span: &SpanData) {
    let kind = match span.span_kind {
        SpanKind::Client => "client",
        SpanKind::Server => "server",
        SpanKind::Producer => "producer",
        SpanKind::Consumer => "consumer",
        SpanKind::Internal => "internal",
    };
    let ms = span
        .end_time
        .duration_since(span.start_time)
        .unwrap_or_default()
        .as_secs_f64()
        * 1e3;
    // Writing to a String can't fail.
    let _ = write!(
        text,
        "trace={} span={} parent={} {kind} `{}` {ms:.3} ms",
        span.span_context.trace_id(),
        span.span_context.span_id(),
        span.parent_span_id,
        span.name,
    );
    match &span.status {
        Status::Unset => {}
        Status::Ok => text.push_str(" ok"),
        Status::Error { description } => {
            let _ = write!(text, " error `{description}`");
        }
    }
    for attribute in &span.attributes {
        let _ = write!(text, " {}={}", attribute.key, attribute.value);
    }
    for event in &span.events.events {
        let _ = write!(text, "\n  event `{}`", event.name);
        for attribute in &event.attributes {
            let _ = write!(text, " {}={}", attribute.key, attribute.value);
        }
    }
    text.push('\n');
}

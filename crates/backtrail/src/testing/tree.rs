//! Spans as a tree of text.

use std::collections::{HashMap, HashSet};
use std::fmt::Write as _;

use opentelemetry::trace::{SpanId, SpanKind, Status};
use opentelemetry::{KeyValue, Value};
use opentelemetry_sdk::trace::SpanData;

/// The spans as trees, with the attributes that `shows` chooses.
pub(super) fn tree(spans: &[SpanData], shows: impl Fn(&str) -> bool) -> String {
    let mut order: Vec<&SpanData> = spans.iter().collect();
    order.sort_by_key(|span| span.start_time);
    let known: HashSet<SpanId> = spans
        .iter()
        .map(|span| span.span_context.span_id())
        .collect();
    let mut children: HashMap<SpanId, Vec<&SpanData>> = HashMap::new();
    let mut roots = Vec::new();
    for span in order {
        if known.contains(&span.parent_span_id) {
            children.entry(span.parent_span_id).or_default().push(span);
        } else {
            roots.push(span);
        }
    }
    let mut printer = Printer {
        text: String::new(),
        children,
        shows,
    };
    for root in roots {
        printer.print(root, "", "");
    }
    printer.text
}

struct Printer<'a, F> {
    text: String,
    children: HashMap<SpanId, Vec<&'a SpanData>>,
    shows: F,
}

impl<F: Fn(&str) -> bool> Printer<'_, F> {
    fn print(&mut self, span: &SpanData, first: &str, rest: &str) {
        self.text.push_str(first);
        self.line(span);
        // Taken out, so that a span that is its own ancestor ends.
        let children = self
            .children
            .remove(&span.span_context.span_id())
            .unwrap_or_default();
        let bar = if children.is_empty() { " " } else { "│" };
        for event in &span.events.events {
            let _infallible = write!(self.text, "{rest}{bar} · {}", event.name);
            self.attributes(&event.attributes);
            self.text.push('\n');
        }
        for (index, child) in children.iter().enumerate() {
            let is_last = index + 1 == children.len();
            let (branch, below) = if is_last {
                ("└ ", "  ")
            } else {
                ("├ ", "│ ")
            };
            self.print(child, &format!("{rest}{branch}"), &format!("{rest}{below}"));
        }
    }

    fn line(&mut self, span: &SpanData) {
        self.text.push_str(&span.name);
        match span.span_kind {
            SpanKind::Internal => {}
            SpanKind::Server => self.text.push_str(" [server]"),
            SpanKind::Client => self.text.push_str(" [client]"),
            SpanKind::Producer => self.text.push_str(" [producer]"),
            SpanKind::Consumer => self.text.push_str(" [consumer]"),
        }
        if span.parent_span_is_remote {
            self.text.push_str(" (parent elsewhere)");
        }
        match &span.status {
            Status::Unset => {}
            Status::Ok => self.text.push_str(" ok"),
            Status::Error { description } if description.is_empty() => self.text.push_str(" error"),
            Status::Error { description } => {
                let _infallible = write!(self.text, " error `{description}`");
            }
        }
        self.attributes(&span.attributes);
        for link in &span.links.links {
            let _infallible = write!(self.text, " → {}", link.span_context.span_id());
        }
        self.text.push('\n');
    }

    fn attributes(&mut self, attributes: &[KeyValue]) {
        for attribute in attributes.iter().filter(|a| (self.shows)(a.key.as_str())) {
            let value = match &attribute.value {
                Value::String(text) => text.as_str().lines().next().unwrap_or_default().to_owned(),
                other => other.to_string(),
            };
            let _infallible = write!(self.text, " {}={value}", attribute.key);
        }
    }
}

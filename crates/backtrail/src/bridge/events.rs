//! Events of the `tracing` crate as events of the innermost span.

use std::error::Error;
use std::fmt::{self, Write as _};

use opentelemetry::trace::{Status, TraceContextExt as _};
use opentelemetry::{Context, KeyValue};
use tracing::field::{Field, Visit};
use tracing::{Event, Level, Subscriber};
use tracing_subscriber::Layer;
use tracing_subscriber::layer::Context as LayerContext;

/// Adds each event to the span that is current, whether `tracing` knows that one or not.
pub(super) struct Events;

impl<S: Subscriber> Layer<S> for Events {
    fn on_event(&self, event: &Event<'_>, _context: LayerContext<'_, S>) {
        let current = Context::current();
        let span = current.span();
        if !span.is_recording() {
            return;
        }
        let metadata = event.metadata();
        let mut fields = Fields::default();
        fields.add("level", metadata.level().as_str());
        fields.add("target", metadata.target());
        if let (Some(file), Some(line)) = (metadata.file(), metadata.line()) {
            fields.add("code.file.path", file);
            fields.add("code.line.number", i64::from(line));
        }
        event.record(&mut fields);
        let Fields {
            message,
            has_error,
            attributes,
        } = fields;
        if *metadata.level() == Level::ERROR {
            span.set_status(Status::error(message.clone().unwrap_or_default()));
        }
        match message {
            Some(message) => span.add_event(message, attributes),
            // Source: semantic conventions, "Exceptions in spans".
            None if has_error => span.add_event("exception", attributes),
            None => span.add_event(metadata.name(), attributes),
        }
    }
}

#[derive(Default)]
struct Fields {
    message: Option<String>,
    has_error: bool,
    attributes: Vec<KeyValue>,
}

impl Fields {
    fn add(&mut self, key: &'static str, value: impl Into<opentelemetry::Value>) {
        self.attributes.push(KeyValue::new(key, value));
    }
}

impl Visit for Fields {
    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        let text = format!("{value:?}");
        match field.name() {
            "message" => self.message = Some(text),
            name => self.add(name, text),
        }
    }

    fn record_str(&mut self, field: &Field, value: &str) {
        match field.name() {
            "message" => self.message = Some(value.to_owned()),
            name => self.add(name, value.to_owned()),
        }
    }

    fn record_i64(&mut self, field: &Field, value: i64) {
        self.add(field.name(), value);
    }

    fn record_u64(&mut self, field: &Field, value: u64) {
        match i64::try_from(value) {
            Ok(value) => self.add(field.name(), value),
            // OpenTelemetry has no number that large.
            Err(_) => self.add(field.name(), value.to_string()),
        }
    }

    fn record_f64(&mut self, field: &Field, value: f64) {
        self.add(field.name(), value);
    }

    fn record_bool(&mut self, field: &Field, value: bool) {
        self.add(field.name(), value);
    }

    fn record_error(&mut self, field: &Field, value: &(dyn Error + 'static)) {
        self.has_error = true;
        self.add("exception.message", value.to_string());
        self.add("exception.stacktrace", chain(value));
        self.add(field.name(), value.to_string());
    }
}

/// Causes of an error that are told at most.
const MAX_CAUSES: usize = 32;

fn chain(error: &dyn Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    for _ in 0..MAX_CAUSES {
        let Some(error) = cause else { break };
        let _infallible = write!(text, "\nCaused by: {error}");
        cause = error.source();
    }
    text
}

//! An event that is an exception.

use std::borrow::Cow;
use std::fmt::Write as _;

use model::batch::EventColumns;
use model::{AttributeValue, Attributes, WireError};

use super::{StackTrace, Version};

/// The name of such an event.
const EXCEPTION: &str = "exception";
/// Frames of a structured stack that are read.
const MAX_FRAMES: usize = 1000;
/// Debug ids that are read of one exception.
const MAX_IMAGES: usize = 1000;

/// An exception as OpenTelemetry's conventions write it, or Honeycomb's structured one.
pub(in crate::api) struct ExceptionEvent<'a> {
    pub(in crate::api) exception_type: &'a str,
    pub(in crate::api) message: &'a str,
    /// `exception.stacktrace`, or one that is made of a structured stack.
    pub(in crate::api) stack: Option<Cow<'a, str>>,
    service: &'a str,
    version: Version,
    debug_images: Vec<(&'a str, &'a str)>,
}

impl<'a> ExceptionEvent<'a> {
    /// `None` for an event that is no exception.
    pub(in crate::api) fn of(
        name: &str,
        attributes: Attributes<'a>,
        service: &'a str,
        resource_envelope: &[u8],
        span: Attributes<'_>,
    ) -> Result<Option<Self>, WireError> {
        let mut event = Self {
            exception_type: "",
            message: "",
            stack: None,
            service,
            version: Version::default(),
            debug_images: Vec::new(),
        };
        let mut is_exception = name == EXCEPTION;
        let mut files = Vec::new();
        let mut ids = Vec::new();
        let mut structured = StructuredStack::default();
        for attribute in attributes.iter() {
            let attribute = attribute?;
            match (attribute.key, attribute.value) {
                ("exception.type", AttributeValue::String(text)) => {
                    event.exception_type = text;
                    is_exception = true;
                }
                ("exception.message", AttributeValue::String(text)) => {
                    event.message = text;
                    is_exception = true;
                }
                ("exception.stacktrace", AttributeValue::String(text)) => {
                    event.stack = Some(text.into());
                    is_exception = true;
                }
                ("exception.debug_images.code_files", value) => files = texts(value, MAX_IMAGES)?,
                ("exception.debug_images.debug_ids", value) => ids = texts(value, MAX_IMAGES)?,
                ("exception.structured_stacktrace.urls", value) => {
                    structured.urls = texts(value, MAX_FRAMES)?;
                }
                ("exception.structured_stacktrace.functions", value) => {
                    structured.functions = texts(value, MAX_FRAMES)?;
                }
                ("exception.structured_stacktrace.lines", value) => {
                    structured.lines = numbers(value)?;
                }
                ("exception.structured_stacktrace.columns", value) => {
                    structured.columns = numbers(value)?;
                }
                _ => {}
            }
        }
        if !is_exception && structured.urls.is_empty() {
            return Ok(None);
        }
        event.debug_images = files.into_iter().zip(ids).collect();
        if event.stack.as_deref().is_none_or(str::is_empty) {
            event.stack = structured
                .written(event.exception_type, event.message)
                .map(Cow::Owned);
        }
        event.version = Version::of(resource_envelope, span)?;
        Ok(Some(event))
    }

    /// Of an event that came without its span, as [`EventColumns::lone_rows`] numbers them.
    pub(in crate::api) fn without_span(
        events: &EventColumns<'a>,
        row: usize,
    ) -> Result<Option<Self>, WireError> {
        Self::of(
            events.names.value(row),
            events.attributes(row),
            events.service(row),
            events.resources.value(row),
            Attributes::default(),
        )
    }

    pub(in crate::api) fn stack_trace(&self) -> Option<StackTrace<'_>> {
        Some(StackTrace {
            service: self.service,
            version: self.version.version.as_deref(),
            dist: self.version.dist.as_deref(),
            stack: self.stack.as_deref()?,
            message: self.message,
            debug_images: self.debug_images.clone(),
        })
    }
}

/// Arrays side by side, one element for each frame.
#[derive(Default)]
struct StructuredStack<'a> {
    urls: Vec<&'a str>,
    functions: Vec<&'a str>,
    lines: Vec<i64>,
    columns: Vec<i64>,
}

impl StructuredStack<'_> {
    /// As V8 would write it; `None` where there is no frame.
    fn written(&self, exception_type: &str, message: &str) -> Option<String> {
        if self.urls.is_empty() {
            return None;
        }
        let mut text = match (exception_type, message) {
            ("", message) => message.to_owned(),
            (name, "") => name.to_owned(),
            (name, message) => format!("{name}: {message}"),
        };
        for (number, url) in self.urls.iter().enumerate() {
            let line = self.lines.get(number).copied().unwrap_or_default();
            let column = self.columns.get(number).copied().unwrap_or_default();
            let _infallible = match self.functions.get(number).copied().unwrap_or_default() {
                "" | "?" => write!(text, "\n    at {url}:{line}:{column}"),
                function => write!(text, "\n    at {function} ({url}:{line}:{column})"),
            };
        }
        Some(text)
    }
}

fn texts(value: AttributeValue<'_>, limit: usize) -> Result<Vec<&str>, WireError> {
    let AttributeValue::Array(array) = value else {
        return Ok(Vec::new());
    };
    let texts = array.iter().take(limit).map(|value| {
        value.map(|value| match value {
            AttributeValue::String(text) => text,
            _ => "",
        })
    });
    texts.collect()
}

fn numbers(value: AttributeValue<'_>) -> Result<Vec<i64>, WireError> {
    let AttributeValue::Array(array) = value else {
        return Ok(Vec::new());
    };
    let numbers = array.iter().take(MAX_FRAMES).map(|value| {
        value.map(|value| match value {
            AttributeValue::Int(number) => number,
            _ => 0,
        })
    });
    numbers.collect()
}

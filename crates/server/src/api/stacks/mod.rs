//! Exceptions of spans and log records with their stack traces resolved, for every API that shows them.

mod event;

use std::sync::Arc;

use artifacts::ladder::{Origin, ShelfError};
use artifacts::resolve::{Exception, Resolved, Resolver};
use model::{AttributeValue, Attributes, SpanColumns, WireError};

pub(super) use event::ExceptionEvent;

/// A stack trace that somebody wants resolved.
pub(super) struct StackTrace<'a> {
    pub(super) service: &'a str,
    pub(super) version: Option<&'a str>,
    pub(super) dist: Option<&'a str>,
    pub(super) stack: &'a str,
    pub(super) message: &'a str,
    pub(super) debug_images: Vec<(&'a str, &'a str)>,
}

/// Resolves stack traces with what was uploaded. Cheap to clone.
#[derive(Clone)]
pub(super) struct Stacks(Arc<Resolver>);

impl Stacks {
    /// With a server's uploads.
    pub(super) fn of(resolver: Arc<Resolver>) -> Self {
        Self(resolver)
    }

    /// The stack with its frames, and what the ladder says of their scripts.
    pub(super) fn resolve(&self, trace: &StackTrace<'_>) -> Result<Arc<Resolved>, ShelfError> {
        let exception = Exception {
            origin: Origin {
                service: trace.service,
                version: trace.version,
                dist: trace.dist,
            },
            stack: trace.stack,
            message: trace.message,
            debug_images: &trace.debug_images,
        };
        self.0.resolve(&exception)
    }

    /// The stack of an event as text with its frames resolved; `None` where it stays as it came. A shelf that cannot be read is said in the log:
    /// the raw stack is better than no trace.
    pub(super) fn resolved_text(
        &self,
        event: Option<&ExceptionEvent<'_>>,
    ) -> Option<Arc<Resolved>> {
        let stack = event?.stack_trace()?;
        match self.resolve(&stack) {
            Ok(resolved) => Some(resolved).filter(|resolved| resolved.resolved_count() > 0),
            Err(error) => {
                tracing::error!("a stack trace stays raw: {error}");
                None
            }
        }
    }
}

/// What a resource says that a release is found by.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Version {
    pub(super) version: Option<String>,
    pub(super) dist: Option<String>,
}

impl Version {
    /// Reads `service.version`, and the distribution from `sentry.dist` or `app.build_id`: of the resource, or else of the span, where Jaeger's
    /// exporter for Node puts what the resource says.
    pub(super) fn of(resource_envelope: &[u8], span: Attributes<'_>) -> Result<Self, WireError> {
        let mut list = Vec::new();
        backtrail_wire::otlp::ResourceSpans::new(resource_envelope).put_attributes(&mut list)?;
        let attributes = Attributes::new(&list);
        let text = |key: &str| {
            let found = [attributes, span]
                .into_iter()
                .find_map(|list| list.get(key));
            match found {
                Some(AttributeValue::String(text)) if !text.is_empty() => Some(text.to_owned()),
                _ => None,
            }
        };
        Ok(Self {
            version: text("service.version"),
            dist: text("sentry.dist").or_else(|| text("app.build_id")),
        })
    }
}

/// The resource of an event of the span at `row`: its own where it came as a log record.
pub(super) fn resource_of<'a>(columns: &SpanColumns<'a>, row: usize, event: usize) -> &'a [u8] {
    use arrow_array::Array as _;
    let own = columns.events.resources;
    if own.is_valid(event) && !own.value(event).is_empty() {
        own.value(event)
    } else {
        columns.resource(row)
    }
}

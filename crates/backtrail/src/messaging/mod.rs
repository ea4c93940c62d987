//! Messages, as spans: who sends, who receives and processes, and how one finds the other.
//!
//! The context travels in the message's headers: a map, a list, or what implements [`Headers`]. The instrumentation's name is `messaging`; when it is
//! switched off, contexts are still handed on.
//!
//! ```
//! use std::collections::HashMap;
//!
//! use backtrail::messaging::{Consumer, Producer};
//! use backtrail::testing::Recorder;
//!
//! # async fn publish(_: &HashMap<String, String>) -> std::io::Result<()> { Ok(()) }
//! # async fn bill() -> std::io::Result<()> { Ok(()) }
//! # tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(async {
//! let traces = Recorder::new();
//! traces.run(async {
//!     let mut headers = HashMap::new();
//!     let sending = Producer::new("kafka", "orders").send(&mut headers);
//!     sending.run(async |_span| publish(&headers).await).await?;
//!
//!     let processing = Consumer::new("kafka", "orders").process(&headers);
//!     processing.run(async |_span| bill().await).await
//! }).await?;
//! let spans = traces.spans();
//! let processed = spans.iter().find(|span| span.name == "process orders").unwrap();
//! let sent = spans.iter().find(|span| span.name == "send orders").unwrap();
//! assert_eq!(processed.links.links[0].span_context.span_id(), sent.span_context.span_id());
//! # Ok::<_, std::io::Error>(()) }).unwrap();
//! ```
//!
//! Source: OpenTelemetry semantic conventions, messaging spans.

mod consumer;
mod headers;
mod producer;
mod receiving;
mod started;

pub use consumer::Consumer;
pub use headers::Headers;
pub use producer::Producer;
pub use receiving::{Received, Receiving};
pub use started::Started;

use std::borrow::Cow;

use opentelemetry::KeyValue;

use crate::config::Instrumentation;
use crate::system::{Scope, System};
use crate::{SpanBuilder, SpanKind, span};

/// What producers and consumers know of where their messages go through.
#[derive(Debug, Clone)]
struct Destination {
    name: Cow<'static, str>,
    attributes: Vec<KeyValue>,
}

impl Destination {
    fn new(system: Cow<'static, str>, name: Cow<'static, str>) -> Self {
        Self {
            attributes: vec![
                KeyValue::new("messaging.system", system),
                KeyValue::new("messaging.destination.name", name.clone()),
            ],
            name,
        }
    }

    /// The span of an operation with its messages; one that is off where messaging is switched off.
    fn span(
        &self,
        system: Option<&System>,
        operation: &'static str,
        kind: SpanKind,
    ) -> SpanBuilder {
        if !system.is_some_and(|system| system.makes_spans_of(Instrumentation::Messaging)) {
            return SpanBuilder::off();
        }
        span(format!("{operation} {}", self.name))
            .kind(kind)
            .scope(Scope::Messaging)
            .attributes(self.attributes.clone())
            .attribute("messaging.operation.type", operation)
            .attribute("messaging.operation.name", operation)
    }
}

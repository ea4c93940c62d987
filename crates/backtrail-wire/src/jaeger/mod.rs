//! Jaeger's model as OTLP, whatever encoding it came in: the rules of translation, once for Thrift, protobuf and JSON.
//!
//! [`crate::jaeger_thrift`] says what they are.

mod fault;
mod model;
mod tags;
mod translate;

pub(crate) use fault::{Fault, utf8};
pub(crate) use model::{Log, Model, Process, Span, SpanRef};
pub use translate::WARNINGS;
pub(crate) use translate::{Groups, SpanPath, put_resource};

//! Answers questions about spans: a trace by id, a search, the names that are known, who calls whom.
//!
//! Every question reads one [`store::Snapshot`], whatever its parts are: a trace may be split over memtables and blocks, and a
//! client's repeat of a span may be in several of them. So an answer does not depend on when a flush or a compaction happens.
//! Every question has a [`Budget`]; meeting it is told in the answer.
//!
//! ```
//! use backtrail_wire::{otlp, protobuf};
//! use model::{SpanBatch, TraceId};
//! use query::{Budget, Condition, SearchQuery};
//! use store::{MemoryScan, Snapshot};
//!
//! let mut request = Vec::new();
//! protobuf::put_message(&mut request, 1, |resource_spans| {
//!     protobuf::put_message(resource_spans, 2, |scope_spans| {
//!         protobuf::put_message(scope_spans, 2, |span| {
//!             let fields = otlp::SpanFields { trace_id: &[1; 16], span_id: &[2; 8], name: "GET /", ..Default::default() };
//!             otlp::put_span(span, &fields, |_| Ok(())).expect("no events");
//!         });
//!     });
//! });
//! let snapshot = Snapshot::new(vec![MemoryScan::new(SpanBatch::from_otlp(&request)?).into_scan()]);
//!
//! let question = SearchQuery { conditions: vec![Condition::Name("GET /".to_owned())], ..SearchQuery::default() };
//! let page = query::search(&snapshot, &question, &Budget::unlimited())?;
//! assert_eq!(page.traces[0].trace_id, TraceId([1; 16]));
//!
//! let trace = query::trace(&snapshot, TraceId([1; 16]), &Budget::unlimited())?.expect("it is there");
//! assert_eq!(trace.batch.len(), 1);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! Not for: parsing a request or printing an answer; each API does that for itself. Nothing here reads a clock: whoever asks
//! says when the time is over. Calls may read files, so they belong on a blocking thread.

mod budget;
mod catalogue;
mod columns;
mod condition;
mod dependencies;
mod error;
mod lone_events;
mod rows;
mod search;
mod trace;
mod tree;
mod unique;
mod vocabulary;

pub use budget::Budget;
pub use catalogue::{Extent, Operation, extent, operations, services};
pub use condition::{AttributeTest, Condition, NotANumber, Operand, Operator};
pub use dependencies::{Dependencies, Dependency, dependencies};
pub use error::QueryError;
pub use lone_events::{TracesOfLoneEvents, traces_of_lone_events};
pub use search::{
    Cursor, CursorError, SearchPage, SearchQuery, ServiceSpans, TraceSummary, search,
};
pub use trace::{Trace, events_without_span, trace};
pub use tree::{SpanFlags, Tree};
pub use vocabulary::{Vocabulary, attribute_keys, attribute_values};

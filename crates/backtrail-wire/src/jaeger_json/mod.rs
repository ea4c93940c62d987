//! Jaeger's traces in JSON as OTLP: what its page downloads and its HTTP API v1 answers.
//!
//! Sources: `model/json/model.go` of jaeger, and the files that its page writes. Read are `{"data": [trace, …]}`, a list of traces, and one
//! trace. It says what `jaeger.thrift` says, so the mapping is that of [`jaeger_thrift`](crate::jaeger_thrift). What differs:
//!
//! | Jaeger | OTLP |
//! |---|---|
//! | `traceID`, `spanID` in hexadecimal digits, zeros at the front left out or not | trace id, span id |
//! | `parentSpanID`, else the first `CHILD_OF` (else `FOLLOWS_FROM`) reference of the same trace | parent span id |
//! | the process that `processID` names, else a span's own `process` | resource: spans of one process stand together |
//! | `startTime`, `duration`, `timestamp` in microseconds, also with a fraction | nanoseconds |
//! | a tag of type `int64`, `float64` or `bool`, written as such or as text | that type; what is not of its type is kept as what it is |
//! | a tag of type `binary`, in base64 | bytes |
//! | a tag of another or no type | the type that the value has in JSON; objects and lists as text, as Jaeger writes them |
//! | `warnings` of a span | attribute `@jaeger@warnings`, a list of texts, as Jaeger 2 keeps them |
//!
//! What has no place in OTLP and is dropped: the warnings of a trace, and the answer's `total`, `limit`, `offset` and `errors`.

mod shapes;
mod translate;

pub use crate::jaeger::WARNINGS;
pub use translate::to_otlp;

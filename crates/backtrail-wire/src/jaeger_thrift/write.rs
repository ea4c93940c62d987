//! Writes a `Batch` in the binary protocol, part by part into one buffer.

use crate::thrift::write::{
    OpenList, begin_list, begin_struct, put_binary, put_bool, put_double, put_i32, put_i64,
    put_i64_bytes, put_stop,
};

/// `TagType` of `jaeger.thrift`.
const STRING: i32 = 0;
const DOUBLE: i32 = 1;
const BOOL: i32 = 2;
const LONG: i32 = 3;
const BINARY: i32 = 4;

/// `SpanRefType` of `jaeger.thrift`.
const CHILD_OF: i32 = 0;
const FOLLOWS_FROM: i32 = 1;

/// Appends a `Batch` struct in Thrift's binary protocol: what a collector takes as the body of `POST /api/traces` with the type
/// `application/x-thrift`. `process_tags` writes the tags of the process, `spans` the spans.
///
/// Nothing is allocated but what `out` grows by. Texts and binary values beyond 2³¹ − 1 bytes, which have no length in Thrift, are cut there.
///
/// ```
/// use backtrail_wire::jaeger_thrift::{Encoding, SpanHead, put_batch, to_otlp};
/// use backtrail_wire::otlp::SpanLimits;
///
/// let mut out = Vec::new();
/// put_batch(&mut out, "shop", |process| process.string("host.name", "till-3"), |spans| {
///     let head = SpanHead {
///         trace_id: [1; 16],
///         span_id: [2; 8],
///         operation_name: "pay",
///         start_micros: 1_700_000_000_000_000,
///         duration_micros: 1_500,
///         ..SpanHead::default()
///     };
///     spans.put(&head, |span| {
///         span.tags(|tags| {
///             tags.string("span.kind", "server");
///             tags.long("items", 3);
///         });
///     });
/// });
///
/// let limits = SpanLimits { max_value_depth: 32, max_span_bytes: 4 << 20 };
/// assert_eq!(to_otlp(&out, Encoding::Binary, &limits)?.accepted, 1);
/// # Ok::<(), backtrail_wire::jaeger_thrift::ThriftError>(())
/// ```
#[inline]
pub fn put_batch(
    out: &mut Vec<u8>,
    service_name: &str,
    process_tags: impl FnOnce(&mut Tags<'_>),
    spans: impl FnOnce(&mut Spans<'_>),
) {
    begin_struct(out, 1);
    put_binary(out, 1, service_name.as_bytes());
    let list = put_tags(out, 2, process_tags);
    list.end_unless_empty(out);
    put_stop(out);

    let list = begin_list(out, 2);
    let mut spans_of_batch = Spans { out, list };
    spans(&mut spans_of_batch);
    let Spans { out, list } = spans_of_batch;
    list.end(out);
    put_stop(out);
}

/// What every span has.
#[derive(Debug, Clone, Copy, Default)]
pub struct SpanHead<'a> {
    /// As W3C writes it: the half that Jaeger calls high comes first.
    pub trace_id: [u8; 16],
    /// The span's id.
    pub span_id: [u8; 8],
    /// All zeros when there is no parent.
    pub parent_span_id: [u8; 8],
    /// The name of the operation.
    pub operation_name: &'a str,
    /// Bit 0: sampled. Bit 1: debug.
    pub flags: i32,
    /// Microseconds since 1970.
    pub start_micros: i64,
    /// Microseconds.
    pub duration_micros: i64,
}

/// The spans of a batch.
#[derive(Debug)]
pub struct Spans<'a> {
    out: &'a mut Vec<u8>,
    list: OpenList,
}

impl Spans<'_> {
    /// Appends a span; `parts` writes its references, tags and logs.
    #[inline]
    pub fn put(&mut self, head: &SpanHead<'_>, parts: impl FnOnce(&mut SpanParts<'_>)) {
        self.list.count();
        let out = &mut *self.out;
        put_trace_id(out, [1, 2], head.trace_id);
        put_i64_bytes(out, 3, head.span_id);
        put_i64_bytes(out, 4, head.parent_span_id);
        put_binary(out, 5, head.operation_name.as_bytes());
        put_i32(out, 7, head.flags);
        put_i64(out, 8, head.start_micros);
        put_i64(out, 9, head.duration_micros);
        parts(&mut SpanParts { out });
        put_stop(out);
    }
}

/// The parts of a span that may be absent. Each is written at most once: a reader takes the last of several lists.
#[derive(Debug)]
pub struct SpanParts<'a> {
    out: &'a mut Vec<u8>,
}

impl SpanParts<'_> {
    /// Writes the references to other spans; nothing when `body` writes none.
    #[inline]
    pub fn references(&mut self, body: impl FnOnce(&mut References<'_>)) {
        let list = begin_list(self.out, 6);
        let mut references = References {
            out: self.out,
            list,
        };
        body(&mut references);
        let References { out, list } = references;
        list.end_unless_empty(out);
    }

    /// Writes the tags; nothing when `body` writes none.
    #[inline]
    pub fn tags(&mut self, body: impl FnOnce(&mut Tags<'_>)) {
        put_tags(self.out, 10, body).end_unless_empty(self.out);
    }

    /// Writes the logs; nothing when `body` writes none.
    #[inline]
    pub fn logs(&mut self, body: impl FnOnce(&mut Logs<'_>)) {
        let list = begin_list(self.out, 11);
        let mut logs = Logs {
            out: self.out,
            list,
        };
        body(&mut logs);
        let Logs { out, list } = logs;
        list.end_unless_empty(out);
    }
}

/// References of a span to others.
#[derive(Debug)]
pub struct References<'a> {
    out: &'a mut Vec<u8>,
    list: OpenList,
}

impl References<'_> {
    /// Appends a reference to a parent.
    #[inline]
    pub fn child_of(&mut self, trace_id: [u8; 16], span_id: [u8; 8]) {
        self.put(CHILD_OF, trace_id, span_id);
    }

    /// Appends a reference to a span that is related in another way, such as a link of OpenTelemetry.
    #[inline]
    pub fn follows_from(&mut self, trace_id: [u8; 16], span_id: [u8; 8]) {
        self.put(FOLLOWS_FROM, trace_id, span_id);
    }

    #[inline]
    fn put(&mut self, ref_type: i32, trace_id: [u8; 16], span_id: [u8; 8]) {
        self.list.count();
        put_i32(self.out, 1, ref_type);
        put_trace_id(self.out, [2, 3], trace_id);
        put_i64_bytes(self.out, 4, span_id);
        put_stop(self.out);
    }
}

/// The logs of a span.
#[derive(Debug)]
pub struct Logs<'a> {
    out: &'a mut Vec<u8>,
    list: OpenList,
}

impl Logs<'_> {
    /// Appends a log of the time `micros`, in microseconds since 1970; `fields` writes its fields.
    #[inline]
    pub fn put(&mut self, micros: i64, fields: impl FnOnce(&mut Tags<'_>)) {
        self.list.count();
        put_i64(self.out, 1, micros);
        put_tags(self.out, 2, fields).end(self.out);
        put_stop(self.out);
    }
}

/// Tags of a process or span, or fields of a log. Keys are not compared: a key that is written twice is there twice.
#[derive(Debug)]
pub struct Tags<'a> {
    out: &'a mut Vec<u8>,
    list: OpenList,
}

impl Tags<'_> {
    /// Appends a tag that is text.
    #[inline]
    pub fn string(&mut self, key: &str, value: &str) {
        self.begin(key, STRING);
        put_binary(self.out, 3, value.as_bytes());
        put_stop(self.out);
    }

    /// Appends a tag that is a floating-point number.
    #[inline]
    pub fn double(&mut self, key: &str, value: f64) {
        self.begin(key, DOUBLE);
        put_double(self.out, 4, value);
        put_stop(self.out);
    }

    /// Appends a tag that is true or false.
    #[inline]
    pub fn bool(&mut self, key: &str, value: bool) {
        self.begin(key, BOOL);
        put_bool(self.out, 5, value);
        put_stop(self.out);
    }

    /// Appends a tag that is an integer.
    #[inline]
    pub fn long(&mut self, key: &str, value: i64) {
        self.begin(key, LONG);
        put_i64(self.out, 6, value);
        put_stop(self.out);
    }

    /// Appends a tag that is bytes.
    #[inline]
    pub fn binary(&mut self, key: &str, value: &[u8]) {
        self.begin(key, BINARY);
        put_binary(self.out, 7, value);
        put_stop(self.out);
    }

    #[inline]
    fn begin(&mut self, key: &str, v_type: i32) {
        self.list.count();
        put_binary(self.out, 1, key.as_bytes());
        put_i32(self.out, 2, v_type);
    }
}

/// Writes a list of tags; how it ends is the caller's choice.
#[inline]
fn put_tags(out: &mut Vec<u8>, id: i16, body: impl FnOnce(&mut Tags<'_>)) -> OpenList {
    let list = begin_list(out, id);
    let mut tags = Tags { out, list };
    body(&mut tags);
    tags.list
}

/// Writes a trace id as two fields, `[low, high]`.
#[inline]
fn put_trace_id(out: &mut Vec<u8>, [low_id, high_id]: [i16; 2], trace_id: [u8; 16]) {
    let [
        h0,
        h1,
        h2,
        h3,
        h4,
        h5,
        h6,
        h7,
        l0,
        l1,
        l2,
        l3,
        l4,
        l5,
        l6,
        l7,
    ] = trace_id;
    put_i64_bytes(out, low_id, [l0, l1, l2, l3, l4, l5, l6, l7]);
    put_i64_bytes(out, high_id, [h0, h1, h2, h3, h4, h5, h6, h7]);
}

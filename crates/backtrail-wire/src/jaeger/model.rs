//! What Thrift and protobuf say alike of a span, borrowed from the bytes that said it.

use super::fault::Fault;
use crate::otlp::AnyValue;

/// An encoding of Jaeger's model. Lists are read when they are asked for.
pub(crate) trait Model<'a>: Sized {
    /// Where a list stands.
    type List: Copy;

    /// Tags, or the fields of a log, with the values that their types name, in their order.
    fn key_values(list: Self::List)
    -> impl Iterator<Item = Result<(&'a str, AnyValue<'a>), Fault>>;

    /// The logs of a span.
    fn logs(list: Self::List) -> impl Iterator<Item = Result<Log<'a, Self>, Fault>>;

    /// The references of a span; `None` stands for one that refers to nothing.
    fn references(list: Self::List) -> impl Iterator<Item = Result<Option<SpanRef>, Fault>>;

    /// The warnings of a span, in an encoding that has them.
    fn warnings(_list: Self::List) -> impl Iterator<Item = Result<&'a str, Fault>> {
        std::iter::empty()
    }
}

/// A span.
#[expect(
    clippy::struct_field_names,
    reason = "the names are those of Jaeger's model"
)]
pub(crate) struct Span<'a, M: Model<'a>> {
    pub(crate) trace_id: u128,
    pub(crate) span_id: u64,
    /// 0 when only a reference may name the parent.
    pub(crate) parent_span_id: u64,
    pub(crate) operation_name: &'a str,
    pub(crate) references: M::List,
    pub(crate) flags: u32,
    pub(crate) start_unix_nano: u64,
    pub(crate) end_unix_nano: u64,
    pub(crate) tags: M::List,
    pub(crate) logs: M::List,
    /// `None` in an encoding that has none.
    pub(crate) warnings: Option<M::List>,
}

/// What sends spans.
pub(crate) struct Process<'a, M: Model<'a>> {
    pub(crate) service_name: &'a str,
    pub(crate) tags: M::List,
}

/// What happened at one instant.
pub(crate) struct Log<'a, M: Model<'a>> {
    pub(crate) time_unix_nano: u64,
    pub(crate) fields: M::List,
}

/// A reference to another span.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct SpanRef {
    pub(crate) ref_type: i64,
    pub(crate) trace_id: u128,
    pub(crate) span_id: u64,
}

impl SpanRef {
    pub(crate) const CHILD_OF: i64 = 0;
    pub(crate) const FOLLOWS_FROM: i64 = 1;
}

//! What a request may ask for.

/// Bounds that decoders keep. Meeting one rejects the span (or the request) with a reason that names the limit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Levels of arrays and maps inside an attribute value. 32 by default; `prost` gives up at about 45.
    pub max_value_depth: usize,
    /// Bytes of one span as OTLP protobuf. 4 MiB by default.
    pub max_span_bytes: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            max_value_depth: 32,
            max_span_bytes: 4 << 20,
        }
    }
}

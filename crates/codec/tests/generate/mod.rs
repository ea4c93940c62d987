//! OTLP messages of every shape out of random bytes: the fewer and smaller the bytes, the simpler the message, so that `proptest` shrinks a
//! failure by shrinking bytes. The messages are those of `opentelemetry-proto`, which encodes them without our help.

use opentelemetry_proto::tonic::common::v1::any_value::Value;
use opentelemetry_proto::tonic::common::v1::{
    AnyValue, ArrayValue, EntityRef, InstrumentationScope, KeyValue, KeyValueList,
};
use opentelemetry_proto::tonic::resource::v1::Resource;
use opentelemetry_proto::tonic::trace::v1::span::{Event, Link};
use opentelemetry_proto::tonic::trace::v1::{ResourceSpans, ScopeSpans, Span, Status, TracesData};

/// A source of choices. When it runs dry every choice is the simplest one.
pub(crate) struct Entropy<'a> {
    bytes: &'a [u8],
    /// Whether doubles may be NaN or infinite, which the independent JSON encoder can't write.
    pub(crate) non_finite: bool,
    /// Whether spans may break OTLP's rules.
    pub(crate) invalid: bool,
}

impl<'a> Entropy<'a> {
    pub(crate) fn new(bytes: &'a [u8]) -> Self {
        Self {
            bytes,
            non_finite: true,
            invalid: false,
        }
    }

    fn byte(&mut self) -> u8 {
        let Some((first, rest)) = self.bytes.split_first() else {
            return 0;
        };
        self.bytes = rest;
        *first
    }

    fn below(&mut self, bound: u8) -> u8 {
        self.byte() % bound
    }

    /// Once in `n` times.
    fn once_in(&mut self, n: u8) -> bool {
        self.below(n) == n - 1
    }

    fn array<const N: usize>(&mut self) -> [u8; N] {
        std::array::from_fn(|_| self.byte())
    }

    fn u32(&mut self) -> u32 {
        match self.below(3) {
            0 => 0,
            1 => u32::from(self.byte()),
            _ => u32::from_le_bytes(self.array()),
        }
    }

    fn u64(&mut self) -> u64 {
        match self.below(4) {
            0 => 0,
            1 => 1_700_000_000_000_000_000 + u64::from(self.byte()),
            2 => u64::MAX,
            _ => u64::from_le_bytes(self.array()),
        }
    }

    fn list<T>(&mut self, max_len: u8, mut element: impl FnMut(&mut Self) -> T) -> Vec<T> {
        let len = self.below(max_len + 1);
        (0..len).map(|_| element(self)).collect()
    }

    fn text(&mut self) -> String {
        const TEXTS: [&str; 12] = [
            "",
            "a",
            "service.name",
            "http.request.method",
            "shop",
            "größe",
            "訂單 🧀",
            "\u{0}\u{1f}\u{7f}",
            "\"quoted\" \\ back\nslash\r\t",
            "\u{2028}\u{ffff}\u{10ffff}",
            "true",
            "https://opentelemetry.io/schemas/1.27.0",
        ];
        match self.below(14) {
            12 => "x".repeat(usize::from(self.byte())),
            13 => String::from_utf8_lossy(&self.array::<8>()).into_owned(),
            index => TEXTS[usize::from(index)].to_owned(),
        }
    }

    fn value(&mut self, depth: u8) -> Option<Value> {
        let kinds = if depth == 0 { 6 } else { 8 };
        Some(match self.below(kinds) {
            0 => Value::StringValue(self.text()),
            1 => Value::BoolValue(self.once_in(2)),
            2 => Value::IntValue(match self.below(4) {
                0 => i64::from(self.byte()),
                1 => i64::MIN,
                2 => i64::MAX,
                _ => i64::from_le_bytes(self.array()),
            }),
            3 => Value::DoubleValue(self.double()),
            4 => Value::BytesValue(self.list(20, Self::byte)),
            5 => return None,
            6 => Value::ArrayValue(ArrayValue {
                values: self.list(3, |entropy| AnyValue {
                    value: entropy.value(depth - 1),
                }),
            }),
            _ => Value::KvlistValue(KeyValueList {
                values: self.list(3, |entropy| entropy.key_value(depth - 1)),
            }),
        })
    }

    fn double(&mut self) -> f64 {
        const DOUBLES: [f64; 8] = [
            0.0,
            -0.0,
            0.1,
            1e300,
            f64::MIN_POSITIVE,
            5e-324,
            f64::MAX,
            9_007_199_254_740_993.0,
        ];
        let double = match self.below(12) {
            8 => f64::NAN,
            9 => f64::NEG_INFINITY,
            10 | 11 => f64::from_le_bytes(self.array()),
            index => DOUBLES[usize::from(index)],
        };
        if double.is_finite() || self.non_finite {
            double
        } else {
            1.5
        }
    }

    fn key_value(&mut self, depth: u8) -> KeyValue {
        KeyValue {
            key: self.text(),
            value: if self.once_in(12) {
                None
            } else {
                Some(AnyValue {
                    value: self.value(depth),
                })
            },
            ..KeyValue::default()
        }
    }

    fn attributes(&mut self) -> Vec<KeyValue> {
        let mut attributes = self.list(3, |entropy| entropy.key_value(3));
        if self.once_in(5) {
            attributes.extend(attributes.clone());
        }
        attributes
    }

    fn id<const N: usize>(&mut self) -> Vec<u8> {
        let mut id = self.array::<N>();
        id[N - 1] |= 1;
        id.to_vec()
    }

    fn event(&mut self) -> Event {
        Event {
            time_unix_nano: self.u64(),
            name: self.text(),
            attributes: self.attributes(),
            dropped_attributes_count: self.u32(),
        }
    }

    fn link(&mut self) -> Link {
        Link {
            trace_id: self.id::<16>(),
            span_id: self.id::<8>(),
            trace_state: self.text(),
            attributes: self.attributes(),
            dropped_attributes_count: self.u32(),
            flags: self.u32(),
        }
    }

    fn span(&mut self) -> Span {
        let start_time_unix_nano = self.u64();
        let end_time_unix_nano = match self.below(3) {
            0 => start_time_unix_nano.saturating_add(u64::from(self.byte()) * 1_000_000),
            1 => 0,
            _ => u64::MAX,
        };
        let mut span = Span {
            trace_id: self.id::<16>(),
            span_id: self.id::<8>(),
            trace_state: self.text(),
            parent_span_id: match self.below(4) {
                0 => vec![],
                1 => vec![0; 8],
                _ => self.id::<8>(),
            },
            flags: self.u32(),
            name: self.text(),
            kind: match self.below(8) {
                6 => -1,
                7 => i32::MAX,
                kind => i32::from(kind),
            },
            start_time_unix_nano,
            end_time_unix_nano,
            attributes: self.attributes(),
            dropped_attributes_count: self.u32(),
            events: self.list(2, Self::event),
            dropped_events_count: self.u32(),
            links: self.list(2, Self::link),
            dropped_links_count: self.u32(),
            status: self.list(1, Self::status).pop(),
        };
        if self.invalid {
            self.spoil(&mut span);
        }
        span
    }

    fn status(&mut self) -> Status {
        Status {
            message: self.text(),
            code: match self.below(4) {
                3 => i32::MIN,
                code => i32::from(code),
            },
        }
    }

    /// Breaks one of OTLP's rules, or none.
    fn spoil(&mut self, span: &mut Span) {
        match self.below(16) {
            0 => span.trace_id = vec![0; 16],
            1 => span.trace_id = vec![],
            2 => span.trace_id = vec![7; 17],
            3 => span.span_id = vec![0; 8],
            4 => span.span_id = vec![7; 7],
            5 => span.parent_span_id = vec![7; 16],
            6 => {
                span.start_time_unix_nano = 2;
                span.end_time_unix_nano = 1;
            }
            7 => {
                if let Some(link) = span.links.last_mut() {
                    link.trace_id.pop();
                }
            }
            8 => {
                if let Some(link) = span.links.first_mut() {
                    link.span_id.clear();
                }
            }
            _ => {}
        }
    }

    fn scope_spans(&mut self) -> ScopeSpans {
        ScopeSpans {
            scope: self
                .list(1, |entropy| InstrumentationScope {
                    name: entropy.text(),
                    version: entropy.text(),
                    attributes: entropy.attributes(),
                    dropped_attributes_count: entropy.u32(),
                })
                .pop(),
            spans: self.list(3, Self::span),
            schema_url: self.text(),
        }
    }

    fn resource_spans(&mut self) -> ResourceSpans {
        ResourceSpans {
            resource: self
                .list(1, |entropy| Resource {
                    attributes: entropy.attributes(),
                    dropped_attributes_count: entropy.u32(),
                    entity_refs: entropy.list(1, |entropy| EntityRef {
                        schema_url: entropy.text(),
                        r#type: entropy.text(),
                        id_keys: entropy.list(2, Self::text),
                        description_keys: entropy.list(2, Self::text),
                    }),
                })
                .pop(),
            scope_spans: self.list(3, Self::scope_spans),
            schema_url: self.text(),
        }
    }

    pub(crate) fn request(&mut self) -> TracesData {
        TracesData {
            resource_spans: self.list(3, Self::resource_spans),
        }
    }
}

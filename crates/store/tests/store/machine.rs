//! A store on a simulated machine, and spans that are told apart by their numbers.

use std::collections::BTreeMap;

use backtrail_wire::otlp::{self, AnyValue, Attributes, SpanFields, put_key_value};
use backtrail_wire::protobuf::put_message;
use bytes::Bytes;
use host::sim::SimHost;
use model::{RowSet, Signal, SpanBatch, TenantId};
use store::{Deleted, Deletion, Snapshot, Store, StoreError, StoreOptions};

pub(crate) fn options() -> StoreOptions {
    StoreOptions {
        segment_bytes: 4 << 10,
        min_free_bytes: 0,
        compact_blocks: 3,
        ..StoreOptions::new("data")
    }
}

pub(crate) fn open(sim: &SimHost, options: StoreOptions) -> Result<Store, StoreError> {
    sim.block_on(Store::open(sim.host(), options))
}

/// A span that is told apart by its number.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Spec {
    pub(crate) trace: u8,
    pub(crate) number: u64,
    pub(crate) start_unix_nano: u64,
}

/// The service that sends the spans of a trace.
pub(crate) fn service_of(trace: u8) -> &'static str {
    if trace < 50 { "shop" } else { "bank" }
}

pub(crate) fn request(spans: &[Spec]) -> Bytes {
    let mut out = Vec::new();
    for group in spans.chunk_by(|a, b| service_of(a.trace) == service_of(b.trace)) {
        put_message(&mut out, 1, |out| {
            put_message(out, 1, |out| {
                let service = service_of(group[0].trace);
                put_key_value(out, 1, "service.name", AnyValue::String(service));
            });
            put_message(out, 2, |out| {
                for span in group {
                    let mut list = Vec::new();
                    put_key_value(&mut list, 1, "number", AnyValue::Int(span.number as i64));
                    let fields = SpanFields {
                        trace_id: &[span.trace; 16],
                        span_id: &(span.number + 1).to_be_bytes(),
                        start_unix_nano: span.start_unix_nano,
                        end_unix_nano: span.start_unix_nano + 1,
                        attributes: Attributes::new(&list),
                        ..SpanFields::default()
                    };
                    put_message(out, 2, |out| {
                        otlp::put_span(out, &fields, |_| Ok(())).unwrap();
                    });
                }
            });
        });
    }
    out.into()
}

pub(crate) fn append(sim: &SimHost, store: &Store, spans: &[Spec]) -> Result<u64, StoreError> {
    let payload = request(spans);
    let batch = SpanBatch::from_otlp(&payload).unwrap();
    sim.block_on(store.append(&TenantId::default_tenant(), Signal::Traces, batch, payload))
}

pub(crate) fn delete(
    sim: &SimHost,
    store: &Store,
    deletion: Deletion,
) -> Result<Deleted, StoreError> {
    sim.block_on(store.delete(&TenantId::default_tenant(), deletion))
}

pub(crate) fn snapshot(store: &Store) -> Snapshot {
    store.snapshot(&TenantId::default_tenant())
}

/// How often each span is in the snapshot, and that an index finds it as a scan does.
pub(crate) fn spans_in(snapshot: &Snapshot) -> BTreeMap<Spec, usize> {
    let mut found = BTreeMap::new();
    for scan in snapshot.scans() {
        let partitions: usize = scan.partitions().iter().map(|part| part.rows.len()).sum();
        assert_eq!(partitions, scan.len(), "partitions cover all rows");
        let operations = scan.operations().unwrap();
        let counted: u64 = operations.iter().map(|operation| operation.spans).sum();
        assert_eq!(counted, scan.len() as u64, "operations count all rows");
        let batch = scan.read(&RowSet::range(0..scan.len())).unwrap();
        let columns = batch.columns();
        for row in 0..columns.len() {
            let trace_id = columns.trace_id(row);
            let rows = scan.trace_rows(&trace_id).unwrap();
            assert!(
                rows.iter().any(|indexed| indexed == row),
                "the index has every span"
            );
            let number = u64::from_be_bytes(columns.span_id(row).0) - 1;
            assert_eq!(
                columns.attributes(row).get("number"),
                Some(AnyValue::Int(number as i64))
            );
            assert_eq!(columns.service(row), service_of(trace_id.0[0]));
            let start_unix_nano = columns.starts.value(row);
            *found
                .entry(Spec {
                    trace: trace_id.0[0],
                    number,
                    start_unix_nano,
                })
                .or_default() += 1;
        }
    }
    found
}

pub(crate) fn once(spans: impl IntoIterator<Item = Spec>) -> BTreeMap<Spec, usize> {
    spans.into_iter().map(|span| (span, 1)).collect()
}

/// Numbers spans, and starts them when they are sent.
pub(crate) struct Source {
    pub(crate) next: u64,
}

impl Source {
    pub(crate) fn spans(&mut self, sim: &SimHost, traces: &[u8]) -> Vec<Spec> {
        let start_unix_nano = sim.host().clock.now_unix_nano();
        traces
            .iter()
            .map(|trace| {
                self.next += 1;
                Spec {
                    trace: *trace,
                    number: self.next,
                    start_unix_nano,
                }
            })
            .collect()
    }
}

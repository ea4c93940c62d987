//! Exceptions that came as log records are kept as spans are.

use std::time::Duration;

use backtrail_wire::otlp::{AnyValue, put_key_value};
use backtrail_wire::protobuf::{put_bytes, put_fixed64, put_message};
use bytes::Bytes;
use host::sim::{Crash, SimHost};
use model::{RowSet, Signal, SpanBatch, TenantId, TraceId};
use store::{Store, StoreError};

use crate::machine::{Source, append, once, open, options, snapshot, spans_in};

/// An exception that names a trace and a span.
pub(crate) fn log_request(trace: u8, span: u64, message: &str, time_unix_nano: u64) -> Bytes {
    let mut out = Vec::new();
    put_message(&mut out, 1, |resource_logs| {
        put_message(resource_logs, 1, |resource| {
            put_key_value(resource, 1, "service.name", AnyValue::String("shop"));
        });
        put_message(resource_logs, 2, |scope_logs| {
            put_message(scope_logs, 1, |scope| put_bytes(scope, 1, b"logger"));
            put_message(scope_logs, 2, |record| {
                put_fixed64(record, 1, time_unix_nano);
                put_key_value(record, 6, "exception.message", AnyValue::String(message));
                put_bytes(record, 9, &[trace; 16]);
                put_bytes(record, 10, &span.to_be_bytes());
            });
        });
    });
    out.into()
}

pub(crate) fn append_log(sim: &SimHost, store: &Store, payload: Bytes) -> Result<u64, StoreError> {
    let batch = SpanBatch::from_otlp_logs(&payload).unwrap();
    sim.block_on(store.append(&TenantId::default_tenant(), Signal::Logs, batch, payload))
}

/// The messages of a trace's exceptions with their services and scopes, sorted.
pub(crate) fn exceptions_of(store: &Store, trace: u8) -> Vec<String> {
    let mut found = Vec::new();
    for scan in snapshot(store).scans() {
        let trace_id = TraceId([trace; 16]);
        let batch = scan.lone_events(&trace_id).unwrap();
        assert_eq!(batch.len(), 0, "a lone event has no span");
        assert!(batch.is_empty() || scan.may_contain_trace(&trace_id));
        let columns = batch.event_columns();
        for row in columns.lone_rows() {
            assert_eq!(columns.names.value(row), "exception");
            let Some(AnyValue::String(message)) = columns.attributes(row).get("exception.message")
            else {
                panic!("the message is kept");
            };
            let resource = backtrail_wire::otlp::ResourceSpans::new(columns.resources.value(row));
            let service = resource.service_name().unwrap().unwrap_or_default();
            let scope = backtrail_wire::otlp::ScopeSpans::new(columns.scopes.value(row));
            found.push(format!(
                "{message} of {service} by {}",
                scope.name().unwrap()
            ));
        }
    }
    found.sort();
    found
}

#[test]
fn an_exception_from_a_log_record_survives_power_cuts_flushes_and_merges() {
    let sim = SimHost::new(20);
    let mut source = Source { next: 0 };
    let store = open(&sim, options()).unwrap();
    let now = sim.host().clock.now_unix_nano();
    let spans = source.spans(&sim, &[1, 2]);
    append_log(&sim, &store, log_request(1, 2, "first", now)).unwrap();
    append(&sim, &store, &spans).unwrap();
    append_log(&sim, &store, log_request(3, 9, "alone", now)).unwrap();
    let check = |store: &Store| {
        assert_eq!(exceptions_of(store, 1), ["first of shop by logger"]);
        assert_eq!(exceptions_of(store, 3), ["alone of shop by logger"]);
        assert_eq!(spans_in(&snapshot(store)), once(spans.clone()));
    };
    check(&store);
    drop(store);
    sim.crash(Crash::DropUnsynced);
    let store = open(&sim, options()).unwrap();
    check(&store);

    sim.clock().advance(Duration::from_secs(20));
    sim.block_on(store.flush()).unwrap();
    assert_eq!(store.stats().memtable_bytes, 0);
    check(&store);
    for trace in 5..8 {
        append_log(&sim, &store, log_request(trace, 1, "more", now)).unwrap();
        sim.clock().advance(Duration::from_secs(20));
        sim.block_on(store.flush()).unwrap();
    }
    sim.block_on(store.compact()).unwrap();
    assert_eq!((store.stats().compactions, store.stats().blocks), (1, 1));
    check(&store);
    drop(store);
    sim.crash(Crash::DropUnsynced);
    let store = open(&sim, options()).unwrap();
    check(&store);
    assert_eq!(exceptions_of(&store, 7), ["more of shop by logger"]);
}

#[test]
fn a_log_record_that_a_client_repeats_collapses() {
    let sim = SimHost::new(22);
    let store = open(&sim, options()).unwrap();
    let now = sim.host().clock.now_unix_nano();
    let messages = ["same", "same", "other"];
    for round in 0..3 {
        for message in messages {
            append_log(&sim, &store, log_request(1, 2, message, now)).unwrap();
        }
        sim.clock().advance(Duration::from_secs(20));
        sim.block_on(store.flush()).unwrap();
        let blocks = exceptions_of(&store, 1).len() as u64;
        assert_eq!(
            (blocks, store.stats().repeats),
            (2 * (round + 1), round + 1)
        );
    }
    sim.block_on(store.compact()).unwrap();
    let expected = ["other of shop by logger", "same of shop by logger"];
    assert_eq!(exceptions_of(&store, 1), expected);
    assert_eq!(store.stats().repeats, 7);
}

#[test]
fn the_exception_of_an_active_trace_is_carried_alone() {
    let sim = SimHost::new(21);
    let store = open(&sim, options()).unwrap();
    let now = sim.host().clock.now_unix_nano();
    append_log(&sim, &store, log_request(1, 2, "idle", now)).unwrap();
    sim.clock().advance(Duration::from_secs(14));
    append_log(&sim, &store, log_request(2, 2, "active", now)).unwrap();
    sim.clock().advance(Duration::from_secs(3));
    sim.block_on(store.flush()).unwrap();
    assert_eq!(store.stats().blocks, 1);
    assert!(store.stats().memtable_bytes > 0, "trace 2 stays in memory");
    drop(store);
    sim.crash(Crash::DropUnsynced);
    let store = open(&sim, options()).unwrap();
    assert_eq!(exceptions_of(&store, 1), ["idle of shop by logger"]);
    assert_eq!(exceptions_of(&store, 2), ["active of shop by logger"]);
    let spans: usize = snapshot(&store)
        .scans()
        .iter()
        .map(|scan| scan.read(&RowSet::range(0..scan.len())).unwrap().len())
        .sum();
    assert_eq!(spans, 0);
}

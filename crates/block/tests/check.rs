//! A check finds nothing wrong with what was written, and anything that is changed afterwards.

#![allow(
    clippy::unwrap_used,
    reason = "a test that can't go on should say where"
)]

use std::path::{Path, PathBuf};

use block::{ArrivedRange, BlockCheck, BlockId, BlockMeta, Window};
use host::Host;
use host::sim::SimHost;
use model::batch::LoneEvent;
use model::{SpanBatch, SpanBatchBuilder, SpanId, TraceId};
use opentelemetry_proto::tonic::common::v1::{AnyValue, InstrumentationScope, KeyValue, any_value};
use opentelemetry_proto::tonic::resource::v1::Resource;
use opentelemetry_proto::tonic::trace::v1::span::Event;
use opentelemetry_proto::tonic::trace::v1::{ResourceSpans, ScopeSpans, Span, TracesData};
use prost::Message;

const DIR: &str = "default/h0";
const FILES: [&str; 4] = [
    "spans.parquet",
    "events.parquet",
    "traces.parquet",
    "footer",
];

fn attribute(key: &str, value: i64) -> KeyValue {
    KeyValue {
        key: key.to_owned(),
        value: Some(AnyValue {
            value: Some(any_value::Value::IntValue(value)),
        }),
        ..KeyValue::default()
    }
}

/// Traces of four spans, each with an event; `seed` changes what is random about them.
fn batch(traces: u64, seed: u64) -> SpanBatch {
    let spans = (0..traces * 4).map(|number| {
        let (trace, in_trace) = (number / 4 + 1, number % 4);
        let id = |number: u64| (number + 1).wrapping_mul(seed | 1).to_be_bytes().to_vec();
        let attributes = [
            attribute("http.status", (number % 7) as i64),
            // Too rare for a column of its own.
            attribute(&format!("rare.{}", number % 300), 1),
            attribute("http.status", 2),
        ];
        Span {
            trace_id: [id(trace), id(trace + 7)].concat(),
            span_id: id(number),
            parent_span_id: if in_trace == 0 {
                Vec::new()
            } else {
                id(number - 1)
            },
            name: format!("op{in_trace}"),
            start_time_unix_nano: 1000 + number.wrapping_mul(seed) % 5000,
            end_time_unix_nano: 9000,
            events: vec![Event {
                time_unix_nano: 2000,
                name: "event".to_owned(),
                attributes: vec![attribute("size", number as i64)],
                ..Event::default()
            }],
            attributes: attributes[..=(number % 3) as usize].to_vec(),
            ..Span::default()
        }
    });
    let request = TracesData {
        resource_spans: vec![ResourceSpans {
            resource: Some(Resource {
                attributes: vec![attribute("host.cpus", 2)],
                ..Resource::default()
            }),
            scope_spans: vec![ScopeSpans {
                scope: Some(InstrumentationScope {
                    attributes: vec![attribute("scope.key", 2)],
                    ..InstrumentationScope::default()
                }),
                spans: spans.collect(),
                ..ScopeSpans::default()
            }],
            ..ResourceSpans::default()
        }],
    };
    SpanBatch::from_otlp(&request.encode_to_vec()).unwrap()
}

struct Written {
    host: Host,
    meta: BlockMeta,
}

fn write(batch: &SpanBatch) -> Written {
    let host = SimHost::new(1).host();
    let arrived = ArrivedRange {
        min_unix_nano: 1,
        max_unix_nano: 2,
    };
    let id = BlockId::random(&*host.random);
    let meta = block::write(&host, Path::new(DIR), &id, Window::Hour(0), arrived, batch).unwrap();
    Written { host, meta }
}

impl Written {
    fn check(&self) -> BlockCheck {
        block::check(&self.host, Path::new(DIR), &self.meta, &mut |_| {})
    }

    fn path(&self, name: &str) -> PathBuf {
        Path::new(DIR).join(self.meta.id.as_str()).join(name)
    }

    fn read(&self, name: &str) -> Vec<u8> {
        let file = self.host.files.open(&self.path(name)).unwrap();
        let mut bytes = vec![0; file.len().unwrap() as usize];
        file.read_exact_at(&mut bytes, 0).unwrap();
        bytes
    }

    fn overwrite(&self, name: &str, bytes: &[u8]) {
        let file = self.host.files.open_write(&self.path(name)).unwrap();
        file.set_len(bytes.len() as u64).unwrap();
        file.write_all_at(bytes, 0).unwrap();
    }

    /// Changes what the footer says and makes its checksums right again: what only the rows can contradict.
    fn forge(&mut self, change: impl FnOnce(&mut serde_json::Value)) {
        let bytes = self.read("footer");
        let mut json = serde_json::from_slice(&bytes[16..]).unwrap();
        change(&mut json);
        let payload = serde_json::to_vec(&json).unwrap();
        let mut forged = bytes[..8].to_vec();
        forged.extend((payload.len() as u32).to_le_bytes());
        forged.extend(crc32c::crc32c(&payload).to_le_bytes());
        forged.extend(payload);
        self.meta.bytes = self.meta.bytes + forged.len() as u64 - bytes.len() as u64;
        self.meta.footer_crc32c = crc32c::crc32c(&forged);
        self.overwrite("footer", &forged);
    }

    /// The only defect: its file's name, and what is wrong.
    fn only_defect(&self) -> (String, String) {
        let [defect] = &self.check().defects[..] else {
            panic!("not one defect: {:?}", self.check().defects);
        };
        let name = defect.path.file_name().unwrap().to_str().unwrap();
        (name.to_owned(), defect.what.clone())
    }
}

#[test]
fn what_was_written_is_whole() {
    for (traces, seed) in [(0, 1), (1, 1), (300, 0x9e37_79b9_7f4a_7c15), (3000, 77)] {
        let written = write(&batch(traces, seed));
        let found = written.check();
        assert_eq!(found.defects, []);
        assert_eq!(
            (found.traces, found.spans, found.events, found.bytes),
            (traces, traces * 4, traces * 4, written.meta.bytes)
        );
    }
}

#[test]
fn events_without_their_span_count_and_are_checked() {
    let mut builder = SpanBatchBuilder::new();
    let spans = batch(2, 3);
    let columns = spans.columns();
    for row in 0..columns.len() {
        builder.push_row(&columns, row);
    }
    for trace in [0, 200] {
        builder.push_lone_event(&LoneEvent {
            trace_id: TraceId([trace; 16]),
            span_id: SpanId([1; 8]),
            time_unix_nano: 1500,
            name: "exception",
            attributes: model::Attributes::default(),
            dropped_attributes_count: 0,
            resource: &[],
            scope: &[],
        });
    }
    let found = write(&builder.finish()).check();
    assert_eq!(found.defects, []);
    assert_eq!((found.traces, found.spans, found.events), (4, 8, 10));
}

#[test]
fn a_flipped_bit_anywhere_is_found_and_its_place_is_named() {
    let written = write(&batch(2000, 0x9e37_79b9_7f4a_7c15));
    for name in FILES {
        let good = written.read(name);
        for place in 0..17 {
            let offset = place * (good.len() - 1) / 16;
            let mut bad = good.clone();
            bad[offset] ^= 1 << (place % 8);
            written.overwrite(name, &bad);
            let found = written.check();
            let [defect] = &found.defects[..] else {
                panic!("{name} at {offset}: {:?}", found.defects);
            };
            assert_eq!(defect.path, written.path(name));
            let piece = if name == "footer" {
                0
            } else {
                offset >> 16 << 16
            };
            assert_eq!(defect.offset, Some(piece as u64), "{name}");
        }
        written.overwrite(name, &good);
    }
    assert_eq!(written.check().defects, []);
}

#[test]
fn a_file_that_is_missing_or_cut_is_found() {
    for name in FILES {
        let written = write(&batch(10, 1));
        let bytes = written.read(name);
        written.overwrite(name, &bytes[..bytes.len() - 1]);
        assert_eq!(written.only_defect().0, name);
        written.host.files.remove_file(&written.path(name)).unwrap();
        assert_eq!(written.only_defect().0, name);
    }
}

#[test]
fn a_format_of_another_version_is_named() {
    let written = write(&batch(1, 1));
    let mut footer = written.read("footer");
    footer[4] = 9;
    written.overwrite("footer", &footer);
    let (file, what) = written.only_defect();
    assert_eq!(file, "footer");
    assert!(what.contains("block format 9 is not known"), "{what}");
}

#[test]
fn a_footer_that_the_rows_contradict_is_found() {
    type Change = fn(&mut serde_json::Value);
    let changes: [(Change, &str); 10] = [
        (
            |footer| footer["lone_events"]["events"] = 1.into(),
            "says 1 events without span and there are 0",
        ),
        (
            |footer| footer["lone_events"]["max_time_unix_nano"] = 1.into(),
            "times of events without span",
        ),
        (
            |footer| footer["partitions"][0]["min_start_unix_nano"] = 1.into(),
            "partition",
        ),
        (
            |footer| footer["partitions"] = serde_json::json!([]),
            "partitions cover 0 rows",
        ),
        (
            |footer| footer["trace_index"][1] = "ff".repeat(16).into(),
            "index of traces",
        ),
        (
            |footer| footer["catalogue"]["span"][0]["residual"] = 77.into(),
            "span attribute \"http.status\"",
        ),
        (
            |footer| footer["catalogue"]["resource"]["keys"] = serde_json::json!([]),
            "resource attribute \"host.cpus\"",
        ),
        (
            |footer| footer["catalogue"]["event"]["keys"] = serde_json::json!(["a"]),
            "event attribute \"size\"",
        ),
        (
            |footer| footer["catalogue"]["instrumentation"]["keys"] = serde_json::json!(["name"]),
            "instrumentation scope attribute",
        ),
        (
            |footer| footer["operations"][0]["spans"] = 1.into(),
            "operations",
        ),
    ];
    for (change, expected) in changes {
        let mut written = write(&batch(1500, 0x9e37_79b9_7f4a_7c15));
        written.forge(change);
        let (file, what) = written.only_defect();
        assert_eq!(file, "footer");
        assert!(what.contains(expected), "{what}");
    }
}

#[test]
fn files_of_different_blocks_do_not_pass_for_one() {
    // Both are whole, and the checksums of the forged footer are right; only the rows don't belong together.
    for (name, expected) in [
        ("events.parquet", "other ids than the span"),
        ("traces.parquet", "differs from the spans in column"),
    ] {
        let mut written = write(&batch(50, 0x9e37_79b9_7f4a_7c15));
        let other = write(&batch(50, 0x9e37_79b9_7f4a_7c17));
        let bytes = other.read(name);
        let part = FILES.iter().position(|file| *file == name).unwrap();
        let before = written.read(name).len() as u64;
        written.overwrite(name, &bytes);
        written.meta.bytes = written.meta.bytes + bytes.len() as u64 - before;
        written.forge(|footer| {
            footer["parts"][part]["len"] = bytes.len().into();
            footer["parts"][part]["checksums"] = serde_json::json!(
                bytes
                    .chunks(64 << 10)
                    .map(crc32c::crc32c)
                    .collect::<Vec<_>>()
            );
        });
        let (file, what) = written.only_defect();
        assert_eq!(file, name);
        assert!(what.contains(expected), "{what}");
    }
}

#[test]
fn a_manifest_that_the_block_contradicts_is_found() {
    type Change = fn(&mut BlockMeta);
    let changes: [(Change, &str, &str); 5] = [
        (
            |meta| meta.spans += 1,
            "footer",
            "8 spans and the manifest says 9",
        ),
        (
            |meta| meta.bytes += 1,
            "footer",
            "bytes and the manifest says",
        ),
        (
            |meta| meta.footer_crc32c += 1,
            "footer",
            "not the one in the manifest",
        ),
        (
            |meta| meta.max_start_unix_nano += 1,
            "spans.parquet",
            "the manifest says",
        ),
        (
            |meta| meta.window = Window::Hour(3),
            "spans.parquet",
            "does not belong into window h3",
        ),
    ];
    for (change, expected_file, expected) in changes {
        let mut written = write(&batch(2, 1));
        change(&mut written.meta);
        let (file, what) = written.only_defect();
        assert_eq!(file, expected_file);
        assert!(what.contains(expected), "{what}");
    }
}

use std::net::TcpListener;

use backtrail::Exporter;

use crate::collector::{Collector, PATIENCE, Reply};
use crate::{described, export, reason, system_of, trace};

#[test]
fn the_environment_may_name_several_exporters() {
    let collector = Collector::start();
    let tracing = system_of(&collector, &[("OTEL_TRACES_EXPORTER", "otlp,console")]);
    assert_eq!(export(&tracing), Ok(()));
    assert_eq!(collector.next().span_names(), ["checkout"]);
    assert_eq!(tracing.stats().exported, 1);
}

#[test]
fn none_makes_spans_and_exports_nothing() {
    let collector = Collector::start();
    let tracing = system_of(&collector, &[("OTEL_TRACES_EXPORTER", "none")]);
    assert_eq!(export(&tracing), Ok(()));
    assert!(tracing.is_enabled());
    assert!(collector.try_next().is_none());
}

#[test]
fn one_exporter_that_hangs_keeps_nothing_from_the_others() {
    let silent = TcpListener::bind("127.0.0.1:0").unwrap();
    let dead = format!("http://{}", silent.local_addr().unwrap());
    let collector = Collector::start();
    let tracing = described(&[("OTEL_BSP_EXPORT_TIMEOUT", "100")])
        .exporter(Exporter::otlp_http(dead))
        .exporter(Exporter::otlp_http(collector.url()))
        .initialize()
        .unwrap();
    trace(&tracing, "checkout");
    let _lost = tracing.force_flush(PATIENCE);
    assert_eq!(collector.next().span_names(), ["checkout"]);
    assert_eq!(tracing.stats().failed, 1);
}

#[test]
fn a_batch_that_one_of_several_refuses_counts_as_failed() {
    let (strict, lenient) = (Collector::start(), Collector::start());
    strict.reply(Reply::status(400));
    let tracing = described(&[])
        .exporter(Exporter::otlp_http(lenient.url()))
        .exporter(Exporter::jaeger(format!("{}/api/traces", strict.url())))
        .initialize()
        .unwrap();
    assert!(reason(export(&tracing)).contains("400"));
    assert_eq!(lenient.next().span_names(), ["checkout"]);
    assert_eq!(strict.next().path, "/api/traces");
}

//! Who sent metrics, and how many: requests are written by `prost` and `serde` from the types of `opentelemetry-proto`.

#![allow(clippy::unwrap_used, reason = "in a test a failure is a panic")]

use codec::{OtlpEncoding, summarize_metrics};
use opentelemetry_proto::tonic::common::v1::any_value::Value;
use opentelemetry_proto::tonic::common::v1::{AnyValue, KeyValue};
use opentelemetry_proto::tonic::metrics::v1::metric::Data;
use opentelemetry_proto::tonic::metrics::v1::{
    ExponentialHistogram, Gauge, Histogram, Metric, MetricsData, ResourceMetrics, ScopeMetrics,
    Sum, Summary,
};
use opentelemetry_proto::tonic::resource::v1::Resource;
use proptest::prelude::*;
use proptest::sample::select;
use prost::Message;

const ENCODINGS: [OtlpEncoding; 2] = [OtlpEncoding::Protobuf, OtlpEncoding::Json];

fn metric(kind: u8, points: usize) -> Metric {
    fn data_points<T: Default + Clone>(points: usize) -> Vec<T> {
        vec![T::default(); points]
    }
    let data = match kind {
        0 => Data::Gauge(Gauge {
            data_points: data_points(points),
        }),
        1 => Data::Sum(Sum {
            data_points: data_points(points),
            ..Sum::default()
        }),
        2 => Data::Histogram(Histogram {
            data_points: data_points(points),
            ..Histogram::default()
        }),
        3 => Data::ExponentialHistogram(ExponentialHistogram {
            data_points: data_points(points),
            ..ExponentialHistogram::default()
        }),
        _ => Data::Summary(Summary {
            data_points: data_points(points),
        }),
    };
    Metric {
        name: "queue.length".to_owned(),
        data: Some(data),
        ..Metric::default()
    }
}

fn group(service: Option<&str>, metrics: Vec<Metric>) -> ResourceMetrics {
    let attribute = service.map(|name| KeyValue {
        key: "service.name".to_owned(),
        value: Some(AnyValue {
            value: Some(Value::StringValue(name.to_owned())),
        }),
        ..KeyValue::default()
    });
    ResourceMetrics {
        resource: Some(Resource {
            attributes: attribute.into_iter().collect(),
            ..Resource::default()
        }),
        scope_metrics: vec![ScopeMetrics {
            metrics,
            ..ScopeMetrics::default()
        }],
        ..ResourceMetrics::default()
    }
}

fn write(encoding: OtlpEncoding, request: &MetricsData) -> Vec<u8> {
    match encoding {
        OtlpEncoding::Protobuf => request.encode_to_vec(),
        OtlpEncoding::Json => serde_json::to_vec(request).unwrap(),
    }
}

proptest! {
    #[test]
    fn data_points_of_every_kind_are_counted_and_services_named(
        groups in prop::collection::vec(
            (prop::option::of("[a-z]{1,3}"), prop::collection::vec((0..5_u8, 0..4_usize), 0..4)),
            0..4,
        ),
        encoding in select(ENCODINGS.to_vec()),
    ) {
        let request = MetricsData {
            resource_metrics: groups.iter().map(|(service, metrics)| {
                let metrics = metrics.iter().map(|(kind, points)| metric(*kind, *points));
                group(service.as_deref(), metrics.collect())
            }).collect(),
        };
        let summary = summarize_metrics(encoding, &write(encoding, &request)).unwrap();
        let points = groups.iter().flat_map(|(_, metrics)| metrics).map(|(_, points)| points);
        prop_assert_eq!(summary.data_points, points.sum::<usize>());
        let mut services: Vec<&str> = Vec::new();
        for (service, _) in &groups {
            let service = service.as_deref().unwrap_or_default();
            if !services.contains(&service) {
                services.push(service);
            }
        }
        prop_assert_eq!(summary.services.iter().collect::<Vec<_>>(), services);
    }

    #[test]
    fn any_bytes_have_an_answer(
        encoding in select(ENCODINGS.to_vec()),
        body in prop::collection::vec(any::<u8>(), 0..200),
    ) {
        let _ = summarize_metrics(encoding, &body);
    }
}

#[test]
fn what_is_no_request_is_an_error_that_names_it() {
    let error = summarize_metrics(OtlpEncoding::Protobuf, b"\x0a\x09").unwrap_err();
    let expected = "not an ExportMetricsServiceRequest: at byte 0: ";
    assert!(error.to_string().starts_with(expected), "{error}");
    let error = summarize_metrics(OtlpEncoding::Json, b"{\"resourceMetrics\":1}").unwrap_err();
    assert!(
        error.to_string().contains("a list (OTLP metrics)"),
        "{error}"
    );
}

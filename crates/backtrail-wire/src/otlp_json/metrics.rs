//! Metrics, as far as somebody who does not keep them looks into them.

use std::cell::Cell;

use serde::de::{DeserializeSeed, IgnoredAny, MapAccess, SeqAccess};
use serde_json::value::RawValue;

use super::object::{Context, Elements, List, Members, Object, read_object, skip};
use super::span::Resource;
use crate::json::{JsonError, json_text};
use crate::otlp::ResourceSpans;
use crate::protobuf::begin_message;
use crate::{MetricsSummary, RejectReason};

/// Levels of a value in a resource. What is deeper makes the resource one without a name.
const MAX_VALUE_DEPTH: usize = 32;

/// Looks into a `MetricsData` (or `ExportMetricsServiceRequest`).
pub fn metrics_summary(json: &[u8]) -> Result<MetricsSummary, JsonError> {
    let json = json_text(json)?;
    let mut summary = MetricsSummary::default();
    let mut reader = serde_json::Deserializer::from_str(json);
    Object(At {
        level: Level::Request,
        summary: &mut summary,
        resource: Vec::new(),
    })
    .deserialize(&mut reader)
    .and_then(|_| reader.end())
    .map_err(|error| JsonError::syntax(&error))?;
    Ok(summary)
}

#[derive(Clone, Copy)]
enum Level {
    Request,
    ResourceMetrics,
    ScopeMetrics,
    Metric,
    /// `Gauge`, `Sum` and their like.
    Data,
}

/// An object of some level.
struct At<'s> {
    level: Level,
    summary: &'s mut MetricsSummary,
    /// Of `ResourceMetrics`: its resource, as the field of protobuf that it is.
    resource: Vec<u8>,
}

impl Members for At<'_> {
    const NAME: &'static str = "OTLP metrics";

    fn member<'de, A: MapAccess<'de>>(&mut self, name: &str, map: &mut A) -> Result<(), A::Error> {
        let level = match (self.level, name) {
            (Level::Request, "resourceMetrics" | "resource_metrics") => Level::ResourceMetrics,
            (Level::ResourceMetrics, "scopeMetrics" | "scope_metrics") => Level::ScopeMetrics,
            (Level::ScopeMetrics, "metrics") => Level::Metric,
            (
                Level::Metric,
                "gauge"
                | "sum"
                | "histogram"
                | "exponentialHistogram"
                | "exponential_histogram"
                | "summary",
            ) => {
                map.next_value_seed(Object(At {
                    level: Level::Data,
                    summary: self.summary,
                    resource: Vec::new(),
                }))?;
                return Ok(());
            }
            (Level::Data, "dataPoints" | "data_points") => {
                return map.next_value_seed(List(DataPoints(self.summary)));
            }
            (Level::ResourceMetrics, "resource") => {
                if let Some(raw) = map.next_value::<Option<&RawValue>>()? {
                    put_resource(raw, &mut self.resource);
                }
                return Ok(());
            }
            _ => return skip(map),
        };
        map.next_value_seed(List(Group {
            level,
            summary: self.summary,
        }))
    }
}

/// Appends the resource, or nothing when it can't be read.
fn put_resource(raw: &RawValue, out: &mut Vec<u8>) {
    let reason = Cell::new(RejectReason::Malformed);
    let context = Context {
        max_value_depth: MAX_VALUE_DEPTH,
        reason: &reason,
    };
    let open = begin_message(out, 1);
    match read_object(raw, Resource(context), out) {
        Ok(()) => open.end(out),
        Err(_) => open.discard(out),
    }
}

/// A list of objects of one level.
struct Group<'s> {
    level: Level,
    summary: &'s mut MetricsSummary,
}

impl Elements for Group<'_> {
    const NAME: &'static str = "OTLP metrics";

    fn element<'de, A: SeqAccess<'de>>(&mut self, list: &mut A) -> Result<bool, A::Error> {
        let mut at = At {
            level: self.level,
            summary: self.summary,
            resource: Vec::new(),
        };
        let read = list.next_element_seed(Object(&mut at))?;
        if read.is_some() && matches!(self.level, Level::ResourceMetrics) {
            let name = ResourceSpans::new(&at.resource).service_name();
            at.summary
                .services
                .add(name.ok().flatten().unwrap_or_default());
        }
        Ok(read.is_some())
    }
}

impl<M: Members> Members for &mut M {
    const NAME: &'static str = M::NAME;

    fn member<'de, A: MapAccess<'de>>(&mut self, name: &str, map: &mut A) -> Result<(), A::Error> {
        (**self).member(name, map)
    }
}

struct DataPoints<'s>(&'s mut MetricsSummary);

impl Elements for DataPoints<'_> {
    const NAME: &'static str = "data points";

    fn element<'de, A: SeqAccess<'de>>(&mut self, list: &mut A) -> Result<bool, A::Error> {
        let is_there = list.next_element::<IgnoredAny>()?.is_some();
        self.0.data_points += usize::from(is_there);
        Ok(is_there)
    }
}

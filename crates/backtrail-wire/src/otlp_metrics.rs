//! OTLP metrics, as far as somebody who does not keep them looks into them: who sent them, and how many.

use crate::otlp::ResourceSpans;
use crate::protobuf::Fields;
use crate::{ServiceNames, WireError};

/// What a request of metrics holds.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct MetricsSummary {
    /// Data points, of all kinds of metrics that are known.
    pub data_points: usize,
    /// The services that sent them; empty for one without a name.
    pub services: ServiceNames,
}

/// Fields of `Metric` that hold data points: gauge, sum, histogram, exponential histogram and summary. Each has them as field 1.
const DATA: [u32; 5] = [5, 7, 9, 10, 11];

impl MetricsSummary {
    /// Looks into a `MetricsData` (or `ExportMetricsServiceRequest`). Its outermost level must be framed; what can't be read inside is not counted.
    pub fn from_protobuf(body: &[u8]) -> Result<Self, WireError> {
        let mut summary = Self::default();
        for field in Fields::new(body) {
            let field = field?;
            if field.number == 1 {
                summary.see_resource_metrics(field.bytes()?);
            }
        }
        Ok(summary)
    }

    fn see_resource_metrics(&mut self, resource_metrics: &[u8]) {
        // Every signal groups by resource and scope with the same numbers of fields.
        let name = ResourceSpans::new(resource_metrics).service_name();
        self.services.add(name.ok().flatten().unwrap_or_default());
        self.data_points += messages(resource_metrics, &[2])
            .flat_map(|scope_metrics| messages(scope_metrics, &[2]))
            .flat_map(|metric| messages(metric, &DATA))
            .flat_map(|data| messages(data, &[1]))
            .count();
    }
}

/// The messages that are one of these fields, up to what can't be read.
fn messages<'a>(message: &'a [u8], numbers: &'a [u32]) -> impl Iterator<Item = &'a [u8]> {
    Fields::new(message)
        .map_while(Result::ok)
        .filter(|field| numbers.contains(&field.number))
        .filter_map(|field| field.bytes().ok())
}

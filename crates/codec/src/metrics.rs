//! Metrics, which are not kept.

use backtrail_wire::{MetricsSummary, otlp_json};

use crate::otlp::check_framing;
use crate::{DecodeError, OtlpEncoding};

/// Looks into a request of metrics: who sent it, and how many data points it has. Only its outermost level is checked.
pub fn summarize_metrics(
    encoding: OtlpEncoding,
    body: &[u8],
) -> Result<MetricsSummary, DecodeError> {
    match encoding {
        OtlpEncoding::Protobuf => {
            check_framing("ExportMetricsServiceRequest", body)?;
            Ok(MetricsSummary::from_protobuf(body)?)
        }
        OtlpEncoding::Json => otlp_json::metrics_summary(body).map_err(DecodeError::Json),
    }
}

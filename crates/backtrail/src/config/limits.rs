//! Limits of spans and of the batch processor.

use std::time::Duration;

use opentelemetry_sdk::trace::SpanLimits;

use super::{Environment, Warnings};
use crate::export::encode::EncodeLimits;

/// What a span may hold. Source: specification, "Span Limits" and "Attribute Limits".
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Limits {
    pub(crate) attributes: u32,
    pub(crate) events: u32,
    pub(crate) links: u32,
    pub(crate) attributes_per_event: u32,
    pub(crate) attributes_per_link: u32,
    /// Characters of a text value; no limit by default.
    pub(crate) attribute_value_len: Option<usize>,
}

const DEFAULT_COUNT: u32 = 128;

impl Default for Limits {
    fn default() -> Self {
        Self {
            attributes: DEFAULT_COUNT,
            events: DEFAULT_COUNT,
            links: DEFAULT_COUNT,
            attributes_per_event: DEFAULT_COUNT,
            attributes_per_link: DEFAULT_COUNT,
            attribute_value_len: None,
        }
    }
}

impl Limits {
    pub(crate) fn from_env(env: &Environment, warnings: &mut Warnings) -> Self {
        let mut count = |names: &[&str]| env.number(names, warnings).unwrap_or(DEFAULT_COUNT);
        let general = "OTEL_ATTRIBUTE_COUNT_LIMIT";
        Self {
            attributes: count(&["OTEL_SPAN_ATTRIBUTE_COUNT_LIMIT", general]),
            events: count(&["OTEL_SPAN_EVENT_COUNT_LIMIT"]),
            links: count(&["OTEL_SPAN_LINK_COUNT_LIMIT"]),
            attributes_per_event: count(&["OTEL_EVENT_ATTRIBUTE_COUNT_LIMIT", general]),
            attributes_per_link: count(&["OTEL_LINK_ATTRIBUTE_COUNT_LIMIT", general]),
            attribute_value_len: env.number(
                &[
                    "OTEL_SPAN_ATTRIBUTE_VALUE_LENGTH_LIMIT",
                    "OTEL_ATTRIBUTE_VALUE_LENGTH_LIMIT",
                ],
                warnings,
            ),
        }
    }

    pub(crate) const fn of_encoding(&self) -> EncodeLimits {
        EncodeLimits {
            attribute_value_len: self.attribute_value_len,
        }
    }

    /// The same for spans of the SDK, which cuts no values: that is done when they are encoded.
    pub(crate) fn of_sdk_spans(&self) -> SpanLimits {
        SpanLimits {
            max_events_per_span: self.events,
            max_attributes_per_span: self.attributes,
            max_links_per_span: self.links,
            max_attributes_per_event: self.attributes_per_event,
            max_attributes_per_link: self.attributes_per_link,
        }
    }
}

/// Bounds and times of the batch processor. Source: specification, "Batch Span Processor".
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct BatchSettings {
    pub(crate) max_queue_spans: usize,
    /// Nothing said: 1 KiB for each span of the queue, and 64 MiB at least.
    pub(crate) max_queue_bytes: Option<usize>,
    pub(crate) max_batch_spans: usize,
    pub(crate) max_concurrent_exports: usize,
    pub(crate) schedule_delay: Duration,
    pub(crate) export_timeout: Duration,
}

impl Default for BatchSettings {
    fn default() -> Self {
        Self {
            max_queue_spans: 2_048,
            max_queue_bytes: None,
            max_batch_spans: 512,
            max_concurrent_exports: 8,
            schedule_delay: Duration::from_secs(5),
            export_timeout: Duration::from_secs(30),
        }
    }
}

const MIN_QUEUE_BYTES: usize = 64 * 1024 * 1024;
const BYTES_PER_SPAN: usize = 1024;

impl BatchSettings {
    pub(crate) fn from_env(env: &Environment, warnings: &mut Warnings) -> Self {
        let default = Self::default();
        let mut positive = |name: &str, default: usize| match env.number(&[name], warnings) {
            Some(0) => {
                warnings.ignored(name, "0", "a number above 0");
                default
            }
            Some(number) => number,
            None => default,
        };
        let mut settings = Self {
            max_queue_spans: positive("OTEL_BSP_MAX_QUEUE_SIZE", default.max_queue_spans),
            max_batch_spans: positive("OTEL_BSP_MAX_EXPORT_BATCH_SIZE", default.max_batch_spans),
            max_concurrent_exports: positive(
                "OTEL_BSP_MAX_CONCURRENT_EXPORTS",
                default.max_concurrent_exports,
            ),
            ..default
        };
        settings.schedule_delay = env
            .duration_ms(&["OTEL_BSP_SCHEDULE_DELAY"], warnings)
            .unwrap_or(default.schedule_delay);
        settings.export_timeout = env
            .duration_ms(&["OTEL_BSP_EXPORT_TIMEOUT"], warnings)
            .unwrap_or(default.export_timeout);
        if settings.max_batch_spans > settings.max_queue_spans {
            // A default that does not fit the other value is nobody's mistake.
            if env.get("OTEL_BSP_MAX_EXPORT_BATCH_SIZE").is_some() {
                warnings.ignored(
                    "OTEL_BSP_MAX_EXPORT_BATCH_SIZE",
                    &settings.max_batch_spans.to_string(),
                    &format!(
                        "at most OTEL_BSP_MAX_QUEUE_SIZE, which is {},",
                        settings.max_queue_spans
                    ),
                );
            }
            settings.max_batch_spans = settings.max_queue_spans;
        }
        settings
    }

    /// The bound on bytes that is in force.
    pub(crate) fn queue_bytes(&self) -> usize {
        self.max_queue_bytes.unwrap_or_else(|| {
            self.max_queue_spans
                .saturating_mul(BYTES_PER_SPAN)
                .max(MIN_QUEUE_BYTES)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_not_a_number_is_told_and_the_default_holds() {
        let mut warnings = Warnings::default();
        let env = Environment::of([
            ("OTEL_BSP_MAX_QUEUE_SIZE", "many"),
            ("OTEL_BSP_MAX_EXPORT_BATCH_SIZE", "0"),
            ("OTEL_BSP_SCHEDULE_DELAY", "-1"),
            ("OTEL_BSP_EXPORT_TIMEOUT", " 1500 "),
            ("OTEL_BSP_MAX_CONCURRENT_EXPORTS", ""),
        ]);
        let settings = BatchSettings::from_env(&env, &mut warnings);
        let expected = BatchSettings {
            export_timeout: Duration::from_millis(1_500),
            ..BatchSettings::default()
        };
        assert_eq!(settings, expected);
        assert_eq!(
            warnings.into_vec(),
            [
                "OTEL_BSP_MAX_QUEUE_SIZE=many is ignored: a whole number that is not negative is expected",
                "OTEL_BSP_MAX_EXPORT_BATCH_SIZE=0 is ignored: a number above 0 is expected",
                "OTEL_BSP_SCHEDULE_DELAY=-1 is ignored: a whole number that is not negative is expected",
            ]
        );
    }

    #[test]
    fn a_batch_is_no_larger_than_the_queue() {
        let mut warnings = Warnings::default();
        let env = Environment::of([("OTEL_BSP_MAX_QUEUE_SIZE", "100")]);
        let settings = BatchSettings::from_env(&env, &mut warnings);
        assert_eq!(settings.max_batch_spans, 100);
        assert_eq!(warnings.into_vec(), [""; 0]);

        let mut warnings = Warnings::default();
        let env = Environment::of([
            ("OTEL_BSP_MAX_QUEUE_SIZE", "100"),
            ("OTEL_BSP_MAX_EXPORT_BATCH_SIZE", "101"),
        ]);
        let settings = BatchSettings::from_env(&env, &mut warnings);
        assert_eq!(settings.max_batch_spans, 100);
        assert_eq!(warnings.into_vec().len(), 1);
    }

    #[test]
    fn the_limit_of_spans_goes_before_the_general_one() {
        let mut warnings = Warnings::default();
        let env = Environment::of([
            ("OTEL_ATTRIBUTE_COUNT_LIMIT", "10"),
            ("OTEL_SPAN_ATTRIBUTE_COUNT_LIMIT", "20"),
            ("OTEL_ATTRIBUTE_VALUE_LENGTH_LIMIT", "5"),
            ("OTEL_SPAN_LINK_COUNT_LIMIT", "1"),
        ]);
        let limits = Limits::from_env(&env, &mut warnings);
        let expected = Limits {
            attributes: 20,
            events: 128,
            links: 1,
            attributes_per_event: 10,
            attributes_per_link: 10,
            attribute_value_len: Some(5),
        };
        assert_eq!(limits, expected);
    }
}

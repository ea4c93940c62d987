//! Who sends what is not kept: said once for each service, so that somebody can turn it off there.

use std::collections::HashSet;
use std::sync::{Mutex, PoisonError};

use codec::ServiceNames;

use super::OtlpSignal;

/// How many services are remembered. Names come from clients.
const MAX_SERVICES: usize = 1_000;

/// The services of which it was said.
#[derive(Debug, Default)]
pub(super) struct IgnoredServices {
    told: Mutex<HashSet<(OtlpSignal, String)>>,
}

impl IgnoredServices {
    /// Says of each service, once, that it sends what is not kept.
    pub(super) fn tell(&self, signal: OtlpSignal, services: &ServiceNames) {
        for service in services.iter() {
            match self.note(signal, service) {
                Note::Known => {}
                Note::New => say(signal, service),
                Note::Last => tracing::info!(
                    "{MAX_SERVICES} services send logs or metrics that are not kept; no more of them will be named"
                ),
            }
        }
    }

    fn note(&self, signal: OtlpSignal, service: &str) -> Note {
        let mut told = self.told.lock().unwrap_or_else(PoisonError::into_inner);
        if told.len() > MAX_SERVICES || told.contains(&(signal, service.to_owned())) {
            return Note::Known;
        }
        told.insert((signal, service.to_owned()));
        if told.len() > MAX_SERVICES {
            Note::Last
        } else {
            Note::New
        }
    }
}

#[derive(Debug, PartialEq, Eq)]
enum Note {
    Known,
    New,
    /// One more than there is room for.
    Last,
}

fn say(signal: OtlpSignal, service: &str) {
    let service = if service.is_empty() {
        "a service without a name".to_owned()
    } else {
        format!("service {service:?}")
    };
    match signal {
        OtlpSignal::Traces => {}
        OtlpSignal::Logs => tracing::info!(
            "{service} sends logs; of those, exceptions that name a trace are kept and the rest is not. \
             OTEL_LOGS_EXPORTER=none in its environment stops them all"
        ),
        OtlpSignal::Metrics => tracing::info!(
            "{service} sends metrics, which are not kept here. \
             OTEL_METRICS_EXPORTER=none in its environment stops them"
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_service_is_named_once_for_each_signal_and_a_thousand_at_most() {
        let services = IgnoredServices::default();
        let logs = |service: &str| services.note(OtlpSignal::Logs, service);
        assert_eq!(logs("shop"), Note::New);
        assert_eq!(logs("shop"), Note::Known);
        assert_eq!(services.note(OtlpSignal::Metrics, "shop"), Note::New);
        for service in 2..MAX_SERVICES {
            assert_eq!(logs(&service.to_string()), Note::New, "{service}");
        }
        assert_eq!(logs("one too many"), Note::Last);
        assert_eq!(logs("another"), Note::Known);
    }
}

//! Keeps spans in memory, for tests.

use std::sync::{Arc, Mutex, PoisonError};

use opentelemetry_sdk::trace::SpanData;

use super::encode::{EncodeLimits, normalize};
use super::{Export, Exporting, Outcome};
use crate::processor::{Batch, Recycle};

/// Spans that are kept at most, so that a test that never looks does not fill the machine.
const MAX_SPANS: usize = 100_000;

/// The spans, shared by the exporter and the test.
#[derive(Debug, Clone, Default)]
pub(crate) struct Memory {
    spans: Arc<Mutex<Vec<SpanData>>>,
    limits: EncodeLimits,
}

impl Memory {
    pub(crate) fn with_limits(mut self, limits: EncodeLimits) -> Self {
        self.limits = limits;
        self
    }

    pub(crate) fn spans(&self) -> Vec<SpanData> {
        self.lock().clone()
    }

    pub(crate) fn clear(&self) {
        self.lock().clear();
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Vec<SpanData>> {
        self.spans.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Export for Memory {
    fn export<'a>(&'a self, batch: Batch, _recycle: Arc<dyn Recycle>) -> Exporting<'a> {
        let len = batch.len();
        let mut kept = self.lock();
        let refused = (kept.len() + len).saturating_sub(MAX_SPANS);
        kept.extend(
            batch
                .into_spans()
                .into_iter()
                .take(len - refused.min(len))
                .map(|mut span| {
                    normalize(&mut span, &self.limits);
                    span
                }),
        );
        drop(kept);
        let outcome = if refused == 0 {
            Outcome::accepted()
        } else {
            Outcome::Accepted {
                rejected: refused as u64,
                message: format!("at most {MAX_SPANS} spans are kept in memory"),
            }
        };
        Box::pin(async { outcome })
    }

    fn describe(&self) -> String {
        "memory".to_owned()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Forget;

    impl Recycle for Forget {
        fn recycle(&self, batch: Batch) {
            drop(batch);
        }
    }

    #[tokio::test]
    async fn what_is_kept_needs_no_words() {
        let memory = Memory::default();
        let batch = Batch::from(Vec::<SpanData>::new());
        let outcome = memory.export(batch, Arc::new(Forget)).await;
        assert_eq!(outcome, Outcome::accepted());
    }
}

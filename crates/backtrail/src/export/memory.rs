//! Keeps spans in memory, for tests.

use std::sync::{Arc, Mutex, PoisonError};

use opentelemetry_sdk::trace::SpanData;

use super::{Export, Exporting, Outcome, decode};
use crate::processor::{Batch, Recycle};

/// Spans that are kept at most, so that a test that never looks does not fill the machine.
const MAX_SPANS: usize = 100_000;

/// The spans, shared by the exporter and the test.
#[derive(Debug, Clone, Default)]
pub(crate) struct Memory {
    spans: Arc<Mutex<Vec<SpanData>>>,
}

impl Memory {
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
    fn export<'a>(&'a self, batch: Batch, recycle: Arc<dyn Recycle>) -> Exporting<'a> {
        let len = batch.len();
        let spans = match decode::spans(batch.chunks()) {
            Ok(spans) => spans,
            Err(error) => return Box::pin(async move { Outcome::unreadable(&error) }),
        };
        recycle.recycle(batch);
        let mut kept = self.lock();
        let refused = (kept.len() + len).saturating_sub(MAX_SPANS);
        kept.extend(spans.into_iter().take(len - refused.min(len)));
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
        let batch = Batch::default();
        let outcome = memory.export(batch, Arc::new(Forget)).await;
        assert_eq!(outcome, Outcome::accepted());
    }
}

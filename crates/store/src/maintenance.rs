//! What the store does by itself: flush, merge, forget.

use std::time::Duration;

use crate::flush::FlushGoal;
use crate::{Store, StoreError};

/// How often the store looks whether something is due.
const TICK: Duration = Duration::from_millis(250);
/// Ticks between two looks at retention and the disk.
const TICKS_TO_RETENTION: u32 = 40;
/// How long after a failure the next try comes.
const PAUSE_AFTER_FAILURE: Duration = Duration::from_secs(1);

impl Store {
    /// Flushes when it is due, merges small blocks, removes what is kept no longer. Runs until [`Store::close`], or until the store stops. A failure is logged and tried again.
    pub async fn run_maintenance(&self) {
        let mut tick: u32 = 0;
        while !self.inner.is_stopped() {
            if let Err(error) = self.maintain(tick).await {
                tracing::error!(%error, "upkeep of the store failed; it will be tried again");
                self.inner.host.tasks.sleep(PAUSE_AFTER_FAILURE).await;
            }
            tick = tick.wrapping_add(1);
            tokio::select! {
                () = self.inner.wake.notified() => {}
                () = self.inner.host.tasks.sleep(TICK) => {}
            }
        }
    }

    async fn maintain(&self, tick: u32) -> Result<(), StoreError> {
        if let Some(goal) = self.inner.due() {
            self.run_flush(goal).await?;
            if goal == FlushGoal::Idle {
                self.compact().await?;
            }
        }
        if self.inner.is_rewrite_due() {
            self.rewrite().await?;
        }
        if tick.is_multiple_of(TICKS_TO_RETENTION) {
            self.expire().await?;
        }
        Ok(())
    }
}

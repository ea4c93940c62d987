//! The exports that run at one time.

use std::collections::HashMap;
use std::future::pending;
use std::sync::Arc;
use std::time::Duration;

use tokio::task::{Id, JoinError, JoinSet};
use tokio::time::timeout;

use super::batch::Batch;
use super::queue::Queue;
use crate::deadline;
use crate::export::{Export, Outcome};

pub(super) struct Exports {
    queue: Arc<Queue>,
    exporter: Arc<dyn Export>,
    /// For one batch, all attempts together.
    timeout: Duration,
    tasks: JoinSet<Outcome>,
    running: HashMap<Id, Running>,
}

struct Running {
    number: u64,
    len: u64,
}

/// What became of a batch.
pub(super) struct Exported {
    pub(super) number: u64,
    pub(super) len: u64,
    pub(super) outcome: Outcome,
}

impl Exports {
    pub(super) fn new(queue: Arc<Queue>, exporter: Arc<dyn Export>, timeout: Duration) -> Self {
        Self {
            queue,
            exporter,
            timeout: deadline::limit(timeout),
            tasks: JoinSet::new(),
            running: HashMap::new(),
        }
    }

    pub(super) fn len(&self) -> usize {
        self.running.len()
    }

    pub(super) fn start(&mut self, number: u64, batch: Batch) {
        let len = batch.len() as u64;
        let exporter = Arc::clone(&self.exporter);
        let queue = Arc::clone(&self.queue);
        let limit = self.timeout;
        let task = self.tasks.spawn(async move {
            let export = exporter.export(batch, queue);
            timeout(limit, export)
                .await
                .unwrap_or_else(|_| Outcome::timed_out(limit))
        });
        self.running.insert(task.id(), Running { number, len });
    }

    /// The next one that ends; waits for ever when none runs. Nothing is lost when the future is dropped.
    pub(super) async fn next(&mut self) -> Exported {
        loop {
            let Some(ended) = self.tasks.join_next_with_id().await else {
                return pending().await;
            };
            if let Some(exported) = self.exported(ended) {
                return exported;
            }
        }
    }

    /// One that has ended already.
    pub(super) fn try_next(&mut self) -> Option<Exported> {
        let ended = self.tasks.try_join_next_with_id()?;
        self.exported(ended)
    }

    pub(super) fn abort(&mut self) {
        self.tasks.abort_all();
        self.running.clear();
    }

    fn exported(&mut self, ended: Result<(Id, Outcome), JoinError>) -> Option<Exported> {
        let (id, outcome) = match ended {
            Ok(ended) => ended,
            // An exporter that panics loses its batch, and nothing else.
            Err(error) => (
                error.id(),
                Outcome::Failed(format!("the exporter stopped: {error}")),
            ),
        };
        let Running { number, len } = self.running.remove(&id)?;
        Some(Exported {
            number,
            len,
            outcome,
        })
    }
}

//! An exporter that does as it is told.

use std::collections::VecDeque;
use std::future::pending;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use tokio::sync::Semaphore;

use super::super::{Batch, Pipeline, Recycle, Stats};
use super::{PATIENCE, numbers, offer};
use crate::config::BatchSettings;
use crate::export::{Export, Exporting, Outcome};

#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Act {
    Accept,
    Reject(u64),
    Fail,
    Panic,
    Never,
}

/// A pipeline, and what its exporter saw.
pub(super) struct Stage {
    pub(super) pipeline: Arc<Pipeline>,
    script: Arc<Mutex<VecDeque<Act>>>,
    curtain: Arc<Semaphore>,
    begun: Receiver<Vec<u64>>,
}

#[derive(Debug)]
struct Actor {
    script: Arc<Mutex<VecDeque<Act>>>,
    curtain: Arc<Semaphore>,
    begun: Sender<Vec<u64>>,
}

impl Stage {
    /// Exports end at once, as the script says; when it is over, well.
    pub(super) fn new(settings: BatchSettings, script: impl IntoIterator<Item = Act>) -> Self {
        let stage = Self::held(settings, script);
        stage.let_end(Semaphore::MAX_PERMITS);
        stage
    }

    /// Exports end when they are let.
    pub(super) fn held(settings: BatchSettings, script: impl IntoIterator<Item = Act>) -> Self {
        let script = Arc::new(Mutex::new(script.into_iter().collect()));
        let curtain = Arc::new(Semaphore::new(0));
        let (sender, begun) = channel();
        let actor = Actor {
            script: Arc::clone(&script),
            curtain: Arc::clone(&curtain),
            begun: sender,
        };
        let pipeline = Pipeline::start(settings, Arc::new(actor)).unwrap();
        Self {
            pipeline,
            script,
            curtain,
            begun,
        }
    }

    pub(super) fn end_spans(&self, numbers: impl IntoIterator<Item = u64>) {
        for number in numbers {
            offer(&self.pipeline.queue, number, 0);
        }
    }

    pub(super) fn then(&self, act: Act) {
        self.script.lock().unwrap().push_back(act);
    }

    pub(super) fn let_end(&self, exports: usize) {
        self.curtain.add_permits(exports);
    }

    /// Waits until the next export begins, and tells its spans.
    pub(super) fn next_export(&self) -> Vec<u64> {
        self.begun.recv_timeout(PATIENCE).unwrap()
    }

    /// The spans of all exports that have begun and were not told yet.
    pub(super) fn exports(&self) -> Vec<Vec<u64>> {
        self.begun.try_iter().collect()
    }

    pub(super) fn stats(&self) -> Stats {
        self.pipeline.stats()
    }

    pub(super) fn flush(&self) {
        // What is lost is counted; the tests look there.
        let _lost = self.pipeline.flush(PATIENCE);
        let stats = self.stats();
        assert_eq!(stats.pending(), 0, "{stats:?}");
        assert_adds_up(&stats);
    }
}

pub(super) fn assert_adds_up(stats: &Stats) {
    assert_eq!(
        stats.ended,
        stats.exported + stats.lost() + stats.pending(),
        "{stats:?}"
    );
}

impl Export for Actor {
    fn export<'a>(&'a self, batch: Batch, recycle: Arc<dyn Recycle>) -> Exporting<'a> {
        let numbers = numbers(&batch);
        recycle.recycle(batch);
        let act = self.script.lock().unwrap().pop_front();
        // A test that is over does not listen any more.
        let _told = self.begun.send(numbers);
        Box::pin(async move {
            if let Ok(permit) = self.curtain.acquire().await {
                permit.forget();
            }
            match act.unwrap_or(Act::Accept) {
                Act::Accept => Outcome::accepted(),
                Act::Reject(rejected) => Outcome::Accepted {
                    rejected,
                    message: "too old".to_owned(),
                },
                Act::Fail => Outcome::Failed("no route".to_owned()),
                Act::Panic => panic!("a bug of the exporter"),
                Act::Never => pending().await,
            }
        })
    }

    fn describe(&self) -> String {
        "a stage".to_owned()
    }
}

/// A moment in which a thing that must not happen would happen, on a machine that is not very busy. A test that needs it passes by mistake on a
/// slow machine, and never fails by mistake.
pub(super) const MOMENT: Duration = Duration::from_millis(20);

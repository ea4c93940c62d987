//! The shop's hour before the demo, and then its days.

use std::sync::Arc;
use std::time::Duration;

use anyhow::Context as _;
use host::{Clock, Host};

use super::Args;
use super::greeting::{announce, page_url, welcome};
use super::post::Post;
use super::random::Random;
use super::schedule::{Highlights, Schedule};
use crate::state::BoundListener;

/// The same shop each time.
const SEED: u64 = 20_260_131;
/// How often spans are sent.
const TICK: Duration = Duration::from_millis(500);
/// The past is told in pieces of this length, so that little of it is in memory at once.
const SLICE_US: u64 = 60_000_000;

pub(super) struct Traffic {
    clock: Arc<dyn Clock>,
    schedule: Schedule,
    highlights: Highlights,
    post: Post,
    page: String,
    /// Up to here, the spans that are due were posted.
    told_us: u64,
}

impl Traffic {
    pub(super) fn new(
        listeners: &[BoundListener],
        host: Host,
        args: &Args,
    ) -> anyhow::Result<Self> {
        let web = listeners
            .iter()
            .find(|listener| listener.name == "web")
            .context("the listener \"web\" is off: the demo has nothing to show")?;
        let now_us = host.clock.now_unix_nano() / 1000;
        let history_us = args.history_minutes * 60_000_000;
        let (schedule, highlights) = Schedule::new(Random::new(SEED), now_us, history_us);
        Ok(Self {
            clock: host.clock,
            schedule,
            highlights,
            post: Post::new(listeners)?,
            page: page_url(web.address),
            told_us: now_us.saturating_sub(history_us),
        })
    }

    /// Sends until it is dropped.
    pub(super) async fn run(mut self) -> anyhow::Result<()> {
        if let Err(error) = announce(&self.page) {
            tracing::debug!("standard output is closed: {error}");
        }
        self.catch_up().await?;
        if let Err(error) = welcome(&self.page, self.post.sent_spans(), self.highlights) {
            tracing::debug!("standard output is closed: {error}");
        }
        loop {
            tokio::time::sleep(TICK).await;
            self.catch_up().await?;
        }
    }

    /// Posts what is due by now: the past at first, and after the machine slept.
    async fn catch_up(&mut self) -> anyhow::Result<()> {
        let now_us = self.clock.now_unix_nano() / 1000;
        loop {
            self.told_us = now_us.min(self.told_us + SLICE_US);
            self.post.put(self.schedule.due(self.told_us))?;
            while !self.post.send().await {
                tokio::time::sleep(TICK).await;
            }
            if self.told_us == now_us {
                return Ok(());
            }
        }
    }
}

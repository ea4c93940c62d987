//! Ours: the crate `backtrail`.

use std::time::{Duration, Instant};

use anyhow::{Result, bail};

use super::Contestant;
use crate::sdk::request::Request;
use crate::sdk::task::Task;

pub(in crate::sdk) struct Ours;

impl Contestant for Ours {
    fn start(_task: &Task) -> Result<Self> {
        bail!("not connected yet")
    }

    fn span(&self, _request: &Request) {}

    fn flush(&self, _created: u64, _until: Instant) {}

    fn finish(self, _timeout: Duration) -> Option<u64> {
        None
    }
}

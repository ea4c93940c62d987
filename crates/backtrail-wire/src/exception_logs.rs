//! What a request of log records comes down to.

use crate::otlp::{IgnoreReason, ResourceSpans};
use crate::{Rejections, ServiceNames};

/// The log records of a request that carry an exception of a trace, and how many others there were.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ExceptionLogs {
    /// A `LogsData` message with the log records that are kept.
    pub protobuf: Vec<u8>,
    /// How many those are.
    pub kept: usize,
    /// The ones that are passed over.
    pub ignored: IgnoredLogs,
    /// The ones that carry an exception and are malformed.
    pub rejected: Rejections,
}

impl ExceptionLogs {
    /// How many log records the request had.
    pub fn received(&self) -> usize {
        self.kept + self.ignored.count() + self.rejected.count()
    }
}

/// Log records that are passed over.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct IgnoredLogs {
    by_reason: [usize; IgnoreReason::ALL.len()],
    services: ServiceNames,
    /// How many there were when the last resource ended.
    seen: usize,
}

impl IgnoredLogs {
    /// One more.
    pub fn add(&mut self, reason: IgnoreReason) {
        self.by_reason[reason as usize] += 1;
    }

    /// The group of a resource ends, here without the part that was not kept: its service is remembered when something of it was ignored.
    /// `ResourceLogs` has its resource where `ResourceSpans` has it.
    pub fn end_resource(&mut self, resource_logs: &[u8]) {
        let count = self.count();
        if count > self.seen {
            self.seen = count;
            // What can't be read has no name.
            let name = ResourceSpans::new(resource_logs).service_name();
            self.services.add(name.ok().flatten().unwrap_or_default());
        }
    }

    /// How many.
    pub fn count(&self) -> usize {
        self.by_reason.iter().sum()
    }

    /// How many for each reason.
    pub fn by_reason(&self) -> impl Iterator<Item = (IgnoreReason, usize)> + '_ {
        IgnoreReason::ALL
            .into_iter()
            .map(|reason| (reason, self.by_reason[reason as usize]))
    }

    /// The services that sent them; empty for one without a name.
    pub fn services(&self) -> &ServiceNames {
        &self.services
    }
}

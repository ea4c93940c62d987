//! Discovers traces in the order of their latest matching span.

use std::collections::BTreeSet;
use std::sync::Arc;

use hashbrown::{HashMap, HashSet};
use model::{RowSet, Scan, ScanError, TraceId};

use super::Position;
use crate::columns;
use crate::condition::{Plan, started_in};

/// A partition that was not read yet.
struct Unread {
    scan: usize,
    rows: RowSet,
    /// No matching span in it starts later.
    latest_start: u64,
}

pub(crate) struct Sweep<'a> {
    scans: &'a [Arc<dyn Scan>],
    plan: &'a Plan<'a>,
    from: Option<Position>,
    /// The one with the latest start is last.
    unread: Vec<Unread>,
    /// Traces by their latest matching span, of those that were read.
    waiting: BTreeSet<Position>,
    latest_start: HashMap<TraceId, u64>,
    taken: HashSet<TraceId>,
    max_candidates: usize,
    /// From here on the sweep knows of traces that it had no room for.
    horizon: Option<Position>,
}

impl<'a> Sweep<'a> {
    pub(crate) fn new(
        scans: &'a [Arc<dyn Scan>],
        plan: &'a Plan<'a>,
        from: Option<Position>,
        max_candidates: usize,
    ) -> Self {
        let latest = from.map_or(u64::MAX, |from| from.start_unix_nano);
        let (earliest, latest) = (*plan.starts().start(), latest.min(*plan.starts().end()));
        let mut unread = Vec::new();
        for (number, scan) in scans
            .iter()
            .enumerate()
            .filter(|(_, scan)| plan.may_hold(&***scan))
        {
            for partition in scan.partitions() {
                if partition.min_start_unix_nano <= latest
                    && partition.max_start_unix_nano >= earliest
                {
                    unread.push(Unread {
                        scan: number,
                        rows: RowSet::range(partition.rows.clone()),
                        latest_start: partition.max_start_unix_nano.min(latest),
                    });
                }
            }
        }
        unread.sort_by_key(|partition| partition.latest_start);
        Self {
            scans,
            plan,
            from,
            unread,
            waiting: BTreeSet::new(),
            latest_start: HashMap::new(),
            taken: HashSet::new(),
            max_candidates: max_candidates.max(1),
            horizon: None,
        }
    }

    /// No trace that was not taken yet comes before this place. `None` when there is no such trace.
    pub(crate) fn frontier(&self) -> Option<Position> {
        let unread = self.next_unread_position();
        let waiting = self.waiting.first().copied();
        let known = unread.into_iter().chain(waiting).min();
        known.into_iter().chain(self.horizon).min()
    }

    /// Whether the sweep can't go on: it has taken or forgotten as many traces as it may.
    pub(crate) fn is_exhausted(&self) -> bool {
        self.taken.len() >= self.max_candidates
            || (self.horizon.is_some() && self.frontier() == self.horizon)
    }

    /// Goes one step on: reads a partition, or gives the next traces with their places, at most `limit`, of those whose place is certain.
    pub(crate) fn step(&mut self, limit: usize) -> Result<Vec<Position>, ScanError> {
        let certain_before = self.next_unread_position();
        let mut next = Vec::new();
        while let Some(position) = self.waiting.first().copied()
            && certain_before.is_none_or(|unread| position < unread)
            && next.len() < limit
        {
            self.waiting.pop_first();
            self.latest_start.remove(&position.trace_id);
            self.taken.insert(position.trace_id);
            next.push(position);
        }
        if next.is_empty()
            && let Some(partition) = self.unread.pop()
        {
            self.read(&partition)?;
        }
        Ok(next)
    }

    fn next_unread_position(&self) -> Option<Position> {
        let partition = self.unread.last()?;
        let first = Position::first_at(partition.latest_start);
        // The sweep never goes back behind the place at which it began.
        Some(self.from.map_or(first, |from| first.max(from)))
    }

    fn read(&mut self, partition: &Unread) -> Result<(), ScanError> {
        let scan = &*self.scans[partition.scan];
        let rows = match self.from {
            Some(from) => started_in(scan, &partition.rows, &(0..=from.start_unix_nano))?,
            None => partition.rows.clone(),
        };
        let rows = self.plan.filter(scan, &rows)?;
        if rows.is_empty() {
            return Ok(());
        }
        let traces = columns::trace_ids(scan, &rows)?;
        let starts = columns::starts(scan, &rows)?;
        for row in 0..rows.len() {
            self.discover(Position {
                start_unix_nano: starts.value(row),
                trace_id: traces.get(row),
            });
        }
        Ok(())
    }

    fn discover(&mut self, position: Position) {
        let is_out = self.from.is_some_and(|from| position < from)
            || self.horizon.is_some_and(|horizon| position >= horizon)
            || self.taken.contains(&position.trace_id);
        if is_out {
            return;
        }
        match self.latest_start.get_mut(&position.trace_id) {
            Some(start) if *start >= position.start_unix_nano => return,
            Some(start) => {
                self.waiting.remove(&Position {
                    start_unix_nano: *start,
                    trace_id: position.trace_id,
                });
                *start = position.start_unix_nano;
            }
            None => {
                self.latest_start
                    .insert(position.trace_id, position.start_unix_nano);
            }
        }
        self.waiting.insert(position);
        if self.waiting.len() > self.max_candidates
            && let Some(last) = self.waiting.pop_last()
        {
            self.latest_start.remove(&last.trace_id);
            self.horizon = Some(last);
        }
    }
}

//! From a frozen memtable to blocks: which traces go, which stay, and the blocks of those that go.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use block::{ArrivedRange, Block, BlockId, Window};
use hashbrown::hash_map::Entry;
use hashbrown::{HashMap, HashSet};
use host::Host;
use model::{SpanBatch, SpanBatchBuilder, SpanColumns, SpanId, TenantId, TraceId, WireError};

use crate::StoreError;
use crate::manifest::Carried;
use crate::memtable::{Chunk, Memtable, Origin};
use crate::options::StoreOptions;

/// How much of the memtable a flush must take.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum FlushGoal {
    /// The traces that are idle or too old.
    Idle,
    /// At least half of the spans: memory is short.
    Half,
    /// Everything: the store closes.
    All,
}

#[derive(Debug, Clone, Copy)]
struct Activity {
    first_arrived_unix_nano: u64,
    last_arrived_unix_nano: u64,
    first_seq: u64,
    rows: usize,
}

/// What a flush of one tenant came to.
pub(crate) struct Flushed {
    pub(crate) blocks: Vec<Arc<Block>>,
    /// The rows that stay in memory.
    pub(crate) rest: Memtable,
    pub(crate) carried: Vec<Carried>,
    /// Byte-identical repeats of a span that were left out.
    pub(crate) repeats: u64,
}

/// Writes the blocks of one tenant. It blocks, and changes nothing but the files of new blocks, which no manifest names yet.
pub(crate) fn flush_tenant(
    host: &Host,
    options: &StoreOptions,
    tenant: &TenantId,
    memtable: &Memtable,
    goal: FlushGoal,
) -> Result<Flushed, StoreError> {
    let staying = staying(memtable, options, goal, host.clock.now_unix_nano());
    let mut windows: BTreeMap<Window, WindowBuilder> = BTreeMap::new();
    let mut rest = Memtable::default();
    let mut repeats = Repeats::new(memtable.chunks().iter().map(|chunk| chunk.batch()));
    for (number, chunk) in memtable.chunks().iter().enumerate() {
        let (batch, origins) = split(number, chunk, &staying, &mut windows, &mut repeats)?;
        if !batch.is_empty() {
            rest.push(Arc::new(Chunk::new(batch, origins)));
        }
    }
    let mut blocks = Vec::new();
    for (window, builder) in windows {
        let window_dir = window_dir(&options.data_dir, tenant, window);
        let id = BlockId::random(&*host.random);
        let batch = builder.builder.finish();
        let meta = block::write(host, &window_dir, &id, window, builder.arrived, &batch)?;
        blocks.push(Arc::new(Block::open(host, &window_dir, &meta)?));
    }
    let carried = staying
        .into_iter()
        .map(|(trace_id, from_seq)| Carried {
            tenant: tenant.clone(),
            trace_id,
            from_seq,
        })
        .collect();
    Ok(Flushed {
        blocks,
        rest,
        carried,
        repeats: repeats.count,
    })
}

/// The folder of a window.
pub(crate) fn window_dir(data_dir: &Path, tenant: &TenantId, window: Window) -> std::path::PathBuf {
    data_dir
        .join("blocks")
        .join(tenant.as_str())
        .join(window.to_string())
}

/// The traces that stay in memory, with the first record that has something of them.
fn staying(
    memtable: &Memtable,
    options: &StoreOptions,
    goal: FlushGoal,
    now_unix_nano: u64,
) -> HashMap<TraceId, u64> {
    if goal == FlushGoal::All {
        return HashMap::new();
    }
    let mut traces: HashMap<TraceId, Activity> = HashMap::new();
    let mut note = |trace_id: TraceId, origin: Origin| {
        let activity = traces.entry(trace_id).or_insert(Activity {
            first_arrived_unix_nano: origin.arrived_unix_nano,
            last_arrived_unix_nano: origin.arrived_unix_nano,
            first_seq: origin.seq,
            rows: 0,
        });
        activity.first_arrived_unix_nano = activity
            .first_arrived_unix_nano
            .min(origin.arrived_unix_nano);
        activity.last_arrived_unix_nano = activity
            .last_arrived_unix_nano
            .max(origin.arrived_unix_nano);
        activity.first_seq = activity.first_seq.min(origin.seq);
        activity.rows += 1;
    };
    for chunk in memtable.chunks() {
        chunk
            .spans()
            .for_each(|(trace_id, origin)| note(trace_id, origin));
        chunk
            .lone_events()
            .for_each(|(_, trace_id, origin)| note(trace_id, origin));
    }

    let idle_before = now_unix_nano.saturating_sub(options.trace_idle.as_nanos() as u64);
    let old_before = now_unix_nano.saturating_sub(options.trace_max_age.as_nanos() as u64);
    let total: usize = traces.values().map(|activity| activity.rows).sum();
    let mut active: Vec<(TraceId, Activity)> = traces
        .into_iter()
        .filter(|(_, activity)| {
            activity.last_arrived_unix_nano > idle_before
                && activity.first_arrived_unix_nano > old_before
        })
        .collect();
    // The most recently active stay, where not all can.
    active.sort_unstable_by_key(|(trace_id, activity)| {
        (
            std::cmp::Reverse(activity.last_arrived_unix_nano),
            *trace_id,
        )
    });
    active.truncate(options.max_carried_traces);
    let max_rows = if goal == FlushGoal::Half {
        total / 2
    } else {
        total
    };
    let mut rows = 0;
    active
        .into_iter()
        .take_while(|(_, activity)| {
            rows += activity.rows;
            rows <= max_rows
        })
        .map(|(trace_id, activity)| (trace_id, activity.first_seq))
        .collect()
}

struct WindowBuilder {
    builder: SpanBatchBuilder,
    arrived: ArrivedRange,
}

impl WindowBuilder {
    fn at(
        windows: &mut BTreeMap<Window, Self>,
        time_unix_nano: u64,
        arrived_unix_nano: u64,
    ) -> &mut SpanBatchBuilder {
        let arrived = ArrivedRange {
            min_unix_nano: arrived_unix_nano,
            max_unix_nano: arrived_unix_nano,
        };
        let window = windows
            .entry(Window::of(time_unix_nano, arrived_unix_nano))
            .or_insert_with(|| Self {
                builder: SpanBatchBuilder::new(),
                arrived,
            });
        window.arrived = window.arrived.union(arrived);
        &mut window.builder
    }
}

/// Sends the rows of a chunk to their windows; the rows that stay come back.
fn split(
    number: usize,
    chunk: &Chunk,
    staying: &HashMap<TraceId, u64>,
    windows: &mut BTreeMap<Window, WindowBuilder>,
    repeats: &mut Repeats<'_>,
) -> Result<(SpanBatch, Vec<Origin>), StoreError> {
    let columns = chunk.batch().columns();
    let mut rest = SpanBatchBuilder::new();
    let mut origins: Vec<Origin> = Vec::new();
    for (row, (trace_id, origin)) in chunk.spans().enumerate() {
        if staying.contains_key(&trace_id) {
            rest.push_row(&columns, row);
            origin.note(&mut origins, 1, 0);
        } else if !is_repeat(repeats, number, row, origin)? {
            let start = columns.starts.value(row);
            WindowBuilder::at(windows, start, origin.arrived_unix_nano).push_row(&columns, row);
        }
    }
    for (event_row, trace_id, origin) in chunk.lone_events() {
        if staying.contains_key(&trace_id) {
            rest.push_lone_event_row(&columns, event_row);
            origin.note(&mut origins, 0, 1);
        } else if !repeats.is_repeated_event(number, event_row) {
            let time = columns.events.times.value(event_row);
            WindowBuilder::at(windows, time, origin.arrived_unix_nano)
                .push_lone_event_row(&columns, event_row);
        }
    }
    Ok((rest.finish(), origins))
}

fn is_repeat(
    repeats: &mut Repeats<'_>,
    number: usize,
    row: usize,
    origin: Origin,
) -> Result<bool, StoreError> {
    repeats
        .is_repeat(number, row)
        .map_err(|error| StoreError::UnreadableRecord {
            seq: origin.seq,
            reason: error.to_string(),
        })
}

/// Everything about an event that came without its span: ids, time, name, attributes, how many were dropped, resource, scope.
type LoneEventKey<'a> = (
    (TraceId, SpanId),
    u64,
    &'a str,
    &'a [u8],
    u32,
    &'a [u8],
    &'a [u8],
);

/// Finds byte-identical repeats of a span, or of an event without one: what a client sends that got no answer.
///
/// Only spans whose ids were seen before are compared in full.
pub(crate) struct Repeats<'a> {
    batches: Vec<SpanColumns<'a>>,
    /// The batch and row of the first span with these ids.
    first: HashMap<(TraceId, SpanId), (u32, u32)>,
    /// The distinct spans with these ids, once there were two.
    distinct: HashMap<(TraceId, SpanId), Vec<Vec<u8>>>,
    lone_events: HashSet<LoneEventKey<'a>>,
    pub(crate) count: u64,
}

impl<'a> Repeats<'a> {
    pub(crate) fn new(batches: impl Iterator<Item = &'a SpanBatch>) -> Self {
        Self {
            batches: batches.map(SpanBatch::columns).collect(),
            first: HashMap::new(),
            distinct: HashMap::new(),
            lone_events: HashSet::new(),
            count: 0,
        }
    }

    /// Whether a span equal to this one was asked about before. `batch` is its number among the batches.
    pub(crate) fn is_repeat(&mut self, batch: usize, row: usize) -> Result<bool, WireError> {
        let columns = &self.batches[batch];
        let ids = (columns.trace_id(row), columns.span_id(row));
        let Some((first_batch, first_row)) = self.first.get(&ids).copied() else {
            self.first.insert(ids, (batch as u32, row as u32));
            return Ok(false);
        };
        let first = &self.batches[first_batch as usize];
        let distinct = match self.distinct.entry(ids) {
            Entry::Occupied(entry) => entry.into_mut(),
            Entry::Vacant(entry) => entry.insert(vec![first.canonical(first_row as usize)?]),
        };
        let canonical = columns.canonical(row)?;
        let repeated = distinct.contains(&canonical);
        if repeated {
            self.count += 1;
        } else {
            distinct.push(canonical);
        }
        Ok(repeated)
    }

    /// The same of an event without span. A null envelope reads as an empty one, which says the same.
    pub(crate) fn is_repeated_event(&mut self, batch: usize, event_row: usize) -> bool {
        let events = self.batches[batch].events;
        let is_new = self.lone_events.insert((
            (events.trace_id(event_row), events.span_id(event_row)),
            events.times.value(event_row),
            events.names.value(event_row),
            events.attributes.value(event_row),
            events.dropped_attributes_counts.value(event_row),
            events.resources.value(event_row),
            events.scopes.value(event_row),
        ));
        self.count += u64::from(!is_new);
        !is_new
    }
}

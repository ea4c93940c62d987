//! What a deletion takes, and how that is written.
//!
//! A deletion is a record of the log like any other: it takes rows of the records before it, and what arrives later stays, whatever it is.

use std::ops::Range;
use std::sync::Arc;

use arrow_array::cast::AsArray;
use arrow_array::types::{Int32Type, UInt64Type};
use arrow_buffer::BooleanBuffer;
use block::Block;
use bytes::Bytes;
use model::batch::EventColumns;
use model::{Field, RowSet, Scan, ScanError, SpanColumns, TraceId};
use serde::{Deserialize, Serialize};

/// What is to be deleted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Deletion {
    /// The spans of a trace, and the exceptions from log records that name it.
    Trace(TraceId),
    /// A service's spans by their start, and its exceptions from log records by their time.
    Spans {
        /// The service's name.
        service: String,
        /// Nanoseconds since 1970.
        starts_unix_nano: Range<u64>,
    },
}

/// What a deletion removed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Deleted {
    /// Spans; a client's repeat counts as often as it was kept.
    pub spans: u64,
    /// Exceptions that came as log records, without their spans.
    pub events: u64,
}

impl Deleted {
    /// The sum.
    #[must_use]
    pub fn plus(self, other: Self) -> Self {
        Self {
            spans: self.spans + other.spans,
            events: self.events + other.events,
        }
    }

    /// Whether nothing was removed.
    pub fn is_nothing(&self) -> bool {
        *self == Self::default()
    }
}

/// A deletion that is in the log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Tombstone {
    /// The record's number.
    pub(crate) seq: u64,
    pub(crate) arrived_unix_nano: u64,
    pub(crate) deletion: Arc<Deletion>,
}

impl Deletion {
    pub(crate) fn takes_span(&self, columns: &SpanColumns<'_>, row: usize) -> bool {
        match self {
            Self::Trace(trace_id) => columns.trace_id(row) == *trace_id,
            Self::Spans {
                service,
                starts_unix_nano,
            } => {
                starts_unix_nano.contains(&columns.starts.value(row))
                    && columns.service(row) == service
            }
        }
    }

    pub(crate) fn takes_lone_event(&self, events: &EventColumns<'_>, row: usize) -> bool {
        match self {
            Self::Trace(trace_id) => events.trace_id(row) == *trace_id,
            Self::Spans {
                service,
                starts_unix_nano,
            } => {
                starts_unix_nano.contains(&events.times.value(row))
                    && events.service(row) == service
            }
        }
    }

    /// `false` proves that nothing of the trace stays where the deletion applies.
    pub(crate) fn may_leave_of(&self, trace_id: &TraceId) -> bool {
        !matches!(self, Self::Trace(deleted) if deleted == trace_id)
    }

    /// The spans of a block that it takes. It blocks.
    pub(crate) fn rows_in(&self, block: &Block) -> Result<RowSet, ScanError> {
        let (service, starts) = match self {
            Self::Trace(trace_id) => return block.trace_rows(trace_id),
            Self::Spans {
                service,
                starts_unix_nano,
            } => (service, starts_unix_nano),
        };
        let mut taken = Vec::new();
        for partition in block.partitions() {
            let (first, last) = (partition.min_start_unix_nano, partition.max_start_unix_nano);
            if first >= starts.end || last < starts.start {
                continue;
            }
            let rows = RowSet::range(partition.rows.clone());
            let services = block.column(Field::Service, &rows)?;
            let services = services.as_dictionary::<Int32Type>();
            let is_named: Vec<bool> = services
                .values()
                .as_string::<i32>()
                .iter()
                .map(|name| name == Some(service))
                .collect();
            if !is_named.contains(&true) {
                continue;
            }
            let keys = services.keys().values();
            let rows = rows.filter(&BooleanBuffer::collect_bool(keys.len(), |row| {
                is_named[keys[row] as usize]
            }));
            let column = block.column(Field::Start, &rows)?;
            let values = column.as_primitive::<UInt64Type>().values();
            let rows = rows.filter(&BooleanBuffer::collect_bool(values.len(), |row| {
                starts.contains(&values[row])
            }));
            taken.extend_from_slice(rows.ranges());
        }
        Ok(RowSet::from_sorted_ranges(taken))
    }

    /// How many events without span of a block it takes. It blocks.
    pub(crate) fn lone_events_in(&self, block: &Block) -> Result<u64, ScanError> {
        if let Self::Trace(trace_id) = self {
            let events = block.lone_events(trace_id)?;
            return Ok(events.event_columns().lone_rows().len() as u64);
        }
        let mut taken = 0;
        for events in block.lone_event_batches() {
            let events = events?;
            let columns = events.event_columns();
            let mut rows = columns.lone_rows();
            taken += rows
                .by_ref()
                .filter(|row| self.takes_lone_event(&columns, *row))
                .count();
        }
        Ok(taken as u64)
    }
}

/// A deletion in the log and in the manifest.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "delete", deny_unknown_fields)]
pub(crate) enum WireDeletion {
    Trace {
        trace_id: String,
    },
    Spans {
        service: String,
        start_unix_nano: u64,
        end_unix_nano: u64,
    },
}

impl WireDeletion {
    pub(crate) fn of(deletion: &Deletion) -> Self {
        match deletion {
            Deletion::Trace(trace_id) => Self::Trace {
                trace_id: trace_id.to_string(),
            },
            Deletion::Spans {
                service,
                starts_unix_nano,
            } => Self::Spans {
                service: service.clone(),
                start_unix_nano: starts_unix_nano.start,
                end_unix_nano: starts_unix_nano.end,
            },
        }
    }

    #[expect(
        clippy::expect_used,
        reason = "strings and numbers can't fail to serialise"
    )]
    pub(crate) fn to_json(&self) -> Bytes {
        let json = serde_json::to_vec(self).expect("strings and numbers serialise");
        json.into()
    }

    pub(crate) fn read(self) -> Result<Deletion, String> {
        Ok(match self {
            Self::Trace { trace_id } => {
                Deletion::Trace(TraceId::parse(&trace_id).map_err(|error| error.to_string())?)
            }
            Self::Spans {
                service,
                start_unix_nano,
                end_unix_nano,
            } => Deletion::Spans {
                service,
                starts_unix_nano: start_unix_nano..end_unix_nano,
            },
        })
    }
}
